//! The token endpoint: what is asked of it, and what its answers mean.
//!
//! Answers are told apart by `error` and `error_codes`, never by their text (`graph-facts.md` A7 has the table).

use std::cell::RefCell;
use std::time::Instant;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use oauth2::basic::{BasicClient, BasicTokenResponse};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, PkceCodeVerifier, RedirectUrl, RefreshToken, TokenResponse, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{Accounts, AccountsError};
use crate::egress::{EgressError, Outgoing, retry_after_ms};
use crate::store::ConnectorRow;
use crate::words::Phrase;

/// How long to wait where the endpoint does not say.
pub(super) const LATER_MS: u64 = 2_000;
/// How long to wait after an error nobody knows: it will not mend itself in seconds.
const UNKNOWN_MS: u64 = 300_000;

/// A client whose two endpoints are known.
pub(super) type Client = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// What is asked for.
pub(super) enum Grant<'a> {
    Code { code: &'a str, verifier: &'a str },
    Refresh(&'a SecretString),
}

/// Tokens as they were granted.
pub(super) struct Granted {
    pub(super) access: SecretString,
    pub(super) refresh: Option<SecretString>,
    pub(super) lifetime_ms: i64,
    /// `None`: as asked for.
    pub(super) scopes: Option<String>,
    pub(super) claims: Option<Claims>,
}

/// Who signed in, by the id token. It came straight from the token endpoint over TLS, which is what vouches for it
/// (OpenID Connect Core §3.1.3.7); its signature is not looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Claims {
    pub(super) tid: String,
    pub(super) oid: String,
    pub(super) preferred_username: String,
    pub(super) email: String,
    pub(super) nonce: String,
    pub(super) aud: String,
    pub(super) iss: String,
}

/// Why there are no tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Denied {
    /// The user has to sign in (again).
    User { code: String, codes: Vec<u64>, phrase: Phrase },
    /// The registration is at fault, for everybody.
    Admin { code: String, phrase: Phrase },
    /// It may go better later. `cause`: for the log, without anything secret.
    Later { after_ms: u64, phrase: Phrase, cause: String },
}

impl Denied {
    /// For the log: Microsoft's code, or what was in the way.
    pub(super) fn cause(&self) -> &str {
        match self {
            Self::User { code, .. } | Self::Admin { code, .. } => code,
            Self::Later { cause, .. } => cause,
        }
    }
}

impl Accounts {
    /// The OAuth client of a connector.
    pub(super) fn client(&self, connector: &ConnectorRow) -> Result<Client, AccountsError> {
        let invalid = |e: oauth2::url::ParseError| AccountsError::Invalid(format!("the connector's address: {e}"));
        let mut client = BasicClient::new(ClientId::new(connector.client_id.clone().unwrap_or_default()))
            .set_auth_uri(AuthUrl::new(connector.authorize_url.clone()).map_err(invalid)?)
            .set_token_uri(TokenUrl::new(connector.token_url.clone()).map_err(invalid)?)
            .set_redirect_uri(RedirectUrl::new(self.redirect_url(connector)).map_err(invalid)?)
            .set_auth_type(AuthType::RequestBody);
        if let Some(secret) = self.client_secret(connector)? {
            client = client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()));
        }
        Ok(client)
    }

    /// Asks the token endpoint, once.
    pub(super) fn ask(
        &self,
        connector: &ConnectorRow,
        grant: &Grant<'_>,
        deadline: Instant,
    ) -> Result<Result<Granted, Denied>, AccountsError> {
        let client = self.client(connector)?;
        let outcome = RefCell::new(None);
        let send = |request: HttpRequest| self.send(connector, request, deadline, &outcome);
        let parsed = match grant {
            Grant::Code { code, verifier } => client
                .exchange_code(AuthorizationCode::new((*code).to_owned()))
                .set_pkce_verifier(PkceCodeVerifier::new((*verifier).to_owned()))
                .request(&send),
            Grant::Refresh(token) => {
                client.exchange_refresh_token(&RefreshToken::new(token.expose_secret().to_owned())).request(&send)
            }
        };
        let Some(answer) = outcome.into_inner() else {
            let cause = "the request could not be made".to_owned();
            return Ok(Err(Denied::Later { after_ms: LATER_MS, phrase: Phrase::new("later-not-asked"), cause }));
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return Ok(Err(unreachable(&error))),
        };
        Ok(match parsed {
            Ok(tokens) if answer.status == 200 => Ok(granted(&tokens, &answer.body)),
            _ => Err(denied(&answer, self.clock.now())),
        })
    }

    /// One request of the oauth2 crate. The answer is kept as it came, because its status and `Retry-After` count too.
    fn send(
        &self,
        connector: &ConnectorRow,
        request: HttpRequest,
        deadline: Instant,
        outcome: &RefCell<Option<Result<Answer, EgressError>>>,
    ) -> Result<HttpResponse, std::io::Error> {
        let (parts, body) = request.into_parts();
        let headers = parts.headers.iter();
        let outgoing = Outgoing {
            method: "POST",
            url: parts.uri.to_string(),
            headers: headers.filter_map(|(n, v)| Some((n.to_string(), v.to_str().ok()?.to_owned()))).collect(),
            body: Some(body),
            deadline,
        };
        let sent = self.egress.send(connector, outgoing).map(|incoming| Answer {
            status: incoming.status,
            retry_after: incoming.header("retry-after").map(str::to_owned),
            body: incoming.body,
        });
        let response = match &sent {
            Ok(answer) => oauth2::http::Response::builder()
                .status(answer.status)
                .header("content-type", "application/json")
                .body(answer.body.clone())
                .map_err(std::io::Error::other),
            Err(_) => Err(std::io::Error::other("not answered")),
        };
        *outcome.borrow_mut() = Some(sent);
        response
    }
}

