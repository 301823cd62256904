//! What an administrator sees when something is not in order, and that no save minds.

use support::Browser;

use crate::python;
use crate::radicale::{Radicale, SOON, Setup, with_teams};
use crate::saves::wired;
use crate::world::{ALICE, World, until};

/// Starts it with something wrong: it is said, by the start and by the check, and a save goes through.
fn wrong(world: &World, setup: Setup, said: &str) -> Option<Radicale> {
    let radicale = Radicale::set_up(world, setup)?;
    let secret = std::fs::read_to_string(radicale.dir.path().join("secret")).unwrap();
    assert!(radicale.log().contains(said), "not `{said}` in\n{}", radicale.log());
    assert!(radicale.log().lines().any(|line| line.contains(said) && line.contains("ERROR")), "{}", radicale.log());
    let (in_order, printed) = radicale.check();
    assert!(!in_order && printed.contains(said), "{printed}");
    radicale.calendar("/alice/work/", "alice");
    let saved = radicale.put("/alice/work/e1.ics", &with_teams("e1", "Planning", &[]));
    assert_eq!(saved.status, 201, "{}", saved.text);
    assert!(radicale.stored("/alice/work/e1.ics").contains("SUMMARY:Planning"));
    assert_eq!(radicale.delete("/alice/work/e1.ics").status, 200);
    let saved = radicale.put("/alice/work/e2.ics", &with_teams("e2", "Planning", &[]));
    assert_eq!(saved.status, 201, "{}", saved.text);
    assert!(!radicale.log().contains(secret.trim()) && !radicale.log().contains("Traceback"), "{}", radicale.log());
    Some(radicale)
}

fn with(adapter: &str) -> Setup {
    Setup { adapter: adapter.into(), ..Setup::default() }
}

#[test]
fn a_wrong_address_is_said_and_costs_no_save() {
    let world = World::signed_in();
    let port = crate::radicale::free_port();
    let setup = with(&format!("hook = http://127.0.0.1:{port}"));
    let Some(radicale) = wrong(&world, setup, "cannot be reached: Connection refused") else { return };
    assert_eq!(radicale.notes().len(), 2, "one for each event, however often it changed");
    // The administrator mends it; what was saved meanwhile is told.
    let file = radicale.dir.path().join("teams-mirror.ini");
    let mended =
        std::fs::read_to_string(&file).unwrap().replace(&format!("http://127.0.0.1:{port}"), world.hook.base());
    std::fs::write(&file, mended).unwrap();
    let mut radicale = radicale;
    radicale.kill();
    radicale.run();
    radicale.told();
    radicale.holds_link(&world, "/alice/work/e2.ics", "e2");
    assert_eq!(world.in_teams().len(), 1);
}

#[test]
fn another_service_under_the_address_is_said_and_costs_no_save() {
    let world = World::signed_in();
    // The public listener: it is ours, and has none of these routes.
    wrong(&world, with(&format!("hook = {}", world.public_url)), "no hook API under this address (404)");
}

#[test]
fn a_wrong_secret_is_said_and_counts_as_soon_as_it_is_mended() {
    let world = World::signed_in();
    let setup = Setup { secret: Some("not-the-secret".into()), ..Setup::default() };
    let Some(radicale) = wrong(&world, setup, "the hook secret is wrong (401)") else { return };
    std::fs::write(radicale.dir.path().join("secret"), &world.secret).unwrap();
    radicale.told();
    radicale.holds_link(&world, "/alice/work/e2.ics", "e2");
    assert_eq!(world.in_teams().len(), 1);
}

#[test]
fn a_missing_secret_is_said_and_costs_no_save() {
    let world = World::signed_in();
    let Some(mut radicale) = Radicale::prepared(&world, Setup::default()) else { return };
    std::fs::remove_file(radicale.dir.path().join("secret")).unwrap();
    radicale.run();
    assert!(radicale.log().contains("cannot be read: No such file or directory"), "{}", radicale.log());
    radicale.calendar("/alice/work/", "alice");
    assert_eq!(radicale.put("/alice/work/e1.ics", &with_teams("e1", "Planning", &[])).status, 201);
    std::fs::write(radicale.dir.path().join("secret"), &world.secret).unwrap();
    radicale.told();
    radicale.holds_link(&world, "/alice/work/e1.ics", "e1");
}

