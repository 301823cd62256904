//! `gateway.toml`.

mod values;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::upstream::Limits;
use crate::config::{ConfigError, Endpoint, Log, parse};
pub use values::{Name, Network, Origin, SettingsPath};

/// Where the file is looked for when nobody says otherwise.
pub const DEFAULT_PATH: &str = "/etc/teams-mirror/gateway.toml";

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayConfig {
    /// Where clients, or the reverse proxy before the gateway, come in.
    #[serde(default = "default_listen")]
    pub listen: Endpoint,
    /// The gateway's own certificate; without it, it listens for plain HTTP.
    #[serde(default)]
    pub tls: Option<Tls>,
    /// The server behind.
    pub upstream: Origin,
    /// The authorities trusted for an `https` server instead of the system's, PEM.
    #[serde(default)]
    pub upstream_ca_file: Option<PathBuf>,
    /// The hook API.
    #[serde(default = "default_hook")]
    pub hook: Origin,
    /// The authorities trusted for an `https` hook instead of the system's, PEM.
    #[serde(default)]
    pub hook_ca_file: Option<PathBuf>,
    /// The file with the hook secret, read whenever it is needed.
    pub secret_file: PathBuf,
    /// The folder with the notes of what is still to be told.
    #[serde(default = "default_spool")]
    pub spool: PathBuf,
    /// The most notes kept.
    #[serde(default = "default_spool_limit")]
    pub spool_limit: usize,
    /// How long a save waits for a new link in all, 1 to 30 seconds.
    #[serde(default = "default_patience", with = "humantime_serde")]
    pub patience: Duration,
    /// The most saves that wait for a link at the same time.
    #[serde(default = "default_max_waiting")]
    pub max_waiting: usize,
    /// How a login becomes an address, `{user}@example.org`; without it the first `mailto:` of the owner's
    /// calendar-user-address-set (RFC 6638 §2.4.1) counts.
    #[serde(default)]
    pub address: Option<String>,
    /// Where users find their settings; empty: nowhere.
    #[serde(default)]
    pub settings_path: SettingsPath,
    /// The IANA zone in which floating times are meant of users who have told none.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// The language of users who have told none (BCP 47).
    #[serde(default)]
    pub language: Option<String>,
    /// Further request headers that say who asks, beside `Authorization` and `Cookie`. They are believed from
    /// [`GatewayConfig::trusted_proxies`] alone.
    #[serde(default)]
    pub credential_headers: Vec<Name>,
    /// Whose `X-Forwarded-…` and credential headers are believed: addresses and networks. A peer on a Unix socket always is.
    #[serde(default = "default_trusted")]
    pub trusted_proxies: Vec<Network>,
    /// The server's service credential.
    #[serde(default)]
    pub service: Option<Service>,
    /// What is done with links that come after their save was answered.
    #[serde(default)]
    pub write_back: WriteBack,
    /// The most connections of clients; more wait until one closes.
    #[serde(default = "default_max_connections")]
    pub max_connections: usize,
    /// How long a client may take for the head of a request, and between two requests.
    #[serde(default = "default_client_timeout", with = "humantime_serde")]
    pub client_timeout: Duration,
    /// How long connecting to the server may take.
    #[serde(default = "default_connect_timeout", with = "humantime_serde")]
    pub connect_timeout: Duration,
    /// How long the server, or a client, may be silent in the middle of an exchange.
    #[serde(default = "default_silence_timeout", with = "humantime_serde")]
    pub silence_timeout: Duration,
    /// How long a connection to the server is kept for the next request.
    #[serde(default = "default_keep_alive", with = "humantime_serde")]
    pub keep_alive: Duration,
    /// What is logged.
    #[serde(default)]
    pub log: Log,
}

/// Certificate and key, PEM; read again when the files change.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate, followed by those that lead to an authority.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// How the gateway asks in its own name; one of the two forms.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// An account that may read and write everybody's calendars, by Basic authentication.
    #[serde(default)]
    pub user: Option<String>,
    /// The file with its password, read whenever it is needed.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// For a server that trusts the proxy before it: the header the owner's name is put into.
    #[serde(default)]
    pub remote_user_header: Option<Name>,
}