struct Answer {
    status: u16,
    retry_after: Option<String>,
    body: Vec<u8>,
}

fn unreachable(error: &EgressError) -> Denied {
    let phrase = match error {
        EgressError::Refused(why) => Phrase::new("later-refused-here").with("why", why),
        _ => Phrase::new("later-no-answer"),
    };
    Denied::Later { after_ms: LATER_MS, phrase, cause: plain(&error.to_string(), 300) }
}

fn granted(tokens: &BasicTokenResponse, body: &[u8]) -> Granted {
    #[derive(Deserialize)]
    struct More {
        scope: Option<String>,
        id_token: Option<String>,
    }
    let more: Option<More> = serde_json::from_slice(body).ok();
    let lifetime = tokens.expires_in().map_or(3_600_000, |d| d.as_millis());
    let (scopes, id_token) = more.map_or((None, None), |m| (m.scope, m.id_token));
    let refresh = tokens.refresh_token().map(|t| t.secret().as_str()).filter(|t| !t.is_empty());
    Granted {
        access: SecretString::from(tokens.access_token().secret().as_str()),
        refresh: refresh.map(SecretString::from),
        // Tokens live hours; a lifetime of years is a mistake that must not outlive the next refresh.
        lifetime_ms: i64::try_from(lifetime).unwrap_or(i64::MAX).min(48 * 3_600_000),
        scopes: scopes.filter(|s| !s.trim().is_empty()),
        claims: id_token.and_then(|token| claims(&token)),
    }
}

fn claims(id_token: &str) -> Option<Claims> {
    let payload = id_token.split('.').nth(1)?;
    let json = BASE64_URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&json).ok()
}

fn denied(answer: &Answer, now: i64) -> Denied {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Body {
        error: String,
        error_codes: Vec<u64>,
    }
    let later = |default_ms: u64, phrase: Phrase, cause: String| {
        let asked = answer.retry_after.as_deref().and_then(|v| retry_after_ms(v, now));
        Denied::Later { after_ms: asked.unwrap_or(default_ms), phrase, cause }
    };
    let status = answer.status;
    let body: Body = serde_json::from_slice(&answer.body).unwrap_or_default();
    if status == 429 || status >= 500 {
        let phrase = Phrase::new("later-status").with("status", status.to_string());
        let named = body.error_codes.first().map_or_else(String::new, |code| format!("AADSTS{code}, "));
        return later(LATER_MS, phrase, format!("{named}status {status}"));
    }
    if body.error.is_empty() || !(400..500).contains(&status) {
        let phrase = Phrase::new("later-no-sense").with("status", status.to_string());
        return later(LATER_MS, phrase, format!("an answer that is none, status {status}"));
    }
    let codes = body.error_codes;
    let has = |list: &[u64]| codes.iter().copied().find(|c| list.contains(c));
    let error = plain(&body.error, 60);
    let code = |n: Option<u64>| n.map_or_else(|| error.clone(), |n| format!("AADSTS{n}"));
    if has(&TRANSIENT).is_some() || matches!(error.as_str(), "temporarily_unavailable" | "server_error") {
        let cause = code(codes.first().copied());
        return later(LATER_MS, Phrase::new("later-asked").with("code", error), cause);
    }
    if let Some(known) = has(&ADMIN) {
        return Denied::Admin { code: code(Some(known)), phrase: admin_phrase(known) };
    }
    match error.as_str() {
        "invalid_client" | "unauthorized_client" => {
            let first = codes.first().copied();
            Denied::Admin { code: code(first), phrase: admin_phrase(first.unwrap_or(0)) }
        }
        "invalid_grant" | "interaction_required" | "consent_required" | "login_required" => {
            let phrase = user_phrase(&codes);
            Denied::User { code: code(codes.first().copied()), codes, phrase }
        }
        _ => {
            let cause = code(codes.first().copied());
            later(UNKNOWN_MS, Phrase::new("later-unknown").with("code", &cause), cause)
        }
    }
}

