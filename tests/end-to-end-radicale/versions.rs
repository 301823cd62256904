//! Other versions of Radicale: the two before the newest, and the one Debian 12 has.

use support::event;

use crate::radicale::{Radicale, SOON, Setup, with_teams};
use crate::world::{ALICE, World, until};

/// A day in the life of a calendar.
fn works_with(version: &'static str) {
    let mut world = World::signed_in();
    let Some(mut radicale) = Radicale::set_up(&world, Setup { version, ..Setup::default() }) else { return };
    let (in_order, printed) = radicale.check();
    assert!(in_order, "{printed}");
    radicale.calendar("/alice/work/", "alice");
    radicale.calendar("/alice/home/", "alice");
    let e1 = "/alice/work/e1.ics";

    // Created, changed, refused.
    let saved = radicale.put(e1, &with_teams("e1", "Planning", &["DESCRIPTION:Agenda"]));
    assert_eq!((saved.status, saved.header("etag")), (201, None));
    let link = world.settled("e1").str("join_url").to_owned();
    assert!(!link.is_empty() && radicale.stored(e1).contains(&link));
    let stored = radicale.get(e1);
    let next = event::with_line(&stored.text, "SUMMARY", "SUMMARY:Planning again");
    let etag = [("if-match", stored.header("etag").unwrap())];
    assert!(matches!(radicale.put_as("alice", e1, &next, &etag).status, 201 | 204));
    assert!(until(SOON, || world.in_teams()[0]["subject"] == "Planning again"));
    assert_eq!(world.graph_methods(), ["POST", "PATCH"]);
    world.sim.clear_requests();
    assert_eq!(radicale.put_as("alice", "/alice/work/e9.ics", &with_teams("e9", "No", &[]), &etag).status, 412);
    assert_eq!(radicale.put_as("alice", e1, &with_teams("e1", "No", &[]), &etag).status, 412);
    assert_eq!(radicale.put_as("bob", e1, &with_teams("e1", "No", &[]), &[]).status, 403);
    assert_eq!(radicale.put("/alice/work/e8.ics", &with_teams("e1", "No", &[])).status, 409);

    // Moved, and by a delegate.
    assert_eq!(radicale.r#move(e1, "/alice/home/e1.ics").status, 201);
    radicale.told();
    assert_eq!(world.settled("e1").json["objects"], serde_json::json!(["/alice/home/e1.ics"]));
    assert!(world.graph_methods().is_empty(), "{:?}", world.graph_methods());
    assert_eq!(radicale.put_as("secretary", "/alice/work/e2.ics", &with_teams("e2", "Second", &[]), &[]).status, 201);
    radicale.holds_link(&world, "/alice/work/e2.ics", "e2");

    // While the shim is dead, and while Radicale is.
    world.kill();
    assert_eq!(radicale.delete("/alice/work/e2.ics").status, 200);
    assert_eq!(radicale.put("/alice/work/e3.ics", &with_teams("e3", "Third", &[])).status, 201);
    radicale.kill();
    world.start();
    radicale.run();
    radicale.told();
    radicale.holds_link(&world, "/alice/work/e3.ics", "e3");
    assert!(until(SOON, || world.in_teams().len() == 2), "{}\n{}", radicale.log(), world.log_tail());

    // A whole calendar comes and goes.
    let mut import = with_teams("i1", "Imported", &[]);
    let other = event::meeting("i2", "Imported too", &[]);
    let at = import.find("END:VCALENDAR").unwrap();
    import.insert_str(at, &other[other.find("BEGIN:VEVENT").unwrap()..other.find("END:VCALENDAR").unwrap()]);
    assert_eq!(radicale.put("/alice/imported/", &import).status, 201);
    radicale.told();
    assert!(until(SOON, || world.hook.event(ALICE, "i2").unwrap().status == 200));
    assert!(until(SOON, || world.in_teams().len() == 3), "{}\n{}", radicale.log(), world.log_tail());
    for calendar in ["/alice/imported/", "/alice/home/", "/alice/work/"] {
        assert_eq!(radicale.delete(calendar).status, 200);
    }
    assert!(until(SOON, || world.in_teams().is_empty()), "{}\n{}", radicale.log(), world.log_tail());
    radicale.told();

    assert_eq!(radicale.request("GET", "/.teams/", "alice", &[], "").status, 303);
    assert!(!radicale.log().contains("Traceback"), "{}", radicale.log());
}

#[test]
fn radicale_3_9() {
    works_with(crate::python::NEWEST);
}

#[test]
fn radicale_3_8() {
    works_with("3.8.3");
}

#[test]
fn radicale_3_7() {
    works_with("3.7.8");
}

#[test]
fn radicale_3_1_of_debian_12() {
    works_with("3.1.8");
}

/// Alice shares a calendar with Bob, who saves in it under a path of his own.
fn sharing_works_with(version: &'static str) {
    let world = World::signed_in();
    let sections = "[sharing]\ntype = csv\ncollection_by_map = True\npermit_create_map = True\n";
    let Some(radicale) = Radicale::set_up(&world, Setup { version, sections, ..Setup::default() }) else { return };
    radicale.calendar("/alice/work/", "alice");
    let ask = |user: &str, what: &str, body: &str| {
        let json = [("content-type", "application/json"), ("accept", "application/json")];
        let answer = radicale.request("POST", &format!("/.sharing/v1/map/{what}"), user, &json, body);
        assert!(answer.text.contains("success"), "{} {}\n{}", answer.status, answer.text, radicale.log());
    };
    let share = "\"PathOrToken\": \"/bob/alices/\", \"PathMapped\": \"/alice/work/\", \"User\": \"bob\"";
    ask("alice", "create", &format!("{{{share}, \"Permissions\": \"RrWw\", \"Enabled\": \"True\"}}"));
    ask("bob", "enable", "{\"PathOrToken\": \"/bob/alices/\"}");

    let saved = radicale.put_as("bob", "/bob/alices/e1.ics", &with_teams("e1", "Shared", &[]), &[]);
    assert_eq!(saved.status, 201, "{}\n{}", saved.text, radicale.log());
    let link = radicale.holds_link(&world, "/alice/work/e1.ics", "e1");
    assert_eq!(world.hook.event(ALICE, "e1").unwrap().json["objects"], serde_json::json!(["/alice/work/e1.ics"]));
    assert_eq!(world.hook.event("bob@test.tld", "e1").unwrap().status, 204);
    assert_eq!(world.graph_methods(), ["POST"]);
    let seen = radicale.request("GET", "/bob/alices/e1.ics", "bob", &[], "");
    assert!(event::unfolded(&seen.text).contains(&link), "{} {}", seen.status, seen.text);
    let next = event::with_line(&seen.text, "SUMMARY", "SUMMARY:Changed by Bob");
    assert!(matches!(radicale.put_as("bob", "/bob/alices/e1.ics", &next, &[]).status, 201 | 204));
    assert!(until(SOON, || world.in_teams()[0]["subject"] == "Changed by Bob"), "{}", world.log_tail());
    assert_eq!(radicale.request("DELETE", "/bob/alices/e1.ics", "bob", &[], "").status, 200);
    assert!(until(SOON, || world.in_teams().is_empty()), "{}\n{}", radicale.log(), world.log_tail());
    radicale.told();
}

#[test]
fn shares_of_radicale_3_9() {
    sharing_works_with(crate::python::NEWEST);
}

#[test]
fn shares_of_radicale_3_8() {
    sharing_works_with("3.8.3");
}

#[test]
fn shares_of_radicale_3_7() {
    sharing_works_with("3.7.8");
}
