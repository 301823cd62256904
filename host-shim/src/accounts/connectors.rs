//! Connectors: OAuth registrations at Microsoft, and where its services are.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize};
use url::Url;
use zeroize::Zeroizing;

use super::{Accounts, AccountsError, check_url, random_text};
use crate::egress;
use crate::store::{ConnectorRow, StoreError};

/// The one connector that `init` makes.
pub const PREDEFINED: &str = "teams";

const MICROSOFT: &str = "https://login.microsoftonline.com";
const SCOPES: &str = "openid profile offline_access User.Read Calendars.ReadWrite";

/// What is to be changed of a connector; what is absent stays.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConnectorPatch {
    /// `common`, `organizations`, `consumers`, or a tenant's id or domain: writes both endpoints.
    pub account_type: Option<String>,
    /// Authorization endpoint.
    pub authorize_url: Option<String>,
    /// Token endpoint.
    pub token_url: Option<String>,
    /// Service name → base address; those not named stay.
    pub services: BTreeMap<String, String>,
    /// The redirect address registered with Microsoft; empty: made from the public address.
    pub redirect_url: Option<String>,
    /// Scopes, space-separated.
    pub scopes: Option<String>,
    /// Application (client) id.
    pub client_id: Option<String>,
    /// The client secret's value. It can be replaced and is never shown.
    #[serde(deserialize_with = "secret")]
    pub secret: Option<SecretString>,
    /// Explicit proxy, `http://host:port`; `null` takes it away.
    #[serde(deserialize_with = "tri_state")]
    pub proxy: Option<Option<String>>,
    /// Explicit trust anchors, a PEM file; `null` takes it away.
    #[serde(deserialize_with = "tri_state")]
    pub ca_file: Option<Option<String>>,
}

impl std::fmt::Debug for ConnectorPatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConnectorPatch").finish_non_exhaustive()
    }
}

fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SecretString>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.map(SecretString::from))
}

fn tri_state<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// A connector as an administrator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConnectorView {
    /// Immutable id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Whether it is switched on.
    pub enabled: bool,
    /// Whether nothing is missing.
    pub complete: bool,
    /// What is missing or wrong, in sentences.
    pub problems: Vec<String>,
    /// `common`, `organizations`, `consumers` or a tenant, where the endpoints have Microsoft's form.
    pub account_type: Option<String>,
    /// Authorization endpoint.
    pub authorize_url: String,
    /// Token endpoint.
    pub token_url: String,
    /// Service name → base address.
    pub services: BTreeMap<String, String>,
    /// The redirect address to register with Microsoft.
    pub redirect_url: String,
    /// Scopes, space-separated.
    pub scopes: String,
    /// Application (client) id.
    pub client_id: Option<String>,
    /// Whether a client secret is set.
    pub has_secret: bool,
    /// Explicit proxy.
    pub proxy: Option<String>,
    /// Explicit trust anchors.
    pub ca_file: Option<String>,
    /// Whether an address of it is on this machine: a simulator and not Microsoft.
    pub test_endpoint: bool,
    /// What Microsoft refused it for.
    pub dead: Option<String>,
    /// The same in a sentence with what to do.
    pub dead_message: Option<String>,
}

impl Accounts {
    /// All connectors, by name.
    pub fn connectors(&self) -> Result<Vec<ConnectorView>, AccountsError> {
        Ok(self.rules()?.connectors.iter().map(|row| self.connector_view(row)).collect())
    }

    /// Sees whether the key ring opens what this store holds.
    ///
    /// # Errors
    /// [`AccountsError::Conflict`] where it is the ring of another installation.
    pub fn check_key_ring(&self) -> Result<(), AccountsError> {
        for row in self.read(|tx| tx.connectors())? {
            let Some(secret) = &row.secret else { continue };
            self.vault.open_sealed(&["client-secret", &row.id], secret).map_err(|error| {
                AccountsError::Conflict(format!(
                    "the key ring is not the one of this store: the client secret of connector `{}` was {error}; no token would open either, so put this installation's own key ring back",
                    row.name
                ))
            })?;
        }
        Ok(())
    }

