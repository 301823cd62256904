//! Tenants, users and application registrations, and those every simulator starts with.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Tenant id of `contoso.example`.
pub const CONTOSO: &str = "c0a70505-5e1a-4d2b-9c3d-0c0a7050000a";
/// Tenant id of `fabrikam.example`.
pub const FABRIKAM: &str = "fab21ca0-7e2d-4f6a-8b1c-0fab21ca000b";
/// The tenant of personal accounts, the same at Microsoft.
pub const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
/// Client id of the application that is there from the start.
pub const CLIENT_ID: &str = "7ea35000-c11e-4a7d-8f00-00000c11d001";
/// Its client secret (the *value*).
pub const CLIENT_SECRET: &str = "sim8Q~kept-simple_for.tests~0123456789abcd";
/// The id of that secret, which people paste instead of the value.
pub const CLIENT_SECRET_ID: &str = "5ec3e71d-0000-4000-8000-00000c11d001";
/// The redirect address that application has from the start.
pub const REDIRECT_URI: &str = "http://localhost/callback";

/// What a user's mailbox is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserKind {
    /// Exchange Online and Teams.
    Teams,
    /// Exchange Online without Teams: no online meeting provider.
    Unlicensed,
    /// Exchange Online with Skype for Business only.
    SkypeForBusiness,
    /// No mailbox in Exchange Online: `404 MailboxNotEnabledForRESTAPI`.
    OnPremises,
    /// A personal Microsoft account: `skypeForConsumer`, which makes no meeting.
    Personal,
}

impl UserKind {
    pub(crate) fn providers(self) -> &'static [&'static str] {
        match self {
            Self::Teams => &["teamsForBusiness"],
            Self::Unlicensed | Self::OnPremises => &[],
            Self::SkypeForBusiness => &["skypeForBusiness"],
            Self::Personal => &["skypeForConsumer"],
        }
    }

    pub(crate) fn default_provider(self) -> &'static str {
        self.providers().first().copied().unwrap_or("unknown")
    }

    /// The provider a meeting is really made with, if any.
    pub(crate) fn meeting_provider(self, asked: Option<&str>) -> Option<&'static str> {
        let wanted = match asked {
            None | Some("unknown") => self.default_provider(),
            Some(name) => name,
        };
        // A consumer calendar offers skypeForConsumer and yet makes no meeting with it.
        self.providers().iter().copied().find(|name| *name == wanted && *name != "skypeForConsumer")
    }
}

/// An organisation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tenant {
    /// Its id.
    pub id: String,
    /// Its domain.
    pub domain: String,
    /// Its name.
    pub name: String,
    /// Users may consent for themselves; else only an administrator can (AADSTS90094).
    #[serde(default = "yes")]
    pub user_consent: bool,
}

/// Whom an application serves, as its registration calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Audience {
    /// This organisation only.
    AzureADMyOrg,
    /// Any organisation.
    AzureADMultipleOrgs,
    /// Any organisation and personal accounts.
    AzureADandPersonalMicrosoftAccount,
    /// Personal accounts only.
    PersonalMicrosoftAccount,
}

/// A client secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Secret {
    /// Its id, which is not what a client sends.
    pub id: String,
    /// What a client sends.
    pub value: String,
    /// When it ends.
    #[serde(default)]
    pub expires: Option<DateTime<Utc>>,
}

/// An application registration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct App {
    /// Its client id.
    pub client_id: String,
    /// The name a consent page shows.
    pub name: String,
    /// The tenant it was registered in.
    pub tenant: String,
    /// Whom it serves.
    pub audience: Audience,
    /// Its secrets; none makes it a public client.
    pub secrets: Vec<Secret>,
    /// Its redirect addresses, compared exactly.
    pub redirect_uris: Vec<String>,
    /// The redirect addresses are of the platform *SPA*: refresh tokens live 24 hours.
    #[serde(default)]
    pub spa: bool,
    /// Application permissions an administrator granted, for `client_credentials`.
    #[serde(default)]
    pub application_permissions: Vec<String>,
    /// An AADSTS number every token request of this application answers.
    #[serde(default)]
    pub oauth_error: Option<u32>,
}

