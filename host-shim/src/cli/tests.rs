//! The command line as a whole: that it is sound, that it teaches, and that each command does its work over a real door.

use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use clap::CommandFactory as _;

use super::*;

/// An installation in a folder of its own.
struct House {
    dir: tempfile::TempDir,
}

impl House {
    fn new() -> Self {
        let house = Self { dir: tempfile::tempdir().unwrap() };
        warm(&house.state());
        house.run(&["init", "--state", &house.state().display().to_string(), "--domain", "Test.TLD"]).unwrap();
        house
    }

    fn config(&self) -> PathBuf {
        self.dir.path().join("etc/teams-mirror.toml")
    }

    fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    fn run(&self, arguments: &[&str]) -> Result<String, String> {
        self.run_as(arguments, false)
    }

    fn json(&self, arguments: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.run_as(arguments, true).unwrap()).unwrap()
    }

    fn run_as(&self, arguments: &[&str], json: bool) -> Result<String, String> {
        let config = self.config().display().to_string();
        let all = ["teams-mirror", "--config", &config].into_iter().chain(arguments.iter().copied());
        let cli = Cli::try_parse_from(all).map_err(|e| e.to_string())?;
        let output = execute(cli.command, &Context { config: cli.config }).map_err(|failure| failure.0)?;
        Ok(output.rendered(json).unwrap())
    }
}

