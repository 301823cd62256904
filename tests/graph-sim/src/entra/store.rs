//! What Entra remembers between two requests.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

/// An authorize request that passed every check.
#[derive(Debug, Clone)]
pub(crate) struct AuthorizeRequest {
    /// As in the path: `common`, `organizations`, `consumers`, an id or a domain.
    pub tenant: String,
    pub client_id: String,
    pub redirect_uri: String,
    pub scopes: BTreeSet<String>,
    pub state: Option<String>,
    pub nonce: Option<String>,
    pub prompt: Option<String>,
    pub login_hint: Option<String>,
    pub response_mode: String,
    /// Method and challenge.
    pub challenge: Option<(String, String)>,
    /// `cp1` was declared.
    pub continuous: bool,
}

/// A sign-in that waits for a page to be answered.
#[derive(Debug, Clone)]
pub(crate) struct PendingSignIn {
    pub request: AuthorizeRequest,
    /// Whose consent is asked for.
    pub user: Option<String>,
    /// The browser session the page was shown in.
    pub session: String,
    /// Consent is given for a whole tenant.
    pub admin: bool,
}

/// An authorization code.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    pub request: AuthorizeRequest,
    pub user: String,
    pub issued: DateTime<Utc>,
    pub redeemed: bool,
}

/// A refresh token.
#[derive(Debug, Clone)]
pub(crate) struct RefreshToken {
    pub app: String,
    pub user: String,
    pub scopes: BTreeSet<String>,
    pub issued: DateTime<Utc>,
    pub used: DateTime<Utc>,
    /// All tokens that came of one sign-in.
    pub family: String,
    pub redeemed: bool,
    pub revoked: bool,
    pub spa: bool,
    pub continuous: bool,
}