/// A user with a mailbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    /// The address, lower case.
    pub address: String,
    /// The tenant.
    pub tenant: String,
    /// The object id.
    pub object_id: String,
    /// The name shown.
    pub display_name: String,
    /// What the mailbox is.
    pub kind: UserKind,
    /// An administrator of the tenant.
    #[serde(default)]
    pub admin: bool,
    /// The account is disabled (AADSTS50057).
    #[serde(default)]
    pub disabled: bool,
    /// The mailbox's time zone, a Windows name.
    pub time_zone: String,
    /// Until then the mailbox is being made and answers `404`.
    #[serde(default)]
    pub fresh_until: Option<DateTime<Utc>>,
    /// An AADSTS number every token request for this user answers.
    #[serde(default)]
    pub oauth_error: Option<u32>,
    /// The `claims` member that goes with it.
    #[serde(default)]
    pub oauth_claims: Option<String>,
    /// Tokens issued before are revoked (AADSTS50173).
    #[serde(default)]
    pub revoked_at: Option<DateTime<Utc>>,
    /// Graph answers with a claims challenge to tokens that declared `cp1`.
    #[serde(default)]
    pub claims_challenge: bool,
}

impl User {
    /// The id Graph gives: the object id, or a personal account's sixteen digits.
    pub(crate) fn graph_id(&self) -> String {
        if self.tenant == CONSUMERS {
            self.object_id.rsplitn(3, '-').take(2).collect::<Vec<_>>().into_iter().rev().collect()
        } else {
            self.object_id.clone()
        }
    }
}

fn yes() -> bool {
    true
}

pub(crate) fn tenants() -> Vec<Tenant> {
    let tenant = |id: &str, domain: &str, name: &str| Tenant {
        id: id.to_owned(),
        domain: domain.to_owned(),
        name: name.to_owned(),
        user_consent: true,
    };
    vec![
        tenant(CONTOSO, "contoso.example", "Contoso"),
        tenant(FABRIKAM, "fabrikam.example", "Fabrikam"),
        tenant(CONSUMERS, "outlook.example", "Personal accounts"),
    ]
}

pub(crate) fn app() -> App {
    App {
        client_id: CLIENT_ID.to_owned(),
        name: "Calendar mirror".to_owned(),
        tenant: CONTOSO.to_owned(),
        audience: Audience::AzureADandPersonalMicrosoftAccount,
        secrets: vec![Secret { id: CLIENT_SECRET_ID.to_owned(), value: CLIENT_SECRET.to_owned(), expires: None }],
        redirect_uris: vec![REDIRECT_URI.to_owned()],
        spa: false,
        application_permissions: Vec::new(),
        oauth_error: None,
    }
}

pub(crate) fn users(now: DateTime<Utc>) -> Vec<User> {
    let user = |name: &str, address: &str, tenant: &str, object_id: &str, kind: UserKind| User {
        address: address.to_owned(),
        tenant: tenant.to_owned(),
        object_id: object_id.to_owned(),
        display_name: name.to_owned(),
        kind,
        admin: false,
        disabled: false,
        time_zone: "W. Europe Standard Time".to_owned(),
        fresh_until: None,
        oauth_error: None,
        oauth_claims: None,
        revoked_at: None,
        claims_challenge: false,
    };
    let id = |n: u32| format!("a11ce000-0000-4000-8000-{n:012}");
    let mut fresh = user("Fresh Hire", "fresh@contoso.example", CONTOSO, &id(6), UserKind::Teams);
    fresh.fresh_until = Some(now + chrono::TimeDelta::minutes(15));
    let mut admin = user("Ada Admin", "admin@contoso.example", CONTOSO, &id(7), UserKind::Teams);
    admin.admin = true;
    vec![
        user("Alice Example", "alice@contoso.example", CONTOSO, &id(1), UserKind::Teams),
        user("Bob Example", "bob@contoso.example", CONTOSO, &id(2), UserKind::Teams),
        user("Una Licensed", "unlicensed@contoso.example", CONTOSO, &id(3), UserKind::Unlicensed),
        user("Skyler Peer", "skype@contoso.example", CONTOSO, &id(4), UserKind::SkypeForBusiness),
        user("Olive Premises", "onprem@contoso.example", CONTOSO, &id(5), UserKind::OnPremises),
        fresh,
        admin,
        user("Fay Brikam", "fay@fabrikam.example", FABRIKAM, &id(8), UserKind::Teams),
        user(
            "Percy Personal",
            "personal@outlook.example",
            CONSUMERS,
            "00000000-0000-0000-a1b2-c3d4e5f60718",
            UserKind::Personal,
        ),
    ]
}