/// Lays the compiled extension into a state folder, so that it is compiled once for all tests.
pub(crate) fn warm(state: &Path) {
    static COMPILED: OnceLock<Vec<(std::ffi::OsString, Vec<u8>)>> = OnceLock::new();
    let compiled = COMPILED.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let config = Config::new(dir.path(), "https://mail.example.org");
        crate::accounts::vault::Vault::create(&config.key_dir()).unwrap();
        crate::serve::Shim::open(config.clone()).unwrap();
        let files = config.cache_dir().read_dir().unwrap();
        files.map(|file| file.unwrap()).map(|file| (file.file_name(), std::fs::read(file.path()).unwrap())).collect()
    });
    let cache = Config::new(state, "").cache_dir();
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&cache).unwrap();
    for (name, bytes) in compiled {
        std::fs::write(cache.join(name), bytes).unwrap();
        std::fs::set_permissions(cache.join(name), std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Every command with every command below it.
fn all(command: &clap::Command) -> Vec<clap::Command> {
    let below = command.get_subcommands().flat_map(all);
    std::iter::once(command.clone()).chain(below).collect()
}

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_help_teaches_by_example() {
    for mut command in all(&Cli::command()) {
        let help = command.render_long_help().to_string();
        let name = command.get_name().to_owned();
        assert!(help.contains("Example"), "{name}:\n{help}");
        assert!(help.contains("  teams-mirror "), "{name}:\n{help}");
        assert!(command.get_about().is_some(), "{name}");
    }
}

#[test]
fn every_example_is_understood() {
    for mut command in all(&Cli::command()) {
        // Help is wrapped at 100 columns: a longer example would come apart here, as it would for its reader.
        let help = command.render_long_help().to_string().replace("\\\n      ", "");
        let Some((_, examples)) = help.split_once("Example") else { continue };
        for line in examples.lines() {
            let Some(at) = line.find("teams-mirror ").filter(|_| line.starts_with("  ")) else { continue };
            // Without the remark beside it, and what a shell would take for itself.
            let command = line.get(at..).unwrap().replace("teams-mirror  ", "teams-mirror ");
            let command = command.split("   ").next().unwrap();
            let words = command.split_whitespace().take_while(|word| !word.starts_with(['>', '|']));
            if let Err(error) = Cli::try_parse_from(words) {
                assert!(matches!(error.kind(), clap::error::ErrorKind::DisplayHelp), "{line}\n{error}");
            }
        }
    }
}

#[test]
fn a_wrong_command_line_is_a_usage_error() {
    for arguments in [
        &["enable"][..],
        &["enable", "--server", "--account", "a@x.example"],
        &["connector", "set", "--client-secret", "x"],
        &["connector", "set", "--secret-stdin", "--secret-prompt"],
        &["connector", "set", "--account-type", "common", "--token-url", "https://x.example"],
        &["events", "retry"],
        &["events", "retry", "a@x.example"],
        &["events", "retry", "a@x.example", "uid", "--all-parked"],
        &["events", "list", "--state", "happy"],
        &["events", "list", "--limit", "0"],
        &["set", "meetings", "--server"],
        &["status", "--check"],
    ] {
        let error = Cli::try_parse_from(std::iter::once("teams-mirror").chain(arguments.iter().copied())).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{arguments:?}");
    }
}

#[test]
fn init_makes_what_only_its_owner_reads() {
    let house = House::new();
    assert_eq!(mode(&house.config()), 0o640);
    assert_eq!(mode(&house.state()), 0o700);
    assert_eq!(mode(&house.state().join("hook-secret")), 0o600);
    assert_eq!(mode(&house.state().join("keys/keys")), 0o600);
    assert_eq!(house.json(&["secret", "list"])[0]["domains"][0], "test.tld");
    let secret = std::fs::read_to_string(house.state().join("hook-secret")).unwrap();
    assert!(secret.starts_with("tmh_") && secret.ends_with('\n'));
}

#[test]
fn init_touches_nothing_that_exists() {
    let house = House::new();
    let before = std::fs::read(house.state().join("keys/keys")).unwrap();
    let state = house.state().display().to_string();
    let error = house.run(&["init", "--state", &state]).unwrap_err();
    for name in ["teams-mirror.toml", "keys/keys", "store.sqlite", "hook-secret"] {
        assert!(error.contains(name), "{error}");
    }
    assert_eq!(std::fs::read(house.state().join("keys/keys")).unwrap(), before);
}

#[test]
fn an_init_that_fails_leaves_nothing() {
    for arguments in [&["--public-url", "http://mail.example.org"][..], &["--domain", "no domain"]] {
        let house = House { dir: tempfile::tempdir().unwrap() };
        let state = house.state().display().to_string();
        let line: Vec<&str> = ["init", "--state", &state].into_iter().chain(arguments.iter().copied()).collect();
        house.run(&line).unwrap_err();
        assert_eq!(house.dir.path().read_dir().unwrap().count(), 0, "{arguments:?}");
    }
}

#[test]
fn a_first_installation_goes_as_the_help_says() {
    let house = House::new();
    let status = house.run(&["status"]).unwrap();
    assert!(status.contains("no client id") && status.contains("nobody may use it"), "{status}");
    assert!(house.run(&["connector", "enable"]).unwrap_err().contains("connector set teams"));

    let file = house.dir.path().join("secret");
    std::fs::write(&file, "canary-value\n").unwrap();
    house.run(&["connector", "set", "--client-id", "app-1", "--secret-file", &file.display().to_string()]).unwrap();
    house.run(&["connector", "set", "--account-type", "organizations"]).unwrap();
    let shown = house.json(&["connector", "show"]);
    assert_eq!((&shown["account_type"], &shown["has_secret"]), (&"organizations".into(), &true.into()));
    house.run(&["connector", "enable"]).unwrap();
    assert!(house.run(&["sign-in", "alice@test.tld"]).unwrap_err().contains("enable --account alice@test.tld"));
    house.run(&["enable", "--domain", "Test.tld"]).unwrap();
    assert!(house.run(&["enable", "--domain", "test.tld"]).unwrap().contains("already"));
    assert_eq!(house.json(&["status"])["to_do"], serde_json::json!([]));
    assert_eq!(house.json(&["status", "Alice@Test.tld"])["button"], "sign-in");
    assert!(house.run(&["sign-in", "alice@test.tld"]).unwrap().contains("/signin?ticket="));
    assert!(house.run(&["status", "alice@test.tld", "--check"]).unwrap_err().contains("not connected"));
    assert!(house.run(&["disconnect", "alice@test.tld"]).unwrap().contains("was not connected"));

    house.run(&["disable", "--account", "alice@test.tld"]).unwrap();
    assert_eq!(house.json(&["status", "alice@test.tld"])["reason"], "denied");
    house.run(&["forget-rule", "--account", "alice@test.tld"]).unwrap();
    assert_eq!(house.json(&["status", "alice@test.tld"])["button"], "sign-in");
    house.run(&["connector", "disable"]).unwrap();
    assert_eq!(house.json(&["status", "alice@test.tld"])["button"], "hidden");
}

#[test]
fn another_installations_key_ring_is_refused() {
    let house = House::new();
    let secret = house.dir.path().join("client-secret");
    std::fs::write(&secret, "a-client-secret-value").unwrap();
    house.run(&["connector", "set", "--client-id", "app", "--secret-file", secret.to_str().unwrap()]).unwrap();
    let other = House::new();
    std::fs::copy(other.state().join("keys/keys"), house.state().join("keys/keys")).unwrap();
    let said = house.run(&["status"]).unwrap_err();
    assert!(said.contains("not the one of this store") && said.contains("`teams`"), "{said}");
}

#[test]
fn a_domain_that_is_none_is_said_to_be_none() {
    let house = House::new();
    for wrong in ["alice@example.org", "https://example.org"] {
        let said = house.run(&["enable", "--domain", wrong]).unwrap_err();
        assert!(said.contains("is not a domain") && said.contains(wrong), "{said}");
    }
}

#[test]
fn a_rule_for_a_domain_nobody_speaks_for_is_told() {
    let house = House::new();
    house.run(&["enable", "--domain", "tset.tld"]).unwrap();
    assert!(house.run(&["status"]).unwrap().contains("`tset.tld` may use it, but no server may speak for that domain"));
}

#[test]
fn a_proxy_is_set_and_cleared() {
    let house = House::new();
    let (nowhere, empty) = ("/nowhere/ca.pem", house.dir.path().join("empty.pem").display().to_string());
    std::fs::write(&empty, "no certificate").unwrap();
    for file in [nowhere, &empty] {
        let said = house.run(&["connector", "set", "--ca-file", file]).unwrap_err();
        assert!(said.contains(file) && said.contains("cannot be read"), "{said}");
    }
    house.run(&["connector", "set", "--proxy", "http://127.0.0.1:3128"]).unwrap();
    assert_eq!(house.json(&["connector", "show"])["proxy"], "http://127.0.0.1:3128");
    house.run(&["connector", "set", "--no-proxy"]).unwrap();
    let shown = house.json(&["connector", "show"]);
    assert_eq!((&shown["proxy"], &shown["ca_file"]), (&serde_json::Value::Null, &serde_json::Value::Null));
    for typo in ["organisations", "single", ""] {
        assert!(
            house.run(&["connector", "set", "--account-type", typo]).unwrap_err().contains("account_type"),
            "{typo}"
        );
    }
    assert!(house.run(&["connector", "set"]).unwrap_err().contains("nothing to change"));
    assert!(house.run(&["connector", "show", "team"]).unwrap_err().contains("did you mean `teams`?"));
}

#[test]
fn settings_are_those_the_extension_declares() {
    let house = House::new();
    assert!(house.run(&["set", "meeting=always", "--server"]).unwrap_err().contains("did you mean `meetings`?"));
    assert!(house.run(&["set", "meetings=often", "--server"]).unwrap_err().contains("`with-guests`"));
    house.run(&["set", "meetings=always", "--server"]).unwrap();
    house.run(&["set", "meetings=never", "--account", "Alice@test.tld"]).unwrap();
    let value = |account: &str| {
        let all = house.json(&["settings", "--account", account]);
        all.as_array().unwrap().iter().find(|s| s["name"] == "meetings").unwrap()["value"].clone()
    };
    assert_eq!((value("alice@test.tld"), value("bob@test.tld")), ("never".into(), "always".into()));
    house.run(&["unset", "meetings", "--server"]).unwrap();
    assert_eq!(value("bob@test.tld"), "never");
}

#[test]
fn events_that_are_not_there_are_said_not_to_be() {
    let house = House::new();
    assert_eq!(house.run(&["events", "list"]).unwrap(), "No events.\n");
    for command in ["show", "retry"] {
        let error = house.run(&["events", command, "alice@test.tld", "../a/b?c"]).unwrap_err();
        assert!(error.contains("`../a/b?c` of `alice@test.tld`"), "{error}");
    }
    assert_eq!(house.json(&["events", "retry", "--all-parked"])["released"], 0);
    assert!(house.run(&["events", "show", "alice", "x"]).unwrap_err().contains("no `@`"));
}

#[test]
fn no_answer_holds_a_secret() {
    let house = House::new();
    let file = house.dir.path().join("secret");
    std::fs::write(&file, "canary-client-secret").unwrap();
    let hook = std::fs::read_to_string(house.state().join("hook-secret")).unwrap();
    let fresh = house.json(&["secret", "add", "radicale"])["secret"].as_str().unwrap().to_owned();
    let file = file.display().to_string();
    for arguments in [
        &["connector", "set", "--client-id", "app", "--secret-file", &file][..],
        &["connector", "enable"],
        &["connector", "show"],
        &["connector", "list"],
        &["enable", "--server"],
        &["status"],
        &["status", "alice@test.tld"],
        &["policy"],
        &["settings"],
        &["secret", "list"],
        &["events", "list"],
        &["connector", "set", "--secret-file", &file, "--authorize-url", "nonsense"],
        &["secret", "remove", "radicale"],
    ] {
        for json in [false, true] {
            let text = house.run_as(arguments, json).unwrap_or_else(|error| error);
            for secret in ["canary-client-secret", hook.trim(), &fresh] {
                assert!(!text.contains(secret), "{arguments:?}: {text}");
            }
        }
    }
}

#[test]
fn without_an_installation_the_way_to_one_is_told() {
    let house = House { dir: tempfile::tempdir().unwrap() };
    for arguments in [&["status"][..], &["serve"]] {
        assert!(house.run(arguments).unwrap_err().contains("teams-mirror init"));
    }
}

#[test]
fn commands_speak_to_a_running_serve_and_change_it() {
    let house = House::new();
    let mut config = Config::read(&house.config()).unwrap();
    config.listen.hook = crate::config::Endpoint::Unix(house.state().join("hook.sock"));
    config.listen.public = crate::config::Endpoint::Unix(house.state().join("public.sock"));
    let running = crate::serve::Shim::open(config).unwrap().start().unwrap();
    assert_eq!(mode(&house.state().join("admin.sock")), 0o600);
    assert!(house.run(&["status"]).unwrap().starts_with("`serve` is running"));
    house.run(&["enable", "--server"]).unwrap();
    let alice = crate::address::Address::parse("alice@test.tld").unwrap();
    assert_eq!(running.shim().accounts().standing(&alice).unwrap().reason, "unknown-account");
    // Its refusals come through the socket as they are.
    assert!(house.run(&["connector", "enable", "tems"]).unwrap_err().contains("did you mean `teams`?"));
    running.stop();
    assert!(house.run(&["status"]).unwrap().starts_with("`serve` is not running"));
    assert_eq!(house.json(&["policy"])[0]["allow"], true);
}

#[test]
fn a_store_that_is_held_without_a_door_is_told_as_that() {
    let house = House::new();
    let held = crate::serve::Shim::open(Config::read(&house.config()).unwrap()).unwrap();
    let error = house.run(&["status"]).unwrap_err();
    assert!(error.contains("in use") && error.contains("admin.sock"), "{error}");
    drop(held);
    house.run(&["status"]).unwrap();
}
