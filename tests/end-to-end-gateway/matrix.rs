//! What a user can do, with each server: what the client is answered, what stands in Teams and on the server afterwards, and how
//! many requests that costs at Microsoft. `the_matrix` prints it as a table.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use graph_sim::{Fault, FaultKind};
use support::event;

use crate::radicale::with_teams;
use crate::servers::{Kind, Site};
use crate::world::{ALICE, SOON, until};

/// What one thing that users do came to.
struct Seen {
    /// What the client was answered, in order; 0 for no answer.
    statuses: Vec<u16>,
    /// The requests at Microsoft.
    methods: Vec<String>,
}

type Cell = fn(&mut Site, &str) -> Seen;

const ROWS: [(&str, Cell); 12] = [
    ("create", create),
    ("update", update),
    ("stale precondition", stale),
    ("delete", delete),
    ("MOVE", moving),
    ("COPY", copying),
    ("delegate write", delegate),
    ("attendee copy", attendee),
    ("series with overrides", series),
    ("import", import),
    ("collection delete", collection),
    ("server restart in the middle", restart),
];

#[test]
fn the_matrix() {
    let columns: Vec<_> = std::thread::scope(|scope| {
        let columns = Kind::ALL.map(|kind| {
            let thread = std::thread::Builder::new().name(format!("matrix::the_matrix, {}", kind.name()));
            thread.spawn_scoped(scope, move || Site::start(kind).map(|mut site| (kind, column(&mut site)))).unwrap()
        });
        columns.into_iter().map(|column| column.join().unwrap()).collect()
    });
    let columns: Vec<(Kind, BTreeMap<&str, Option<String>>)> = columns.into_iter().flatten().collect();
    let mut table = String::from("| |");
    for (kind, _) in &columns {
        table.push_str(&format!(" {} |", kind.name()));
    }
    table.push_str(&format!("\n|{}\n", " --- |".repeat(columns.len() + 1)));
    for (name, _) in ROWS {
        table.push_str(&format!("| {name} |"));
        for (_, cells) in &columns {
            table.push_str(&format!(" {} |", cells[name].as_deref().unwrap_or("**failed**")));
        }
        table.push('\n');
    }
    println!("{table}");
    let failed: Vec<String> = columns
        .iter()
        .flat_map(|(kind, cells)| {
            cells.iter().filter(|(_, cell)| cell.is_none()).map(move |(name, _)| format!("{}: {name}", kind.name()))
        })
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

/// All rows with one server, each in calendars of its own.
fn column(site: &mut Site) -> BTreeMap<&'static str, Option<String>> {
    ROWS.into_iter()
        .enumerate()
        .map(|(number, (name, cell))| {
            let calendar = format!("c{number}");
            let seen = catch_unwind(AssertUnwindSafe(|| {
                assert!(
                    site.world.in_teams().is_empty(),
                    "the row before left something: {:#?}",
                    site.world.in_teams()
                );
                let path = site.calendar(&calendar);
                site.world.sim.clear_requests();
                cell(site, &path)
            }));
            if seen.is_err() {
                eprintln!("failed: {} with {}\n{}\n{}", name, site.kind.name(), site.log(), site.world.log_tail());
                clear(site, &format!("{}{calendar}/", site.kind.home("alice")));
            }
            (name, seen.ok().map(|seen| described(&seen)))
        })
        .collect()
}

/// After a row that failed: the next begins with an empty Teams calendar.
fn clear(site: &mut Site, path: &str) {
    site.kill_server();
    site.start_server();
    site.delete(path);
    until(SOON, || site.world.in_teams().is_empty());
}

fn described(seen: &Seen) -> String {
    let statuses: Vec<String> =
        seen.statuses.iter().map(|status| if *status == 0 { "–".into() } else { status.to_string() }).collect();
    let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
    for method in &seen.methods {
        *counted.entry(method).or_default() += 1;
    }
    let methods: Vec<String> = counted
        .iter()
        .map(|(method, count)| if *count == 1 { (*method).to_owned() } else { format!("{count} {method}") })
        .collect();
    let methods = if methods.is_empty() { "nothing".into() } else { methods.join(", ") };
    format!("{} · {methods}", statuses.join(" "))
}

/// All that Microsoft was asked since the row began, once nothing is on its way.
fn methods(site: &Site, uid: &str) -> Vec<String> {
    site.settled(uid);
    site.world.graph_methods()
}

