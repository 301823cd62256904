//! The authorize endpoint, from the request over its pages to the code.

use std::collections::BTreeSet;

use crate::answer::{Answer, Call, member};
use crate::directory::{App, User};
use crate::entra::error::{EntraError, Result};
use crate::entra::issue::{OPENID, scopes};
use crate::entra::pages;
use crate::entra::store::{AuthorizeRequest, Code, PendingSignIn};
use crate::entra::tenancy::{Endpoint, find_app};
use crate::faults::{Fault, FaultKind};
use crate::world::World;

/// The cookie of the Microsoft session.
const SESSION: &str = "ESTSAUTH";

/// Where a refused request is told: on a page, or to the client by the redirect it may be trusted with.
enum Refusal {
    Page(EntraError),
    Redirect(Box<AuthorizeRequest>, EntraError),
}

/// GET (or POST) /{tenant}/oauth2/v2.0/authorize
pub(crate) fn start(
    world: &mut World,
    call: &Call,
    tenant: &str,
    query: &[(String, String)],
    fault: Option<&Fault>,
) -> Answer {
    let request = match check(world, tenant, query) {
        Ok(request) => request,
        Err(Refusal::Page(error)) => return pages::error(world, &error),
        Err(Refusal::Redirect(request, error)) => return refuse(world, &request, &error, None),
    };
    if let Some(FaultKind::Aadsts { aadsts, claims }) = fault.map(|fault| &fault.kind) {
        let error = EntraError::injected(*aadsts, claims.as_deref());
        return refuse(world, &request, &error, None);
    }
    let (session, known) = session(world, call);
    let answer = choose(world, request, &session, &known);
    answer.with("Set-Cookie", &format!("{SESSION}={session}; Path=/; HttpOnly; SameSite=Lax"))
}

fn check(world: &World, tenant: &str, query: &[(String, String)]) -> std::result::Result<AuthorizeRequest, Refusal> {
    let missing = |name: &str| {
        EntraError::new(900_144, format!("The request body must contain the following parameter: '{name}'."))
    };
    let endpoint = Endpoint::read(world, tenant).map_err(Refusal::Page)?;
    let client_id = member(query, "client_id").ok_or_else(|| Refusal::Page(missing("client_id")))?;
    let app = find_app(world, client_id, tenant).map_err(Refusal::Page)?;
    endpoint.admits_app(&app).map_err(Refusal::Page)?;
    let redirect = member(query, "redirect_uri").ok_or_else(|| Refusal::Page(missing("redirect_uri")))?;
    if !app.redirect_uris.iter().any(|own| own == redirect) {
        return Err(Refusal::Page(EntraError::new(
            50011,
            format!(
                "The redirect URI '{redirect}' specified in the request does not match the redirect URIs configured for the application '{}'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal. Navigate to https://aka.ms/redirectUriMismatchError to learn more about how to fix this.",
                app.client_id
            ),
        )));
    }
    let mode = member(query, "response_mode").unwrap_or("query").to_owned();
    let owned = |name: &str| member(query, name).map(str::to_owned);
    let mut request = AuthorizeRequest {
        tenant: tenant.to_owned(),
        client_id: app.client_id.clone(),
        redirect_uri: redirect.to_owned(),
        scopes: BTreeSet::new(),
        state: owned("state"),
        nonce: owned("nonce"),
        prompt: owned("prompt"),
        login_hint: owned("login_hint").map(|hint| hint.to_lowercase()),
        response_mode: mode,
        challenge: None,
        continuous: member(query, "claims").is_some_and(|claims| claims.contains("xms_cc") && claims.contains("cp1")),
    };
    let refuse = |request: &AuthorizeRequest, number: u32, message: String| {
        Err(Refusal::Redirect(Box::new(request.clone()), EntraError::new(number, message)))
    };
    if !["query", "fragment", "form_post"].contains(&request.response_mode.as_str()) {
        let message = format!("Unsupported 'response_mode' value '{}'.", request.response_mode);
        request.response_mode = "query".to_owned();
        return refuse(&request, 90023, message);
    }
    match member(query, "response_type") {
        Some("code") => {}
        None => return refuse(&request, 900_144, missing("response_type").message),
        Some(other) => {
            return refuse(
                &request,
                70005,
                format!("The response_type '{other}' is not supported for the application."),
            );
        }
    }
    let Some(text) = member(query, "scope") else { return refuse(&request, 900_144, missing("scope").message) };
    match scopes(text) {
        Ok(scopes) => request.scopes = scopes,
        Err(unknown) => {
            let message = format!(
                "The provided value for the input parameter 'scope' is not valid. The scope '{unknown}' does not exist."
            );
            return refuse(&request, 70011, message);
        }
    }
    if let Some(prompt) = &request.prompt
        && !["none", "login", "consent", "select_account"].contains(&prompt.as_str())
    {
        let message = format!("Unsupported 'prompt' value '{prompt}'.");
        return refuse(&request.clone(), 90023, message);
    }
    if let Some(challenge) = member(query, "code_challenge") {
        let method = member(query, "code_challenge_method").unwrap_or("plain");
        if !["S256", "plain"].contains(&method) || !(43..=128).contains(&challenge.len()) {
            return refuse(&request, 501_491, "Invalid size of Code_Challenge parameter.".to_owned());
        }
        request.challenge = Some((method.to_owned(), challenge.to_owned()));
    }
    Ok(request)
}

