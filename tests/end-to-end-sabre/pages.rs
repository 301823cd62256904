//! The way to a user's settings, what cron calls, and what the plugin reads of a text.

use std::process::Command;

use crate::sabre::{Dress, in_both, php_is_there, plugin, scripts};
use crate::saves::wired;

#[test]
fn a_user_gets_to_their_settings_behind_the_servers_login() {
    in_both(|dress| {
        let Some((world, sabre)) = wired(dress) else { return };
        assert_eq!(sabre.request("GET", "/.teams/", "", &[], "").status, 401);
        let page = sabre.request("GET", "/.teams/", "alice", &[("accept-language", "de-AT,de;q=0.9")], "");
        assert_eq!(page.status, 303, "{}\n{}", page.text, sabre.log());
        assert!(page.header("location").unwrap().starts_with(&world.public_url), "{page:?}");
        let account = world.hook.account(crate::world::ALICE).unwrap();
        assert_eq!((account.str("display_name"), account.str("language")), ("Alice", "de-AT"));
    });
}

#[test]
fn work_is_for_those_who_know_the_secret() {
    in_both(|dress| {
        let Some((_world, sabre)) = wired(dress) else { return };
        for headers in [&[][..], &[("x-teams-mirror", "wrong")][..]] {
            let answer = sabre.request("POST", "/.teams/work", "", headers, "");
            assert_eq!(answer.status, 403, "{}", answer.text);
        }
        let (well, printed) = sabre.work();
        assert!(well, "{printed}");
        assert_eq!(printed, "notes_told: 0\nlinks_written: 0\nnotes_left: 0\n");
    });
}

#[test]
fn what_is_wrong_with_the_settings_is_said_to_cron() {
    let Some((_world, sabre)) = wired(Dress::Old) else { return };
    std::fs::write(sabre.dir.path().join("plugin.json"), r#"{"hok": "x"}"#).unwrap();
    let (well, printed) = sabre.work();
    assert!(!well && printed.contains("there is no setting `hok`; the nearest is `hook`"), "{printed}");
}

#[test]
fn the_uid_of_a_text_is_that_of_its_one_event() {
    if !php_is_there() {
        return;
    }
    let output =
        Command::new("php").arg(scripts().join("uids.php")).env("TEAMS_MIRROR_PLUGIN", plugin()).output().unwrap();
    let printed = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && printed.contains("31 texts"), "{printed}");
}
