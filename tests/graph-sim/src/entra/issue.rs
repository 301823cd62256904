//! Minting tokens: of the shape and size of the real ones, good for nothing but this simulator.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::directory::{CONSUMERS, User};
use crate::entra::store::RefreshToken;
use crate::rng::Rng;
use crate::switches::ScopeEcho;
use crate::world::{AccessToken, World};

/// The scopes that are OpenID Connect's and not Graph's.
pub(crate) const OPENID: &[&str] = &["openid", "profile", "email", "offline_access"];
const GRAPH: &str = "https://graph.microsoft.com/";

/// Who a set of tokens is for.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub app: String,
    pub user: User,
    pub scopes: BTreeSet<String>,
    pub nonce: Option<String>,
    pub continuous: bool,
    pub family: Option<String>,
    pub spa: bool,
}

impl World {
    /// The body of a successful token answer.
    pub(crate) fn issue(&mut self, subject: &Subject, base: &str) -> Value {
        let now = self.now();
        // graph-facts A7: at random 60 to 90 minutes; 24 to 28 hours for clients that take challenges.
        let lifetime =
            if subject.continuous { self.rng.between(86_400, 100_800) } else { self.rng.between(3_600, 5_400) };
        let expires = now + TimeDelta::seconds(lifetime as i64);
        let access = self.access_text(&subject.app, Some(&subject.user), &subject.scopes, lifetime);
        self.access_tokens.insert(
            access.clone(),
            AccessToken {
                app: subject.app.clone(),
                user: Some(subject.user.address.clone()),
                tenant: subject.user.tenant.clone(),
                scopes: subject.scopes.clone(),
                expires,
                continuous: subject.continuous,
            },
        );
        let mut body = json!({
            "token_type": "Bearer",
            "scope": self.echo(&subject.scopes),
            "expires_in": lifetime,
            "ext_expires_in": lifetime,
            "access_token": access,
        });
        let Some(members) = body.as_object_mut() else { return body };
        if subject.scopes.contains("offline_access") {
            let start = if subject.user.tenant == CONSUMERS { "M.C5_" } else { "1.AQ" };
            let length = self.switches.refresh_token_bytes;
            let text = format!("{start}{}", self.rng.text(length.saturating_sub(start.len())));
            let family = subject.family.clone().unwrap_or_else(|| text.clone());
            let token = RefreshToken {
                app: subject.app.clone(),
                user: subject.user.address.clone(),
                scopes: subject.scopes.clone(),
                issued: now,
                used: now,
                family,
                redeemed: false,
                revoked: false,
                spa: subject.spa,
                continuous: subject.continuous,
            };
            self.refresh_tokens.insert(text.clone(), token);
            members.insert("refresh_token".into(), json!(text));
        }
        if subject.scopes.contains("openid") {
            let now = now.timestamp();
            let user = &subject.user;
            let mut claims = json!({
                "ver": "2.0",
                "iss": format!("{base}/{}/v2.0", user.tenant),
                "aud": subject.app,
                "iat": now,
                "nbf": now,
                "exp": now + 3_600,
                "oid": user.object_id,
                "sub": format!("{}-sub", user.object_id),
                "tid": user.tenant,
                "rh": "1.",
            });
            if let Some(claims) = claims.as_object_mut() {
                if subject.scopes.contains("profile") {
                    claims.insert("name".into(), json!(user.display_name));
                    claims.insert("preferred_username".into(), json!(user.address));
                }
                if subject.scopes.contains("email") {
                    claims.insert("email".into(), json!(user.address));
                }
                if let Some(nonce) = &subject.nonce {
                    claims.insert("nonce".into(), json!(nonce));
                }
            }
            members.insert("id_token".into(), json!(jwt(&mut self.rng, &claims)));
        }
        body
    }