const TRANSIENT: [u64; 8] = [50033, 90006, 90024, 90033, 90090, 70012, 90055, 50196];

const ADMIN: [u64; 12] =
    [7000215, 7000222, 7000218, 700027, 700016, 7000112, 90002, 50011, 50194, 9001023, 9002313, 7000216];

fn admin_phrase(code: u64) -> Phrase {
    Phrase::new(match code {
        7000222 => "admin-secret-expired",
        7000215 => "admin-secret-wrong",
        7000218 | 7000216 => "admin-secret-missing",
        700016 | 7000112 => "admin-client-unknown",
        90002 => "admin-tenant-unknown",
        50011 => "admin-redirect",
        50194 => "admin-single-tenant",
        _ => "admin-refused",
    })
}

fn user_phrase(codes: &[u64]) -> Phrase {
    let any = |list: &[u64]| codes.iter().any(|c| list.contains(c));
    Phrase::new(if any(&[50057]) {
        "dead-disabled"
    } else if any(&[65001, 65004, 90094, 90095]) {
        "dead-consent"
    } else if any(&[50076, 50079, 50078, 50072, 50074, 53000, 53003, 530032]) {
        "dead-seen-again"
    } else if any(&[70008, 700082, 700084]) {
        "dead-unused"
    } else {
        "dead-ended"
    })
}

/// What ended a connection, by the code that is kept of it.
pub(crate) fn dead_phrase(code: &str) -> Phrase {
    match (code, code.strip_prefix("AADSTS").and_then(|number| number.parse().ok())) {
        ("scope-lost", _) => Phrase::new("dead-scope"),
        ("other-identity", _) => Phrase::new("dead-other-identity"),
        (_, Some(number)) => user_phrase(&[number]),
        (_, None) => Phrase::new("dead-ended"),
    }
}

/// Codes that are about the credential itself: whoever signs in, whatever they send.
const CREDENTIAL: [&str; 5] = ["AADSTS7000215", "AADSTS7000222", "AADSTS7000218", "AADSTS7000216", "AADSTS700027"];

/// Codes that another tenant may not get: the application or the tenant is not known, or switched off, there.
const OF_A_TENANT: [&str; 3] = ["AADSTS700016", "AADSTS7000112", "AADSTS90002"];

/// Whether a refused sign-in says that the registration works for nobody. What a user sends along (a code, a tenant) must not
/// be able to stop the connector for all.
pub(super) fn stops_registration_at_sign_in(code: &str) -> bool {
    CREDENTIAL.contains(&code)
}

/// The same for a refused refresh.
pub(super) fn stops_registration_at_refresh(code: &str, connector: &ConnectorRow) -> bool {
    let path = url::Url::parse(&connector.token_url).map(|url| url.path().to_owned()).unwrap_or_default();
    let many_tenants = path.split('/').any(|part| matches!(part, "common" | "organizations" | "consumers"));
    // A request that is malformed is malformed by this account's token.
    code != "AADSTS9002313" && !(many_tenants && OF_A_TENANT.contains(&code))
}

/// Somebody else's text, short and without anything that could be markup or move a terminal.
pub(super) fn plain(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control() && !is_bidi(*c)).take(most).collect()
}

fn is_bidi(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The scopes that are rights at a service; the others shape the sign-in and are not echoed.
pub(super) fn rights(scopes: &str) -> impl Iterator<Item = &str> {
    scopes.split_whitespace().filter(|s| !matches!(*s, "openid" | "profile" | "email" | "offline_access"))
}

/// The first right in `wanted` that `granted` lacks. Microsoft may write a right with its resource before it, in any case.
pub(super) fn lost_right<'a>(wanted: &'a str, granted: &str) -> Option<&'a str> {
    let short = |s: &str| s.rsplit('/').next().unwrap_or(s).to_ascii_lowercase();
    let granted: Vec<String> = granted.split_whitespace().map(short).collect();
    rights(wanted).find(|right| !granted.contains(&short(right)))
}