/// What is done with a link that comes after its save was answered. Servers that send invitations mail the guests of an event a
/// second time when it is written back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WriteBack {
    /// It is written into the stored event: guests whose invitation left without it get it.
    #[default]
    All,
    /// It is written into events without guests; the others get it at their next save.
    WithoutGuests,
    /// All events get it at their next save.
    None,
}

fn default_listen() -> Endpoint {
    Endpoint::Tcp(SocketAddr::from(([127, 0, 0, 1], 7462)))
}

fn default_hook() -> Origin {
    Origin::Tcp { tls: false, host: "127.0.0.1".into(), port: 7460 }
}

fn default_spool() -> PathBuf {
    "/var/lib/teams-mirror-gateway".into()
}

fn default_spool_limit() -> usize {
    100_000
}

fn default_patience() -> Duration {
    Duration::from_secs(5)
}

fn default_max_waiting() -> usize {
    64
}

fn default_trusted() -> Vec<Network> {
    vec![Network::of([127, 0, 0, 1].into(), 8), Network::of([0, 0, 0, 0, 0, 0, 0, 1].into(), 128)]
}

fn default_max_connections() -> usize {
    10_000
}

fn default_client_timeout() -> Duration {
    Duration::from_secs(60)
}

fn default_connect_timeout() -> Duration {
    Duration::from_secs(5)
}

fn default_silence_timeout() -> Duration {
    Duration::from_secs(300)
}

fn default_keep_alive() -> Duration {
    Duration::from_secs(60)
}

impl GatewayConfig {
    /// Reads a file. Unknown keys are an error that names the nearest known one.
    ///
    /// # Errors
    /// With the file's name, the place, and what to do.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        parse(path, "; write one (the README shows it), or name another with `--config FILE`", Self::check)
    }

    /// Sees whether the values make sense together.
    fn check(&self) -> Result<(), String> {
        if let Origin::Tcp { tls: false, .. } = self.hook
            && !self.hook.is_local()
        {
            return Err(format!(
                "`hook` is `{}`: over `http` the hook secret would cross the network readable; use `https`, or a hook on this machine",
                self.hook
            ));
        }
        if !(Duration::from_secs(1)..=Duration::from_secs(30)).contains(&self.patience) {
            return Err("`patience` is a duration from `1s` to `30s`".into());
        }
        if self.max_connections == 0 {
            return Err("`max_connections` is a number from 1 on".into());
        }
        for (name, value) in [
            ("client_timeout", self.client_timeout),
            ("connect_timeout", self.connect_timeout),
            ("silence_timeout", self.silence_timeout),
        ] {
            if value.is_zero() {
                return Err(format!("`{name}` is longer than nothing; write for example `5s`"));
            }
        }
        if let Some(address) = &self.address
            && (address.matches("{user}").count() != 1 || address.matches(['{', '}']).count() != 2)
        {
            return Err(format!(
                "`address` holds `{{user}}` once, as in `{{user}}@example.org`, or is `{{user}}` where users log in with their \
                 addresses; this is: `{address}`"
            ));
        }
        if let Some(service) = &self.service {
            match (&service.user, &service.password_file, &service.remote_user_header) {
                (Some(_), Some(_), None) | (None, None, Some(_)) => {}
                _ => {
                    return Err("`[service]` holds `user` and `password_file`, or `remote_user_header` alone".into());
                }
            }
        }
        for (used, name, value) in [
            (matches!(self.upstream, Origin::Tcp { tls: true, .. }), "upstream", &self.upstream_ca_file),
            (matches!(self.hook, Origin::Tcp { tls: true, .. }), "hook", &self.hook_ca_file),
        ] {
            if value.is_some() && !used {
                return Err(format!(
                    "`{name}_ca_file` is named, and `{name}` is not `https://…`; remove one, or correct the other"
                ));
            }
        }
        Ok(())
    }

    /// How long the server's connections may take.
    pub(crate) fn limits(&self) -> Limits {
        Limits { connect: self.connect_timeout, silence: self.silence_timeout, keep_alive: self.keep_alive }
    }
}