/// The browser's session, new where there is none, and who is signed in to it.
fn session(world: &mut World, call: &Call) -> (String, Vec<String>) {
    if let Some(cookie) = call.cookie(SESSION)
        && let Some(known) = world.sessions.get(&cookie)
    {
        return (cookie, known.clone());
    }
    let cookie = world.rng.text(48);
    world.sessions.insert(cookie.clone(), Vec::new());
    (cookie, Vec::new())
}

fn choose(world: &mut World, request: AuthorizeRequest, session: &str, known: &[String]) -> Answer {
    let fitting: Vec<String> =
        known.iter().filter(|address| admits(world, &request, address).is_ok()).cloned().collect();
    let chosen = match &request.login_hint {
        Some(hint) => fitting.iter().find(|address| *address == hint),
        None if fitting.len() == 1 => fitting.first(),
        None => None,
    };
    match (request.prompt.as_deref(), chosen) {
        (Some("login" | "select_account"), _) => ask_account(world, request, session, &fitting, None),
        (Some("none"), None) => {
            let error = EntraError::new(
                50058,
                "A silent sign-in request was sent but no user is signed in. The cookies used to represent the user's session were not sent in the request to Azure AD.",
            );
            refuse(world, &request, &error, None)
        }
        (_, Some(address)) => {
            let address = address.clone();
            proceed(world, request, session, &address)
        }
        (_, None) => ask_account(world, request, session, &fitting, None),
    }
}

fn admits(world: &World, request: &AuthorizeRequest, address: &str) -> Result<(App, User)> {
    let app = find_app(world, &request.client_id, &request.tenant)?;
    let endpoint = Endpoint::read(world, &request.tenant)?;
    let user = world.users.get(address).cloned().ok_or_else(|| {
        EntraError::new(50034, format!("The user account {address} does not exist in the directory. To sign into this application, the account must be added to the directory."))
    })?;
    endpoint.admits_user(&app, &user)?;
    if user.disabled {
        return Err(EntraError::injected(50057, None));
    }
    Ok((app, user))
}

fn pend(world: &mut World, request: AuthorizeRequest, session: &str, user: Option<&str>, admin: bool) -> String {
    let context = world.rng.text(64);
    let pending = PendingSignIn { request, user: user.map(str::to_owned), session: session.to_owned(), admin };
    world.pending.insert(context.clone(), pending);
    context
}

fn ask_account(
    world: &mut World,
    request: AuthorizeRequest,
    session: &str,
    known: &[String],
    problem: Option<&EntraError>,
) -> Answer {
    let hint = request.login_hint.clone().unwrap_or_default();
    let tenant = request.tenant.clone();
    // Somebody who is known but forced to sign in again is asked for the address, not shown a list.
    let listed: &[String] = if request.prompt.as_deref() == Some("login") { &[] } else { known };
    let context = pend(world, request, session, None, false);
    pages::sign_in(world, &tenant, &context, &hint, listed, problem)
}

