//! Signing in: the authorize endpoint and its pages (graph-facts A7).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use common::{ALICE, Http, SCOPES, claims, start};
use graph_sim::{Audience, CLIENT_ID, CONSUMERS, CONTOSO, FABRIKAM, REDIRECT_URI};
use serde_json::json;

fn shown(sim: &graph_sim::Simulator) -> Vec<&'static str> {
    sim.pages().iter().map(|page| page.page).collect()
}

#[test]
fn a_first_sign_in_shows_two_pages_and_a_second_none() {
    let (sim, http) = (start(), Http::default());
    let page = http.authorize(&sim, "common", &[("nonce", "n1")]).expect(200);
    let consent = http.log_in(&sim, &page, ALICE).expect(200);
    assert!(consent.body.contains("Calendars.ReadWrite"));
    let reply = http.consent(&sim, &consent, "accept").expect(302);
    assert!(reply.header("location").unwrap().starts_with(REDIRECT_URI));
    assert_eq!(reply.parameter("state").as_deref(), Some("s1"));
    assert!(reply.parameter("session_state").is_some());
    assert_eq!(shown(&sim), ["sign_in", "consent"]);

    let tokens = http.redeem(&sim, &reply.parameter("code").unwrap(), &[]).expect(200).json();
    let claims = claims(&tokens["id_token"]);
    assert_eq!(claims["preferred_username"], ALICE);
    assert_eq!(claims["tid"], CONTOSO);
    assert_eq!(claims["nonce"], "n1");
    assert_eq!(claims["aud"], CLIENT_ID);

    let again = http.authorize(&sim, "common", &[]).expect(302);
    assert!(again.parameter("code").is_some());
    assert_eq!(shown(&sim).len(), 2);
}

#[test]
fn prompt_decides_which_page_is_shown_again() {
    let (sim, http) = (start(), Http::default());
    let none = http.authorize(&sim, "common", &[("prompt", "none")]).expect(302);
    assert_eq!(none.parameter("error").as_deref(), Some("login_required"));
    http.code(&sim, ALICE, &[]);
    http.authorize(&sim, "common", &[("prompt", "none")]).expect(302).parameter("code").unwrap();
    http.authorize(&sim, "common", &[("prompt", "select_account")]).expect(200);
    http.authorize(&sim, "common", &[("prompt", "login")]).expect(200);
    http.authorize(&sim, "common", &[("prompt", "consent")]).expect(200);
    assert_eq!(shown(&sim), ["sign_in", "consent", "pick_account", "sign_in", "consent"]);
    let unknown = http.authorize(&sim, "common", &[("prompt", "perhaps")]).expect(302);
    assert_eq!(unknown.parameter("error").as_deref(), Some("invalid_request"));
}

#[test]
fn a_login_hint_selects_among_those_signed_in_and_fills_the_page_for_others() {
    let (sim, http) = (start(), Http::default());
    http.code(&sim, ALICE, &[]);
    http.code(&sim, "bob@contoso.example", &[("prompt", "login")]);
    http.authorize(&sim, "common", &[]).expect(200);
    let code = http.authorize(&sim, "common", &[("login_hint", ALICE)]).expect(302).parameter("code").unwrap();
    let tokens = http.redeem(&sim, &code, &[]).expect(200).json();
    assert_eq!(claims(&tokens["id_token"])["preferred_username"], ALICE);
    let page = http.authorize(&sim, "common", &[("login_hint", "admin@contoso.example")]).expect(200);
    assert!(page.body.contains("value=\"admin@contoso.example\""));
}

// A7: 65004, the user declined.
#[test]
fn cancel_answers_access_denied() {
    let (sim, http) = (start(), Http::default());
    let page = http.authorize(&sim, "common", &[]);
    let consent = http.log_in(&sim, &page, ALICE);
    let reply = http.consent(&sim, &consent, "cancel").expect(302);
    assert_eq!(reply.parameter("error").as_deref(), Some("access_denied"));
    assert!(reply.parameter("error_description").unwrap().starts_with("AADSTS65004: "));
    assert_eq!(reply.parameter("state").as_deref(), Some("s1"));
}

// A7: 50011, 700016, 90002, 50194 are told on a page, never by a redirect.
#[test]
fn what_cannot_be_trusted_is_not_redirected() {
    let (sim, http) = (start(), Http::default());
    let page = |tenant: &str, changes: &[(&str, &str)], number: &str| {
        let reply = http.authorize(&sim, tenant, changes).expect(400);
        assert!(reply.header("location").is_none());
        assert!(reply.body.contains(&format!("AADSTS{number}: ")), "{number}: {}", reply.body);
    };
    page("common", &[("redirect_uri", "http://localhost/callback/")], "50011");
    page("common", &[("redirect_uri", "http://evil.example/")], "50011");
    page("common", &[("client_id", "00000000-1111-2222-3333-444444444444")], "700016");
    page("nowhere.example", &[], "90002");
    page("common", &[("client_id", "")], "900144");
    sim.edit_app(CLIENT_ID, |app| app.audience = Audience::AzureADMyOrg);
    page("common", &[], "50194");
    page(FABRIKAM, &[], "700016");
    http.authorize(&sim, CONTOSO, &[]).expect(200);
    sim.edit_app(CLIENT_ID, |app| app.audience = Audience::PersonalMicrosoftAccount);
    page("common", &[], "9002331");
    http.authorize(&sim, "consumers", &[]).expect(200);
}

