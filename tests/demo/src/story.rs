//! The steps, what is printed of them, and what is checked.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta};
use graph_sim::{Service, Simulator};
use serde_json::Value;
use support::shim::Embedded;
use support::{Answer, Put, Server, event};

/// The domain of the demo's calendar server.
pub(crate) const DOMAIN: &str = "mail.example";
/// The demo's user, on the calendar server.
pub(crate) const ACCOUNT: &str = "alice@mail.example";
/// The demo's user, at Microsoft.
pub(crate) const AT_MICROSOFT: &str = "alice@contoso.example";
const UID: &str = "3f1c9f0e-planning@mail.example";
const SOON: Duration = Duration::from_secs(20);

/// A step's bookkeeping: what was asked of Microsoft, and how long it took.
struct Step<'a> {
    sim: &'a Simulator,
    began: Instant,
}

impl<'a> Step<'a> {
    fn begin(sim: &'a Simulator, number: u32, title: &str) -> Self {
        println!("{number}. {title}");
        sim.clear_requests();
        Self { sim, began: Instant::now() }
    }

    fn end(self) {
        let took = self.began.elapsed();
        let name = |service, what: &str| {
            let requests = self.sim.requests_to(service);
            let methods: Vec<String> =
                requests.into_iter().map(|r| format!("{} {}", r.method, short(&r.path))).collect();
            (!methods.is_empty()).then(|| format!("{what}: {}", methods.join(", ")))
        };
        let asked: Vec<String> =
            [name(Service::Graph, "Graph"), name(Service::Token, "token endpoint")].into_iter().flatten().collect();
        let asked = if asked.is_empty() { "nothing".to_owned() } else { asked.join("; ") };
        println!("   Asked of Microsoft: {asked}.  {} ms in all.\n", took.as_millis());
    }
}

/// Paths without the long ids in them.
fn short(path: &str) -> String {
    path.split('/').map(|part| if part.len() > 24 { "…" } else { part }).collect::<Vec<_>>().join("/")
}

