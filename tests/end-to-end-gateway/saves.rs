//! Saves through a gateway that has no credential of its own: texts that the server dislikes, answers that get lost, programs that
//! are killed.

use graph_sim::{Fault, FaultKind};
use support::event;

use crate::alone::{Alone, PUT, PUT_WITH_LINK, with_teams};
use crate::relay::Deed;
use crate::servers::{Kind, Site};
use crate::world::{ALICE, SOON, World, until};

const E1: &str = "/alice/work/e1.ics";

#[test]
fn the_link_is_in_what_is_first_stored() {
    let Some(alone) = Alone::start() else { return };
    let saved = alone.put(E1, &with_teams("e1", "Planning", &["DESCRIPTION:Agenda"]));
    assert_eq!((saved.status, saved.header("etag"), saved.header("last-modified")), (201, None, None));
    assert_eq!(alone.relay.seen("PUT").len(), 1);
    assert!(alone.holds_link(E1, "e1"));
    alone.gateway.told();
    assert_eq!(alone.world.graph_methods(), ["POST"]);
    // What is stored already keeps its ETag.
    let stored = alone.get(E1);
    let again = alone.put(E1, &stored.text);
    assert_eq!(again.header("etag"), stored.header("etag"));
}

#[test]
fn what_is_no_event_passes_as_it_is() {
    let Some(alone) = Alone::start() else { return };
    let task = with_teams("t1", "A task", &[]).replace("VEVENT", "VTODO").replace("DTEND", "DUE");
    let saved = alone.put("/alice/work/t1.ics", &task);
    assert_eq!(saved.status, 201, "{}", saved.text);
    assert!(saved.header("etag").is_some());
    assert_eq!(alone.relay.seen("PUT")[0].1, task, "octet by octet");
    let large = with_teams("big", "Large", &[&format!("X-FILLER:{}", "x".repeat(9 << 20))]);
    assert_eq!(alone.put("/alice/work/big.ics", &large).status, 201);
    assert_eq!(alone.relay.seen("PUT")[1].1.len(), large.len());
    alone.gateway.told();
    assert!(alone.world.graph_methods().is_empty(), "{:?}", alone.world.graph_methods());
}

#[test]
fn who_may_not_write_makes_nothing() {
    let Some(alone) = Alone::start() else { return };
    let text = with_teams("e1", "Planning", &[]);
    let kind = [("content-type", "text/calendar")];
    assert_eq!(alone.client.request("PUT", E1, "bob", &kind, &text).status, 403);
    assert_eq!(alone.client.request("PUT", E1, "nobody", &kind, &text).status, 401);
    alone.gateway.told();
    assert_eq!(alone.world.settled("e1").status, 204, "nothing is known of it");
    assert!(alone.world.graph_methods().is_empty(), "{:?}", alone.world.graph_methods());
}

#[test]
fn a_uid_that_stands_elsewhere_makes_nothing() {
    let Some(alone) = Alone::start() else { return };
    assert_eq!(alone.put(E1, &event::meeting("e1", "Planning", &[])).status, 201);
    assert_eq!(alone.put("/alice/work/copy.ics", &with_teams("e1", "Planning", &[])).status, 409);
    alone.gateway.told();
    assert!(alone.world.graph_methods().is_empty(), "{:?}", alone.world.graph_methods());
}

#[test]
fn a_server_that_dislikes_the_link_stores_the_clients_text() {
    let Some(alone) = Alone::start() else { return };
    alone.relay.next(PUT_WITH_LINK, Deed::Refuse("403 Forbidden"));
    let saved = alone.put(E1, &with_teams("e1", "Planning", &[]));
    assert_eq!(saved.status, 201);
    assert!(saved.header("etag").is_some(), "the client's own text is what is stored");
    assert!(!alone.stored(E1).contains("CONFERENCE"));
    alone.gateway.told();
    alone.teams_shows(&["Planning"]);
    assert!(alone.gateway.log().contains("not with the"), "{}", alone.gateway.log());
    // One that breaks on it, too.
    alone.relay.next(PUT_WITH_LINK, Deed::Refuse("500 Internal Server Error"));
    assert_eq!(alone.put("/alice/work/e2.ics", &with_teams("e2", "Review", &[])).status, 201);
    assert!(!alone.stored("/alice/work/e2.ics").contains("CONFERENCE"));
    alone.gateway.told();
    alone.teams_shows(&["Planning", "Review"]);
}

