//! What a watcher asks and tells: whose calendars, how often, what was told last; and what users see of it.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use support::{Browser, Put, event::meeting};

use crate::world::{ALICE, World};

const OBJECT: &str = "/alice/work/1.ics";

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|octet| format!("{octet:02x}")).collect()
}

fn watched(world: &World) -> Vec<Value> {
    let answer = world.hook.get("/v1/accounts").unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json["accounts"].as_array().cloned().unwrap()
}

fn stored(told: Option<&str>) -> Put {
    Put { stored: true, object: Some(OBJECT.into()), told: told.map(str::to_owned), ..Put::default() }
}

#[test]
fn a_watcher_is_told_whose_calendars_to_look_at_and_how() {
    let world = World::new();
    world.hook.put_account(ALICE, json!({})).unwrap();
    assert!(watched(&world).is_empty(), "nobody is connected");
    let world = world.and_alice();
    let [alice] = &watched(&world)[..] else { panic!() };
    assert_eq!((alice["account"].as_str(), alice["usable"].as_bool()), (Some(ALICE), Some(true)));
    assert_eq!((alice["interval_seconds"].as_u64(), alice["back_seconds"].as_u64()), (Some(600), Some(7 * 86_400)));
    assert_eq!((alice["ahead_seconds"].as_u64(), &alice["since"]), (Some(365 * 86_400), &Value::Null));
    let turned_on = alice["turned_on"].as_str().unwrap().to_owned();

    world.run(&["set", "watch-interval=0", "--server"]);
    world.run(&["set", "watch-interval=90s", "--domain", "test.tld"]);
    world.run(&["set", "watch-ahead=7days", "--domain", "test.tld"]);
    world.run(&["set", "since=2030-01-01", "--account", ALICE]);
    let said = world.run(&["settings", "--account", ALICE]);
    assert!(said.contains("watch-interval") && said.contains("90s for"), "{said}");
    let [alice] = &watched(&world)[..] else { panic!() };
    assert_eq!((alice["interval_seconds"].as_u64(), alice["ahead_seconds"].as_u64()), (Some(90), Some(7 * 86_400)));
    assert_eq!((alice["since"].as_str(), alice["turned_on"].as_str()), (Some("2030-01-01"), Some(&*turned_on)));

    for (wrong, says) in [("watch-interval=10", "10min"), ("watch-back=x", "7days"), ("since=soon", "2027-01-01")] {
        let (done, output) = world.try_run(&["set", wrong, "--server"]);
        assert!(!done && output.contains(says), "{output}");
    }

    // Off: what is there follows still. Turned on anew, it is another beginning.
    let mut browser = Browser::default();
    let page = browser.open(world.hook.settings_link(ALICE).unwrap().str("url")).unwrap();
    let page = browser.press(&page, "turn-off").unwrap();
    assert_eq!(watched(&world)[0]["usable"], false);
    browser.press(&page, "turn-on").unwrap();
    let [alice] = &watched(&world)[..] else { panic!() };
    assert!(alice["turned_on"].as_str().unwrap() > &*turned_on, "{alice}");

    world.run(&["disable", "--account", ALICE]);
    assert!(watched(&world).is_empty(), "whom no rule allows, nobody looks at");
    world.run(&["forget-rule", "--account", ALICE]);
    assert_eq!(watched(&world).len(), 1);
    let other = world.run(&["secret", "add", "other", "--domain", "other.tld"]);
    let secret = other.split_whitespace().find(|word| word.starts_with("tmh_")).unwrap();
    let answer = world.hook.with_secret(secret).get("/v1/accounts").unwrap();
    assert_eq!(answer.json, json!({ "accounts": [] }), "another server's accounts are not named");
}

#[test]
fn what_was_told_is_listed_and_what_is_gone_is_not() {
    let world = World::signed_in();
    let text = meeting("told", "Told", &[]);
    world.hook.put(ALICE, "told", &text, &stored(None)).unwrap();
    let listed = world.hook.told(ALICE, "").unwrap();
    let expected = json!({ "uid": "told", "objects": [OBJECT], "told_sha256": sha256(&text), "unconfirmed": false });
    let mut first = listed.json["events"][0].clone();
    assert!(first.as_object_mut().unwrap().remove("last_end").is_some_and(|end| end.is_string()));
    assert_eq!((first, listed.json.get("next")), (expected, None));
    assert_eq!(world.hook.event(ALICE, "told").unwrap().str("told_sha256"), sha256(&text));
    world.hook.delete(ALICE, "told", Some(OBJECT)).unwrap();
    assert_eq!(world.hook.told(ALICE, "").unwrap().json, json!({ "events": [] }));
}