fn subjects(site: &Site) -> Vec<String> {
    site.world.in_teams().iter().map(|event| event["subject"].as_str().unwrap().to_owned()).collect()
}

fn teams_shows(site: &Site, expected: &[&str]) {
    let shows = until(SOON, || {
        let mut subjects = subjects(site);
        subjects.sort();
        subjects == expected
    });
    assert!(shows, "{expected:?}, not {:?}\n{}\n{}", subjects(site), site.log(), site.world.log_tail());
}

/// Ends a row: what it made goes, which is not counted.
fn tidy(site: &Site, paths: &[&str]) {
    for path in paths {
        assert_eq!(site.delete(path).status, site.kind.deleted(), "{path}");
    }
    teams_shows(site, &[]);
    site.told();
}

fn create(site: &mut Site, calendar: &str) -> Seen {
    let path = format!("{calendar}create.ics");
    let saved = site.put(&path, &with_teams("create", "Planning", &["DESCRIPTION:Agenda"]));
    assert_eq!(saved.status, 201, "{}", saved.text);
    assert_eq!(saved.header("etag"), None, "the client's text is not what is stored");
    assert_eq!(saved.header("last-modified"), None);
    let link = site.world.settled("create").str("join_url").to_owned();
    let stored = site.stored(&path);
    assert!(!link.is_empty() && stored.contains(&link), "the link was there before the answer: `{link}`\n{stored}");
    assert!(stored.contains("Agenda"));
    teams_shows(site, &["Planning"]);
    let methods = methods(site, "create");
    assert_eq!(methods, ["POST"]);
    tidy(site, &[&path]);
    Seen { statuses: vec![saved.status], methods }
}

fn update(site: &mut Site, calendar: &str) -> Seen {
    let path = format!("{calendar}update.ics");
    site.put(&path, &with_teams("update", "Planning", &[]));
    let link = site.link(&path, "update");
    site.settled("update");
    site.world.sim.clear_requests();
    let before = site.get(&path);
    let next = event::with_line(&before.text, "SUMMARY", "SUMMARY:Planning again");
    let saved = site.put_with(&path, &next, &[("if-match", before.header("etag").unwrap())]);
    assert!(matches!(saved.status, 201 | 204), "{} {}", saved.status, saved.text);
    teams_shows(site, &["Planning again"]);
    assert_eq!(site.link(&path, "update"), link);
    let methods = methods(site, "update");
    assert_eq!(methods, ["PATCH"]);
    // A client that drops the link gets it back in the same save, which changes nothing in Teams.
    site.world.sim.clear_requests();
    let again = site.put(&path, &with_teams("update", "Planning again", &[]));
    assert!(matches!(again.status, 201 | 204), "{} {}", again.status, again.text);
    assert_eq!(again.header("etag"), None);
    assert!(site.stored(&path).contains(&link));
    assert!(self::methods(site, "update").is_empty(), "{:?}", site.world.graph_methods());
    tidy(site, &[&path]);
    Seen { statuses: vec![saved.status], methods }
}

fn stale(site: &mut Site, calendar: &str) -> Seen {
    let path = format!("{calendar}stale.ics");
    let text = with_teams("stale", "Planning", &[]);
    let wrong = [("if-match", "\"0123456789\"")];
    let mut statuses = vec![site.put_with(&path, &text, &wrong).status];
    assert!(!site.is_stored(&path));
    assert_eq!(site.put(&path, &event::meeting("stale", "Planning", &[])).status, 201);
    let stored = site.stored(&path);
    statuses.push(site.put_with(&path, &text, &wrong).status);
    statuses.push(site.put_with(&path, &text, &[("if-none-match", "*")]).status);
    if site.kind.schedules() {
        statuses.push(site.put_with(&path, &text, &[("if-schedule-tag-match", "\"0123456789\"")]).status);
    }
    assert!(statuses.iter().all(|status| *status == 412), "{statuses:?}");
    assert_eq!(site.stored(&path), stored);
    teams_shows(site, &[]);
    let methods = methods(site, "stale");
    assert!(methods.is_empty(), "{methods:?}");
    tidy(site, &[&path]);
    Seen { statuses, methods }
}