#[test]
fn a_refused_save_takes_its_meeting_away() {
    let Some(alone) = Alone::start() else { return };
    alone.relay.next(PUT, Deed::Refuse("507 Insufficient Storage"));
    alone.relay.next(PUT, Deed::Refuse("507 Insufficient Storage"));
    assert_eq!(alone.put(E1, &with_teams("e1", "Planning", &[])).status, 507);
    alone.teams_shows(&[]);
    alone.gateway.told();
    let methods = alone.world.graph_methods();
    assert!(until(SOON, || alone.world.graph_methods() == ["POST", "DELETE"]), "{methods:?}");
}

#[test]
fn a_lost_answer_is_found_out() {
    let Some(alone) = Alone::start() else { return };
    alone.relay.next(PUT, Deed::DoAndAnswer("500 Internal Server Error"));
    assert_eq!(alone.put(E1, &with_teams("e1", "Planning", &[])).status, 500);
    alone.gateway.told();
    alone.teams_shows(&["Planning"]);
    assert!(alone.holds_link(E1, "e1"));
    alone.relay.next(PUT, Deed::DoAndDie);
    assert_eq!(alone.put("/alice/work/e2.ics", &with_teams("e2", "Review", &[])).status, 502);
    alone.gateway.told();
    alone.teams_shows(&["Planning", "Review"]);
    alone.relay.next(PUT, Deed::Die);
    assert_eq!(alone.put("/alice/work/e3.ics", &with_teams("e3", "Never", &[])).status, 502);
    alone.gateway.told();
    alone.teams_shows(&["Planning", "Review"]);
    // Nor is a removal believed that nobody saw.
    alone.relay.next(|head, _| head.starts_with("DELETE "), Deed::Die);
    assert_eq!(alone.delete(E1).status, 502);
    alone.relay.next(|head, _| head.starts_with("DELETE "), Deed::DoAndDie);
    assert_eq!(alone.delete("/alice/work/e2.ics").status, 502);
    alone.gateway.told();
    alone.teams_shows(&["Planning"]);
}

#[test]
fn saves_while_the_hook_is_down_are_told_later() {
    let Some(mut alone) = Alone::start() else { return };
    alone.put("/alice/work/gone.ics", &with_teams("gone", "Gone", &[]));
    alone.teams_shows(&["Gone"]);
    alone.gateway.told();
    alone.world.kill();
    for subject in ["First", "Second", "Third"] {
        let saved = alone.put(E1, &with_teams("e1", subject, &[]));
        assert!(matches!(saved.status, 201 | 204) && saved.header("etag").is_some(), "{}", saved.status);
    }
    assert_eq!(alone.gateway.notes().len(), 1, "of one object the newest waits");
    assert_eq!(alone.delete("/alice/work/gone.ics").status, 200);
    alone.says("Saves go on without waiting for it");
    // What waits outlives the gateway.
    alone.gateway.kill();
    alone.gateway.run();
    assert_eq!(alone.gateway.notes().len(), 2);
    alone.world.start();
    alone.gateway.told();
    alone.says("teams-mirror answers again");
    alone.teams_shows(&["Third"]);
    // And the link comes with the next save.
    let stored = alone.get(E1);
    alone.put(E1, &stored.text);
    assert!(alone.holds_link(E1, "e1"));
}

#[test]
fn what_waits_is_told_before_what_follows() {
    let Some(mut alone) = Alone::start() else { return };
    alone.world.kill();
    alone.put(E1, &with_teams("e1", "Before", &[]));
    alone.world.start();
    // Whether or not the gateway has seen yet that the hook answers.
    alone.put(E1, &with_teams("e1", "After", &[]));
    alone.gateway.told();
    alone.teams_shows(&["After"]);
    alone.world.settled("e1");
    assert_eq!(alone.subjects(), ["After"]);
}

