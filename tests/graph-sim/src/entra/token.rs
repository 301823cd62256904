//! The token endpoint.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::answer::{Answer, Call, member};
use crate::directory::{App, CONSUMERS, User};
use crate::entra::error::{EntraError, Result};
use crate::entra::issue::{OPENID, Subject, scopes};
use crate::entra::store::AuthorizeRequest;
use crate::entra::tenancy::{Endpoint, find_app};
use crate::faults::{Fault, FaultKind};
use crate::switches::RefreshReuse;
use crate::world::World;

pub(crate) fn serve(world: &mut World, call: &Call, fault: Option<&Fault>) -> Answer {
    match grant(world, call, fault.map(|fault| &fault.kind)) {
        Ok(body) => Answer::json(200, &body).with("Cache-Control", "no-store").with("Pragma", "no-cache"),
        Err(error) => world.entra_error(&error),
    }
}

/// Client id and secret: in the form, or in a Basic header whose halves are form-encoded.
pub(crate) fn client_credentials(call: &Call, form: &[(String, String)]) -> (Option<String>, Option<String>) {
    let basic = call
        .header("authorization")
        .and_then(|value| value.strip_prefix("Basic "))
        .and_then(|value| STANDARD.decode(value.trim()).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok());
    if let Some((id, secret)) = basic.as_deref().and_then(|pair| pair.split_once(':')) {
        let decode = |text: &str| {
            let text = text.replace('+', " ");
            percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
        };
        return (Some(decode(id)), Some(decode(secret)));
    }
    (member(form, "client_id").map(str::to_owned), member(form, "client_secret").map(str::to_owned))
}

fn grant(world: &mut World, call: &Call, fault: Option<&FaultKind>) -> Result<Value> {
    if call.method != "POST" {
        let message = format!("The endpoint only accepts POST requests. Received a {} request.", call.method);
        return Err(EntraError::new(900_561, message));
    }
    let kind = call.header("content-type").unwrap_or_default();
    let form = if kind.starts_with("application/x-www-form-urlencoded") { call.form() } else { Vec::new() };
    let segment = call.segments().into_iter().next().unwrap_or_default();
    let endpoint = Endpoint::read(world, &segment)?;
    let (client_id, secret) = client_credentials(call, &form);
    let client_id = client_id.ok_or_else(|| missing("client_id"))?;
    let grant_type = member(&form, "grant_type").ok_or_else(|| missing("grant_type"))?;
    if grant_type == "client_credentials" && matches!(endpoint, Endpoint::Common | Endpoint::Consumers) {
        return Err(EntraError::new(
            9_001_023,
            "The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint.",
        ));
    }
    let app = find_app(world, &client_id, &segment)?;
    endpoint.admits_app(&app)?;
    authenticate(world, &app, secret.as_deref(), &form)?;
    if let Some(number) = app.oauth_error {
        return Err(EntraError::injected(number, None));
    }
    if let Some(FaultKind::Aadsts { aadsts, claims }) = fault {
        return Err(EntraError::injected(*aadsts, claims.as_deref()));
    }
    let mut subject = match grant_type {
        "authorization_code" => code(world, &form, &app, &endpoint)?,
        "refresh_token" => refresh(world, &form, &app, &endpoint)?,
        "client_credentials" => return app_only(world, &form, &app, &endpoint),
        other => {
            let message = format!("The app requested an unsupported grant type '{other}'.");
            return Err(EntraError::new(70003, message));
        }
    };
    match fault {
        Some(FaultKind::FewerScopes { scopes }) => {
            let kept: Vec<&str> = scopes.split_whitespace().collect();
            subject.scopes.retain(|scope| kept.contains(&scope.as_str()) || OPENID.contains(&scope.as_str()));
        }
        Some(FaultKind::AnotherIdentity { identity }) => {
            if let Some(user) = world.user(identity) {
                subject.user = user.clone();
            }
        }
        _ => {}
    }
    let mut body = world.issue(&subject, &call.base);
    if fault == Some(&FaultKind::OmitRefreshToken)
        && let Some(members) = body.as_object_mut()
    {
        members.remove("refresh_token");
    }
    Ok(body)
}

fn missing(name: &str) -> EntraError {
    EntraError::new(900_144, format!("The request body must contain the following parameter: '{name}'."))
}