    /// Makes the connector `teams`, switched off, unless there is one; gives it.
    pub fn ensure_predefined(&self) -> Result<ConnectorView, AccountsError> {
        let id = random_text()?.to_string();
        let row = self.transact(|tx| {
            if let Some(found) = tx.connectors()?.into_iter().find(|c| c.name == PREDEFINED) {
                return Ok(found);
            }
            let row = ConnectorRow {
                id: id.clone(),
                name: PREDEFINED.into(),
                enabled: false,
                authorize_url: format!("{MICROSOFT}/common/oauth2/v2.0/authorize"),
                token_url: format!("{MICROSOFT}/common/oauth2/v2.0/token"),
                services: vec![("graph".into(), "https://graph.microsoft.com/v1.0".into())],
                redirect_url: String::new(),
                scopes: SCOPES.into(),
                client_id: None,
                secret: None,
                proxy: None,
                ca_file: None,
                dead: None,
                dead_message: None,
            };
            tx.put_connector(&row)?;
            Ok(row)
        })?;
        self.forget_rules();
        Ok(self.connector_view(&row))
    }

    /// Changes a connector. A changed credential or endpoint takes away what Microsoft refused it for, and what waited for
    /// that is tried again.
    pub fn change_connector(&self, name: &str, patch: ConnectorPatch) -> Result<ConnectorView, AccountsError> {
        let old = self.connector_named(name)?;
        let mut new = old.clone();
        apply(&mut new, &patch)?;
        let mut touched = new != old;
        if let Some(secret) = &patch.secret {
            new.secret = Some(self.vault.seal(&["client-secret", &new.id], check_secret(secret)?.as_bytes()));
            touched = true;
        }
        if touched {
            (new.dead, new.dead_message) = (None, None);
        }
        if new.enabled && !problems(&new).is_empty() {
            let why = problems(&new).join(" ");
            return Err(AccountsError::Conflict(format!("Connector `{name}` is on and would be incomplete. {why}")));
        }
        let now = self.clock.now();
        self.transact(|tx| {
            // Compared inside the transaction, so that two changes at once do not undo each other.
            if tx.connectors()?.into_iter().find(|c| c.id == old.id).as_ref() != Some(&old) {
                return Err(StoreError::Undone(
                    "the connector was changed by somebody else meanwhile; try again".into(),
                ));
            }
            tx.put_connector(&new)?;
            if touched && new.enabled {
                tx.unpark(None, "connector", now)?;
            }
            Ok(())
        })
        .map_err(conflict)?;
        self.forget_rules();
        self.refreshes.forget_all();
        Ok(self.connector_view(&new))
    }

    /// Switches a connector on or off; refuses, in sentences, to switch on an incomplete one.
    pub fn enable_connector(&self, name: &str, on: bool) -> Result<ConnectorView, AccountsError> {
        let id = self.connector_named(name)?.id;
        let now = self.clock.now();
        let row = self
            .transact(|tx| {
                let found = tx.connectors()?.into_iter().find(|c| c.id == id);
                let mut row = found.ok_or_else(|| StoreError::Undone("the connector is gone".into()))?;
                let problems = problems(&row);
                if on && !problems.is_empty() {
                    return Err(StoreError::Undone(problems.join(" ")));
                }
                row.enabled = on;
                // Switching it on is how an administrator says: try again.
                if on {
                    (row.dead, row.dead_message) = (None, None);
                }
                tx.put_connector(&row)?;
                if on {
                    tx.unpark(None, "connector", now)?;
                }
                Ok(row)
            })
            .map_err(conflict)?;
        self.forget_rules();
        Ok(self.connector_view(&row))
    }

    /// The connector by which a new connection is made: one that is on and complete, `teams` before others.
    pub fn default_connector(&self) -> Result<Option<ConnectorRow>, AccountsError> {
        let rules = self.rules()?;
        let usable = || rules.connectors.iter().filter(|c| is_usable(c));
        Ok(usable().find(|c| c.name == PREDEFINED).or_else(|| usable().next()).cloned())
    }

    fn connector_named(&self, name: &str) -> Result<ConnectorRow, AccountsError> {
        let rules = self.rules()?;
        let names: Vec<_> = rules.connectors.iter().map(|c| format!("`{}`", c.name)).collect();
        rules.connectors.iter().find(|c| c.name == name).cloned().ok_or_else(|| {
            AccountsError::NotFound(format!("There is no connector `{name}`; there is {}", names.join(", ")))
        })
    }

