//! The command: `--check`, and running it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::in_process::written;
use crate::wire::{Server, Wire};

fn command(file: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_teams-mirror"));
    command.arg("--config").arg(file).arg("gateway").args(more);
    command
}

/// Whether all is in order, and what is said.
fn check(file: &Path) -> (bool, String) {
    let output = command(file, &["--check"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (output.status.success(), said)
}

#[test]
fn a_check_says_what_is_not_in_order_and_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|_, mut wire| {
        while wire.head().is_some() {
            wire.send("HTTP/1.1 200 OK\r\nDAV: 1, 3, calendar-access\r\nServer: Test/1\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let (_, said) = check(&written(dir.path(), &server.url(), ""));
    assert!(said.contains("answers with 200 (Test/1); it has calendars"), "{said}");
    assert!(said.contains("clients come in at `127.0.0.1:0`"), "{said}");
    let (holds, said) = check(&written(dir.path(), "http://127.0.0.1:1", "listen = \"0.0.0.0:7462\""));
    assert!(!holds && said.starts_with("This is not in order:"), "{said}");
    assert!(said.contains("! the server at `http://127.0.0.1:1` does not answer"), "{said}");
    assert!(said.contains("! `listen` is `0.0.0.0:7462` without `[tls]`"), "{said}");
    let output = command(&written(dir.path(), "http://127.0.0.1:1", ""), &["--check", "--json"]).output().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["in_order"], false);
    assert!(json["findings"].as_array().unwrap().iter().any(|finding| finding["holds"] == false));
}

#[test]
fn what_is_wrong_in_the_configuration_is_said_in_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    for (upstream, more, says) in [
        ("http://127.0.0.1:1", "upstrem = 1", "Did you mean `upstream`?"),
        ("http://127.0.0.1:1/dav", "", "has a path"),
        ("127.0.0.1:1", "", "is no server's address"),
        ("http://a:b@127.0.0.1:1", "", "`[service]`"),
        ("unix:run/x", "", "whole path"),
        ("http://127.0.0.1:1", "listen = \"7462\"", "is no address to listen on"),
        ("http://127.0.0.1:1", "patience = 5", "\"5s\""),
        ("http://127.0.0.1:1", "patience = \"31s\"", "`patience` is a duration from `1s` to `30s`"),
        ("http://127.0.0.1:1", "settings_path = \"/teams/\"", "begins with a dot"),
        ("http://127.0.0.1:1", "settings_path = \"/.well-known/\"", "begins with a dot"),
        ("http://127.0.0.1:1", "address = \"user@example.org\"", "`{user}` once"),
        ("http://127.0.0.1:1", "trusted_proxies = [\"10.0.0.0/33\"]", "is no address and no network"),
        ("http://127.0.0.1:1", "credential_headers = [\"X Y\"]", "is no name of a header"),
        ("http://127.0.0.1:1", "max_connections = 0", "`max_connections`"),
        ("http://127.0.0.1:1", "upstream_ca_file = \"/x\"", "is not `https://…`"),
        ("http://127.0.0.1:1", "[service]\nuser = \"x\"", "`[service]` holds"),
        ("http://127.0.0.1:1", "[log]\nfilter = \"loud\"", "is no level"),
    ] {
        let output = command(&written(dir.path(), upstream, more), &[]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.starts_with("error: ") && said.contains(says), "{more}: {said}");
    }
    let hook = "hook = \"http://10.0.0.1:7460\"";
    let file = written(dir.path(), "http://127.0.0.1:1", "");
    let text = std::fs::read_to_string(&file).unwrap().replace("hook = \"http://127.0.0.1:9\"", hook);
    std::fs::write(&file, text).unwrap();
    assert!(check(&file).1.contains("the hook secret would cross the network readable"));
    let said = String::from_utf8(command(&dir.path().join("none.toml"), &[]).output().unwrap().stderr).unwrap();
    assert!(said.contains("none.toml") && said.contains("README"), "{said}");
}

#[test]
fn it_runs_until_it_is_told_to_stop_and_says_so_to_the_service_manager() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::echo();
    let notify = std::os::unix::net::UnixDatagram::bind(dir.path().join("notify")).unwrap();
    notify.set_read_timeout(Some(crate::wire::PATIENCE)).unwrap();
    let socket = dir.path().join("front.sock");
    let file = written(dir.path(), &server.url(), &format!("listen = \"unix:{}\"", socket.display()));
    let mut child =
        command(&file, &[]).env("NOTIFY_SOCKET", dir.path().join("notify")).stderr(Stdio::piped()).spawn().unwrap();
    let mut heard = [0; 64];
    let mut told = || {
        let length = notify.recv(&mut heard).unwrap();
        String::from_utf8(heard[..length].to_vec()).unwrap()
    };
    assert_eq!(told(), "READY=1");
    let mut client = Wire::over(std::os::unix::net::UnixStream::connect(&socket).unwrap());
    assert_eq!(client.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n").0.status(), 200);
    let pid = rustix::process::Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(told(), "STOPPING=1");
    assert!(child.wait().unwrap().success());
    let log: Vec<String> = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap).collect();
    assert!(log.first().unwrap().contains("the gateway is running"), "{log:?}");
    assert!(log.last().unwrap().contains("the gateway has stopped"), "{log:?}");
}