fn authenticate(world: &World, app: &App, secret: Option<&str>, form: &[(String, String)]) -> Result<()> {
    if app.secrets.is_empty() {
        return match secret {
            Some(_) => Err(EntraError::new(
                700_025,
                "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
            )),
            None => Ok(()),
        };
    }
    if member(form, "client_assertion").is_some() {
        return Err(EntraError::new(
            700_027,
            "The certificate with identifier used to sign the client assertion is not registered on application.",
        ));
    }
    let Some(secret) = secret else {
        return Err(EntraError::new(
            7_000_218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        ));
    };
    match app.secrets.iter().find(|own| own.value == secret) {
        None => Err(EntraError::new(
            7_000_215,
            format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{}'.",
                app.client_id
            ),
        )),
        Some(own) if own.expires.is_some_and(|at| at <= world.now()) => Err(EntraError::new(
            7_000_222,
            format!(
                "The provided client secret keys for app '{}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.",
                app.client_id
            ),
        )),
        Some(_) => Ok(()),
    }
}

fn code(world: &mut World, form: &[(String, String)], app: &App, endpoint: &Endpoint) -> Result<Subject> {
    let text = member(form, "code").ok_or_else(|| missing("code"))?;
    let now = world.now();
    let Some(code) = world.codes.get_mut(text) else {
        return Err(EntraError::new(9_002_313, "Invalid request. Request is malformed or invalid."));
    };
    if code.redeemed {
        return Err(EntraError::new(
            54005,
            "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.",
        ));
    }
    let code = code.clone();
    if code.request.client_id != app.client_id {
        return Err(EntraError::new(
            70000,
            "Provided grant is invalid or malformed. The code was issued to another client.",
        ));
    }
    if now - code.issued > TimeDelta::minutes(10) {
        return Err(EntraError::new(
            70008,
            "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.",
        ));
    }
    let redirect = member(form, "redirect_uri").ok_or_else(|| missing("redirect_uri"))?;
    if redirect != code.request.redirect_uri {
        return Err(EntraError::new(
            500_112,
            format!(
                "The reply address '{redirect}' does not match the reply address '{}' provided when requesting Authorization code.",
                code.request.redirect_uri
            ),
        ));
    }
    verify(&code.request, member(form, "code_verifier"))?;
    let user = usable(world, &code.user, app, endpoint)?;
    if user.revoked_at.is_some_and(|at| at >= code.issued) {
        return Err(EntraError::injected(50173, None));
    }
    let scopes = narrowed(form, &code.request.scopes, world, app, &user)?;
    if let Some(code) = world.codes.get_mut(text) {
        code.redeemed = true;
    }
    Ok(Subject {
        app: app.client_id.clone(),
        user,
        scopes,
        nonce: code.request.nonce.clone(),
        continuous: code.request.continuous || declares_cp1(form),
        family: None,
        spa: app.spa,
    })
}

fn declares_cp1(form: &[(String, String)]) -> bool {
    member(form, "claims").is_some_and(|claims| claims.contains("xms_cc") && claims.contains("cp1"))
}

fn verify(request: &AuthorizeRequest, verifier: Option<&str>) -> Result<()> {
    let Some((method, challenge)) = &request.challenge else { return Ok(()) };
    let verifier = verifier.ok_or_else(|| missing("code_verifier"))?;
    let derived = if method == "S256" {
        URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
    } else {
        verifier.to_owned()
    };
    if derived == challenge.trim_end_matches('=') {
        Ok(())
    } else {
        Err(EntraError::new(
            501_481,
            "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
        ))
    }
}

