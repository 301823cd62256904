//! The example of a Rust server with the mirror inside: its own code, the simulator, and a plain HTTP client.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by panicking, where it stands"
)]

#[path = "../../host-shim/examples/in_process.rs"]
#[allow(dead_code, reason = "its `main` is not called here")]
mod in_process;

use std::time::{Duration, Instant};

use graph_sim::{Fault, FaultKind, Service, Simulator};
use host_shim::address::Address;
use host_shim::embed::{Config, Embedded, Event};
use host_shim::serve::Extras;
use support::{Browser, event};

const ALICE: &str = "alice@example.org";
const E1: &str = "/calendars/alice/e1.ics";
const SOON: Duration = Duration::from_secs(20);

struct World {
    sim: Simulator,
    mirror: Embedded,
    url: String,
    runtime: tokio::runtime::Runtime,
    dir: tempfile::TempDir,
}

impl World {
    /// The example's server, in which Alice has signed in through the pages it shows.
    fn new() -> Self {
        let sim = Simulator::start(([127, 0, 0, 1], 0).into()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = dir.path().join("state").display().to_string();
        std::fs::write(dir.path().join("toml"), format!("state_dir = '{state}'\npublic_url = '{url}/teams'\n"))
            .unwrap();
        let mut config = Config::new(dir.path().join("state"), format!("{url}/teams"));
        config.mirror.delete_grace = Duration::from_millis(100);
        config.mirror.patience = Duration::from_secs(2);
        let shim = support::shim::opened(&sim, config, "example.org", Extras::default()).unwrap();
        let mirror = {
            let _entered = runtime.enter();
            Embedded::start(shim).unwrap()
        };
        let server = in_process::server(mirror.clone());
        runtime.spawn(async { axum::serve(listener, server).await });
        let link = mirror.shim().accounts().settings_link(&Address::parse(ALICE).unwrap()).unwrap();
        let page = Browser::default().sign_in(&link.url, "alice@contoso.example").unwrap();
        assert_eq!(page.status, 200, "{}", page.text());
        sim.clear_requests();
        let world = Self { sim, mirror, url, runtime, dir };
        assert_eq!(world.request_at("/calendars/alice", "MKCALENDAR", &[], "").0, 201);
        world
    }

    fn request(&self, method: &str, headers: &[(&str, &str)], body: &str) -> (u16, Option<String>, String) {
        self.request_at(E1, method, headers, body)
    }

    /// Status, ETag and text of an answer.
    fn request_at(
        &self,
        path: &str,
        method: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (u16, Option<String>, String) {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .proxy(None)
            .build()
            .into();
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut answer = agent.run(request.body(body.to_owned()).unwrap()).unwrap();
        let etag = answer.headers().get("etag").map(|etag| etag.to_str().unwrap().to_owned());
        (answer.status().as_u16(), etag, answer.body_mut().read_to_string().unwrap())
    }

    fn put(&self, text: &str, headers: &[(&str, &str)]) -> (u16, Option<String>, String) {
        self.request("PUT", &[&[("content-type", "text/calendar")], headers].concat(), text)
    }

    fn subjects(&self) -> Vec<String> {
        let events = self.sim.events("alice@contoso.example");
        events.iter().map(|event| event["subject"].as_str().unwrap().to_owned()).collect()
    }

    fn graph_methods(&self) -> Vec<String> {
        self.sim.requests_to(Service::Graph).into_iter().map(|request| request.method).collect()
    }

    /// The link of the event, once it is mirrored.
    fn link(&self) -> String {
        let mut link = String::new();
        let alice = Address::parse(ALICE).unwrap();
        until(|| {
            let status = self.mirror.shim().mirror().event(&alice, "e1").unwrap();
            link = status.and_then(|status| status.join_url).unwrap_or_default();
            !link.is_empty()
        });
        link
    }
}

/// Waits until something holds, and says whether it does.
fn until(mut so: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + SOON;
    while !so() {
        if Instant::now() > end {
            return false;
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
    true
}

fn with_teams(subject: &str) -> String {
    event::meeting("e1", subject, &["X-TEAMS-MEETING:TRUE"])
}

#[test]
fn an_event_is_created_changed_and_deleted() {
    let world = World::new();
    let (status, etag, _) = world.put(&with_teams("Planning"), &[]);
    assert_eq!((status, etag), (201, None), "the client's text is not what is stored");
    let (_, etag, stored) = world.request("GET", &[], "");
    let link = world.link();
    assert!(event::unfolded(&stored).contains(&link), "`{link}` is not in\n{stored}");
    assert_eq!(world.subjects(), ["Planning"]);

    let next = event::with_line(&stored, "SUMMARY", "SUMMARY:Planning again");
    let (status, kept, _) = world.put(&next, &[("if-match", &etag.unwrap())]);
    assert_eq!((status, kept.is_some()), (204, true), "the client's text is what is stored");
    assert!(until(|| world.subjects() == ["Planning again"]), "{:?}", world.subjects());
    assert_eq!(world.link(), link);

    assert_eq!(world.request("DELETE", &[], "").0, 204);
    assert!(until(|| world.subjects().is_empty()), "{:?}", world.subjects());
    assert_eq!(world.graph_methods(), ["POST", "PATCH", "DELETE"]);
}

#[test]
fn a_save_that_fails_its_conditions_makes_no_meeting() {
    let world = World::new();
    let stale = [("if-match", "\"0-0\"")];
    assert_eq!(world.put(&with_teams("Planning"), &stale).0, 412);
    assert_eq!(world.put(&event::meeting("e1", "Planning", &[]), &[]).0, 201);
    assert_eq!(world.put(&with_teams("Planning"), &stale).0, 412);
    assert_eq!(world.put(&with_teams("Planning"), &[("if-none-match", "*")]).0, 412);
    assert_eq!(world.request("DELETE", &stale, "").0, 412);
    assert!(world.graph_methods().is_empty(), "{:?}", world.graph_methods());
}

/// The server refuses after the meeting was made: it goes again.
#[test]
fn a_refused_save_leaves_no_meeting() {
    let world = World::new();
    let refused = world.put(&with_teams("Planning"), &[("content-range", "bytes 9-1/10")]);
    assert_eq!(refused.0, 400, "{}", refused.2);
    assert!(until(|| world.graph_methods() == ["POST", "DELETE"]), "{:?}", world.graph_methods());
    assert!(world.subjects().is_empty());
}

/// What Microsoft was too slow for is offered to be written back, until the stored text is right.
#[test]
fn a_late_link_is_offered_until_it_is_stored() {
    let world = World::new();
    world.sim.fault(Fault::new(FaultKind::Delay).on_graph("POST", "/events").delay(3_000));
    let text = with_teams("Planning");
    assert_eq!(world.put(&text, &[]).0, 201);
    assert_eq!(world.request("GET", &[], "").2, text, "two seconds were not enough");
    let offered = world.runtime.block_on(world.mirror.late_links(0, SOON)).unwrap();
    let [change] = &offered.changes[..] else { panic!("{:?}", offered.changes) };
    assert_eq!(
        (change.account.as_str(), change.uid.as_str(), &change.objects[..]),
        (ALICE, "e1", &[E1.to_owned()][..])
    );
    let amended = change.icalendar.as_deref().unwrap();
    assert!(event::unfolded(amended).contains(&world.link()));
    // Stored past the server's door, as its own write-back would be.
    let event = Event::new(ALICE, "e1", E1).unwrap();
    let wanted = world.runtime.block_on(world.mirror.stored(&event, amended)).unwrap();
    assert_eq!(wanted, amended);
    let offered = world.runtime.block_on(world.mirror.late_links(0, Duration::ZERO)).unwrap();
    assert!(offered.changes.is_empty(), "{:?}", offered.changes);
    assert_eq!(world.graph_methods(), ["POST"]);
}

/// What is none of the mirror's business passes through it unchanged, and what it cannot read is no reason to fail.
#[test]
fn a_save_never_fails_because_of_the_mirror() {
    let world = World::new();
    let bobs = Event::new("Bob@Example.org", "e1", "/calendars/bob/e1.ics").unwrap();
    let text = with_teams("Planning");
    let announced = world.runtime.block_on(world.mirror.before_store(&bobs, &text));
    assert_eq!((announced.text(), announced.is_amended(), announced.link()), (text.as_str(), false, None));
    assert!(announced.problem().is_none());
    world.runtime.block_on(announced.stored()).unwrap();

    let alices = Event::new(ALICE, "another", E1).unwrap();
    let announced = world.runtime.block_on(world.mirror.before_store(&alices, &text));
    assert_eq!(announced.text(), text);
    assert!(announced.problem().unwrap().to_string().contains("names `another`"), "{:?}", announced.problem());
    world.runtime.block_on(announced.stored()).unwrap();
    assert!(world.graph_methods().is_empty());
    assert!(Event::new("nobody", "e1", E1).is_err());
}

/// What administrators do with a running `serve`, they do with this, too.
#[test]
fn commands_reach_it() {
    let world = World::new();
    let command = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_teams-mirror"));
        let output = command.arg("--config").arg(world.dir.path().join("toml")).args(arguments).output().unwrap();
        let printed = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{printed}");
        printed
    };
    assert!(command(&["status"]).contains("teams"), "{}", command(&["status"]));
    command(&["disable", "--account", ALICE]);
    let text = with_teams("Planning");
    assert_eq!(world.put(&text, &[]).0, 201);
    assert_eq!(world.request("GET", &[], "").2, text, "it counts at once");
}

#[test]
fn without_a_runtime_it_says_what_it_needs() {
    let sim = Simulator::start(([127, 0, 0, 1], 0).into()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let config = Config::new(dir.path().join("state"), "http://127.0.0.1:1");
    let shim = support::shim::opened(&sim, config, "example.org", Extras::default()).unwrap();
    let error = Embedded::start(shim).err().unwrap().to_string();
    assert_eq!(error, "an embedded mirror starts within a Tokio runtime");
}
