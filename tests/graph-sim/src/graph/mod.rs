//! Microsoft Graph v1.0: who may call what, and which resource answers.

pub(crate) mod batch;
pub(crate) mod draft;
pub(crate) mod error;
pub(crate) mod events;
pub(crate) mod expansion;
pub(crate) mod filter;
pub(crate) mod mailbox;
pub(crate) mod meeting;
pub(crate) mod occurrences;
pub(crate) mod prefer;
pub(crate) mod profile;
pub(crate) mod recurrence;
pub(crate) mod render;
pub(crate) mod series;
pub(crate) mod write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::answer::{Answer, Call};
use crate::directory::{User, UserKind};
use crate::world::{AccessToken, World};
use error::{GraphError, Result, access_denied, invalid, not_modelled};

/// The longest body Graph takes: 4 MB.
pub(crate) const LARGEST_BODY: usize = 4 * 1024 * 1024;

pub(crate) fn serve(world: &mut World, call: &Call) -> Answer {
    match route(world, call) {
        Ok(answer) => answer,
        Err(error) => world.graph_error(&error),
    }
}

fn route(world: &mut World, call: &Call) -> Result<Answer> {
    let token = authenticate(world, call)?;
    if call.too_large || call.body.len() > LARGEST_BODY {
        return Err(error::usual(413));
    }
    let segments = call.segments();
    let mut path: Vec<&str> = segments.iter().map(String::as_str).collect();
    if !path.is_empty() {
        path.remove(0);
    }
    let lower: Vec<String> = path.iter().map(|segment| segment.to_ascii_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    let (owner, at) = match lower.as_slice() {
        ["$batch"] if call.method == "POST" => return batch::serve(world, call, &token.app, token.user.as_deref()),
        ["me", ..] => {
            let Some(user) = token.user.as_deref().and_then(|address| world.users.get(address)) else {
                return Err(invalid("BadRequest", "/me request is only valid with delegated authentication flow."));
            };
            (user.clone(), 1)
        }
        ["users", id, ..] => (addressed(world, &token, id)?, 2),
        [first, ..] => return Err(no_such_segment(first)),
        [] => return Err(no_such_segment("")),
    };
    let (rest, rest_lower) = (path.get(at..).unwrap_or_default(), lower.get(at..).unwrap_or_default());
    resource(world, call, &token, &owner, rest, rest_lower)
}

fn resource(
    world: &mut World,
    call: &Call,
    token: &AccessToken,
    owner: &User,
    path: &[&str],
    lower: &[&str],
) -> Result<Answer> {
    let get = call.method == "GET";
    if lower.is_empty() {
        if !has(token, &["User.Read", "User.ReadWrite", "User.Read.All", "User.ReadBasic.All"]) {
            return Err(GraphError::new(
                403,
                "Authorization_RequestDenied",
                "Insufficient privileges to complete the operation.",
            ));
        }
        return if get { profile::me(call, owner) } else { Err(events::method_not_allowed()) };
    }
    if matches!(lower, ["onlinemeetings" | "presence" | "chats" | "messages" | "calendargroups", ..]) {
        return Err(not_modelled(&format!("/me/{}", path.first().copied().unwrap_or_default())));
    }
    has_mailbox(world, owner)?;
    match lower {
        ["mailboxsettings", part @ ..] => {
            require(token, &["MailboxSettings.Read", "MailboxSettings.ReadWrite"])?;
            if !get {
                return Err(not_modelled("changing mailboxSettings"));
            }
            profile::mailbox_settings(world, call, owner, part.first().copied())
        }
        ["outlook", function] if get && function.starts_with("supportedtimezones") => {
            require(token, &["User.Read", "User.ReadWrite"])?;
            Ok(profile::supported_time_zones(call, function))
        }
        ["translateexchangeids"] if call.method == "POST" => {
            require(token, &["User.Read", "User.ReadWrite"])?;
            profile::translate_ids(world, call, owner)
        }
        ["calendar"] if get => {
            require_calendar(token, true)?;
            profile::calendar(call, owner)
        }
        ["calendars"] if get => {
            require_calendar(token, true)?;
            Ok(profile::calendars(call, owner))
        }
        ["calendars", id, ..] if !known_calendar(owner, id) => Err(error::item_not_found()),
        ["calendars", _] if get => {
            require_calendar(token, true)?;
            profile::calendar(call, owner)
        }
        ["calendarview"] | ["calendar", "calendarview"] | ["calendars", _, "calendarview"] if get => {
            require_calendar(token, true)?;
            events::calendar_view(world, call, owner)
        }
        ["events"] | ["calendar", "events"] | ["calendars", _, "events"] => match call.method.as_str() {
            "GET" => {
                require_calendar(token, true)?;
                events::list(world, call, owner)
            }
            "POST" => {
                require_calendar(token, false)?;
                events::create(world, call, owner)
            }
            _ => Err(events::method_not_allowed()),
        },
        ["events", ..] | ["calendar", "events", ..] | ["calendars", _, "events", ..] => {
            require_calendar(token, get)?;
            let at = lower.iter().position(|segment| *segment == "events").unwrap_or(0);
            match path.get(at + 1..).unwrap_or_default() {
                [id] => events::item(world, call, owner, id),
                [id, list] if list.eq_ignore_ascii_case("instances") => events::instances(world, call, owner, id),
                [id, action] => events::action(world, call, owner, id, &action.to_ascii_lowercase()),
                _ => Err(not_modelled(&call.path)),
            }
        }
        [first, ..] => Err(no_such_segment(first)),
        [] => Err(no_such_segment("")),
    }
}

pub(crate) fn no_such_segment(name: &str) -> GraphError {
    invalid("BadRequest", format!("Resource not found for the segment '{name}'."))
}

fn known_calendar(owner: &User, id: &str) -> bool {
    id.contains(&owner.object_id.replace('-', "").to_ascii_lowercase())
}

/// A delegated token reaches its own mailbox only; an application's own one any of its tenant.
fn addressed(world: &World, token: &AccessToken, id: &str) -> Result<User> {
    let user = world
        .user(id)
        .filter(|user| user.tenant == token.tenant)
        .ok_or_else(|| GraphError::new(404, "ErrorInvalidUser", format!("The requested user '{id}' is invalid.")))?;
    match &token.user {
        Some(own) if *own != user.address => Err(access_denied()),
        _ => Ok(user.clone()),
    }
}

fn has(token: &AccessToken, any: &[&str]) -> bool {
    token.scopes.iter().any(|scope| any.iter().any(|wanted| wanted.eq_ignore_ascii_case(scope)))
}

fn require(token: &AccessToken, any: &[&str]) -> Result<()> {
    if has(token, any) { Ok(()) } else { Err(access_denied()) }
}

fn require_calendar(token: &AccessToken, reading: bool) -> Result<()> {
    let writes = ["Calendars.ReadWrite", "Calendars.ReadWrite.Shared"];
    let reads = ["Calendars.Read", "Calendars.Read.Shared", "Calendars.ReadBasic"];
    if has(token, &writes) || reading && has(token, &reads) { Ok(()) } else { Err(access_denied()) }
}

fn has_mailbox(world: &World, owner: &User) -> Result<()> {
    let message = "The mailbox is either inactive, soft-deleted, or is hosted on-premise.";
    if owner.kind == UserKind::OnPremises {
        return Err(GraphError::new(404, "MailboxNotEnabledForRESTAPI", message));
    }
    if owner.fresh_until.is_some_and(|until| until > world.now()) {
        return Err(GraphError::new(404, &world.switches.fresh_mailbox_code, message));
    }
    Ok(())
}

fn authenticate(world: &World, call: &Call) -> Result<AccessToken> {
    let authority = format!("authorization_uri=\"{}/common/oauth2/authorize\"", call.base);
    let refused = |message: &str| {
        let challenge = format!("Bearer realm=\"\", {authority}, error=\"invalid_token\"");
        GraphError {
            header: Some(("WWW-Authenticate", challenge)),
            ..GraphError::new(401, "InvalidAuthenticationToken", message)
        }
    };
    let value = call.header("authorization").unwrap_or_default();
    let Some(text) = value.strip_prefix("Bearer ").map(str::trim).filter(|text| !text.is_empty()) else {
        return Err(refused("Access token is empty."));
    };
    let Some(token) = world.access_tokens.get(text) else {
        return Err(refused(if text.split('.').count() == 3 {
            "Access token validation failure. Invalid signature."
        } else {
            "CompactToken parsing failed with error code: 80049217"
        }));
    };
    if token.expires <= world.now() {
        return Err(refused("Lifetime validation failed, the token is expired."));
    }
    let user = token.user.as_ref().and_then(|address| world.users.get(address));
    if token.user.is_some() && user.is_none() {
        return Err(refused("The user of this token was not found."));
    }
    if user.is_some_and(|user| user.claims_challenge) && token.continuous {
        return Err(claims_challenge(&call.base));
    }
    Ok(token.clone())
}

/// graph-facts A7: the continuous-access challenge.
pub(crate) fn claims_challenge(base: &str) -> GraphError {
    let claims = STANDARD.encode("{\"access_token\":{\"nbf\":{\"essential\":true,\"value\":\"1604106651\"}}}");
    let challenge = format!(
        "Bearer realm=\"\", authorization_uri=\"{base}/common/oauth2/authorize\", error=\"insufficient_claims\", claims=\"{claims}\""
    );
    GraphError {
        header: Some(("WWW-Authenticate", challenge)),
        ..GraphError::new(
            401,
            "InvalidAuthenticationToken",
            "Continuous access evaluation resulted in challenge with result: InteractionRequired.",
        )
    }
}