/// Takes an event through its life. Fails at the first thing that is not as it should be.
pub(crate) fn tell(sim: &Simulator, shim: &Embedded) -> Result<(), String> {
    shim.running
        .shim()
        .accounts()
        .set_setting(
            &host_shim::store::Scope::Domain(DOMAIN.into()),
            "guest-list",
            Some("on"),
            shim.running.shim().mirror().declared_settings(),
        )
        .map_err(|e| e.to_string())?;

    let step = Step::begin(sim, 1, "Alice turns Teams on in her webmail's settings and signs in at Microsoft.");
    let page = shim.sign_in(ACCOUNT, AT_MICROSOFT)?;
    check(page.status == 200, "the sign-in ends well", &page.text())?;
    println!("   Her browser ends at: “{}”", page.text());
    let account = shim.hook.account(ACCOUNT)?;
    check(account.str("button") == "ready", "the webmail may show “Add Teams”", &account.text)?;
    step.end();

    let mut server = Server::new(shim.hook.clone(), ACCOUNT);
    let step =
        Step::begin(sim, 2, "She saves an event with “Add Teams” ticked. Before storing it, her server asks the hook.");
    let guests =
        ["ORGANIZER:mailto:alice@mail.example", "ATTENDEE;CN=Bob;PARTSTAT=NEEDS-ACTION:mailto:bob@partner.example"];
    let lines = ["DESCRIPTION:Agenda: budget\\, staff.", guests[0], guests[1]];
    let text = event::meeting(UID, "Planning", &lines);
    let saved = server.save(UID, &text, &Put::wanted())?;
    check(saved.status == 200 && saved.str("state") == "mirrored", "the save is answered with a link", &saved.text)?;
    let link = saved.str("join_url").to_owned();
    show_added(&text, &server.stored(UID));
    let held = in_teams(sim)?;
    check(held.len() == 1, "Microsoft holds one event", &format!("{held:?}"))?;
    show_held(&held);
    check(of(&held, "/0/onlineMeeting/joinUrl") == link, "it is the meeting whose link was answered", &link)?;
    check(event::unfolded(&server.stored(UID)).contains(&link), "the link stands in what the server stores", &link)?;
    step.end();

    let step = Step::begin(sim, 3, "She changes the subject and the description.");
    let stored = event::unfolded_only(&server.stored(UID));
    let changed = stored
        .replace("SUMMARY:Planning", "SUMMARY:Planning 2030")
        .replace("Agenda: budget", "Agenda: rooms\\, budget");
    server.save(UID, &changed, &Put::default())?;
    settled(shim, "mirrored")?;
    let held = in_teams(sim)?;
    show_held(&held);
    check(of(&held, "/0/subject") == "Planning 2030", "the new subject is there", &of(&held, "/0/subject"))?;
    check(of(&held, "/0/body/content").contains("rooms"), "the new description is there", "")?;
    check(of(&held, "/0/onlineMeeting/joinUrl") == link, "the link is the same", &link)?;
    step.end();

    let step =
        Step::begin(sim, 4, "She adds a guest. (The policy here lists guests as text; invitations stay the server's.)");
    let carol = "ATTENDEE;CN=Carol;PARTSTAT=NEEDS-ACTION:mailto:carol@partner.example";
    let changed = event::unfolded_only(&server.stored(UID)).replace(guests[1], &format!("{}\r\n{carol}", guests[1]));
    server.save(UID, &changed, &Put::default())?;
    settled(shim, "mirrored")?;
    let held = in_teams(sim)?;
    show_held(&held);
    check(of(&held, "/0/body/content").contains("carol@partner.example"), "the guest is shown in Teams", "")?;
    check(of(&held, "/0/onlineMeeting/joinUrl") == link, "the link is the same", &link)?;
    check(sim.mails().is_empty(), "Microsoft has mailed nobody", &format!("{:?}", sim.mails()))?;
    step.end();

    let step =
        Step::begin(sim, 5, "Bob accepts; his answer arrives in the server's copy. Nothing of that is mirrored.");
    let changed = event::unfolded_only(&server.stored(UID)).replacen("NEEDS-ACTION", "ACCEPTED", 1);
    server.save(UID, &changed, &Put::default())?;
    settled(shim, "mirrored")?;
    check(sim.requests_to(Service::Graph).is_empty(), "nothing was asked of Microsoft", "")?;
    step.end();

    let step = Step::begin(sim, 6, "She cancels.");
    let changed = event::with_line(&server.stored(UID), "STATUS", "STATUS:CANCELLED");
    server.save(UID, &changed, &Put::default())?;
    settled(shim, "not-mirrored")?;
    let held = in_teams(sim)?;
    check(held.is_empty(), "Microsoft holds nothing any more", &format!("{held:?}"))?;
    show_held(&held);
    step.end();
    tell_of_a_series(sim, shim, &mut server)?;
    println!("Every step was checked against what the simulated Microsoft holds.");
    Ok(())
}

