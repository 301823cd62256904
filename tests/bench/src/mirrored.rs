//! What a mirrored change costs, beside the same requests sent bare.
//!
//! The simulator answers both ways at once, so that the difference is ours: hook call, component, durable rows, order. It is
//! not a bare stub (it parses, checks and records), which both sides pay alike. Figures are medians of single operations, one
//! after the other, and say nothing about rates.

use std::time::{Duration, Instant};

use graph_sim::Simulator;
use host_shim::serve::Extras;
use support::{Put, Server, event};

const ACCOUNT: &str = "alice@test.tld";
const AT_MICROSOFT: &str = "alice@contoso.example";

/// Prints what a mirrored change costs, beside the bare requests
#[derive(Debug, clap::Args)]
pub(crate) struct Mirrored {
    /// How many operations of each kind.
    #[arg(long, default_value_t = 200)]
    count: u32,
}

pub(crate) fn run(options: &Mirrored) -> Result<(), String> {
    let sim = Simulator::start(([127, 0, 0, 1], 0).into()).map_err(|e| e.to_string())?;
    let dir = tempfile::tempdir().map_err(|e| e.to_string())?;
    let shim = support::shim::start(&sim, &dir.path().join("state"), "test.tld", |_| {}, Extras::default())?;
    let page = shim.sign_in(ACCOUNT, AT_MICROSOFT)?;
    if page.status != 200 {
        return Err(page.text());
    }
    println!("load {}, {} operations of each kind, SQLite with fsync", crate::load(), options.count);
    println!("{:<46} {:>9} {:>9} {:>9}", "", "median", "p90", "p99");
    let (mut bare, mut mirrored, mut unchanged, mut unwanted) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let token = sim.tokens(AT_MICROSOFT, "Calendars.ReadWrite");
    let token = token.get("access_token").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut server = Server::new(shim.hook.clone(), ACCOUNT);
    for n in 0..options.count {
        // In turn, so that a machine whose speed drifts is unfair to nobody.
        bare.push(timed(|| create_bare(&agent, &sim, &token, n))?);
        let uid = format!("m{n}");
        let text = event::meeting(&uid, "Planning", &["DESCRIPTION:Agenda"]);
        mirrored.push(timed(|| expect(server.save(&uid, &text, &Put::wanted())?.status))?);
        let stored = server.stored(&uid);
        unchanged.push(timed(|| expect(server.save(&uid, &stored, &Put::default())?.status))?);
        let plain = format!("p{n}");
        let text = event::meeting(&plain, "Planning", &[]);
        unwanted.push(timed(|| expect(server.save(&plain, &text, &Put::default())?.status))?);
    }
    print("bare POST of the same event", bare);
    print("save with a new meeting, both beats", mirrored);
    print("save of an unchanged mirrored event, both beats", unchanged);
    print("save of an event without Teams, both beats", unwanted);
    shim.running.stop();
    Ok(())
}

fn create_bare(agent: &ureq::Agent, sim: &Simulator, token: &str, n: u32) -> Result<(), String> {
    let body = serde_json::json!({
        "subject": "Planning",
        "body": { "contentType": "html", "content": "Agenda" },
        "start": { "dateTime": "2030-01-14T10:00:00", "timeZone": "W. Europe Standard Time" },
        "end": { "dateTime": "2030-01-14T11:00:00", "timeZone": "W. Europe Standard Time" },
        "isOnlineMeeting": true,
        "onlineMeetingProvider": "teamsForBusiness",
        "transactionId": format!("bare-{n}"),
    });
    let mut answer = agent
        .post(format!("{}/v1.0/me/events", sim.base_url()))
        .header("authorization", format!("Bearer {token}"))
        .header("prefer", "IdType=\"ImmutableId\"")
        .content_type("application/json")
        .send(body.to_string())
        .map_err(|e| e.to_string())?;
    answer.body_mut().read_to_string().map_err(|e| e.to_string())?;
    if answer.status().as_u16() == 201 { Ok(()) } else { Err(format!("bare POST: {}", answer.status())) }
}

fn expect(status: u16) -> Result<(), String> {
    if status == 200 { Ok(()) } else { Err(format!("a save was answered {status}")) }
}

fn timed(work: impl FnOnce() -> Result<(), String>) -> Result<Duration, String> {
    let began = Instant::now();
    work()?;
    Ok(began.elapsed())
}

fn print(what: &str, mut took: Vec<Duration>) {
    took.sort();
    let at = |percent: usize| took.get((took.len() * percent / 100).min(took.len().saturating_sub(1)));
    let micros = |percent| at(percent).map_or(0, Duration::as_micros);
    println!("{what:<46} {:>6} µs {:>6} µs {:>6} µs", micros(50), micros(90), micros(99));
}