#[test]
fn a_killed_gateway_forgets_no_save() {
    let world = World::with("delete_grace = '300ms'\nunconfirmed_after = '1s'").and_alice();
    let Some(mut alone) = Alone::with(world, "") else { return };
    let (arrives, go) = alone.relay.hold(PUT);
    let client = alone.client.clone();
    let saving = std::thread::spawn(move || {
        let kind = [("content-type", "text/calendar")];
        client.try_request("PUT", E1, "alice", &kind, &with_teams("e1", "Planning", &[]))
    });
    arrives.recv_timeout(SOON).unwrap();
    alone.gateway.kill();
    assert!(saving.join().unwrap().is_err());
    // The server stores what it was sent.
    go.send(()).unwrap();
    assert!(until(SOON, || alone.radicale.get(E1).status == 200));
    alone.gateway.run();
    alone.gateway.told();
    alone.teams_shows(&["Planning"]);
    assert!(alone.holds_link(E1, "e1"));
}

#[test]
fn what_the_server_never_saw_is_not_told() {
    let Some(mut alone) = Alone::with(World::signed_in(), "patience = '20s'") else { return };
    // Microsoft answers, but not soon; the gateway is killed while it waits.
    alone.world.sim.fault(Fault::new(FaultKind::Delay).on_graph("POST", "/events").delay(2_000));
    let client = alone.client.clone();
    let saving = std::thread::spawn(move || {
        let kind = [("content-type", "text/calendar")];
        client.try_request("PUT", E1, "alice", &kind, &with_teams("e1", "Planning", &[]))
    });
    assert!(until(SOON, || alone.world.hook.event(ALICE, "e1").unwrap().status == 200));
    alone.gateway.kill();
    assert!(saving.join().unwrap().is_err());
    assert!(alone.relay.seen("PUT").is_empty());
    alone.gateway.run();
    alone.gateway.told();
    assert!(until(SOON, || alone.world.graph_methods() == ["POST", "DELETE"]), "{:?}", alone.world.graph_methods());
    alone.teams_shows(&[]);
}

/// A user of several addresses organises events under any of them; the server names them.
#[test]
fn a_further_address_of_the_owner_is_hers() {
    let Some(site) = Site::start(Kind::XandikosByGateway) else { return };
    let addresses = "<propertyupdate xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><set><prop>\
                     <C:calendar-user-address-set><href>mailto:alice@test.tld</href><href>mailto:a.smith@test.tld</href>\
                     <href>mailto:alice@elsewhere.example</href></C:calendar-user-address-set></prop></set></propertyupdate>";
    assert_eq!(site.request("PROPPATCH", "/alice/", &[], addresses).status, 207);
    let path = format!("{}e1.ics", site.calendar("work"));
    let lines = ["ORGANIZER:mailto:a.smith@test.tld", "ATTENDEE:mailto:carol@elsewhere.example"];
    assert_eq!(site.put(&path, &with_teams("e1", "Planning", &lines)).status, 201);
    site.link(&path, "e1");
    let known = site.world.hook.account(ALICE).unwrap();
    // The secret is for one domain, so nothing is told of others.
    assert_eq!(known.json["addresses"], serde_json::json!(["a.smith@test.tld"]), "{}", known.text);
    assert_eq!(known.str("time_zone"), "Europe/Vienna", "what others told stays");
}

/// Many at once, of different events and of one: what stands on the server in the end stands in Teams.
#[test]
fn many_at_once_end_as_the_server_has_them() {
    let Some(alone) = Alone::start() else { return };
    std::thread::scope(|scope| {
        for n in 0..6 {
            let alone = &alone;
            scope.spawn(move || {
                for round in 0..4 {
                    let own = alone.put(
                        &format!("/alice/work/own{n}.ics"),
                        &with_teams(&format!("own{n}"), &format!("Own {n}.{round}"), &[]),
                    );
                    assert!(matches!(own.status, 201 | 204), "{}", own.status);
                    let shared =
                        alone.put("/alice/work/shared.ics", &with_teams("shared", &format!("Shared {n}.{round}"), &[]));
                    assert!(matches!(shared.status, 201 | 204), "{}", shared.status);
                }
            });
        }
    });
    alone.gateway.told();
    let stored = alone.stored("/alice/work/shared.ics");
    let last = stored.lines().find_map(|line| line.strip_prefix("SUMMARY:")).unwrap().trim().to_owned();
    let mut expected: Vec<String> = (0..6).map(|n| format!("Own {n}.3")).collect();
    expected.push(last);
    alone.teams_shows(&expected.iter().map(String::as_str).collect::<Vec<_>>());
}