fn delete(site: &mut Site, calendar: &str) -> Seen {
    let path = format!("{calendar}delete.ics");
    site.put(&path, &with_teams("delete", "Planning", &[]));
    site.link(&path, "delete");
    site.settled("delete");
    site.world.sim.clear_requests();
    let stale = site.request("DELETE", &path, &[("if-match", "\"0123456789\"")], "");
    assert_eq!(stale.status, 412, "{}", stale.text);
    site.told();
    assert_eq!(site.world.settled("delete").str("state"), "mirrored");
    assert!(site.world.graph_methods().is_empty());
    let gone = site.delete(&path);
    assert_eq!(gone.status, site.kind.deleted(), "{}", gone.text);
    assert!(!site.is_stored(&path));
    teams_shows(site, &[]);
    let methods = methods(site, "delete");
    assert_eq!(methods, ["DELETE"]);
    Seen { statuses: vec![gone.status], methods }
}

fn moving(site: &mut Site, calendar: &str) -> Seen {
    let other = site.calendar("moved-to");
    let (path, target) = (format!("{calendar}moving.ics"), format!("{other}another-name.ics"));
    site.put(&path, &with_teams("moving", "Planning", &[]));
    let link = site.link(&path, "moving");
    site.settled("moving");
    site.world.sim.clear_requests();
    let moved = site.to("MOVE", &path, &target);
    assert!(matches!(moved.status, 201 | 204), "{} {}", moved.status, moved.text);
    let status = site.settled("moving");
    assert_eq!((status.str("state"), status.str("join_url")), ("mirrored", link.as_str()), "{}", status.text);
    assert_eq!(status.json["objects"], serde_json::json!([target]), "{}", status.text);
    assert!(!site.is_stored(&path) && site.stored(&target).contains(&link));
    teams_shows(site, &["Planning"]);
    // Longer than a remote event outlives its last object.
    let methods = methods(site, "moving");
    assert!(methods.is_empty(), "{methods:?}");
    tidy(site, &[&target]);
    Seen { statuses: vec![moved.status], methods }
}

/// Under the same UID, into another calendar of Alice's. Servers that send invitations mostly refuse it, and Radicale has no COPY.
fn copying(site: &mut Site, calendar: &str) -> Seen {
    let other = site.calendar("copied-to");
    let (path, target) = (format!("{calendar}copying.ics"), format!("{other}copying.ics"));
    site.put(&path, &with_teams("copying", "Planning", &[]));
    let link = site.link(&path, "copying");
    site.settled("copying");
    site.world.sim.clear_requests();
    let copied = site.to("COPY", &path, &target);
    let expected = if site.kind == Kind::XandikosByGateway { 201 } else { 405 };
    assert_eq!(copied.status, expected, "{}", copied.text);
    let status = site.settled("copying");
    assert_eq!((status.str("state"), status.str("join_url")), ("mirrored", link.as_str()), "{}", status.text);
    teams_shows(site, &["Planning"]);
    let methods = methods(site, "copying");
    assert!(methods.is_empty(), "{methods:?}");
    let mut statuses = vec![copied.status];
    if copied.status == 201 {
        // The meeting is there as long as one of both is.
        assert!(site.stored(&target).contains(&link));
        statuses.push(site.delete(&path).status);
        site.told();
        let status = site.settled("copying");
        assert_eq!(status.json["objects"], serde_json::json!([target]), "{}", status.text);
        assert_eq!(status.str("state"), "mirrored");
        tidy(site, &[&target]);
        assert_eq!(site.world.graph_methods(), ["DELETE"]);
    } else {
        assert!(!site.is_stored(&target));
        tidy(site, &[&path]);
    }
    Seen { statuses, methods }
}

/// The secretary saves; the calendar is Alice's, and so is the meeting.
fn delegate(site: &mut Site, calendar: &str) -> Seen {
    let name = calendar.trim_end_matches('/').rsplit('/').next().unwrap();
    let (path, hers) = (format!("{calendar}delegate.ics"), format!("{}delegate.ics", site.kind.shared(name)));
    let saved = site.put_as("secretary", &hers, &with_teams("delegate", "Planning", &[]), &[]);
    if site.kind == Kind::XandikosByGateway {
        // It knows no delegates, and says so in its own way.
        assert_eq!(saved.status, 500, "{}", saved.text);
        assert!(!site.is_stored(&path));
        let methods = methods(site, "delegate");
        assert!(methods.is_empty(), "{methods:?}");
        teams_shows(site, &[]);
        return Seen { statuses: vec![saved.status], methods };
    }
    assert_eq!(saved.status, 201, "{}", saved.text);
    let link = site.link(&path, "delegate");
    teams_shows(site, &["Planning"]);
    assert_eq!(site.world.in_teams()[0]["onlineMeeting"]["joinUrl"], link.as_str());
    assert_eq!(site.world.hook.event("secretary@test.tld", "delegate").unwrap().status, 204);
    let methods = methods(site, "delegate");
    assert_eq!(methods, ["POST"]);
    // What she saved is Alice's to delete.
    site.world.sim.clear_requests();
    tidy(site, &[&path]);
    assert_eq!(site.world.graph_methods(), ["DELETE"]);
    Seen { statuses: vec![saved.status], methods }
}

