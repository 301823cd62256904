//! Entra ID v2: sign-in, consent and tokens.

pub(crate) mod authorize;
pub(crate) mod error;
pub(crate) mod issue;
pub(crate) mod pages;
pub(crate) mod store;
pub(crate) mod tenancy;
pub(crate) mod token;

use serde_json::json;

use crate::answer::{Answer, Call};
use crate::entra::error::EntraError;
use crate::faults::{Fault, Service};
use crate::world::World;

/// Which simulated service a path belongs to; none where it is the simulator's own.
pub(crate) fn service(path: &str) -> Option<Service> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    match segments.as_slice() {
        ["v1.0", ..] => Some(Service::Graph),
        ["sim" | "calendar", ..] => None,
        [_, "oauth2", "v2.0", "token"] => Some(Service::Token),
        [_, "oauth2", "v2.0", "authorize"]
        | [_, "login" | "consent"]
        | [_, "v2.0", "adminconsent"]
        | [_, "v2.0", ".well-known", "openid-configuration"]
        | [_, "discovery", "v2.0", "keys"] => Some(Service::Authorize),
        _ => None,
    }
}

pub(crate) fn serve(world: &mut World, call: &Call, fault: Option<&Fault>) -> Answer {
    let segments = call.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (call.method.as_str(), segments.as_slice()) {
        ("GET", [tenant, "oauth2", "v2.0", "authorize"]) => {
            authorize::start(world, call, tenant, &call.query_pairs(), fault)
        }
        ("POST", [tenant, "oauth2", "v2.0", "authorize"]) => authorize::start(world, call, tenant, &call.form(), fault),
        ("POST", [_, "login"]) => authorize::signed_in(world, call),
        ("POST", [_, "consent"]) => authorize::consented(world, call),
        ("GET", [tenant, "v2.0", "adminconsent"]) => authorize::admin_consent(world, call, tenant),
        ("GET", [tenant, "v2.0", ".well-known", "openid-configuration"]) => metadata(world, call, tenant),
        ("GET", [_, "discovery", "v2.0", "keys"]) => Answer::json(200, &json!({"keys": []})),
        _ => pages::error(
            world,
            &EntraError::new(900_561, format!("The endpoint does not accept {} requests.", call.method)),
        ),
    }
}

fn metadata(world: &mut World, call: &Call, tenant: &str) -> Answer {
    let endpoint = match tenancy::Endpoint::read(world, tenant) {
        Ok(endpoint) => endpoint,
        Err(error) => return world.entra_error(&error),
    };
    let base = &call.base;
    // On the shared endpoints the issuer is a template.
    let issuer = match endpoint {
        tenancy::Endpoint::Tenant(id) => id,
        tenancy::Endpoint::Consumers => crate::directory::CONSUMERS.to_owned(),
        tenancy::Endpoint::Common | tenancy::Endpoint::Organizations => "{tenantid}".to_owned(),
    };
    Answer::json(
        200,
        &json!({
            "issuer": format!("{base}/{issuer}/v2.0"),
            "authorization_endpoint": format!("{base}/{tenant}/oauth2/v2.0/authorize"),
            "token_endpoint": format!("{base}/{tenant}/oauth2/v2.0/token"),
            "jwks_uri": format!("{base}/{tenant}/discovery/v2.0/keys"),
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "response_modes_supported": ["query", "fragment", "form_post"],
            "response_types_supported": ["code"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }),
    )
}
