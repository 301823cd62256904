//! Application registrations.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::directory::{App, Audience, CONTOSO, Secret};
use crate::front::Shared;
use crate::side::{bad, changed, ok, reply, unknown};

pub(crate) async fn list(State(shared): State<Shared>) -> Response {
    ok(&json!(shared.lock().apps.values().collect::<Vec<_>>()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewApp {
    client_id: Option<String>,
    name: Option<String>,
    tenant: Option<String>,
    audience: Option<Audience>,
    secret: Option<String>,
    #[serde(default)]
    redirect_uris: Vec<String>,
    #[serde(default)]
    public: bool,
    #[serde(default)]
    spa: bool,
    #[serde(default)]
    application_permissions: Vec<String>,
}

pub(crate) async fn add(State(shared): State<Shared>, Json(new): Json<NewApp>) -> Response {
    let mut world = shared.lock();
    let secret =
        Secret { id: world.rng.guid(), value: new.secret.unwrap_or_else(|| world.rng.text(40)), expires: None };
    let tenant = new.tenant.unwrap_or_else(|| CONTOSO.to_owned());
    let Some(tenant) = world.tenant(&tenant).map(|tenant| tenant.id.clone()) else {
        return unknown("tenant", &tenant);
    };
    let app = App {
        client_id: new.client_id.unwrap_or_else(|| world.rng.guid()).to_lowercase(),
        name: new.name.unwrap_or_else(|| "Another application".to_owned()),
        tenant,
        audience: new.audience.unwrap_or(Audience::AzureADandPersonalMicrosoftAccount),
        secrets: if new.public { Vec::new() } else { vec![secret] },
        redirect_uris: new.redirect_uris,
        spa: new.spa,
        application_permissions: new.application_permissions,
        oauth_error: None,
    };
    let answer = json!(app);
    world.apps.insert(app.client_id.clone(), app);
    reply(StatusCode::CREATED, &answer)
}

/// Any member of the registration, and as shorthands `secret` (replaces all), `expire_secrets` and
/// `add_redirect_uri`.
pub(crate) async fn change(
    State(shared): State<Shared>,
    Path(client_id): Path<String>,
    Json(mut changes): Json<Value>,
) -> Response {
    let mut world = shared.lock();
    let Some(mut app) = world.apps.get(&client_id.to_lowercase()).cloned() else {
        return unknown("application", &client_id);
    };
    if let Some(members) = changes.as_object_mut() {
        if let Some(Value::String(value)) = members.remove("secret") {
            app.secrets = vec![Secret { id: world.rng.guid(), value, expires: None }];
        }
        if members.remove("expire_secrets") == Some(Value::Bool(true)) {
            let now = world.now();
            app.secrets.iter_mut().for_each(|secret| secret.expires = Some(now));
        }
        if let Some(Value::String(uri)) = members.remove("add_redirect_uri") {
            app.redirect_uris.push(uri);
        }
    }
    match changed(&app, &changes) {
        Ok(app) => {
            let answer = json!(app);
            world.apps.insert(app.client_id.clone(), app);
            ok(&answer)
        }
        Err(error) => bad(error),
    }
}