    /// An application's own token.
    pub(crate) fn issue_to_app(&mut self, app: &str, tenant: &str, permissions: &[String]) -> Value {
        let scopes: BTreeSet<String> = permissions.iter().cloned().collect();
        let access = self.access_text(app, None, &scopes, 3_599);
        let expires = self.now() + TimeDelta::seconds(3_599);
        let token = AccessToken {
            app: app.to_owned(),
            user: None,
            tenant: tenant.to_owned(),
            scopes,
            expires,
            continuous: false,
        };
        self.access_tokens.insert(access.clone(), token);
        json!({"token_type": "Bearer", "expires_in": 3_599, "ext_expires_in": 3_599, "access_token": access})
    }

    fn access_text(&mut self, app: &str, user: Option<&User>, scopes: &BTreeSet<String>, lifetime: u64) -> String {
        let length = self.switches.access_token_bytes;
        // Personal accounts get a compact token, which is no JWT.
        if user.is_some_and(|user| user.tenant == CONSUMERS) {
            return format!("EwB{}", self.rng.text(length.saturating_sub(3)));
        }
        let now = self.now().timestamp();
        let mut claims = json!({
            "aud": "00000003-0000-0000-c000-000000000000",
            "iss": format!("https://sts.windows.net/{}/", user.map_or("app", |user| &user.tenant)),
            "iat": now,
            "nbf": now,
            "exp": now + lifetime as i64,
            "acct": 0,
            "acr": "1",
            "appid": app,
            "appidacr": "1",
            "idtyp": if user.is_some() { "user" } else { "app" },
            "oid": user.map(|user| &user.object_id),
            "tid": user.map(|user| &user.tenant),
            "upn": user.map(|user| &user.address),
            "scp": self.echo(scopes),
            "ver": "1.0",
        });
        // Base64 makes four letters of three; 500 are the header and the signature.
        let missing = (length.saturating_sub(500) * 3 / 4).saturating_sub(claims.to_string().len() + 12);
        let filler = self.rng.text(missing);
        if let Some(claims) = claims.as_object_mut() {
            claims.insert("aio".into(), json!(filler));
        }
        jwt(&mut self.rng, &claims)
    }

    /// `scope` of an answer: what was granted, never `offline_access`.
    pub(crate) fn echo(&self, scopes: &BTreeSet<String>) -> String {
        let spelt = |scope: &String| match self.switches.scope_echo {
            ScopeEcho::Uri if !OPENID.contains(&scope.as_str()) => format!("{GRAPH}{scope}"),
            _ => scope.clone(),
        };
        scopes.iter().filter(|scope| *scope != "offline_access").map(spelt).collect::<Vec<_>>().join(" ")
    }
}

fn jwt(rng: &mut Rng, claims: &Value) -> String {
    let header = json!({"typ": "JWT", "alg": "RS256", "kid": "simulated", "nonce": rng.text(32)});
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", encode(&header), encode(claims), rng.text(342))
}

/// Scopes as sent, without Graph's address, in Graph's spelling; `None` names one that does not exist.
pub(crate) fn scopes(text: &str) -> Result<BTreeSet<String>, String> {
    const KNOWN: &[&str] = &[
        "openid",
        "profile",
        "email",
        "offline_access",
        "User.Read",
        "User.ReadWrite",
        "User.ReadBasic.All",
        "User.Read.All",
        "Calendars.Read",
        "Calendars.ReadBasic",
        "Calendars.ReadWrite",
        "Calendars.Read.Shared",
        "Calendars.ReadWrite.Shared",
        "MailboxSettings.Read",
        "MailboxSettings.ReadWrite",
        "OnlineMeetings.Read",
        "OnlineMeetings.ReadWrite",
        "Presence.Read",
        "Presence.Read.All",
        "Presence.ReadWrite",
        "Mail.Send",
        "Mail.Read",
        "Contacts.Read",
        ".default",
    ];
    text.split_whitespace()
        .map(|scope| {
            let short = scope.strip_prefix(GRAPH).unwrap_or(scope);
            let known = KNOWN.iter().find(|known| known.eq_ignore_ascii_case(short));
            known.map(|known| (*known).to_owned()).ok_or_else(|| scope.to_owned())
        })
        .collect()
}
