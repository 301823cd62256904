//! Whole calendars: imports, what a deleted calendar takes along, and calendars that are left out.

use std::collections::BTreeSet;

use support::event;

use crate::radicale::{SOON, with_teams};
use crate::saves::wired;
use crate::world::{ALICE, World, until};

/// One calendar text with many events; every hundredth from the fifth asks for a meeting.
fn export(count: usize, prefix: &str) -> (String, Vec<String>) {
    let mut text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example Corp.//Export//EN\r\n".to_owned();
    let mut wanted = Vec::new();
    for number in 0..count {
        let uid = format!("{prefix}-{number}");
        let asks = number % 100 == 5;
        let event = if asks { with_teams(&uid, "Imported", &[]) } else { event::meeting(&uid, "Imported", &[]) };
        let (begin, end) = (event.find("BEGIN:VEVENT").unwrap(), event.find("END:VCALENDAR").unwrap());
        let zone = &event[event.find("BEGIN:VTIMEZONE").unwrap()..begin];
        if number == 0 {
            text.push_str(zone);
        }
        text.push_str(&event[begin..end]);
        if asks {
            wanted.push(uid);
        }
    }
    text.push_str("END:VCALENDAR\r\n");
    (text, wanted)
}

fn posts(world: &World) -> usize {
    world.graph_methods().iter().filter(|method| *method == "POST").count()
}

fn known(world: &World, uid: &str) -> bool {
    world.hook.event(ALICE, uid).unwrap().status == 200
}

/// The path Radicale chose for an event of an import.
fn object(world: &World, uid: &str) -> String {
    let status = world.hook.event(ALICE, uid).unwrap();
    let path = status.json["objects"][0].as_str().unwrap().to_owned();
    path.split('/').map(|part| part.replace(' ', "%20")).collect::<Vec<_>>().join("/")
}

#[test]
fn an_import_makes_the_meetings_that_were_asked_for_and_no_others() {
    let Some((world, radicale)) = wired() else { return };
    world.run(&["set", "meetings=always", "--server"]);
    let (text, wanted) = export(200, "i");
    assert_eq!(wanted.len(), 2);
    let put = radicale.put("/alice/imported/", &text);
    assert_eq!(put.status, 201, "{}", put.text);
    radicale.told();
    for uid in &wanted {
        let found = until(SOON, || known(&world, uid) && !world.settled(uid).str("join_url").is_empty());
        assert!(found, "{uid}\n{}", world.log_tail());
        radicale.holds_link(&world, &object(&world, uid), uid);
    }
    assert_eq!(posts(&world), 2, "{:?}", world.graph_methods());
    assert_eq!(world.graph_methods().len(), 2, "{:?}", world.graph_methods());
    assert_eq!(world.in_teams().len(), 2);
    assert!(known(&world, "i-199") && known(&world, "i-0"), "all are known, so that a later save is no first one");
    world.sim.clear_requests();
    // A later save of an imported event is no first save: the default makes no meeting.
    let path = object(&world, "i-7");
    let edited = radicale.get(&path).text.replace("SUMMARY:Imported", "SUMMARY:Edited");
    assert!(matches!(radicale.put(&path, &edited).status, 201 | 204));
    world.settled("i-7");
    assert!(world.graph_methods().is_empty(), "{:?}", world.graph_methods());
}

#[test]
fn what_an_import_replaces_and_leaves_out_is_gone() {
    let Some((world, radicale)) = wired() else { return };
    radicale.put("/alice/work/e1.ics", &with_teams("e1", "Stays away", &[]));
    radicale.put("/alice/work/i-5.ics", &with_teams("i-5", "Stays", &[]));
    let link = radicale.holds_link(&world, "/alice/work/i-5.ics", "i-5");
    radicale.holds_link(&world, "/alice/work/e1.ics", "e1");
    world.sim.clear_requests();
    let (text, _) = export(20, "i");
    assert_eq!(radicale.put("/alice/work/", &text).status, 201);
    radicale.told();
    assert!(until(SOON, || world.in_teams().len() == 1), "{}\n{}", radicale.log(), world.log_tail());
    assert!(until(SOON, || world.in_teams()[0]["subject"] == "Imported"));
    let status = world.settled("i-5");
    assert_eq!(status.str("join_url"), link, "the same event keeps its meeting");
    assert!(radicale.holds_link(&world, &object(&world, "i-5"), "i-5") == link);
    let methods: BTreeSet<String> = world.graph_methods().into_iter().collect();
    assert!(!methods.contains("POST"), "{methods:?}");
    assert_eq!(world.graph_methods().iter().filter(|method| *method == "DELETE").count(), 1);
}

