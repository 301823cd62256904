//! The token endpoint (graph-facts A7, checklist point 15).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use common::{ALICE, BOB, Http, Reply, claims, start};
use graph_sim::{
    Audience, CLIENT_ID, CLIENT_SECRET, CLIENT_SECRET_ID, CONTOSO, FABRIKAM, Fault, FaultBody, FaultKind, RefreshReuse,
    ScopeEcho, Service, Simulator,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A refresh token of Alice.
fn refresh_token(sim: &Simulator) -> String {
    sim.tokens(ALICE, common::SCOPES)["refresh_token"].as_str().unwrap().to_owned()
}

fn refused(reply: Reply, status: u16, error: &str, number: u64) -> Value {
    let body = reply.expect(status).json();
    assert_eq!(body["error"], error);
    assert_eq!(body["error_codes"], json!([number]));
    let description = body["error_description"].as_str().unwrap();
    assert!(description.starts_with(&format!("AADSTS{number}: ")), "{description}");
    for part in [" Trace ID: ", " Correlation ID: ", " Timestamp: "] {
        assert!(description.contains(part), "{description}");
    }
    for name in ["timestamp", "trace_id", "correlation_id", "error_uri"] {
        assert!(body[name].is_string(), "{name}");
    }
    body
}

#[test]
fn a_code_becomes_tokens_of_the_real_size() {
    let (sim, http) = (start(), Http::default());
    let code = http.code(&sim, ALICE, &[]);
    let body = http.redeem(&sim, &code, &[]).expect(200).json();
    assert_eq!(body["token_type"], "Bearer");
    assert!((3_600..=5_400).contains(&body["expires_in"].as_u64().unwrap()));
    assert_eq!(body["ext_expires_in"], body["expires_in"]);
    // reliability-facts 2.4: tokens of 2 to 4 KB, and no offline_access in the echo.
    assert!((1_900..2_500).contains(&body["access_token"].as_str().unwrap().len()));
    assert_eq!(body["refresh_token"].as_str().unwrap().len(), 1_500);
    let scopes: BTreeSet<&str> = body["scope"].as_str().unwrap().split(' ').collect();
    assert_eq!(scopes, BTreeSet::from(["openid", "profile", "User.Read", "Calendars.ReadWrite"]));
    assert_eq!(claims(&body["access_token"])["upn"], ALICE);
}

#[test]
fn without_offline_access_there_is_no_refresh_token() {
    let (sim, http) = (start(), Http::default());
    let code = http.code(&sim, ALICE, &[("scope", "User.Read")]);
    let body = http.redeem(&sim, &code, &[]).expect(200).json();
    assert!(body.get("refresh_token").is_none());
    assert!(body.get("id_token").is_none());
}

// A7: 54005, 10 minutes.
#[test]
fn a_code_is_good_once_and_for_ten_minutes() {
    let (sim, http) = (start(), Http::default());
    let code = http.code(&sim, ALICE, &[]);
    http.redeem(&sim, &code, &[]).expect(200);
    refused(http.redeem(&sim, &code, &[]), 400, "invalid_grant", 54005);
    let late = http.code(&sim, ALICE, &[]);
    sim.advance(TimeDelta::seconds(601));
    refused(http.redeem(&sim, &late, &[]), 400, "invalid_grant", 70008);
    refused(http.redeem(&sim, "nonsense", &[]), 400, "invalid_request", 9_002_313);
}

#[test]
fn the_redirect_address_is_compared_again() {
    let (sim, http) = (start(), Http::default());
    let code = http.code(&sim, ALICE, &[]);
    refused(http.redeem(&sim, &code, &[("redirect_uri", "http://localhost/")]), 401, "invalid_client", 500_112);
}

// A7: PKCE with S256 or plain, and optional.
#[test]
fn the_verifier_is_checked() {
    let (sim, http) = (start(), Http::default());
    let verifier = "0123456789012345678901234567890123456789-verifier";
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    let with = [("code_challenge", challenge.as_str()), ("code_challenge_method", "S256")];
    let code = http.code(&sim, ALICE, &with);
    refused(http.redeem(&sim, &code, &[]), 400, "invalid_request", 900_144);
    refused(http.redeem(&sim, &code, &[("code_verifier", "wrong")]), 400, "invalid_grant", 501_481);
    http.redeem(&sim, &code, &[("code_verifier", verifier)]).expect(200);
    let plain = http.code(&sim, ALICE, &[("code_challenge", verifier)]);
    http.redeem(&sim, &plain, &[("code_verifier", verifier)]).expect(200);
}

// A7: the admin must fix these; 401 invalid_client.
#[test]
fn the_client_is_authenticated() {
    let (sim, http) = (start(), Http::default());
    let token = refresh_token(&sim);
    refused(http.refresh(&sim, &token, &[("client_secret", "")]), 401, "invalid_client", 7_000_218);
    refused(http.refresh(&sim, &token, &[("client_secret", "wrong")]), 401, "invalid_client", 7_000_215);
    let by_id =
        refused(http.refresh(&sim, &token, &[("client_secret", CLIENT_SECRET_ID)]), 401, "invalid_client", 7_000_215);
    assert!(by_id["error_description"].as_str().unwrap().contains("not the client secret ID"));
    refused(
        http.refresh(&sim, &token, &[("client_id", "00000000-1111-2222-3333-444444444444")]),
        400,
        "unauthorized_client",
        700_016,
    );
    refused(http.refresh(&sim, &token, &[("client_id", "")]), 400, "invalid_request", 900_144);
    let app = format!("{}/sim/apps/{CLIENT_ID}", sim.base_url());
    http.json("PATCH", &app, &json!({"expire_secrets": true})).expect(200);
    refused(http.refresh(&sim, &token, &[]), 401, "invalid_client", 7_000_222);
    http.json("PATCH", &app, &json!({"secret": "a new one+%"})).expect(200);
    refused(http.refresh(&sim, &token, &[]), 401, "invalid_client", 7_000_215);
    http.refresh(&sim, &token, &[("client_secret", "a new one+%")]).expect(200);
    // Basic, both halves form-encoded.
    let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT_ID}:a+new+one%2B%25")));
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("grant_type", "refresh_token"), ("refresh_token", token.as_str())])
        .finish();
    let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Authorization", basic.as_str())];
    let url = format!("{}/common/oauth2/v2.0/token", sim.base_url());
    http.send("POST", &url, &headers, Some(body.as_bytes())).expect(200);
    let json = http.json("POST", &url, &json!({"grant_type": "refresh_token", "client_id": CLIENT_ID}));
    refused(json, 400, "invalid_request", 900_144);
}

