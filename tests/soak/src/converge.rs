//! Level-triggered convergence under faults.
//!
//! A round: a fresh simulator with random settings of everything that is not settled about Microsoft, a shim, one user with a
//! few events. Random operations and random faults follow each other. Then the faults end, and what Microsoft holds must be
//! exactly what the server's calendar says: each event that should be there once, none that should not, with the subject the
//! server stored and, where a link is in the stored text, that event's own link. This reads the simulator, not our tables.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use graph_sim::{AfterDelete, Fault, FaultKind, JoinUrlFormat, OtherBody, Simulator, TransactionMemory};
use host_shim::clock::ShiftedClock;
use host_shim::serve::Extras;
use serde_json::Value;
use support::shim::Embedded;
use support::{Put, Server, event};

use exact::dice::Dice;

const ACCOUNT: &str = "alice@test.tld";
const AT_MICROSOFT: &str = "alice@contoso.example";
const EVENTS: u64 = 4;
const OPERATIONS: u64 = 25;
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
struct Counted {
    rounds: u64,
    operations: u64,
    faults: u64,
    requests: usize,
    events: usize,
}

/// What the server's calendar should look like in Teams: UID → subject, for events that have a meeting.
type Expected = BTreeMap<String, String>;

/// Runs rounds until the time is over; at least one.
pub(crate) fn run(time: Duration, seed: u64) -> Result<String, String> {
    let end = Instant::now() + time;
    let mut counted = Counted::default();
    let mut round_seed = seed;
    loop {
        round(round_seed, &mut counted).map_err(|why| format!("round with seed {round_seed}: {why}"))?;
        counted.rounds += 1;
        if Instant::now() >= end {
            break;
        }
        round_seed = round_seed.wrapping_add(1);
    }
    Ok(format!(
        "{} rounds, {} operations, {} faults, {} requests at Graph; {} events as they should be, 0 lost, 0 doubled, 0 stuck",
        counted.rounds, counted.operations, counted.faults, counted.requests, counted.events
    ))
}

fn round(seed: u64, counted: &mut Counted) -> Result<(), String> {
    let mut dice = Dice::new(seed);
    let sim = Simulator::start_seeded(([127, 0, 0, 1], 0).into(), seed).map_err(|e| e.to_string())?;
    unsettled(&sim, &mut dice);
    let clock = Arc::new(ShiftedClock::default());
    let dir = tempfile::tempdir().map_err(|e| e.to_string())?;
    let shim = support::shim::start(
        &sim,
        &dir.path().join("state"),
        "test.tld",
        |config| {
            config.mirror.delete_grace = Duration::from_millis(30);
            config.mirror.unconfirmed_after = Duration::from_millis(500);
            config.mirror.patience = Duration::from_millis(200);
        },
        Extras { clock: Some(clock.clone()), ..Extras::default() },
    )?;
    let page = shim.sign_in(ACCOUNT, AT_MICROSOFT)?;
    if page.status != 200 {
        return Err(format!("the sign-in ends at: {}", page.text()));
    }
    let mut server = Server::new(shim.hook.clone(), ACCOUNT);
    let mut expected = Expected::new();
    let mut log = Vec::new();
    for n in 0..OPERATIONS {
        if dice.below(3) == 0 {
            let fault = fault(&mut dice);
            log.push(format!("fault {:?}", fault.kind));
            sim.fault(fault);
            counted.faults += 1;
        }
        operate(&mut dice, n, &mut server, &shim, &mut expected, &mut log)?;
        counted.operations += 1;
    }
    sim.clear_faults();
    let settled = settle(&sim, &shim, &clock, &mut server, &expected);
    counted.requests += sim.requests_to(graph_sim::Service::Graph).len();
    counted.events += expected.len();
    shim.running.stop();
    settled.map_err(|why| {
        format!("{why}\noperations:\n  {}\nrequests:\n  {}", log.join("\n  "), requests(&sim).join("\n  "))
    })
}

/// Random settings of what nobody knows about Microsoft.
fn unsettled(sim: &Simulator, dice: &mut Dice) {
    let memory = [TransactionMemory::Forever, TransactionMemory::OneHour, TransactionMemory::None];
    let after = [AfterDelete::NewEvent, AfterDelete::DeadId];
    let other = [OtherBody::OldEvent, OtherBody::Refuse];
    let format = [JoinUrlFormat::MeetupJoin, JoinUrlFormat::Meet];
    let (memory, after, other, format) = (
        dice.pick(&memory).copied(),
        dice.pick(&after).copied(),
        dice.pick(&other).copied(),
        dice.pick(&format).copied(),
    );
    let (ignored, mints) = (dice.below(4) == 0, dice.below(4) == 0);
    sim.switches(|switches| {
        switches.transaction_memory = memory.unwrap_or_default();
        switches.transaction_after_delete = after.unwrap_or_default();
        switches.transaction_other_body = other.unwrap_or_default();
        switches.join_url_format = format.unwrap_or_default();
        switches.if_match_ignored = ignored;
        switches.body_patch_mints_new_link = mints;
    });
}

fn fault(dice: &mut Dice) -> Fault {
    let fault = match dice.below(12) {
        0 | 1 => Fault::new(FaultKind::DropAfter),
        2 => Fault::new(FaultKind::DropBefore),
        3 => Fault::status(500),
        4 => Fault::status(503),
        5 => Fault::throttled("0.2"),
        6 => Fault::new(FaultKind::Conflict),
        7 => Fault::new(FaultKind::Garbage),
        8 => Fault::new(FaultKind::Delay).delay(300),
        9 => Fault::new(FaultKind::Delay).delay(300).after_commit(),
        10 => Fault::new(FaultKind::ErrorInOk),
        _ => Fault::status(504),
    };
    let method = ["POST", "POST", "PATCH", "DELETE", "GET"];
    fault.on_graph(dice.pick(&method).copied().unwrap_or_default(), "/events")
}