/// POST /{tenant}/login
pub(crate) fn signed_in(world: &mut World, call: &Call) -> Answer {
    let form = call.form();
    let Some(pending) = take_pending(world, call, &form) else { return stale(world) };
    let request = pending.request;
    if member(&form, "action") == Some("cancel") {
        return declined(world, &request);
    }
    let typed = member(&form, "account").or_else(|| member(&form, "loginfmt")).unwrap_or_default();
    let address = typed.trim().to_lowercase();
    match admits(world, &request, &address) {
        Ok(_) => {
            let known = world.sessions.entry(pending.session.clone()).or_default();
            known.retain(|other| *other != address);
            known.push(address.clone());
            if pending.admin {
                return ask_admin(world, request, &pending.session, &address);
            }
            proceed(world, request, &pending.session, &address)
        }
        Err(error) => {
            let request = AuthorizeRequest { login_hint: Some(address), ..request };
            let known = world.sessions.get(&pending.session).cloned().unwrap_or_default();
            ask_account(world, request, &pending.session, &known, Some(&error))
        }
    }
}

/// Signed in as that user: consent if needed, then the code.
fn proceed(world: &mut World, request: AuthorizeRequest, session: &str, address: &str) -> Answer {
    let (app, user) = match admits(world, &request, address) {
        Ok(found) => found,
        Err(error) => return pages::error(world, &error),
    };
    let consented = world.consented(&user, &app.client_id);
    let lacking = request.scopes.iter().any(|scope| !consented.contains(scope) && scope != ".default");
    if !lacking && request.prompt.as_deref() != Some("consent") {
        return grant_code(world, &request, address);
    }
    if request.prompt.as_deref() == Some("none") {
        let error = EntraError::new(65001, "The user or administrator has not consented to use the application.");
        return refuse(world, &request, &error, Some("consent_required"));
    }
    let may = user.admin || world.tenant(&user.tenant).is_none_or(|tenant| tenant.user_consent);
    let tenant = request.tenant.clone();
    let asked: Vec<String> = request.scopes.iter().cloned().collect();
    let context = pend(world, request, session, Some(address), false);
    pages::consent(world, &tenant, &context, &app.name, address, &asked, may)
}

/// POST /{tenant}/consent
pub(crate) fn consented(world: &mut World, call: &Call) -> Answer {
    let form = call.form();
    let Some(pending) = take_pending(world, call, &form) else { return stale(world) };
    let Some(address) = pending.user.clone() else { return stale(world) };
    let request = pending.request;
    let user = world.users.get(&address).cloned();
    let may = user.as_ref().is_some_and(|user| {
        user.admin || !pending.admin && world.tenant(&user.tenant).is_none_or(|tenant| tenant.user_consent)
    });
    if member(&form, "action") != Some("accept") || !may {
        return declined(world, &request);
    }
    let Some(user) = user else { return stale(world) };
    let scopes = request.scopes.iter().cloned();
    if pending.admin {
        world.admin_consents.entry((user.tenant.clone(), request.client_id.clone())).or_default().extend(scopes);
        let granted = request.scopes.iter().cloned().collect::<Vec<_>>().join(" ");
        let pairs = [("admin_consent", "True".to_owned()), ("tenant", user.tenant.clone()), ("scope", granted)];
        return respond(&request, &pairs);
    }
    world.consents.entry((address.clone(), request.client_id.clone())).or_default().extend(scopes);
    grant_code(world, &request, &address)
}

/// GET /{tenant}/v2.0/adminconsent
pub(crate) fn admin_consent(world: &mut World, call: &Call, tenant: &str) -> Answer {
    let mut query = call.query_pairs();
    if tenant.eq_ignore_ascii_case("common") || tenant.eq_ignore_ascii_case("consumers") {
        let error = EntraError::new(
            90023,
            "Admin consent is not available on this endpoint; name the tenant or use organizations.",
        );
        return pages::error(world, &error);
    }
    query.push(("response_type".to_owned(), "code".to_owned()));
    let request = match check(world, tenant, &query) {
        Ok(request) => request,
        Err(Refusal::Page(error) | Refusal::Redirect(_, error)) => return pages::error(world, &error),
    };
    let (session, known) = session(world, call);
    let admin = known.iter().find(|address| {
        admits(world, &request, address).is_ok() && world.users.get(*address).is_some_and(|user| user.admin)
    });
    let answer = match admin.cloned() {
        Some(address) => ask_admin(world, request, &session, &address),
        None => {
            let context = pend(world, request, &session, None, true);
            pages::sign_in(world, tenant, &context, "", &[], None)
        }
    };
    answer.with("Set-Cookie", &format!("{SESSION}={session}; Path=/; HttpOnly; SameSite=Lax"))
}

