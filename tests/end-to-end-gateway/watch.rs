//! What was written past the gateway reaches Teams all the same, and nothing that should not.

use serde_json::Value;
use support::{Browser, Put, event};

use crate::gateway::Gateway;
use crate::radicale::with_teams;
use crate::servers::{Kind, Site};
use crate::world::{ALICE, ALICE_AT_MICROSOFT, SOON, World, until};

/// One server with a service account, which cannot say when it was asked what; one that trusts the proxy before it.
const KINDS: [Kind; 2] = [Kind::RadicaleByGateway, Kind::XandikosByGateway];

/// A world in which calendars are looked at as often as possible, and as far ahead as the events of these tests are.
fn watching(world: World) -> World {
    world.run(&["set", "watch-interval=0", "--server"]);
    world.run(&["set", "watch-ahead=3660days", "--server"]);
    world
}

/// With Alice signed in and her calendars looked at once.
fn site(kind: Kind) -> Option<Site> {
    let site = Site::with(kind, watching(World::signed_in()), "")?;
    looked_at(&site);
    Some(site)
}

/// Waits until all there is was looked at: what is saved from now on is newer than the turning on.
fn looked_at(site: &Site) {
    let looked = || site.world.count("SELECT count(*) FROM accounts WHERE older_events IS NOT NULL") == 1;
    assert!(until(SOON, looked), "{}\n{}", site.log(), site.world.log_tail());
}

/// Past the gateway.
fn put(site: &Site, path: &str, text: &str) {
    let headers = [("content-type", "text/calendar; charset=utf-8")];
    let answer = site.direct.request("PUT", path, "alice", &headers, text);
    assert!(matches!(answer.status, 201 | 204), "{path}: {} {}", answer.status, answer.text);
}

fn delete(site: &Site, path: &str) {
    let answer = site.direct.request("DELETE", path, "alice", &[], "");
    assert!(matches!(answer.status, 200 | 204), "{path}: {} {}", answer.status, answer.text);
}

fn subjects(site: &Site) -> Vec<String> {
    let name = |event: &Value| event["subject"].as_str().unwrap().to_owned();
    let mut subjects: Vec<String> = site.world.in_teams().iter().map(name).collect();
    subjects.sort();
    subjects
}

fn teams_shows(site: &Site, expected: &[&str]) {
    let shows = until(SOON, || subjects(site) == expected);
    assert!(shows, "{expected:?}, not {:?}\n{}\n{}", subjects(site), site.log(), site.world.log_tail());
}

/// Everything that was there before this was looked at, or this would not be in Teams.
fn everything_was_looked_at(site: &Site, calendar: &str, expected: &[&str]) {
    let path = format!("{calendar}zz-marker.ics");
    put(site, &path, &with_teams("zz-marker", "zz marker", &[]));
    let all: Vec<&str> = expected.iter().copied().chain(["zz marker"]).collect();
    teams_shows(site, &all);
    // Some servers take but one write at a time, and this one is on its way.
    site.link(&path, "zz-marker");
    delete(site, &path);
    teams_shows(site, expected);
}

#[test]
fn created_changed_moved_and_deleted_past_the_gateway() {
    for kind in KINDS {
        let Some(site) = site(kind) else { continue };
        let (calendar, other) = (site.calendar("watched"), site.calendar("other"));
        let path = format!("{calendar}past.ics");
        put(&site, &path, &with_teams("past", "Planning", &["DESCRIPTION:Agenda"]));
        teams_shows(&site, &["Planning"]);
        let link = site.link(&path, "past");
        assert!(site.stored(&path).contains("Agenda"), "the link came back, and nothing else is different");

        let changed =
            event::with_line(&site.direct.request("GET", &path, "alice", &[], "").text, "SUMMARY", "SUMMARY:Later");
        put(&site, &path, &changed);
        teams_shows(&site, &["Later"]);
        assert_eq!(site.link(&path, "past"), link);

        let id = site.world.in_teams()[0]["id"].clone();
        let to = format!("{other}moved.ics");
        let moved = site.direct.request("MOVE", &path, "alice", &[("destination", &site.direct.url(&to))], "");
        assert!(matches!(moved.status, 201 | 204), "{} {}", moved.status, moved.text);
        let follows = || site.world.hook.event(ALICE, "past").unwrap().json["objects"] == serde_json::json!([to]);
        assert!(until(SOON, follows), "{}\n{}", site.world.hook.event(ALICE, "past").unwrap().text, site.log());
        assert_eq!(site.world.in_teams()[0]["id"], id, "a move is no end");

        delete(&site, &to);
        teams_shows(&site, &[]);
    }
}