// A7: a new one comes back on each refresh, the old one is not revoked.
#[test]
fn refresh_tokens_rotate_and_the_old_one_stays_good() {
    let (sim, http) = (start(), Http::default());
    let first = refresh_token(&sim);
    let second = http.refresh(&sim, &first, &[]).expect(200).json()["refresh_token"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    http.refresh(&sim, &first, &[]).expect(200);
    http.refresh(&sim, &second, &[]).expect(200);
}

// reliability-facts 2.4: strict servers kill the family; test both.
#[test]
fn a_strict_server_revokes_the_family_on_reuse() {
    let (sim, http) = (start(), Http::default());
    sim.switches(|switches| switches.refresh_reuse = RefreshReuse::Revokes);
    let first = refresh_token(&sim);
    let second = http.refresh(&sim, &first, &[]).expect(200).json()["refresh_token"].as_str().unwrap().to_owned();
    refused(http.refresh(&sim, &first, &[]), 400, "invalid_grant", 70000);
    refused(http.refresh(&sim, &second, &[]), 400, "invalid_grant", 50173);
}

#[test]
fn a_refresh_may_ask_for_fewer_scopes_but_not_for_others() {
    let (sim, http) = (start(), Http::default());
    let token = refresh_token(&sim);
    let body = http.refresh(&sim, &token, &[("scope", "User.Read")]).expect(200).json();
    assert_eq!(body["scope"], "User.Read");
    let body = refused(http.refresh(&sim, &token, &[("scope", "MailboxSettings.Read")]), 400, "invalid_grant", 65001);
    assert_eq!(body["suberror"], "consent_required");
    sim.switches(|switches| switches.scope_echo = ScopeEcho::Uri);
    let body = http.refresh(&sim, &token, &[("scope", "https://graph.microsoft.com/User.Read")]).expect(200).json();
    assert_eq!(body["scope"], "https://graph.microsoft.com/User.Read");
}

// A7: 700082 after 90 idle days, 700084 for a single-page app after 24 hours, 50173 after a revocation.
#[test]
fn refresh_tokens_die_of_idleness_and_revocation() {
    let (sim, http) = (start(), Http::default());
    let token = refresh_token(&sim);
    sim.advance(TimeDelta::days(89));
    http.refresh(&sim, &token, &[]).expect(200);
    sim.advance(TimeDelta::days(89));
    http.refresh(&sim, &token, &[]).expect(200);
    sim.advance(TimeDelta::days(91));
    let body = refused(http.refresh(&sim, &token, &[]), 400, "invalid_grant", 700_082);
    assert!(body["error_description"].as_str().unwrap().contains("inactive for 90.00:00:00"));
    let token = refresh_token(&sim);
    sim.revoke(ALICE);
    refused(http.refresh(&sim, &token, &[]), 400, "invalid_grant", 50173);
    sim.edit_app(CLIENT_ID, |app| app.spa = true);
    let token = refresh_token(&sim);
    sim.advance(TimeDelta::hours(25));
    refused(http.refresh(&sim, &token, &[]), 400, "invalid_grant", 700_084);
    refused(http.refresh(&sim, "short", &[]), 400, "invalid_request", 9_002_313);
    refused(http.refresh(&sim, &"x".repeat(1_500), &[]), 400, "invalid_grant", 70000);
}

// A7: 700005, 50057, 50034, 90002, 50194.
#[test]
fn tenant_and_account_are_checked_on_refresh() {
    let (sim, http) = (start(), Http::default());
    let token = refresh_token(&sim);
    let fields = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
    http.token(&sim, CONTOSO, &fields).expect(200);
    refused(http.token(&sim, FABRIKAM, &fields), 400, "invalid_grant", 700_005);
    refused(http.token(&sim, "nowhere.example", &fields), 400, "invalid_request", 90002);
    sim.edit_user(ALICE, |user| user.disabled = true);
    refused(http.refresh(&sim, &token, &[]), 400, "invalid_grant", 50057);
    http.send("DELETE", &format!("{}/sim/users/{ALICE}", sim.base_url()), &[], None).expect(200);
    refused(http.refresh(&sim, &token, &[]), 400, "invalid_grant", 50034);
    sim.edit_app(CLIENT_ID, |app| app.audience = Audience::AzureADMyOrg);
    refused(http.refresh(&sim, &token, &[]), 400, "invalid_request", 50194);
}

// A7: client_credentials on /common is 9001023; no refresh token.
#[test]
fn an_application_signs_in_for_itself_at_its_tenant() {
    let (sim, http) = (start(), Http::default());
    let fields = [("grant_type", "client_credentials"), ("scope", "https://graph.microsoft.com/.default")];
    refused(http.token(&sim, "common", &fields), 400, "invalid_request", 9_001_023);
    refused(http.token(&sim, "consumers", &fields), 400, "invalid_request", 9_001_023);
    let body = http.token(&sim, CONTOSO, &fields).expect(200).json();
    assert!(body.get("refresh_token").is_none());
    let bearer = format!("Bearer {}", body["access_token"].as_str().unwrap());
    let url = format!("{}/v1.0/users/{ALICE}/events", sim.base_url());
    http.send("GET", &url, &[("Authorization", &bearer)], None).expect(403);
    sim.edit_app(CLIENT_ID, |app| app.application_permissions = vec!["Calendars.ReadWrite".to_owned()]);
    let body = http.token(&sim, CONTOSO, &fields).expect(200).json();
    let bearer = format!("Bearer {}", body["access_token"].as_str().unwrap());
    http.send("GET", &url, &[("Authorization", &bearer)], None).expect(200);
    refused(
        http.token(&sim, CONTOSO, &[("grant_type", "client_credentials"), ("scope", "User.Read")]),
        400,
        "invalid_scope",
        1_002_012,
    );
    refused(http.token(&sim, CONTOSO, &[("grant_type", "password")]), 400, "unsupported_grant_type", 70003);
    refused(http.token(&sim, CONTOSO, &[]), 400, "invalid_request", 900_144);
    assert_eq!(http.get(&format!("{}/common/oauth2/v2.0/token", sim.base_url())).aadsts(), 900_561);
}

// A7, the table of classes, each injected once or for good.
#[test]
fn errors_are_injected_per_request_user_and_application() {
    let (sim, http) = (start(), Http::default());
    let token = refresh_token(&sim);
    sim.fault(Fault::aadsts(50076));
    let body = refused(http.refresh(&sim, &token, &[]), 400, "interaction_required", 50076);
    assert!(body["claims"].as_str().unwrap().contains("access_token"));
    for (number, status, error) in [
        (53003, 400, "interaction_required"),
        (65001, 400, "invalid_grant"),
        (70000, 400, "invalid_grant"),
        (90033, 503, "temporarily_unavailable"),
        (90024, 503, "temporarily_unavailable"),
    ] {
        sim.fault(Fault::aadsts(number));
        refused(http.refresh(&sim, &token, &[]), status, error, u64::from(number));
        http.refresh(&sim, &token, &[]).expect(200);
    }
    sim.fault(Fault::aadsts(53003).for_user(BOB));
    http.refresh(&sim, &token, &[]).expect(200);
    sim.edit_user(ALICE, |user| user.oauth_error = Some(50079));
    refused(http.refresh(&sim, &token, &[]), 400, "interaction_required", 50079);
    sim.edit_app(CLIENT_ID, |app| app.oauth_error = Some(7_000_112));
    refused(http.refresh(&sim, &token, &[]), 400, "unauthorized_client", 7_000_112);
}

// reliability-facts F29 and F32.
#[test]
fn a_token_answer_can_be_wrong_in_many_ways() {
    let (sim, http) = (start(), Http::default());
    let token = refresh_token(&sim);
    let status = |status, body| {
        Fault::new(FaultKind::Status { status, body, code: None, message: None, retry_after: Some("3".to_owned()) })
            .on_token()
    };
    sim.fault(status(503, FaultBody::Html));
    let reply = http.refresh(&sim, &token, &[]).expect(503);
    assert!(reply.body.starts_with("<html>"));
    assert_eq!(reply.header("retry-after"), Some("3"));
    sim.fault(Fault::new(FaultKind::Garbage).on_token());
    assert!(http.refresh(&sim, &token, &[]).expect(200).json().get("access_token").is_none());
    sim.fault(Fault::new(FaultKind::OmitRefreshToken).on_token());
    assert!(http.refresh(&sim, &token, &[]).expect(200).json().get("refresh_token").is_none());
    sim.fault(Fault::new(FaultKind::FewerScopes { scopes: "User.Read".to_owned() }).on_token());
    let body = http.refresh(&sim, &token, &[]).expect(200).json();
    assert!(!body["scope"].as_str().unwrap().contains("Calendars"));
    sim.fault(Fault::new(FaultKind::AnotherIdentity { identity: BOB.to_owned() }).on_token());
    let body = http.refresh(&sim, &token, &[]).expect(200).json();
    assert_eq!(claims(&body["id_token"])["preferred_username"], BOB);
    let seen = sim.requests_to(Service::Token);
    assert_eq!(seen.last().unwrap().user.as_deref(), Some(ALICE));
    assert_eq!(seen.last().unwrap().app.as_deref(), Some(CLIENT_ID));
    // Coming back within Retry-After is noticed here too.
    assert_eq!(sim.violations()[0].rule, "retry_after");
}

#[test]
fn a_public_client_has_no_secret() {
    let (sim, http) = (start(), Http::default());
    sim.edit_app(CLIENT_ID, |app| app.secrets.clear());
    let token = refresh_token(&sim);
    refused(http.refresh(&sim, &token, &[("client_secret", CLIENT_SECRET)]), 401, "invalid_client", 700_025);
    http.refresh(&sim, &token, &[("client_secret", "")]).expect(200);
}