/// An event that repeats on days no single pattern of Microsoft's has, one of them taken out.
fn tell_of_a_series(sim: &Simulator, shim: &Embedded, server: &mut Server) -> Result<(), String> {
    let title = "She plans a review for the 14th and the 28th of each month, but not for 28 February.";
    let step = Step::begin(sim, 7, title);
    let lines = ["RRULE:FREQ=MONTHLY;BYMONTHDAY=14,28;COUNT=6", "EXDATE;TZID=Europe/Vienna:20300228T100000"];
    let saved = server.save(UID, &event::meeting(UID, "Review", &lines), &Put::wanted())?;
    check(saved.str("state") == "mirrored", "the save is answered with a link", &saved.text)?;
    let link = saved.str("join_url");
    let held = in_teams(sim)?;
    check(held.len() == 2, "Microsoft holds two series", &format!("{held:?}"))?;
    let both =
        held.iter().all(|series| series.pointer("/body/content").is_some_and(|body| body.to_string().contains(link)));
    check(both, "both carry the one link", &format!("{held:?}"))?;
    let first = DateTime::from_timestamp(1_893_456_000, 0).unwrap_or_default();
    let rows = sim.calendar(AT_MICROSOFT, first, first + TimeDelta::days(365));
    let days: Vec<&str> = rows.iter().filter_map(|row| row["start"].as_str()?.get(..10)).collect();
    println!("   Her Teams calendar shows it on {}.", days.join(", "));
    let right = ["2030-01-14", "2030-01-28", "2030-02-14", "2030-03-14", "2030-03-28"];
    check(days == right, "these are the days of the calendar", &days.join(", "))?;
    server.save(UID, &event::with_line(&server.stored(UID), "STATUS", "STATUS:CANCELLED"), &Put::default())?;
    settled(shim, "not-mirrored")?;
    check(in_teams(sim)?.is_empty(), "she cancels it, and both series go", "")?;
    step.end();
    Ok(())
}

/// An event that stays, so that there is something in the calendar.
pub(crate) fn leave_something_to_look_at(sim: &Simulator, shim: &Embedded) -> Result<(), String> {
    let mut server = Server::new(shim.hook.clone(), ACCOUNT);
    let lines = ["DESCRIPTION:What moved\\, what did not.", "LOCATION:Room 4"];
    let text = event::meeting("review@mail.example", "Quarterly review", &lines);
    let saved = server.save("review@mail.example", &text, &Put::wanted())?;
    check(saved.str("state") == "mirrored", "one more event is saved, to look at", &saved.text)?;
    check(in_teams(sim)?.len() == 1, "it stands in Teams", "")
}

/// The webmail is up, and knows that its user may use Teams.
pub(crate) fn look_at_webmail(url: &str) -> Result<(), String> {
    println!("\nA sample webmail is up, for a user who has not turned Teams on yet.");
    let page = support::Browser::default().open(&format!("{url}/settings"))?;
    check(
        page.status == 200 && page.text().contains("Not connected"),
        "its settings offer Microsoft Teams",
        &page.text(),
    )
}

fn check(so: bool, what: &str, otherwise: &str) -> Result<(), String> {
    if so {
        println!("   ✓ {what}");
        return Ok(());
    }
    Err(format!("not so: {what}\n{otherwise}"))
}

/// What the server is to store beyond what the client sent.
fn show_added(sent: &str, stored: &str) {
    println!("   The server is to store the client's text with these lines changed or added:");
    let known: Vec<&str> = sent.lines().collect();
    for line in event::unfolded_only(stored).lines().filter(|line| !known.contains(line)) {
        println!("     {line}");
    }
}

fn show_held(events: &[Value]) {
    if events.is_empty() {
        println!("   Microsoft holds: nothing.");
    }
    for held in events {
        let text = |path: &str| held.pointer(path).and_then(Value::as_str).unwrap_or("–").to_owned();
        println!(
            "   Microsoft holds: “{}”, {} to {} ({})",
            text("/subject"),
            text("/start/dateTime").chars().take(16).collect::<String>(),
            text("/end/dateTime").chars().take(16).collect::<String>(),
            text("/start/timeZone"),
        );
        println!("                    join at {}", text("/onlineMeeting/joinUrl"));
    }
}

fn in_teams(sim: &Simulator) -> Result<Vec<Value>, String> {
    Ok(sim.events(AT_MICROSOFT))
}

fn of(events: &[Value], path: &str) -> String {
    Value::Array(events.to_vec()).pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Waits until nothing is on its way, and sees that the event stands as it should.
fn settled(shim: &Embedded, state: &str) -> Result<Answer, String> {
    let end = Instant::now() + SOON;
    loop {
        let answer = shim.hook.event(ACCOUNT, UID)?;
        if answer.str("state") == state {
            return Ok(answer);
        }
        if Instant::now() > end {
            return Err(format!("the event does not become `{state}`: {}", answer.text));
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
}