fn ask_admin(world: &mut World, request: AuthorizeRequest, session: &str, address: &str) -> Answer {
    let name = world.apps.get(&request.client_id).map(|app| app.name.clone()).unwrap_or_default();
    let may = world.users.get(address).is_some_and(|user| user.admin);
    let (tenant, asked) = (request.tenant.clone(), request.scopes.iter().cloned().collect::<Vec<_>>());
    let context = pend(world, request, session, Some(address), true);
    pages::admin_consent(world, &tenant, &context, &name, address, &asked, may)
}

impl World {
    /// What a user may use an application for, by own or an administrator's consent.
    pub(crate) fn consented(&self, user: &User, client_id: &str) -> BTreeSet<String> {
        let own = self.consents.get(&(user.address.clone(), client_id.to_owned()));
        let admin = self.admin_consents.get(&(user.tenant.clone(), client_id.to_owned()));
        own.into_iter()
            .chain(admin)
            .flatten()
            .cloned()
            .chain(
                // An administrator's consent covers signing in as such.
                admin.into_iter().flat_map(|_| OPENID.iter().map(|scope| (*scope).to_owned())),
            )
            .collect()
    }
}

/// The page's context, good for one answer from the session it was shown in.
fn take_pending(world: &mut World, call: &Call, form: &[(String, String)]) -> Option<PendingSignIn> {
    let context = member(form, "ctx")?;
    let session = call.cookie(SESSION)?;
    if world.pending.get(context)?.session != session {
        return None;
    }
    world.pending.remove(context)
}

fn stale(world: &mut World) -> Answer {
    let message = "Invalid Request: The request tokens do not match the user context. Do not copy the user context values (cookies; form fields; headers) between different requests or user sessions; always maintain the ALL of the supplied values across a complete single user flow.";
    pages::error(world, &EntraError::new(165_000, message))
}

fn declined(world: &mut World, request: &AuthorizeRequest) -> Answer {
    let error = EntraError::new(65004, "User declined to consent to access the app.");
    refuse(world, request, &error, Some("access_denied"))
}

fn grant_code(world: &mut World, request: &AuthorizeRequest, address: &str) -> Answer {
    let text = format!("1.A{}", world.rng.text(700));
    let code = Code { request: request.clone(), user: address.to_owned(), issued: world.now(), redeemed: false };
    world.codes.insert(text.clone(), code);
    let session_state = world.rng.guid();
    respond(request, &[("code", text), ("session_state", session_state)])
}

/// Tells the client of an error by its redirect address.
fn refuse(world: &mut World, request: &AuthorizeRequest, error: &EntraError, name: Option<&str>) -> Answer {
    let (description, _, _) = world.describe(error);
    let name = name.unwrap_or(error.class().1).to_owned();
    respond(request, &[("error", name), ("error_description", description)])
}

fn respond(request: &AuthorizeRequest, pairs: &[(&str, String)]) -> Answer {
    let state = request.state.iter().map(|state| ("state", state.clone()));
    let pairs: Vec<(&str, String)> = pairs.iter().cloned().chain(state).collect();
    if request.response_mode == "form_post" {
        let fields: Vec<(String, String)> = pairs.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
        return pages::form_post(&request.redirect_uri, &fields);
    }
    let encoded = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
    let separator = match request.response_mode.as_str() {
        "fragment" => "#",
        _ if request.redirect_uri.contains('?') => "&",
        _ => "?",
    };
    Answer::redirect(&format!("{}{separator}{encoded}", request.redirect_uri))
}
