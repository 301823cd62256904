//! The door itself; what its routes do is tested with the commands that use them (`cli/tests.rs`).

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::*;
use crate::accounts::vault::Vault;
use crate::config::Config;

struct Door {
    router: Router,
    runtime: tokio::runtime::Runtime,
    _dir: tempfile::TempDir,
}

impl Door {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = Config::new(dir.path(), "https://mail.example.org/teams");
        crate::cli::tests::warm(dir.path());
        Vault::create(&config.key_dir()).unwrap();
        let shim = Shim::open(config).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { router: router(Arc::new(shim)), runtime, _dir: dir }
    }

    /// Status, content type and body.
    fn ask(&self, method: Method, path: &str, body: &str) -> (StatusCode, String, serde_json::Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_owned()))
            .unwrap();
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let kind = response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
            let status = response.status();
            let body = response.into_body().collect().await.unwrap().to_bytes();
            (status, kind, serde_json::from_slice(&body).unwrap())
        })
    }
}

#[test]
fn every_refusal_is_a_problem() {
    let door = Door::new();
    for (method, path, body, status) in [
        (Method::GET, "/admin/v1/nothing", "", 404),
        (Method::GET, "/v1/accounts/alice@test.tld", "", 404),
        (Method::DELETE, "/admin/v1/status", "", 405),
        (Method::PUT, "/admin/v1/policy", "{", 400),
        (Method::PUT, "/admin/v1/policy", r#"{"scope":{"level":"world"},"allow":true}"#, 422),
        (Method::PUT, "/admin/v1/policy", r#"{"scope":{"level":"server"},"allow":true,"for":"all"}"#, 422),
        (Method::PUT, "/admin/v1/policy", r#"{"scope":{"level":"domain","name":"a b"},"allow":true}"#, 400),
        (Method::PATCH, "/admin/v1/connectors/teams", r#"{"clientid":"x"}"#, 422),
        (Method::PATCH, "/admin/v1/connectors/teams", r#"{"token_url":"ftp://x.example/"}"#, 422),
        (Method::GET, "/admin/v1/connectors/other", "", 404),
        (Method::POST, "/admin/v1/connectors/teams/enable", "", 409),
        (Method::GET, "/admin/v1/accounts/nobody", "", 400),
        (Method::GET, "/admin/v1/accounts/%FF", "", 400),
        (Method::GET, "/admin/v1/events?state=happy", "", 422),
        (Method::GET, "/admin/v1/events?limit=many", "", 400),
        (Method::GET, "/admin/v1/events?colour=red", "", 400),
        (Method::GET, "/admin/v1/accounts/alice@test.tld/events/a%2Fb", "", 404),
        (Method::DELETE, "/admin/v1/secrets/none", "", 404),
    ] {
        let (found, kind, problem) = door.ask(method.clone(), path, body);
        assert_eq!((found.as_u16(), kind.as_str()), (status, "application/problem+json"), "{method} {path}: {problem}");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{path}: {problem}");
    }
}

#[test]
fn a_hook_secret_is_told_once() {
    let door = Door::new();
    let (status, _, fresh) =
        door.ask(Method::POST, "/admin/v1/secrets", r#"{"name":"radicale","domains":["München.example"]}"#);
    assert_eq!((status, &fresh["domains"][0]), (StatusCode::OK, &"xn--mnchen-3ya.example".into()));
    let secret = fresh["secret"].as_str().unwrap();
    for path in ["/admin/v1/secrets", "/admin/v1/status"] {
        assert!(!door.ask(Method::GET, path, "").2.to_string().contains(secret), "{path}");
    }
    assert_eq!(door.ask(Method::POST, "/admin/v1/secrets", r#"{"name":"radicale"}"#).0, StatusCode::CONFLICT);
}

#[test]
fn what_is_to_do_goes_away_as_it_is_done() {
    let door = Door::new();
    let left = || door.ask(Method::GET, "/admin/v1/status", "").2["to_do"].as_array().unwrap().len();
    assert_eq!(left(), 5);
    door.ask(Method::PATCH, "/admin/v1/connectors/teams", r#"{"client_id":"app","secret":"s"}"#);
    assert_eq!(left(), 3);
    door.ask(Method::POST, "/admin/v1/connectors/teams/enable", "");
    door.ask(Method::POST, "/admin/v1/secrets", r#"{"name":"radicale"}"#);
    door.ask(Method::PUT, "/admin/v1/policy", r#"{"scope":{"level":"server"},"allow":true}"#);
    assert_eq!(left(), 0);
}