#[test]
fn a_deleted_calendar_takes_its_meetings_along() {
    let Some((world, radicale)) = wired() else { return };
    radicale.calendar("/alice/home/", "alice");
    for number in 0..5 {
        let path = format!("/alice/work/e{number}.ics");
        radicale.put(&path, &with_teams(&format!("e{number}"), "Planning", &[]));
        radicale.holds_link(&world, &path, &format!("e{number}"));
    }
    radicale.put("/alice/home/h1.ics", &with_teams("h1", "At home", &[]));
    radicale.holds_link(&world, "/alice/home/h1.ics", "h1");
    world.sim.clear_requests();
    assert_eq!(radicale.request("DELETE", "/alice/work/", "bob", &[], "").status, 403);
    radicale.told();
    assert_eq!(radicale.delete("/alice/work/").status, 200);
    assert!(until(SOON, || world.in_teams().len() == 1), "{}\n{}", radicale.log(), world.log_tail());
    assert_eq!(world.in_teams()[0]["subject"], "At home");
    assert_eq!(world.graph_methods(), ["DELETE"; 5]);
    radicale.told();
}

#[test]
fn a_refused_import_changes_nothing() {
    let Some((world, radicale)) = wired() else { return };
    radicale.put("/alice/work/e1.ics", &with_teams("e1", "Stays", &[]));
    radicale.holds_link(&world, "/alice/work/e1.ics", "e1");
    world.sim.clear_requests();
    let (text, _) = export(20, "i");
    let broken = text.replace("END:VCALENDAR", "END:VEVENT");
    assert_eq!(radicale.put("/alice/work/", &broken).status, 400);
    assert_eq!(radicale.put_as("bob", "/alice/work/", &text, &[]).status, 403);
    radicale.told();
    assert_eq!(world.settled("e1").str("state"), "mirrored");
    assert!(world.graph_methods().is_empty(), "{:?}", world.graph_methods());
}

#[test]
fn an_event_moved_to_a_colleague_is_the_colleagues() {
    let Some((world, mut radicale)) = wired() else { return };
    radicale.kill();
    std::fs::write(radicale.dir.path().join("rights"), "[all]\nuser: .+\ncollection: .*\npermissions: RrWw\n").unwrap();
    radicale.run();
    radicale.calendar("/bob/work/", "bob");
    let page = world.sign_in("bob@test.tld", "bob@contoso.example");
    assert_eq!(page.status, 200, "{}", page.text());
    radicale.put("/alice/work/e1.ics", &with_teams("e1", "Planning", &[]));
    let hers = radicale.holds_link(&world, "/alice/work/e1.ics", "e1");
    world.sim.clear_requests();
    assert_eq!(radicale.r#move("/alice/work/e1.ics", "/bob/work/e1.ics").status, 201);
    let mut his = String::new();
    let written = until(SOON, || {
        world.hook.event("bob@test.tld", "e1").unwrap().str("join_url").clone_into(&mut his);
        !his.is_empty() && radicale.stored("/bob/work/e1.ics").contains(&his)
    });
    assert!(written, "{}\n{}", radicale.log(), world.log_tail());
    assert_ne!(hers, his);
    assert!(!radicale.stored("/bob/work/e1.ics").contains(&hers));
    assert!(until(SOON, || world.in_teams().is_empty()), "{}", world.log_tail());
    assert_eq!(world.sim.events("bob@contoso.example").len(), 1);
    let mut methods = world.graph_methods();
    methods.retain(|method| method != "GET");
    methods.sort();
    assert_eq!(methods, ["DELETE", "POST"]);
}

#[test]
fn a_calendar_is_left_out_by_the_name_its_user_gave_it() {
    let Some((world, radicale)) = wired() else { return };
    world.run(&["set", "exclude-calendars=Private things", "--domain", "test.tld"]);
    radicale.calendar("/alice/5f0c/", "alice");
    let named = "<propertyupdate xmlns=\"DAV:\"><set><prop><displayname>Private things</displayname></prop></set></propertyupdate>";
    assert_eq!(radicale.request("PROPPATCH", "/alice/5f0c/", "alice", &[], named).status, 207);

    let text = with_teams("e1", "Choir", &[]);
    assert_eq!(radicale.put("/alice/5f0c/e1.ics", &text).status, 201);
    radicale.told();
    assert!(world.graph().is_empty() && !known(&world, "e1"));
    assert!(!radicale.stored("/alice/5f0c/e1.ics").contains("teams.microsoft.com"));

    // Moved into a calendar that is mirrored it gets its meeting, moved back it loses it; the link lines go at its next save.
    assert!(matches!(radicale.r#move("/alice/5f0c/e1.ics", "/alice/work/e1.ics").status, 201 | 204));
    radicale.told();
    assert!(until(SOON, || world.in_teams().len() == 1), "{}", world.log_tail());
    radicale.holds_link(&world, "/alice/work/e1.ics", "e1");
    assert!(matches!(radicale.r#move("/alice/work/e1.ics", "/alice/5f0c/e1.ics").status, 201 | 204));
    radicale.told();
    assert!(until(SOON, || world.in_teams().is_empty()), "{}", world.log_tail());
    let linked = radicale.get("/alice/5f0c/e1.ics").text;
    assert!(event::unfolded(&linked).contains("teams.microsoft.com"), "{linked}");
    radicale.put("/alice/5f0c/e1.ics", &linked.replace("SUMMARY:Choir", "SUMMARY:Quartet"));
    let stored = radicale.stored("/alice/5f0c/e1.ics");
    assert!(stored.contains("SUMMARY:Quartet") && !stored.contains("teams.microsoft.com"), "{stored}");
    radicale.told();
    assert!(world.in_teams().is_empty());
}