    /// The redirect address of a connector, as registered with Microsoft.
    pub fn redirect_url(&self, connector: &ConnectorRow) -> String {
        match (connector.redirect_url.as_str(), connector.name.as_str()) {
            ("", PREDEFINED) => format!("{}/api/v1/oauth/access", self.public_url),
            ("", name) => format!("{}/api/v1/oauth/access/{name}", self.public_url),
            (set, _) => set.to_owned(),
        }
    }

    pub(super) fn client_secret(&self, connector: &ConnectorRow) -> Result<Option<SecretString>, AccountsError> {
        let Some(sealed) = &connector.secret else { return Ok(None) };
        let plain = self.vault.open_sealed(&["client-secret", &connector.id], sealed)?;
        let text = std::str::from_utf8(&plain).map_err(|_| super::VaultError::Closed)?;
        Ok(Some(SecretString::from(text)))
    }

    fn connector_view(&self, row: &ConnectorRow) -> ConnectorView {
        let problems = problems(row);
        let addresses = row.services.iter().map(|(_, base)| base).chain([&row.authorize_url, &row.token_url]);
        let test_endpoint = addresses.clone().any(|a| a.starts_with("http:"));
        ConnectorView {
            id: row.id.clone(),
            name: row.name.clone(),
            enabled: row.enabled,
            complete: problems.is_empty(),
            problems,
            account_type: tenant_of(&row.authorize_url).filter(|t| tenant_of(&row.token_url).as_ref() == Some(t)),
            authorize_url: row.authorize_url.clone(),
            token_url: row.token_url.clone(),
            services: row.services.iter().cloned().collect(),
            redirect_url: self.redirect_url(row),
            scopes: row.scopes.clone(),
            client_id: row.client_id.clone(),
            has_secret: row.secret.is_some(),
            proxy: row.proxy.clone(),
            ca_file: row.ca_file.clone(),
            test_endpoint,
            dead: row.dead.clone(),
            dead_message: row.dead_message.clone(),
        }
    }
}

/// Whether it is on and nothing is missing.
pub(super) fn is_usable(row: &ConnectorRow) -> bool {
    row.enabled && problems(row).is_empty()
}

fn conflict(error: StoreError) -> AccountsError {
    match error {
        StoreError::Undone(why) => AccountsError::Conflict(why),
        other => other.into(),
    }
}

fn problems(row: &ConnectorRow) -> Vec<String> {
    let mut problems = Vec::new();
    if row.client_id.is_none() {
        problems.push("The client id is missing: set the registration's “Application (client) ID”.".into());
    }
    if row.secret.is_none() {
        problems.push("The client secret is missing: set the secret's “Value” (not its “Secret ID”).".into());
    }
    for (scope, without) in
        [("openid", "it is not known who signed in"), ("offline_access", "a connection would end after an hour")]
    {
        if !row.scopes.split(' ').any(|s| s == scope) {
            problems.push(format!("The scopes lack `{scope}`: without it {without}."));
        }
    }
    problems
}