#[test]
fn tls_that_cannot_be_is_said_and_costs_no_save() {
    let world = World::signed_in();
    let https = world.hook.base().replace("http://", "https://");
    wrong(&world, with(&format!("hook = {https}")), "no TLS with");
    wrong(
        &world,
        with(&format!("hook = {https}\nca_file = /nowhere/ca.pem")),
        "`/nowhere/ca.pem` (`ca_file`) is not there",
    );
}

#[test]
fn a_template_for_another_domain_is_said_and_costs_no_save() {
    let world = World::signed_in();
    wrong(&world, with("address = {user}@elsewhere.example"), "may not speak for the domain `elsewhere.example`");
    assert!(world.graph_methods().is_empty(), "{:?}", world.graph_methods());
}

#[test]
fn a_configuration_that_makes_no_sense_is_said_and_costs_no_save() {
    let world = World::signed_in();
    for (adapter, said) in [
        ("address = user@test.tld", "`address` holds `{user}` once"),
        ("pateince = 3", "did you mean `patience`?"),
        ("hook = http://hooks.example:7460", "would cross the network readable"),
        ("patience = forever", "`patience` is a number from 1 to 30"),
        ("settings_path = /alice/", "`settings_path` is one name that begins with a dot"),
    ] {
        let Some(radicale) = wrong(&world, with(adapter), said) else { return };
        assert!(radicale.log().contains("teams-mirror is OFF"), "{}", radicale.log());
    }
}

#[test]
fn a_folder_for_notes_that_cannot_be_written_is_said_and_costs_no_save() {
    let world = World::signed_in();
    let blocked = tempfile::NamedTempFile::new().unwrap();
    let setup = with(&format!("spool = {}/notes", blocked.path().display()));
    let Some(radicale) = Radicale::set_up(&world, setup) else { return };
    assert!(radicale.log().contains("the folder for notes"), "{}", radicale.log());
    radicale.calendar("/alice/work/", "alice");
    assert_eq!(radicale.put("/alice/work/e1.ics", &with_teams("e1", "Planning", &[])).status, 201);
    radicale.holds_link(&world, "/alice/work/e1.ics", "e1");
}

#[test]
fn what_is_in_order_is_said_to_be() {
    let Some((world, radicale)) = wired() else { return };
    let (in_order, printed) = radicale.check();
    assert!(in_order, "{printed}");
    assert!(printed.contains("teams-mirror answers") && printed.contains(world.hook.base()), "{printed}");
    assert!(
        !printed.contains("[INFO]") && !printed.contains("[NOTICE]"),
        "Radicale's own start is not told: {printed}"
    );
    assert!(!printed.contains(&world.secret) && !radicale.log().contains(&world.secret));
}

/// To Radicale `Alice` is somebody else than `alice`.
#[test]
fn a_login_that_differs_only_in_case_is_not_mirrored_and_said() {
    let Some((world, radicale)) = wired() else { return };
    radicale.put("/alice/work/e1.ics", &with_teams("e1", "Mine", &[]));
    radicale.holds_link(&world, "/alice/work/e1.ics", "e1");
    world.sim.clear_requests();
    radicale.calendar("/Alice/work/", "Alice");
    let saved = radicale.put_as("Alice", "/Alice/work/e1.ics", &with_teams("e1", "Hers", &[]), &[]);
    assert_eq!(saved.status, 201, "{}", saved.text);
    assert_eq!(radicale.request("DELETE", "/Alice/work/e1.ics", "Alice", &[], "").status, 200);
    assert_eq!(radicale.request("GET", "/.teams/", "Alice", &[], "").status, 404);
    assert!(radicale.notes().is_empty());
    assert_eq!(world.settled("e1").json["objects"], serde_json::json!(["/alice/work/e1.ics"]));
    assert!(world.graph_methods().is_empty(), "{:?}", world.graph_methods());
    let (in_order, printed) = radicale.check();
    assert!(!in_order && printed.contains("! not mirrored: the calendars of `Alice`"), "{printed}");
}