fn operate(
    dice: &mut Dice,
    n: u64,
    server: &mut Server,
    shim: &Embedded,
    expected: &mut Expected,
    log: &mut Vec<String>,
) -> Result<(), String> {
    let uid = format!("e{}", dice.below(EVENTS));
    let subject = format!("Subject {n}");
    let known = server.stored(&uid);
    let text = if known.is_empty() {
        event::meeting(&uid, &subject, &[&format!("DESCRIPTION:Text {n}")])
    } else {
        event::with_line(&known, "SUMMARY", &format!("SUMMARY:{subject}"))
    };
    let has_meeting = expected.contains_key(&uid);
    // A plain save soon after a delete is an undo and keeps the meeting, later it is a new event: what the user wants is
    // said, so that it is known here.
    let plain = if known.is_empty() { Put::unwanted() } else { Put::default() };
    match dice.below(10) {
        0..=3 => {
            log.push(format!("save {uid} wanted {subject}"));
            server.save(&uid, &text, &Put::wanted())?;
            expected.insert(uid, subject);
        }
        4 | 5 => {
            log.push(format!("save {uid} {subject}"));
            server.save(&uid, &text, &plain)?;
            if has_meeting {
                expected.insert(uid, subject);
            }
        }
        6 => {
            log.push(format!("save {uid} none {subject}"));
            server.save(&uid, &text, &Put::unwanted())?;
            expected.remove(&uid);
        }
        7 => {
            log.push(format!("refused save {uid} {subject}"));
            server.refused_save(&uid, &text, &Put::wanted())?;
        }
        8 => {
            log.push(format!("delete {uid}"));
            server.delete(&uid)?;
            expected.remove(&uid);
        }
        _ => {
            log.push(format!("draft {uid} {subject}"));
            let put = Put { draft: true, ..Put::wanted() };
            shim.hook.put(ACCOUNT, &uid, &text, &put)?;
            log.push(format!("discard {uid}"));
            shim.hook.discard(ACCOUNT, &uid)?;
        }
    }
    Ok(())
}

/// Waits until what Microsoft holds is what it should hold, and the stored texts carry the right links.
fn settle(
    sim: &Simulator,
    shim: &Embedded,
    clock: &ShiftedClock,
    server: &mut Server,
    expected: &Expected,
) -> Result<(), String> {
    let end = Instant::now() + PATIENCE;
    loop {
        // What waits for its next try need not be waited for here.
        clock.advance(5_000);
        shim.running.shim().mirror().wake();
        let written = server.write_back(0)?;
        match wrong(sim, server, expected) {
            None if written == 0 => return Ok(()),
            _ if Instant::now() < end => std::thread::park_timeout(Duration::from_millis(20)),
            Some(what) => {
                let status: Vec<String> = (0..EVENTS)
                    .filter_map(|n| shim.hook.event(ACCOUNT, &format!("e{n}")).ok())
                    .map(|a| a.text)
                    .collect();
                return Err(format!("{what}\nas told: {}", status.join("\n")));
            }
            None => return Err("texts are offered again and again".into()),
        }
    }
}

/// What was asked of Graph, a line each.
fn requests(sim: &Simulator) -> Vec<String> {
    let line = |request: &graph_sim::RequestRecord| {
        let tail: String = request.path.chars().rev().take(12).collect::<Vec<_>>().into_iter().rev().collect();
        let subject = text(&request.json(), "/subject");
        let id = text(&request.json(), "/transactionId");
        format!(
            "{}–{} {} …{tail} {subject} {id} → {:?} {}",
            request.start_tick,
            request.end_tick.unwrap_or(0),
            request.method,
            request.status,
            request.fault.as_deref().unwrap_or("")
        )
    };
    sim.requests_to(graph_sim::Service::Graph).iter().map(line).collect()
}

fn wrong(sim: &Simulator, server: &Server, expected: &Expected) -> Option<String> {
    let held = sim.events(AT_MICROSOFT);
    let mut subjects: Vec<String> = held.iter().map(|e| text(e, "/subject")).collect();
    let mut wanted: Vec<String> = expected.values().cloned().collect();
    subjects.sort();
    wanted.sort();
    if subjects != wanted {
        let ids: Vec<String> = held.iter().map(|e| format!("{} {}", text(e, "/subject"), text(e, "/id"))).collect();
        return Some(format!("Microsoft holds {subjects:?}, it should hold {wanted:?}\n{}", ids.join("\n")));
    }
    if held.iter().any(|event| event.pointer("/isCancelled") == Some(&Value::Bool(true))) {
        return Some(format!("cancelled: {held:?}"));
    }
    for (uid, subject) in expected {
        let link = held.iter().find(|e| text(e, "/subject") == *subject).map(|e| text(e, "/onlineMeeting/joinUrl"))?;
        let stored = event::unfolded(&server.stored(uid));
        if link.is_empty() || !stored.contains(&link) {
            return Some(format!("`{uid}` does not carry its link {link}:\n{stored}"));
        }
    }
    None
}

fn text(of: &Value, path: &str) -> String {
    of.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned()
}
