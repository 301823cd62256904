//! Which tenants, applications and users go together.

use crate::directory::{App, Audience, CONSUMERS, User};
use crate::entra::error::{EntraError, Result};
use crate::world::World;

/// What a path's tenant segment means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Common,
    Organizations,
    Consumers,
    Tenant(String),
}

impl Endpoint {
    pub(crate) fn read(world: &World, segment: &str) -> Result<Self> {
        match segment.to_ascii_lowercase().as_str() {
            "common" => Ok(Self::Common),
            "organizations" => Ok(Self::Organizations),
            "consumers" => Ok(Self::Consumers),
            name => match world.tenant(name) {
                Some(tenant) if tenant.id == CONSUMERS => Ok(Self::Consumers),
                Some(tenant) => Ok(Self::Tenant(tenant.id.clone())),
                None => Err(EntraError::new(
                    90002,
                    format!(
                        "Tenant '{segment}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant."
                    ),
                )),
            },
        }
    }

    /// Whether an application may be used at this endpoint.
    pub(crate) fn admits_app(&self, app: &App) -> Result<()> {
        let id = &app.client_id;
        match (app.audience, self) {
            (Audience::PersonalMicrosoftAccount, Self::Consumers)
            | (Audience::AzureADandPersonalMicrosoftAccount, _)
            | (Audience::AzureADMultipleOrgs, Self::Common | Self::Organizations | Self::Tenant(_)) => Ok(()),
            (Audience::PersonalMicrosoftAccount, _) => Err(EntraError::new(
                9_002_331,
                format!(
                    "Application '{id}'({}) is configured for use by Microsoft Account users only. Please use the /consumers endpoint to serve this request.",
                    app.name
                ),
            )),
            (Audience::AzureADMyOrg, Self::Tenant(tenant)) if *tenant == app.tenant => Ok(()),
            (Audience::AzureADMyOrg, Self::Common | Self::Organizations) => Err(EntraError::new(
                50194,
                format!(
                    "Application '{id}'({}) is not configured as a multi-tenant application. Usage of the /common endpoint is not supported for such apps created after '10/15/2018'. Use a tenant-specific endpoint or configure the application to be multi-tenant.",
                    app.name
                ),
            )),
            (Audience::AzureADMyOrg, Self::Tenant(tenant)) => Err(not_in_directory(id, tenant)),
            (Audience::AzureADMyOrg | Audience::AzureADMultipleOrgs, Self::Consumers) => {
                Err(not_in_directory(id, "Microsoft Accounts"))
            }
        }
    }

    /// Whether a user may sign in to an application here.
    pub(crate) fn admits_user(&self, app: &App, user: &User) -> Result<()> {
        let personal = user.tenant == CONSUMERS;
        let fits = match self {
            Self::Common => !personal || app.audience == Audience::AzureADandPersonalMicrosoftAccount,
            Self::Organizations => !personal,
            Self::Consumers => personal,
            Self::Tenant(tenant) => user.tenant == *tenant,
        };
        if fits {
            return Ok(());
        }
        let provider =
            if personal { "live.com".to_owned() } else { format!("https://sts.windows.net/{}/", user.tenant) };
        let tenant = match self {
            Self::Consumers => "Microsoft Accounts",
            Self::Tenant(tenant) => tenant,
            Self::Common | Self::Organizations => "organizations",
        };
        Err(EntraError::new(
            50020,
            format!(
                "User account '{}' from identity provider '{provider}' does not exist in tenant '{tenant}' and cannot access the application '{}'({}) in that tenant. The account needs to be added as an external user in the tenant first. Sign out and sign in again with a different Azure Active Directory user account.",
                user.address, app.client_id, app.name
            ),
        ))
    }
}

fn not_in_directory(id: &str, directory: &str) -> EntraError {
    EntraError::new(
        700_016,
        format!(
            "Application with identifier '{id}' was not found in the directory '{directory}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant."
        ),
    )
}

/// The application of a client id.
pub(crate) fn find_app(world: &World, client_id: &str, directory: &str) -> Result<App> {
    world.apps.get(&client_id.to_ascii_lowercase()).cloned().ok_or_else(|| not_in_directory(client_id, directory))
}