// A7: 50020, the account is of another tenant.
#[test]
fn an_account_that_does_not_belong_here_is_refused_on_the_page() {
    let (sim, http) = (start(), Http::default());
    let refused = |tenant: &str, address: &str, number: &str| {
        let page = http.authorize(&sim, tenant, &[("prompt", "login")]).expect(200);
        let reply = http.log_in(&sim, &page, address).expect(200);
        assert!(reply.body.contains(&format!("AADSTS{number}: ")), "{number}: {}", reply.body);
    };
    refused("contoso.example", "fay@fabrikam.example", "50020");
    refused("organizations", "personal@outlook.example", "50020");
    refused("consumers", ALICE, "50020");
    refused("common", "nobody@contoso.example", "50034");
    sim.edit_user(ALICE, |user| user.disabled = true);
    refused("common", ALICE, "50057");
    let code = http.code(&sim, "personal@outlook.example", &[("prompt", "login")]);
    let tokens = http.redeem(&sim, &code, &[]).expect(200).json();
    assert_eq!(claims(&tokens["id_token"])["tid"], CONSUMERS);
    // A personal account's access token is no JWT.
    assert_eq!(tokens["access_token"].as_str().unwrap().split('.').count(), 1);
}

#[test]
fn the_answer_comes_in_the_mode_asked_for() {
    let (sim, http) = (start(), Http::default());
    http.code(&sim, ALICE, &[]);
    let fragment = http.authorize(&sim, "common", &[("response_mode", "fragment")]).expect(302);
    assert!(fragment.header("location").unwrap().contains("#code="));
    let post = http.authorize(&sim, "common", &[("response_mode", "form_post")]).expect(200);
    assert!(post.body.contains(&format!("action=\"{REDIRECT_URI}\"")));
    http.redeem(&sim, &post.field("code"), &[]).expect(200);
    assert_eq!(post.field("state"), "s1");
}

#[test]
fn a_malformed_request_is_told_to_the_client() {
    let (sim, http) = (start(), Http::default());
    let error =
        |changes: &[(&str, &str)]| http.authorize(&sim, "common", changes).expect(302).parameter("error").unwrap();
    assert_eq!(error(&[("response_type", "token")]), "unsupported_response_type");
    assert_eq!(error(&[("scope", "")]), "invalid_request");
    assert_eq!(error(&[("scope", "openid Calendars.Everything")]), "invalid_scope");
    assert_eq!(error(&[("code_challenge", "short"), ("code_challenge_method", "S256")]), "invalid_request");
}

// A7: admin consent, not on /common; 90094 where users may not consent themselves.
#[test]
fn an_administrator_consents_for_everybody() {
    let (sim, http) = (start(), Http::default());
    let tenants = format!("{}/sim/tenants/{CONTOSO}", sim.base_url());
    http.json("PATCH", &tenants, &json!({"user_consent": false})).expect(200);
    let page = http.authorize(&sim, "common", &[]);
    let refused = http.log_in(&sim, &page, ALICE).expect(200);
    assert!(refused.body.contains("AADSTS90094"));
    assert_eq!(http.consent(&sim, &refused, "accept").parameter("error").as_deref(), Some("access_denied"));

    let ask = |tenant: &str| {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("client_id", CLIENT_ID),
                ("redirect_uri", REDIRECT_URI),
                ("scope", SCOPES),
                ("state", "s2"),
            ])
            .finish();
        Http::default_at(&sim, &format!("/{tenant}/v2.0/adminconsent?{query}"))
    };
    assert!(ask("common").1.expect(400).body.contains("AADSTS90023"));
    let (admin, page) = ask("organizations");
    let page = admin.log_in(&sim, &page.expect(200), "admin@contoso.example").expect(200);
    let reply = admin.consent(&sim, &page, "accept").expect(302);
    assert_eq!(reply.parameter("admin_consent").as_deref(), Some("True"));
    assert_eq!(reply.parameter("tenant").as_deref(), Some(CONTOSO));
    assert_eq!(reply.parameter("state").as_deref(), Some("s2"));

    let fresh = Http::default();
    let page = fresh.authorize(&sim, "common", &[]);
    fresh.log_in(&sim, &page, ALICE).expect(302).parameter("code").unwrap();
}

#[test]
fn a_page_is_good_for_one_answer_of_the_browser_it_was_shown_in() {
    let (sim, http, other) = (start(), Http::default(), Http::default());
    let page = http.authorize(&sim, "common", &[]);
    other.authorize(&sim, "common", &[]);
    assert!(other.log_in(&sim, &page, ALICE).expect(400).body.contains("AADSTS165000"));
    http.log_in(&sim, &page, ALICE).expect(200);
    assert!(http.log_in(&sim, &page, ALICE).expect(400).body.contains("AADSTS165000"));
}

// A7: conditional access and consent errors come back by the redirect.
#[test]
fn an_error_is_injected_into_a_sign_in() {
    let (sim, http) = (start(), Http::default());
    let fault = json!({"service": "authorize", "path_contains": "/authorize", "kind": "aadsts", "aadsts": 53003});
    http.json("POST", &format!("{}/sim/faults", sim.base_url()), &fault).expect(200);
    let reply = http.authorize(&sim, "common", &[]).expect(302);
    assert_eq!(reply.parameter("error").as_deref(), Some("interaction_required"));
    assert!(reply.parameter("error_description").unwrap().starts_with("AADSTS53003: "));
    http.authorize(&sim, "common", &[]).expect(200);
}
