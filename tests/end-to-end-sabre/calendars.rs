//! Deletes, moves, copies; whole calendars.

use serde_json::json;
use support::event;

use crate::sabre::{SOON, Sabre, in_both, with_teams};
use crate::saves::{E1, wired};
use crate::world::{World, until};

#[test]
fn a_deleted_event_goes_from_teams() {
    in_both(|dress| {
        let Some((world, sabre)) = wired(dress) else { return };
        sabre.put(E1, &with_teams("e1", "Planning", &[]));
        sabre.holds_link(&world, E1, "e1");
        world.sim.clear_requests();
        assert_eq!(sabre.request("DELETE", E1, "alice", &[("if-match", "\"0123\"")], "").status, 412);
        assert_eq!(sabre.request("DELETE", E1, "bob", &[], "").status, 403);
        assert_eq!(world.settled("e1").str("state"), "mirrored");
        assert_eq!(sabre.delete(E1).status, 204);
        assert!(until(SOON, || world.in_teams().is_empty()), "{}\n{}", sabre.log(), world.log_tail());
        assert_eq!(world.graph_methods(), ["DELETE"]);
        assert!(sabre.notes().is_empty());
    });
}

#[test]
fn a_move_between_calendars_keeps_the_meeting() {
    in_both(|dress| {
        let Some((world, sabre)) = wired(dress) else { return };
        sabre.put(E1, &with_teams("e1", "Planning", &[]));
        let link = sabre.holds_link(&world, E1, "e1");
        world.sim.clear_requests();
        assert_eq!(sabre.to("MOVE", E1, "/calendars/alice/private/other%20name.ics").status, 201, "{}", sabre.log());
        assert!(sabre.notes().is_empty(), "{:?}\n{}", sabre.notes(), sabre.log());
        let status = world.settled("e1");
        assert_eq!((status.str("state"), status.str("join_url")), ("mirrored", link.as_str()));
        assert_eq!(status.json["objects"], json!(["calendars/alice/private/other name.ics"]));
        assert!(world.graph_methods().is_empty(), "{:?}", world.graph_methods());
        assert_eq!(sabre.delete("/calendars/alice/private/other%20name.ics").status, 204);
        assert!(until(SOON, || world.in_teams().is_empty()), "{}", sabre.log());
        assert_eq!(world.graph_methods(), ["DELETE"]);
    });
}

#[test]
fn a_move_over_another_event_takes_that_one_out_of_teams() {
    in_both(|dress| {
        let Some((world, sabre)) = wired(dress) else { return };
        let other = "/calendars/alice/private/e2.ics";
        sabre.put(E1, &with_teams("e1", "Mover", &[]));
        sabre.put(other, &with_teams("e2", "Buried", &[]));
        sabre.holds_link(&world, other, "e2");
        assert_eq!(sabre.to("MOVE", E1, other).status, 204, "{}", sabre.log());
        assert!(until(SOON, || world.in_teams().len() == 1), "{}", sabre.log());
        assert_eq!(world.in_teams()[0]["subject"], "Mover");
        assert_eq!(Sabre::objects(&world, "e1"), json!(["calendars/alice/private/e2.ics"]));
        assert!(sabre.notes().is_empty());
    });
}

#[test]
fn a_copy_is_the_same_event_until_both_are_gone() {
    in_both(|dress| {
        let Some((world, sabre)) = wired(dress) else { return };
        let copy = "/calendars/alice/private/copy.ics";
        sabre.put(E1, &with_teams("e1", "Planning", &[]));
        sabre.holds_link(&world, E1, "e1");
        world.sim.clear_requests();
        assert_eq!(sabre.to("COPY", E1, copy).status, 201, "{}", sabre.log());
        assert_eq!(Sabre::objects(&world, "e1").as_array().unwrap().len(), 2, "{}", sabre.log());
        assert_eq!(sabre.delete(E1).status, 204);
        assert_eq!(Sabre::objects(&world, "e1"), json!(["calendars/alice/private/copy.ics"]));
        world.settled("e1");
        assert!(world.graph_methods().is_empty(), "{:?}", world.graph_methods());
        assert_eq!(sabre.delete(copy).status, 204);
        assert!(until(SOON, || world.graph_methods() == ["DELETE"]), "{}", sabre.log());
    });
}

#[test]
fn a_deleted_calendar_takes_its_events_along() {
    in_both(|dress| {
        let Some((world, sabre)) = wired(dress) else { return };
        for uid in ["e1", "e2", "e3"] {
            sabre.put(&format!("/calendars/alice/work/{uid}.ics"), &with_teams(uid, uid, &[]));
        }
        sabre.put("/calendars/alice/private/e4.ics", &with_teams("e4", "Stays", &[]));
        assert_eq!(world.in_teams().len(), 4);
        world.sim.clear_requests();
        assert_eq!(sabre.delete("/calendars/alice/work").status, 204, "{}", sabre.log());
        assert!(until(SOON, || world.in_teams().len() == 1), "{}", sabre.log());
        assert_eq!(world.in_teams()[0]["subject"], "Stays");
        assert!(until(SOON, || world.graph_methods() == ["DELETE", "DELETE", "DELETE"]), "{:?}", world.graph_methods());
        assert!(sabre.notes().is_empty());
    });
}

#[test]
fn a_calendar_that_is_left_out_is_known_by_its_name() {
    in_both(|dress| {
        let Some((world, sabre)) = wired(dress) else { return };
        world.run(&["set", "exclude-calendars=Private", "--domain", "test.tld"]);
        let path = "/calendars/alice/private/e1.ics";
        assert_eq!(sabre.put(path, &with_teams("e1", "Mine alone", &[])).status, 201);
        assert!(!sabre.stored(path).contains("CONFERENCE"));
        assert!(world.graph_methods().is_empty(), "{:?}", world.graph_methods());
        assert!(sabre.notes().is_empty());
    });
}

/// By the principal's mail address, or by a template over the login.
#[test]
fn a_template_names_users_without_a_mail_address() {
    in_both(|dress| {
        let world = World::signed_in();
        let settings = json!({ "address": "{user}@test.tld" });
        let Some(sabre) = Sabre::with(&world, dress, settings) else { return };
        let database = rusqlite::Connection::open(sabre.dir.path().join("sabre.sqlite")).unwrap();
        database.execute("UPDATE principals SET email = NULL", []).unwrap();
        sabre.put(E1, &with_teams("e1", "Planning", &[]));
        sabre.holds_link(&world, E1, "e1");
        // Nobody has an address now.
        let Some(nameless) = Sabre::start(&world, dress) else { return };
        let database = rusqlite::Connection::open(nameless.dir.path().join("sabre.sqlite")).unwrap();
        database.execute("UPDATE principals SET email = NULL", []).unwrap();
        let saved =
            nameless.put("/calendars/alice/work/e2.ics", &event::meeting("e2", "Planning", &["X-TEAMS-MEETING:TRUE"]));
        assert_eq!((saved.status, saved.header("etag").is_some()), (201, true));
        assert_eq!(world.hook.event(crate::world::ALICE, "e2").unwrap().status, 204);
    });
}