fn apply(row: &mut ConnectorRow, patch: &ConnectorPatch) -> Result<(), AccountsError> {
    if let Some(tenant) = &patch.account_type {
        (row.authorize_url, row.token_url) = endpoints_of(&row.authorize_url, tenant.trim())?;
    }
    if let Some(url) = &patch.authorize_url {
        row.authorize_url = check_url("authorize_url", url)?.into();
    }
    if let Some(url) = &patch.token_url {
        row.token_url = check_url("token_url", url)?.into();
    }
    for (service, base) in &patch.services {
        let field = format!("services.{service}");
        let url = check_url(&field, base)?;
        if url.query().is_some() || service.is_empty() || !service.bytes().all(|c| c.is_ascii_lowercase() || c == b'-')
        {
            let why = format!("`{field}` is a name in lower case and a base address without a query");
            return Err(AccountsError::Invalid(why));
        }
        let base = url.as_str().trim_end_matches('/').to_owned();
        match row.services.iter_mut().find(|(name, _)| name == service) {
            Some((_, old)) => *old = base,
            None => row.services.push((service.clone(), base)),
        }
    }
    if let Some(url) = &patch.redirect_url {
        // Kept as it was written: Microsoft compares it letter for letter.
        row.redirect_url =
            if url.is_empty() { String::new() } else { check_url("redirect_url", url).map(|_| url.clone())? };
    }
    if let Some(scopes) = &patch.scopes {
        let words: Vec<_> = scopes.split_whitespace().collect();
        if words.iter().any(|w| w.bytes().any(|c| !c.is_ascii_graphic() || c == b'"' || c == b'\\')) {
            return Err(AccountsError::Invalid("`scopes` holds a character that no scope has".into()));
        }
        row.scopes = words.join(" ");
    }
    if let Some(id) = &patch.client_id {
        let id = id.trim();
        if id.len() > 200 || id.bytes().any(|c| !c.is_ascii_graphic()) {
            return Err(AccountsError::Invalid("`client_id` is not an application id".into()));
        }
        row.client_id = (!id.is_empty()).then(|| id.to_owned());
    }
    if let Some(proxy) = &patch.proxy {
        row.proxy = proxy.as_deref().map(check_proxy).transpose()?;
    }
    if let Some(file) = &patch.ca_file {
        if file.as_deref().is_some_and(|f| !f.starts_with('/') || f.contains('\0')) {
            return Err(AccountsError::Invalid("`ca_file` is not an absolute path".into()));
        }
        if let Some(file) = file {
            egress::check_ca_file(file).map_err(AccountsError::Invalid)?;
        }
        row.ca_file = file.clone();
    }
    Ok(())
}

fn check_proxy(text: &str) -> Result<String, AccountsError> {
    let wrong =
        || AccountsError::Invalid("`proxy` is not of the form `http://host:port`, without user and password".into());
    let url = Url::parse(text).map_err(|_| wrong())?;
    let bare = url.username().is_empty() && url.password().is_none() && url.path() == "/" && url.query().is_none();
    if url.scheme() != "http" || url.host_str().is_none() || !bare || url.fragment().is_some() {
        return Err(wrong());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn check_secret(secret: &SecretString) -> Result<Zeroizing<String>, AccountsError> {
    let text = Zeroizing::new(secret.expose_secret().trim().to_owned());
    if is_guid(&text) {
        let why =
            "This is the id of a client secret; copy its “Value”, which Microsoft shows once, right after it is made";
        return Err(AccountsError::Invalid(why.into()));
    }
    if text.is_empty() || text.len() > 1_000 || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(AccountsError::Invalid("The client secret is empty, too long or holds a space".into()));
    }
    Ok(text)
}

fn is_guid(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|c| c.is_ascii_hexdigit() || c == b'-')
}

/// Both endpoints for a tenant, on the host the connector uses already (national clouds, the simulator).
fn endpoints_of(now: &str, tenant: &str) -> Result<(String, String), AccountsError> {
    let plain = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'.';
    if tenant.is_empty()
        || tenant.len() > 253
        || !tenant.bytes().all(plain)
        || tenant.starts_with('.')
        || tenant.contains("..")
        || !(matches!(tenant, "common" | "organizations" | "consumers") || tenant.contains('.') || is_guid(tenant))
    {
        let why = "`account_type` is `common`, `organizations`, `consumers`, or a tenant's id or domain";
        return Err(AccountsError::Invalid(why.into()));
    }
    let host = tenant_of(now)
        .and_then(|_| Url::parse(now).ok())
        .map_or_else(|| MICROSOFT.to_owned(), |url| url.origin().ascii_serialization());
    Ok((format!("{host}/{tenant}/oauth2/v2.0/authorize"), format!("{host}/{tenant}/oauth2/v2.0/token")))
}

/// The tenant in an endpoint of Microsoft's form.
pub(super) fn tenant_of(endpoint: &str) -> Option<String> {
    let url = Url::parse(endpoint).ok()?;
    let (tenant, rest) = url.path().strip_prefix('/')?.split_once('/')?;
    matches!(rest, "oauth2/v2.0/authorize" | "oauth2/v2.0/token").then(|| tenant.to_owned())
}