fn refresh(world: &mut World, form: &[(String, String)], app: &App, endpoint: &Endpoint) -> Result<Subject> {
    let text = member(form, "refresh_token").ok_or_else(|| missing("refresh_token"))?;
    let now = world.now();
    let Some(token) = world.refresh_tokens.get(text).cloned() else {
        return Err(if text.len() < 100 {
            EntraError::new(9_002_313, "Invalid request. Request is malformed or invalid.")
        } else {
            EntraError::new(70000, "Provided grant is invalid or malformed.")
        });
    };
    if token.app != app.client_id {
        return Err(EntraError::new(
            70000,
            "Provided grant is invalid or malformed. The token was issued to another client.",
        ));
    }
    let user = usable(world, &token.user, app, endpoint)?;
    if token.revoked || user.revoked_at.is_some_and(|at| at >= token.issued) {
        let issued = token.issued.format("%Y-%m-%dT%H:%M:%S%.6f0Z");
        return Err(EntraError::new(
            50173,
            format!(
                "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password. The grant was issued on '{issued}' and the TokensValidFrom date (before which tokens are not valid) for this user is later."
            ),
        ));
    }
    let issued = token.issued.format("%Y-%m-%dT%H:%M:%S%.6f0Z");
    if token.spa && now - token.issued > TimeDelta::hours(24) {
        return Err(EntraError::new(
            700_084,
            format!(
                "The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime of 1.00:00:00, which can't be extended. It was issued on {issued}."
            ),
        ));
    }
    if now - token.used > TimeDelta::days(90) {
        return Err(EntraError::new(
            700_082,
            format!(
                "The refresh token has expired due to inactivity. The token was issued on {issued} and was inactive for 90.00:00:00."
            ),
        ));
    }
    if token.redeemed && world.switches.refresh_reuse == RefreshReuse::Revokes {
        for other in world.refresh_tokens.values_mut().filter(|other| other.family == token.family) {
            other.revoked = true;
        }
        return Err(EntraError::new(70000, "Provided grant is invalid or malformed. The token was used before."));
    }
    let mut scopes = narrowed(form, &token.scopes, world, app, &user)?;
    // Whoever came with a refresh token leaves with one.
    scopes.insert("offline_access".to_owned());
    if let Some(token) = world.refresh_tokens.get_mut(text) {
        token.used = now;
        token.redeemed = true;
    }
    Ok(Subject {
        app: app.client_id.clone(),
        user,
        scopes,
        nonce: None,
        continuous: token.continuous || declares_cp1(form),
        family: Some(token.family),
        spa: token.spa,
    })
}

/// The user a grant belongs to, still able to use it here.
fn usable(world: &World, address: &str, app: &App, endpoint: &Endpoint) -> Result<User> {
    let user = world.users.get(address).cloned().ok_or_else(|| {
        EntraError::new(50034, format!("The user account {address} does not exist in the directory."))
    })?;
    if user.disabled {
        return Err(EntraError::injected(50057, None));
    }
    let elsewhere = match endpoint {
        Endpoint::Tenant(tenant) => *tenant != user.tenant,
        Endpoint::Consumers => user.tenant != CONSUMERS,
        Endpoint::Organizations => user.tenant == CONSUMERS,
        Endpoint::Common => false,
    };
    if elsewhere {
        return Err(EntraError::new(
            700_005,
            "Provided Authorization Code or Refresh Token is intended to use against other tenant, thus rejected.",
        ));
    }
    if endpoint.admits_user(app, &user).is_err() {
        return Err(EntraError::new(70000, "Provided grant is invalid or malformed."));
    }
    if let Some(number) = user.oauth_error {
        return Err(EntraError::injected(number, user.oauth_claims.as_deref()));
    }
    Ok(user)
}

/// The scopes asked for, which must have been consented to; without any, those of the grant.
fn narrowed(
    form: &[(String, String)],
    granted: &BTreeSet<String>,
    world: &World,
    app: &App,
    user: &User,
) -> Result<BTreeSet<String>> {
    let consented = world.consented(user, &app.client_id);
    let asked = match member(form, "scope") {
        None => granted.clone(),
        Some(text) => scopes(text).map_err(|unknown| {
            EntraError::new(70011, format!("The provided value for the input parameter 'scope' is not valid. The scope '{unknown}' does not exist."))
        })?,
    };
    if asked.iter().any(|scope| !consented.contains(scope) && !OPENID.contains(&scope.as_str())) {
        return Err(EntraError::new(
            65001,
            format!(
                "The user or administrator has not consented to use the application with ID '{}' named '{}'. Send an interactive authorization request for this user and resource.",
                app.client_id, app.name
            ),
        ));
    }
    Ok(asked)
}

fn app_only(world: &mut World, form: &[(String, String)], app: &App, endpoint: &Endpoint) -> Result<Value> {
    let scope = member(form, "scope").ok_or_else(|| missing("scope"))?;
    if !scope.ends_with("/.default") {
        return Err(EntraError::new(
            1_002_012,
            format!(
                "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
            ),
        ));
    }
    let tenant = match endpoint {
        Endpoint::Tenant(tenant) => tenant.clone(),
        _ => app.tenant.clone(),
    };
    Ok(world.issue_to_app(&app.client_id, &tenant, &app.application_permissions))
}

/// The token endpoint's answer to an injected HTTP status.
pub(crate) fn injected_status(status: u16) -> Value {
    json!({
        "error": if status >= 500 || status == 429 { "temporarily_unavailable" } else { "invalid_request" },
        "error_description": "AADSTS90033: A transient error has occurred. Please try again.",
        "error_codes": [90033],
    })
}
