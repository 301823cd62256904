//! Secrets are looked for where they must not be.

use std::sync::{Arc, Mutex};

use graph_sim::{Fault, FaultKind, Service};
use support::{Browser, Put, event};

use crate::world::{ALICE, ALICE_AT_MICROSOFT, World};

/// Every secret that passed between the shim and Microsoft in this world.
fn secrets(world: &World) -> Vec<String> {
    let mut secrets = vec![graph_sim::CLIENT_SECRET.to_owned()];
    for request in world.sim.requests() {
        if let Some(bearer) = request.header("authorization").and_then(|value| value.strip_prefix("Bearer ")) {
            secrets.push(bearer.to_owned());
        }
        if request.service == Service::Token {
            for (name, value) in url::form_urlencoded::parse(request.body.as_bytes()) {
                if matches!(&*name, "refresh_token" | "code" | "code_verifier" | "client_secret") {
                    secrets.push(value.into_owned());
                }
            }
        }
    }
    secrets.sort();
    secrets.dedup();
    secrets
}

#[test]
fn no_secret_stands_in_any_file_log_or_answer() {
    let world = World::new();
    let page = world.sign_in(crate::world::ALICE, ALICE_AT_MICROSOFT);
    let mut server = world.server();
    let mut told = vec![page.html];
    // The credential comes back in an error's text, which is told to people.
    world.sim.fault(Fault::new(FaultKind::EchoAuthorization).on_graph("POST", "/events"));
    told.push(server.save("e1", &event::meeting("e1", "Planning", &[]), &Put::wanted()).unwrap().text);
    world.sim.expire_access_tokens(ALICE_AT_MICROSOFT);
    told.push(server.save("e2", &event::meeting("e2", "Planning", &[]), &Put::wanted()).unwrap().text);
    world.sim.revoke(ALICE_AT_MICROSOFT);
    world.sim.expire_access_tokens(ALICE_AT_MICROSOFT);
    told.push(server.save("e3", &event::meeting("e3", "Planning", &[]), &Put::wanted()).unwrap().text);
    told.push(world.settled("e1").text);
    told.push(world.hook.account(crate::world::ALICE).unwrap().text);
    for command in [vec!["status"], vec!["status", "alice@test.tld"], vec!["connector", "show", "teams"]] {
        told.push(world.run(&command));
    }
    told.push(world.run(&["events", "list", "--json"]));

    let secrets = secrets(&world);
    assert!(secrets.len() >= 6, "the search must have something to find: {}", secrets.len());
    let own = ["client-secret", "hook-secret"];
    for path in world.files() {
        if own.iter().any(|name| path.ends_with(name)) {
            continue;
        }
        if !std::fs::metadata(&path).is_ok_and(|known| known.is_file()) {
            continue;
        }
        let content = std::fs::read(&path).unwrap();
        for secret in secrets.iter().chain([&world.secret]) {
            assert!(!contains(&content, secret.as_bytes()), "a secret stands in {}", path.display());
        }
    }
    for text in &told {
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "a secret was told: {text}");
        }
    }
    let log = world.log();
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "the log was kept at its most talkative");
}

/// What a browser holds, and what stands in the addresses it goes to, is worth a session or a sign-in.
#[test]
fn nothing_a_browser_holds_stands_in_a_file_or_log() {
    let world = World::new();
    let mut browser = Browser::default();
    let link = world.hook.settings_link(ALICE).unwrap().str("url").to_owned();
    let settings = browser.open(&link).unwrap();
    let connect = settings.attribute("connect", "href").unwrap();
    browser.sign_in_until_callback(&settings.url, ALICE_AT_MICROSOFT).unwrap();
    let mut secrets = browser.cookie_values();
    assert!(secrets.len() >= 3, "a session's, a sign-in's, Microsoft's: {secrets:?}");
    let callback = browser.visited.last().unwrap().clone();
    let question = browser.open(&callback).unwrap();
    secrets.extend(browser.cookie_values());
    for page in [&settings, &question] {
        secrets.push(page.attribute_where("name", "token", "value").unwrap_or_default());
    }
    for link in browser.visited.iter().cloned().chain([link, format!("{}{connect}", world.public_url)]) {
        for (name, value) in url::Url::parse(&link).unwrap().query_pairs() {
            if matches!(&*name, "ticket" | "again" | "state" | "code") {
                secrets.push(value.into_owned());
            }
        }
    }
    browser.press(&question, "confirm-yes").unwrap();
    secrets.retain(|secret| !secret.is_empty());
    secrets.sort();
    secrets.dedup();
    assert!(secrets.len() >= 9, "the search must have something to find: {}", secrets.len());
    for path in world.files().into_iter().filter(|path| std::fs::metadata(path).is_ok_and(|known| known.is_file())) {
        let content = std::fs::read(&path).unwrap();
        for secret in &secrets {
            assert!(!contains(&content, secret.as_bytes()), "`{secret}` stands in {}", path.display());
        }
    }
}

#[test]
fn no_secret_crosses_into_the_component() {
    let sim = graph_sim::Simulator::start(([127, 0, 0, 1], 0).into()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let crossed: Arc<Mutex<Vec<u8>>> = Arc::default();
    let recorder = {
        let crossed = Arc::clone(&crossed);
        Arc::new(move |_: &str, bytes: &[u8]| crossed.lock().unwrap().extend_from_slice(bytes))
    };
    let extras = host_shim::serve::Extras { recorder: Some(recorder), ..Default::default() };
    let shim = support::shim::start(&sim, &dir.path().join("state"), "test.tld", |_| {}, extras).unwrap();
    assert_eq!(shim.sign_in(crate::world::ALICE, ALICE_AT_MICROSOFT).unwrap().status, 200);
    let mut server = support::Server::new(shim.hook.clone(), crate::world::ALICE);
    for (n, fault) in
        [None, Some(FaultKind::EchoAuthorization), Some(FaultKind::EchoAuthorization)].into_iter().enumerate()
    {
        if let Some(fault) = fault {
            sim.fault(Fault::new(fault).on_graph("POST", "/events"));
        }
        let uid = format!("e{n}");
        server.save(&uid, &event::meeting(&uid, "Canary subject", &[]), &Put::wanted()).unwrap();
    }
    shim.running.stop();
    let crossed = crossed.lock().unwrap().clone();
    assert!(contains(&crossed, b"Canary subject"), "the recorder records");
    assert!(contains(&crossed, b"onlineMeeting"), "answers too");
    let mut looked_for = 0;
    for request in sim.requests() {
        let bearer = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        for secret in bearer.into_iter().chain([graph_sim::CLIENT_SECRET]) {
            looked_for += 1;
            assert!(!contains(&crossed, secret.as_bytes()), "a secret crossed into the component");
        }
    }
    assert!(looked_for > 4);
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && haystack.windows(needle.len()).any(|window| window == needle)
}