#[test]
fn what_the_gateway_told_is_not_told_again() {
    for kind in KINDS {
        let Some(site) = site(kind) else { continue };
        let calendar = site.calendar("watched");
        let path = format!("{calendar}told.ics");
        site.put(&path, &with_teams("told", "Told", &[]));
        site.put(&path, &with_teams("told", "Told twice", &[]));
        site.settled("told");
        everything_was_looked_at(&site, &calendar, &["Told twice"]);
        let subject = |r: &graph_sim::RequestRecord| r.body.contains("Told");
        let methods: Vec<String> =
            site.world.graph().into_iter().filter(subject).map(|request| request.method).collect();
        assert_eq!(methods, ["POST", "PATCH"], "{}", kind.name());
    }
}

#[test]
fn what_is_older_than_the_turning_on_is_left_alone_until_it_is_wanted() {
    for kind in KINDS {
        let Some(site) = Site::with(kind, watching(World::new()), "") else { continue };
        let calendar = site.calendar("watched");
        for n in [1, 2] {
            put(&site, &format!("{calendar}old-{n}.ics"), &with_teams(&format!("old-{n}"), &format!("Old {n}"), &[]));
        }
        let past = event::at("over", "Over", "20200114T100000", "20200114T110000", &["X-TEAMS-MEETING:TRUE"]);
        put(&site, &format!("{calendar}over.ics"), &past);
        // HTTP tells of whole seconds when something changed.
        let turned = std::time::SystemTime::now();
        assert!(until(SOON, || turned.elapsed().unwrap().as_millis() > 1_000));
        site.world.sign_in(ALICE, ALICE_AT_MICROSOFT);
        looked_at(&site);
        everything_was_looked_at(&site, &calendar, &[]);
        assert_eq!(site.world.count("SELECT older_events FROM accounts"), 2, "what is over is not coming");

        // Saved again, an event is new.
        put(&site, &format!("{calendar}old-1.ics"), &with_teams("old-1", "Old 1 again", &[]));
        teams_shows(&site, &["Old 1 again"]);

        // The other one, because its user asks for it.
        site.world.run(&["set", "mirror=all-events", "--server"]);
        let mut browser = Browser::default();
        let page = browser.open(site.world.hook.settings_link(ALICE).unwrap().str("url")).unwrap();
        let page = browser.press(&page, "older-include").unwrap();
        assert!(page.has("older-wanted"), "{}", page.text());
        teams_shows(&site, &["Old 1 again", "Old 2"]);
        assert!(until(SOON, || site.world.count("SELECT older_wanted FROM accounts") == 0));
        assert_eq!(site.world.count("SELECT older_events FROM accounts"), 0);
    }
}

#[test]
fn an_administrator_says_since_when_and_for_which_days() {
    let Some(site) = Site::with(Kind::RadicaleByGateway, watching(World::new()), "") else { return };
    let calendar = site.calendar("watched");
    let in_days = |days: i64| (chrono::Utc::now() + chrono::Duration::days(days)).format("%Y%m%dT%H%M%S").to_string();
    for (uid, days) in [("near", 2), ("far", 40)] {
        let text = event::at(uid, uid, &in_days(days), &in_days(days), &["X-TEAMS-MEETING:TRUE"]);
        put(&site, &format!("{calendar}{uid}.ics"), &text);
    }
    let turned = std::time::SystemTime::now();
    assert!(until(SOON, || turned.elapsed().unwrap().as_millis() > 1_000));
    site.world.run(&["set", "watch-ahead=60days", "--server"]);
    site.world.sign_in(ALICE, ALICE_AT_MICROSOFT);
    looked_at(&site);
    assert_eq!(site.world.count("SELECT older_events FROM accounts"), 2);
    let date = (chrono::Utc::now() + chrono::Duration::days(20)).format("since=%Y-%m-%d").to_string();
    site.world.run(&["set", &date, "--domain", "test.tld"]);
    teams_shows(&site, &["far"]);
    site.world.run(&["set", "since=all", "--domain", "test.tld"]);
    teams_shows(&site, &["far", "near"]);

    site.world.run(&["set", "watch-ahead=7days", "--server"]);
    let later = event::at("later", "later", &in_days(30), &in_days(30), &["X-TEAMS-MEETING:TRUE"]);
    put(&site, &format!("{calendar}later.ics"), &later);
    // What is in Teams follows, wherever it goes.
    let moved = event::at("near", "near moved", &in_days(35), &in_days(35), &["X-TEAMS-MEETING:TRUE"]);
    put(&site, &format!("{calendar}near.ics"), &moved);
    teams_shows(&site, &["far", "near moved"]);
    site.world.run(&["set", "watch-ahead=31days", "--server"]);
    teams_shows(&site, &["far", "later", "near moved"]);
}