fn attendee(site: &mut Site, calendar: &str) -> Seen {
    let path = format!("{calendar}attendee.ics");
    let guests = [
        "ORGANIZER;CN=Boss:mailto:boss@elsewhere.example",
        "ATTENDEE;CN=Boss;PARTSTAT=ACCEPTED:mailto:boss@elsewhere.example",
        "ATTENDEE;CN=Alice;PARTSTAT=NEEDS-ACTION:mailto:alice@test.tld",
    ];
    let saved = site.put(&path, &with_teams("attendee", "Their planning", &guests));
    assert_eq!(saved.status, 201, "{}", saved.text);
    let methods = methods(site, "attendee");
    assert!(methods.is_empty(), "{methods:?}");
    let stored = site.stored(&path);
    assert!(stored.contains("SUMMARY:Their planning") && !stored.contains("CONFERENCE"), "{stored}");
    teams_shows(site, &[]);
    tidy(site, &[&path]);
    Seen { statuses: vec![saved.status], methods }
}

/// Every week, four times; the second time later that day.
fn series(site: &mut Site, calendar: &str) -> Seen {
    let path = format!("{calendar}series.ics");
    let series = with_teams("series", "Weekly", &["RRULE:FREQ=WEEKLY;COUNT=4"]);
    let recurrence = "RECURRENCE-ID;TZID=Europe/Vienna:20300121T100000";
    let exception = event::at("series", "Later", "20300121T150000", "20300121T160000", &[recurrence]);
    let begin = exception.find("BEGIN:VEVENT").unwrap();
    let saved = site.put(&path, &series.replace("END:VCALENDAR\r\n", &exception[begin..]));
    assert_eq!(saved.status, 201, "{}", saved.text);
    let link = site.link(&path, "series");
    let methods = methods(site, "series");
    let stored = site.stored(&path);
    let events: Vec<&str> = stored.split("BEGIN:VEVENT").skip(1).collect();
    assert_eq!(events.len(), 2, "{stored}");
    assert!(events.iter().all(|event| event.contains(&link)), "{stored}");
    assert_eq!(
        occurrences(site),
        ["2030-01-14T09:00 Weekly", "2030-01-21T14:00 Later", "2030-01-28T09:00 Weekly", "2030-02-04T09:00 Weekly"]
    );
    assert_eq!(methods, ["POST", "GET", "PATCH"]);
    // One of them is deleted, which is a save of the others.
    site.world.sim.clear_requests();
    let text = site.get(&path).text;
    let without = event::with_line(&text, "EXDATE", "EXDATE;TZID=Europe/Vienna:20300128T100000");
    assert!(matches!(site.put(&path, &without).status, 201 | 204));
    self::methods(site, "series");
    assert_eq!(occurrences(site), ["2030-01-14T09:00 Weekly", "2030-01-21T14:00 Later", "2030-02-04T09:00 Weekly"]);
    tidy(site, &[&path]);
    Seen { statuses: vec![saved.status], methods }
}

/// What Teams shows in that month, in UTC.
fn occurrences(site: &Site) -> Vec<String> {
    let at = |day: &str| day.parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    let from = at("2030-01-01T00:00:00Z");
    let mut found: Vec<String> = site
        .world
        .sim
        .calendar(crate::world::ALICE_AT_MICROSOFT, from, at("2030-03-01T00:00:00Z"))
        .iter()
        .map(|event| format!("{} {}", &event["start"].as_str().unwrap()[..16], event["subject"].as_str().unwrap()))
        .collect();
    found.sort();
    found
}

