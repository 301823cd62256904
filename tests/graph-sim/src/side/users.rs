//! Tenants, users, their consents and tokens.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::directory::{CLIENT_ID, Tenant, User, UserKind};
use crate::entra::issue::{Subject, scopes};
use crate::front::Shared;
use crate::side::{bad, changed, ok, reply, unknown};
use crate::world::World;

pub(crate) async fn tenants(State(shared): State<Shared>) -> Response {
    ok(&json!(shared.lock().tenants))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTenant {
    id: Option<String>,
    domain: String,
    name: Option<String>,
    user_consent: Option<bool>,
}

pub(crate) async fn add_tenant(State(shared): State<Shared>, Json(new): Json<NewTenant>) -> Response {
    let mut world = shared.lock();
    let tenant = Tenant {
        id: new.id.unwrap_or_else(|| world.rng.guid()).to_lowercase(),
        name: new.name.unwrap_or_else(|| new.domain.clone()),
        domain: new.domain.to_lowercase(),
        user_consent: new.user_consent.unwrap_or(true),
    };
    let answer = json!(tenant);
    world.tenants.push(tenant);
    reply(StatusCode::CREATED, &answer)
}

pub(crate) async fn change_tenant(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Json(changes): Json<Value>,
) -> Response {
    let mut world = shared.lock();
    let Some(at) = world.tenants.iter_mut().find(|t| t.id == id.to_lowercase() || t.domain == id.to_lowercase()) else {
        return unknown("tenant", &id);
    };
    match changed(at, &changes) {
        Ok(tenant) => {
            *at = tenant;
            ok(&json!(at))
        }
        Err(error) => bad(error),
    }
}

pub(crate) async fn list(State(shared): State<Shared>) -> Response {
    ok(&json!(shared.lock().users.values().collect::<Vec<_>>()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    address: String,
    tenant: Option<String>,
    object_id: Option<String>,
    display_name: Option<String>,
    kind: Option<UserKind>,
    #[serde(default)]
    admin: bool,
    time_zone: Option<String>,
    fresh_seconds: Option<i64>,
}

pub(crate) async fn add(State(shared): State<Shared>, Json(new): Json<NewUser>) -> Response {
    let mut world = shared.lock();
    let address = new.address.to_lowercase();
    let domain = address.split('@').nth(1).unwrap_or_default().to_owned();
    let tenant = new.tenant.unwrap_or(domain);
    let Some(tenant) = world.tenant(&tenant).map(|tenant| tenant.id.clone()) else {
        return unknown("tenant", &tenant);
    };
    let now = world.now();
    let user = User {
        tenant,
        object_id: new.object_id.unwrap_or_else(|| world.rng.guid()),
        display_name: new.display_name.unwrap_or_else(|| address.clone()),
        kind: new.kind.unwrap_or(UserKind::Teams),
        admin: new.admin,
        disabled: false,
        time_zone: new.time_zone.unwrap_or_else(|| "W. Europe Standard Time".to_owned()),
        fresh_until: new.fresh_seconds.map(|seconds| now + TimeDelta::seconds(seconds)),
        oauth_error: None,
        oauth_claims: None,
        revoked_at: None,
        claims_challenge: false,
        address,
    };
    let answer = json!(user);
    world.add_user(user);
    reply(StatusCode::CREATED, &answer)
}

pub(crate) async fn change(
    State(shared): State<Shared>,
    Path(address): Path<String>,
    Json(mut changes): Json<Value>,
) -> Response {
    let mut world = shared.lock();
    let Some(mut user) = world.users.get(&address.to_lowercase()).cloned() else { return unknown("user", &address) };
    if let Some(seconds) = changes.as_object_mut().and_then(|members| members.remove("fresh_seconds")) {
        let now = world.now();
        user.fresh_until = seconds.as_i64().map(|seconds| now + TimeDelta::seconds(seconds));
    }
    if changes.get("address").is_some() {
        return bad("a user's address cannot be changed here");
    }
    match changed(&user, &changes) {
        Ok(user) => {
            let answer = json!(user);
            world.users.insert(user.address.clone(), user);
            ok(&answer)
        }
        Err(error) => bad(error),
    }
}

pub(crate) async fn remove(State(shared): State<Shared>, Path(address): Path<String>) -> Response {
    let mut world = shared.lock();
    let address = address.to_lowercase();
    world.mailboxes.remove(&address);
    match world.users.remove(&address) {
        Some(_) => ok(&json!({"removed": address})),
        None => unknown("user", &address),
    }
}

pub(crate) fn revoke(world: &mut World, address: &str) {
    let now = world.now();
    if let Some(user) = world.users.get_mut(&address.to_lowercase()) {
        user.revoked_at = Some(now);
    }
}

pub(crate) fn expire_access_tokens(world: &mut World, address: &str) -> usize {
    let (now, address) = (world.now(), address.to_lowercase());
    let own = world.access_tokens.values_mut().filter(|token| token.user.as_deref() == Some(&address));
    own.map(|token| token.expires = token.expires.min(now)).count()
}

pub(crate) async fn revoke_all(State(shared): State<Shared>, Path(address): Path<String>) -> Response {
    revoke(&mut shared.lock(), &address);
    ok(&json!({"revoked": address}))
}

pub(crate) async fn expire_all(State(shared): State<Shared>, Path(address): Path<String>) -> Response {
    let expired = expire_access_tokens(&mut shared.lock(), &address);
    ok(&json!({"expired": expired}))
}

pub(crate) async fn consents(State(shared): State<Shared>, Path(address): Path<String>) -> Response {
    let world = shared.lock();
    let own: Vec<Value> = world
        .consents
        .iter()
        .filter(|((user, _), _)| *user == address.to_lowercase())
        .map(|((_, app), scopes)| json!({"client_id": app, "scopes": scopes}))
        .collect();
    ok(&json!(own))
}

pub(crate) async fn withdraw_consents(State(shared): State<Shared>, Path(address): Path<String>) -> Response {
    shared.lock().consents.retain(|(user, _), _| *user != address.to_lowercase());
    ok(&json!([]))
}

/// Consents for the user and issues tokens.
pub(crate) fn tokens(world: &mut World, address: &str, client_id: &str, text: &str, base: &str) -> Option<Value> {
    let user = world.users.get(&address.to_lowercase())?.clone();
    let app = world.apps.get(&client_id.to_lowercase())?.clone();
    let scopes = scopes(text).ok()?;
    world.consents.entry((user.address.clone(), app.client_id.clone())).or_default().extend(scopes.iter().cloned());
    let subject =
        Subject { app: app.client_id, user, scopes, nonce: None, continuous: false, family: None, spa: app.spa };
    Some(world.issue(&subject, base))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenWish {
    scopes: String,
    client_id: Option<String>,
}

pub(crate) async fn issue(
    State(shared): State<Shared>,
    Path(address): Path<String>,
    headers: axum::http::HeaderMap,
    Json(wish): Json<TokenWish>,
) -> Response {
    let host = headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    let base = format!("http://{host}");
    let client_id = wish.client_id.unwrap_or_else(|| CLIENT_ID.to_owned());
    match tokens(&mut shared.lock(), &address, &client_id, &wish.scopes, &base) {
        Some(body) => ok(&body),
        None => bad("no such user, application or scope"),
    }
}