#[test]
fn a_watcher_never_overtakes_what_was_told_while_it_looked() {
    let world = World::signed_in();
    let (first, second) = (meeting("race", "First", &[]), meeting("race", "Second", &[]));
    let new = world.hook.put(ALICE, "race", &first, &stored(Some("none"))).unwrap();
    assert_eq!(new.status, 200, "{}", new.text);
    // The watcher has read the first text; meanwhile the server's own flow stores a second one.
    world.hook.put(ALICE, "race", &second, &stored(None)).unwrap();
    for late in [Some("none".to_owned()), Some(sha256(&first))] {
        let refused = world.hook.put(ALICE, "race", &first, &stored(late.as_deref())).unwrap();
        assert_eq!((refused.status, refused.str("code")), (409, "told-meanwhile"), "{}", refused.text);
    }
    let refused = world.hook.delete_told(ALICE, "race", OBJECT, &sha256(&first)).unwrap();
    assert_eq!((refused.status, refused.str("code")), (409, "told-meanwhile"));
    assert_eq!(world.hook.event(ALICE, "race").unwrap().str("told_sha256"), sha256(&second));
    let taken = world.hook.put(ALICE, "race", &first, &stored(Some(&sha256(&second)))).unwrap();
    assert_eq!(taken.status, 200, "{}", taken.text);
    // After a delete the text that was read before it does not bring the event back.
    let gone = world.hook.delete_told(ALICE, "race", OBJECT, &sha256(&first)).unwrap();
    assert_eq!(gone.status, 200, "{}", gone.text);
    let refused = world.hook.put(ALICE, "race", &first, &stored(Some(&sha256(&first)))).unwrap();
    assert_eq!(refused.status, 409, "{}", refused.text);
    for wrong in [stored(Some("x")), Put { stored: false, ..stored(Some("none")) }] {
        let refused = world.hook.put(ALICE, "race", &first, &wrong).unwrap();
        assert_eq!((refused.status, refused.str("code")), (400, "query-invalid"), "{}", refused.text);
    }
    assert_eq!(world.count("SELECT count(*) FROM proposals"), 0, "what was not taken leaves nothing behind");
}

#[test]
fn a_save_that_nobody_reported_is_named_until_somebody_looks() {
    let world = World::with("delete_grace = '300ms'\nunconfirmed_after = '1ms'").and_alice();
    let text = meeting("open", "Open", &[]);
    world.hook.put(ALICE, "open", &text, &Put { object: Some(OBJECT.into()), ..Put::wanted() }).unwrap();
    world.reaches("open", "mirrored");
    assert!(crate::world::until(crate::world::SOON, || watched(&world)[0]["unconfirmed"] == 1));
    let listed = world.hook.told(ALICE, "unconfirmed=true").unwrap();
    let told = listed.json["events"][0]["told_sha256"].as_str().unwrap();
    let looked = world.hook.put(ALICE, "open", &text, &stored(Some(told))).unwrap();
    assert_eq!(looked.status, 200, "{}", looked.text);
    assert_eq!(watched(&world)[0]["unconfirmed"], 0);
    assert_eq!(world.hook.told(ALICE, "unconfirmed=true").unwrap().json, json!({ "events": [] }));
}

#[test]
fn coming_events_from_before_are_offered_once_where_they_would_appear() {
    let world = World::signed_in();
    let mut browser = Browser::default();
    let page = browser.open(world.hook.settings_link(ALICE).unwrap().str("url")).unwrap();
    let again = |browser: &mut Browser| browser.open(&format!("{}/settings", world.public_url)).unwrap();
    assert!(!page.has("older-section"), "nobody has counted yet");
    assert_eq!(world.hook.older(ALICE, json!({ "count": 12 })).unwrap().status, 204);
    assert!(!again(&mut browser).has("older-section"), "saved again, none of them would appear either");
    world.run(&["set", "mirror=all-events", "--server"]);
    let page = again(&mut browser);
    assert!(page.text().contains("12 coming events") && page.text().contains("Include these 12 events"));
    assert_eq!(watched(&world)[0]["include_older"], false);
    let page = browser.press(&page, "older-include").unwrap();
    assert_eq!(page.attribute("notice", "data-notice").as_deref(), Some("older"));
    assert!(page.has("older-wanted") && !page.has("older-include"));
    assert_eq!(watched(&world)[0]["include_older"], true);
    // Counting on takes nothing back; having told them does.
    world.hook.older(ALICE, json!({ "count": 12 })).unwrap();
    assert_eq!(watched(&world)[0]["include_older"], true);
    world.hook.older(ALICE, json!({ "count": 0, "included": true })).unwrap();
    assert_eq!(watched(&world)[0]["include_older"], false);
    assert!(!again(&mut browser).has("older-section"));

    world.hook.put_account(ALICE, json!({ "language": "de" })).unwrap();
    world.hook.older(ALICE, json!({ "count": 1 })).unwrap();
    let page = again(&mut browser);
    assert!(page.text().contains("Ein kommender Termin") && page.text().contains("Diesen Termin übernehmen"));
}