/// A PUT on the calendar itself, which Radicale takes as all it is to hold.
fn import(site: &mut Site, calendar: &str) -> Seen {
    let part = |text: &str| text[text.find("BEGIN:VEVENT").unwrap()..text.find("END:VCALENDAR").unwrap()].to_owned();
    let first = with_teams("import-1", "Imported with Teams", &[]);
    let others: String =
        (2..6).map(|number| part(&event::meeting(&format!("import-{number}"), "Imported", &[]))).collect();
    let text = first.replace("END:VCALENDAR", &format!("{others}END:VCALENDAR"));
    let imported = site.put(calendar, &text);
    if !site.kind.is_radicale() {
        assert_eq!(imported.status, 405, "{}", imported.text);
        let methods = methods(site, "import-1");
        assert!(methods.is_empty(), "{methods:?}");
        teams_shows(site, &[]);
        return Seen { statuses: vec![imported.status], methods };
    }
    assert_eq!(imported.status, 201, "{}", imported.text);
    site.told();
    teams_shows(site, &["Imported with Teams"]);
    let object = until_known(site, "import-1");
    site.link(&object, "import-1");
    let methods = methods(site, "import-1");
    assert_eq!(methods, ["POST"]);
    // What the next one leaves out is gone.
    let rest = text.replace(&part(&first), "");
    assert_eq!(site.put(calendar, &rest).status, 201);
    teams_shows(site, &[]);
    site.told();
    Seen { statuses: vec![imported.status], methods }
}

/// The path the server chose.
fn until_known(site: &Site, uid: &str) -> String {
    let path = || site.world.hook.event(ALICE, uid).unwrap().json["objects"][0].as_str().map(str::to_owned);
    assert!(until(SOON, || path().is_some()), "{}", site.log());
    path().unwrap()
}

fn collection(site: &mut Site, calendar: &str) -> Seen {
    for number in 0..3 {
        let uid = format!("collection-{number}");
        let path = format!("{calendar}{uid}.ics");
        site.put(&path, &with_teams(&uid, "Planning", &[]));
        site.link(&path, &uid);
    }
    let other = site.calendar("kept");
    let kept = format!("{other}kept.ics");
    site.put(&kept, &with_teams("kept", "Kept", &[]));
    site.link(&kept, "kept");
    site.settled("kept");
    site.world.sim.clear_requests();
    let gone = site.delete(calendar);
    assert_eq!(gone.status, site.kind.deleted(), "{}", gone.text);
    teams_shows(site, &["Kept"]);
    let methods = methods(site, "kept");
    assert_eq!(methods, ["DELETE"; 3]);
    tidy(site, &[&kept]);
    Seen { statuses: vec![gone.status], methods }
}

/// The server dies while Microsoft makes the meeting, and comes back; the client saves again.
fn restart(site: &mut Site, calendar: &str) -> Seen {
    let path = format!("{calendar}restart.ics");
    let text = with_teams("restart", "Planning", &[]);
    site.world.sim.fault(Fault::new(FaultKind::Delay).on_graph("POST", "/events").delay(800));
    let (client, target, body) = (site.client.clone(), path.clone(), text.clone());
    let save = std::thread::spawn(move || {
        client
            .try_request("PUT", &target, "alice", &[("content-type", "text/calendar")], &body)
            .map_or(0, |answer| answer.status)
    });
    let asked = until(SOON, || site.world.graph_methods().contains(&"POST".to_owned()));
    site.kill_server();
    let first = save.join().unwrap();
    assert!(asked, "{}", site.log());
    // The adapter dies with its server; the gateway says that nobody is there.
    assert_eq!(first, if site.kind == Kind::RadicaleByAdapter { 0 } else { 502 });
    site.start_server();
    site.told();
    assert!(!site.is_stored(&path));
    // The meeting may be made only now; what is made for nothing goes.
    let undone = until(SOON, || site.world.graph_methods() == ["POST", "DELETE"]);
    assert!(undone, "{:?}\n{}\n{}", site.world.graph_methods(), site.log(), site.world.log_tail());
    teams_shows(site, &[]);
    let again = site.put(&path, &text);
    assert_eq!(again.status, 201, "{}", again.text);
    site.link(&path, "restart");
    teams_shows(site, &["Planning"]);
    let methods = methods(site, "restart");
    assert_eq!(methods, ["POST", "DELETE", "POST"]);
    tidy(site, &[&path]);
    Seen { statuses: vec![first, again.status], methods }
}