#[test]
fn killed_in_the_middle_it_goes_on_and_tells_nothing_twice() {
    for kind in KINDS {
        let Some(mut site) = site(kind) else { continue };
        let calendar = site.calendar("watched");
        site.gateway.as_mut().unwrap().kill();
        let expected: Vec<String> = (0..25).map(|n| format!("Event {n:02}")).collect();
        for (n, subject) in expected.iter().enumerate() {
            put(&site, &format!("{calendar}{n}.ics"), &with_teams(&format!("uid-{n}"), subject, &[]));
        }
        let mut seen = 0;
        while seen < expected.len() {
            site.gateway.as_mut().unwrap().run();
            assert!(until(SOON, || site.world.in_teams().len() > seen), "{}", site.log());
            site.gateway.as_mut().unwrap().kill();
            seen = site.world.in_teams().len();
        }
        site.gateway.as_mut().unwrap().run();
        for n in 0..expected.len() {
            site.link(&format!("{calendar}{n}.ics"), &format!("uid-{n}"));
        }
        everything_was_looked_at(&site, &calendar, &expected.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn a_missed_hook_leaves_no_work_behind() {
    let Some(mut site) = site(Kind::RadicaleByGateway) else { return };
    let calendar = site.calendar("watched");
    let (kept, gone) = (format!("{calendar}kept.ics"), format!("{calendar}gone.ics"));
    for (path, uid) in [(&kept, "kept"), (&gone, "gone")] {
        assert_eq!(site.put(path, &with_teams(uid, uid, &[])).status, 201);
    }
    teams_shows(&site, &["gone", "kept"]);
    site.told();
    // The hook is down, and so is what was noted for it.
    site.world.kill();
    let text = with_teams("kept", "kept changed", &[]);
    assert!(matches!(site.put(&kept, &text).status, 201 | 204));
    assert_eq!(site.delete(&gone).status, site.kind.deleted());
    assert_eq!(site.put(&format!("{calendar}new.ics"), &with_teams("new", "new", &[])).status, 201);
    let gateway = site.gateway.as_mut().unwrap();
    gateway.kill();
    for file in std::fs::read_dir(gateway.path("spool")).unwrap().flatten() {
        if file.file_name().to_string_lossy().ends_with(".note") {
            std::fs::remove_file(file.path()).unwrap();
        }
    }
    site.world.start();
    site.gateway.as_mut().unwrap().run();
    teams_shows(&site, &["kept changed", "new"]);
}

#[test]
fn a_save_that_nobody_reported_is_looked_at() {
    let world = World::with("delete_grace = '300ms'\nunconfirmed_after = '1ms'").and_alice();
    let Some(site) = Site::with(Kind::RadicaleByGateway, watching(world), "") else { return };
    looked_at(&site);
    let calendar = site.calendar("watched");
    site.put(&format!("{calendar}a.ics"), &with_teams("a", "a", &[]));
    teams_shows(&site, &["a"]);
    let announced = |uid: &str, object: String| {
        let put = Put { object: Some(object), ..Put::wanted() };
        let answer = site.world.hook.put(ALICE, uid, &with_teams(uid, uid, &[]), &put).unwrap();
        assert!(matches!(answer.status, 200 | 202), "{}", answer.text);
    };
    // Announced, and never stored; announced, and stored without a report.
    announced("never", format!("{calendar}never.ics"));
    announced("a", format!("{calendar}a.ics"));
    let settled = || {
        site.world.count("SELECT count(*) FROM events WHERE unconfirmed") == 0
            && site.world.count("SELECT count(*) FROM proposals") == 0
    };
    assert!(until(SOON, settled), "{}\n{}", site.log(), site.world.log_tail());
    teams_shows(&site, &["a"]);
}

#[test]
fn a_restored_backup_is_what_counts() {
    let Some(mut site) = site(Kind::RadicaleByGateway) else { return };
    let calendar = site.calendar("watched");
    let path = |name: &str| format!("{calendar}{name}.ics");
    for name in ["kept", "changed", "deleted"] {
        site.put(&path(name), &with_teams(name, name, &[]));
    }
    teams_shows(&site, &["changed", "deleted", "kept"]);
    everything_was_looked_at(&site, &calendar, &["changed", "deleted", "kept"]);
    let backup = tempfile::tempdir().unwrap();
    site.kill_server();
    copy(&site.storage(), &backup.path().join("store"));
    site.start_server();
    site.put(&path("changed"), &with_teams("changed", "after the backup", &[]));
    site.delete(&path("deleted"));
    site.put(&path("new"), &with_teams("new", "new", &[]));
    everything_was_looked_at(&site, &calendar, &["after the backup", "kept", "new"]);
    site.kill_server();
    std::fs::remove_dir_all(site.storage()).unwrap();
    copy(&backup.path().join("store"), &site.storage());
    site.start_server();
    teams_shows(&site, &["changed", "deleted", "kept"]);
}

#[test]
fn what_the_hook_lost_is_told_again() {
    let Some(mut site) = site(Kind::RadicaleByGateway) else { return };
    let calendar = site.calendar("watched");
    put(&site, &format!("{calendar}lost.ics"), &with_teams("lost", "lost", &[]));
    site.link(&format!("{calendar}lost.ics"), "lost");
    everything_was_looked_at(&site, &calendar, &["lost"]);
    // As after the restore of a store that is older than the event.
    site.world.kill();
    let store = rusqlite::Connection::open(site.world.state().join("store.sqlite")).unwrap();
    store.execute("DELETE FROM events", []).unwrap();
    drop(store);
    site.world.start();
    let known = || site.world.hook.event(ALICE, "lost").unwrap().status;
    assert_eq!(known(), 204);
    // Other terms make a look a whole one, as a day does.
    site.world.run(&["set", "watch-ahead=3650days", "--server"]);
    assert!(until(SOON, || known() == 200), "{}", site.log());
}

#[test]
fn a_folder_that_is_not_there_cancels_no_meetings() {
    let Some(mut site) = site(Kind::RadicaleByGateway) else { return };
    let calendar = site.calendar("watched");
    let names: Vec<String> = (10..22).map(|n| format!("e{n}")).collect();
    let expected: Vec<&str> = names.iter().map(String::as_str).collect();
    for name in &names {
        put(&site, &format!("{calendar}{name}.ics"), &with_teams(name, name, &[]));
    }
    teams_shows(&site, &expected);
    everything_was_looked_at(&site, &calendar, &expected);
    let log = |site: &Site| site.gateway.as_ref().unwrap().log();
    // All that is in the calendar, then all calendars.
    let root = site.storage().join("collection-root/alice");
    for (folder, says) in [(root.join("watched"), "12 events are gone from the server at once"), (root, "is not shown")]
    {
        site.kill_server();
        let away = site.storage().with_extension("unmounted");
        std::fs::rename(&folder, &away).unwrap();
        std::fs::create_dir(&folder).unwrap();
        if away.join(".Radicale.props").exists() {
            std::fs::copy(away.join(".Radicale.props"), folder.join(".Radicale.props")).unwrap();
        }
        site.start_server();
        assert!(until(SOON, || log(&site).contains(says)), "{says}\n{}", site.log());
        site.kill_server();
        std::fs::remove_dir_all(&folder).unwrap();
        std::fs::rename(&away, &folder).unwrap();
    }
    site.start_server();
    everything_was_looked_at(&site, &calendar, &expected);
    assert_eq!(site.world.graph().iter().filter(|request| request.method == "DELETE").count(), 2, "the markers alone");
}

#[test]
fn without_a_service_nothing_is_watched_and_it_is_said() {
    let world = watching(World::signed_in());
    let mut gateway = Gateway::prepared(&world, "http://127.0.0.1:9", "address = '{user}@test.tld'\n", "");
    gateway.spawn();
    assert!(until(SOON, || gateway.log().contains("nothing is watched")), "{}", gateway.log());
    let checked = std::process::Command::new(env!("CARGO_BIN_EXE_teams-mirror"))
        .args(["gateway", "--check", "--config"])
        .arg(gateway.path("gateway.toml"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&[checked.stdout, checked.stderr].concat()).into_owned();
    assert!(said.contains("nothing is watched"), "{said}");
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    let copied = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(copied.success());
}