#[test]
fn a_user_finds_the_way_to_the_settings_behind_radicales_login() {
    let world = World::new();
    let Some(radicale) = Radicale::set_up(&world, with("time_zone = Europe/Vienna")) else { return };
    let stranger = radicale.request("GET", "/.teams/", "", &[], "");
    assert_eq!(stranger.status, 401);
    assert!(stranger.header("www-authenticate").is_some());
    let way = radicale.request("GET", "/.teams/", "alice", &[("accept-language", "de-AT,de;q=0.9")], "");
    assert_eq!(way.status, 303, "{}\n{}", way.text, radicale.log());
    let link = way.header("location").unwrap();
    assert!(link.starts_with(&world.public_url), "{link}");
    assert_eq!(way.header("cache-control"), Some("no-store"));
    assert!(!radicale.log().contains(link) && !way.text.contains(link));
    let page = Browser::default().sign_in(link, "alice@contoso.example").unwrap();
    assert_eq!(page.status, 200, "{}", page.text());
    let account = world.hook.account(ALICE).unwrap();
    assert_eq!((account.str("time_zone"), account.str("language")), ("Europe/Vienna", "de-AT"), "{}", account.text);
    assert_eq!(account.json["connected"], true, "{}", account.text);
    // What is known already is left alone.
    radicale.request("GET", "/.teams", "alice", &[("accept-language", "fr")], "");
    assert_eq!(world.hook.account(ALICE).unwrap().str("language"), "de-AT");
    radicale.calendar("/alice/work/", "alice");
    radicale.put("/alice/work/e1.ics", &with_teams("e1", "Planning", &[]));
    radicale.holds_link(&world, "/alice/work/e1.ics", "e1");
}

#[test]
fn settings_that_cannot_be_had_are_explained() {
    let mut world = World::new();
    let Some(radicale) = Radicale::start(&world) else { return };
    world.run(&["disable", "--domain", "test.tld"]);
    let denied = radicale.request("GET", "/.teams/", "alice", &[], "");
    assert!(matches!(denied.status, 403 | 409 | 303), "{} {}", denied.status, denied.text);
    world.kill();
    let down = radicale.request("GET", "/.teams/", "alice", &[], "");
    assert_eq!(down.status, 503);
    assert!(down.text.contains("Your calendar works"), "{}", down.text);
}

/// With gunicorn's place taken by the standard library's server: the WSGI application is the same thing.
#[test]
fn the_wsgi_application_does_the_same() {
    let world = World::signed_in();
    let Some(radicale) = Radicale::prepared(&world, Setup::default()) else { return };
    let Some(python) = python::with_radicale(python::NEWEST) else { return };
    let script = "import sys\nfrom socketserver import ThreadingMixIn\n\
                  from wsgiref.simple_server import WSGIServer, WSGIRequestHandler, make_server\n\
                  from teams_mirror_radicale.wsgi import application\n\
                  class Threads(ThreadingMixIn, WSGIServer):\n    daemon_threads = True\n\
                  make_server('127.0.0.1', int(sys.argv[1]), application, Threads).serve_forever()\n";
    let log = std::fs::File::create(radicale.dir.path().join("log")).unwrap();
    let mut child = std::process::Command::new(python)
        .args(["-c", script, &radicale.port.to_string()])
        .env("PYTHONPATH", python::adapter())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("RADICALE_CONFIG", radicale.dir.path().join("config"))
        .env("TEAMS_MIRROR_RADICALE_CONFIG", radicale.dir.path().join("teams-mirror.ini"))
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap();
    let up = until(SOON, || radicale.try_request("OPTIONS", "/", "alice", &[], "").is_ok());
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        assert!(up, "{}", radicale.log());
        radicale.calendar("/alice/work/", "alice");
        radicale.put("/alice/work/e1.ics", &with_teams("e1", "Planning", &[]));
        radicale.holds_link(&world, "/alice/work/e1.ics", "e1");
        assert_eq!(radicale.delete("/alice/work/e1.ics").status, 200);
        assert!(until(SOON, || world.in_teams().is_empty()), "{}", radicale.log());
    }));
    child.kill().unwrap();
    child.wait().unwrap();
    outcome.unwrap();
}
