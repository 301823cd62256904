//! `gateway.toml`.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper::header::HeaderName;
use serde::Deserialize;

use super::upstream::Limits;
use crate::config::{ConfigError, Endpoint, Log, parse};

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

/// The name of a header.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Name(pub HeaderName);

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        HeaderName::try_from(&text)
            .map(Self)
            .map_err(|_| format!("`{text}` is no name of a header; write for example `X-Remote-User`"))
    }
}

/// Where requests are sent: scheme, host and port, or a Unix socket.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub enum Origin {
    /// `http://host:port` or `https://host:port`.
    Tcp {
        /// Whether TLS is spoken.
        tls: bool,
        /// A name or an address; an IPv6 address without its brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// `unix:/path`.
    Unix(PathBuf),
}

impl Origin {
    /// What a request's `Host` says where nobody else said it.
    pub fn authority(&self) -> String {
        match self {
            Self::Tcp { tls, host, port } => {
                let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
                if *port == default_port(*tls) { host } else { format!("{host}:{port}") }
            }
            Self::Unix(_) => "localhost".into(),
        }
    }

    /// Whether what is sent there stays on this machine.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp { host, .. } => {
                host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
            }
            Self::Unix(_) => true,
        }
    }
}

fn default_port(tls: bool) -> u16 {
    if tls { 443 } else { 80 }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp { tls, .. } => {
                write!(f, "{}://{}", if *tls { "https" } else { "http" }, self.authority())
            }
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl TryFrom<String> for Origin {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.starts_with('/') {
                Ok(Self::Unix(path.into()))
            } else {
                Err(format!("`{text}` is no socket; write its whole path, as in `unix:/run/server/http.sock`"))
            };
        }
        let form = || {
            format!(
                "`{text}` is no server's address; write `http://127.0.0.1:5232`, `https://calendar.example.org` or `unix:/run/server/http.sock`"
            )
        };
        let url = url::Url::parse(&text).map_err(|_| form())?;
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(form()),
        };
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(format!(
                "`{text}` has a path; the gateway passes every path as it is, so name the server alone (`{}`)",
                url.origin().ascii_serialization()
            ));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("an address with a user or a password in it is not used; the gateway's own credential stands in `[service]`".into());
        }
        let host = match url.host().ok_or_else(form)? {
            url::Host::Domain(name) => name.to_owned(),
            url::Host::Ipv4(ip) => ip.to_string(),
            url::Host::Ipv6(ip) => ip.to_string(),
        };
        Ok(Self::Tcp { tls, host, port: url.port().unwrap_or(default_port(tls)) })
    }
}

/// A path of the gateway's own: one segment that begins with a dot, which no calendar has, with slashes around it; or none.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct SettingsPath(Option<String>);

/// Paths with a dot that servers answer under themselves.
const TAKEN: [&str; 5] = ["/.well-known/", "/.web/", "/.token/", "/.sharing/", "/.mobileconfig/"];

impl Default for SettingsPath {
    fn default() -> Self {
        Self(Some("/.teams/".into()))
    }
}

impl TryFrom<String> for SettingsPath {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self(None));
        }
        let path = format!("{}/", text.trim_end_matches('/'));
        let name = path.strip_prefix("/.").and_then(|rest| rest.strip_suffix('/')).unwrap_or_default();
        let plain = !name.is_empty() && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_');
        if !plain || TAKEN.contains(&path.as_str()) {
            return Err(format!(
                "`settings_path` is one name that begins with a dot, which no calendar has, as in `/.teams/`; this is: `{text}`"
            ));
        }
        Ok(Self(Some(path)))
    }
}

impl SettingsPath {
    /// With a slash at both ends; `None` where there is none.
    pub fn path(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// What follows the settings path in a request's path: the empty text for the page itself. `None` for any other path.
    pub fn rest<'a>(&self, path: &'a str) -> Option<&'a str> {
        let own = self.path()?;
        if Some(path) == own.strip_suffix('/') { Some("") } else { path.strip_prefix(own) }
    }
}

/// An address or a network (`10.0.0.0/8`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network {
    address: u128,
    length: u8,
}

/// Addresses of both families in one space: IPv4 as IPv4-mapped (RFC 4291 §2.5.5.2).
fn mapped(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

impl Network {
    fn of(ip: IpAddr, length: u8) -> Self {
        Self { address: mapped(ip), length: if ip.is_ipv4() { length.saturating_add(96) } else { length } }
    }

    /// Whether the address is in it.
    pub fn holds(self, ip: IpAddr) -> bool {
        let rest = 128_u32.saturating_sub(self.length.into());
        // A shift by the whole width is none to the machine.
        (mapped(ip) ^ self.address).checked_shr(rest).unwrap_or(0) == 0
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let form = || format!("`{text}` is no address and no network; write `10.0.0.5` or `10.0.0.0/8`");
        let (ip, length) = match text.split_once('/') {
            Some((ip, length)) => (ip, Some(length.parse::<u8>().map_err(|_| form())?)),
            None => (text.as_str(), None),
        };
        let ip: IpAddr = ip.parse().map_err(|_| form())?;
        let most = if ip.is_ipv4() { 32 } else { 128 };
        let length = length.unwrap_or(most);
        if length > most { Err(form()) } else { Ok(Self::of(ip, length)) }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_own_in_both_families() {
        let holds = |network: &str, ip: &str| Network::try_from(network.to_owned()).unwrap().holds(ip.parse().unwrap());
        assert!(holds("10.0.0.0/8", "10.255.1.2") && !holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("10.0.0.5", "10.0.0.5") && !holds("10.0.0.5", "10.0.0.4"));
        assert!(holds("0.0.0.0/0", "192.0.2.1") && !holds("0.0.0.0/0", "2001:db8::1"));
        assert!(holds("::/0", "2001:db8::1") && holds("2001:db8::/32", "2001:db8:1::") && !holds("::1", "::2"));
        // A socket that listens for both sees IPv4 so.
        assert!(holds("127.0.0.0/8", "::ffff:127.0.0.1"));
        for bad in ["", "10.0.0.0/33", "::/129", "10.0.0", "host", "10.0.0.0/x", "10.0.0.0/-1"] {
            assert!(Network::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_server_is_named_without_a_path() {
        let named =
            |text: &str| Origin::try_from(text.to_owned()).map(|origin| (origin.to_string(), origin.authority()));
        for (text, shown, authority) in [
            ("http://127.0.0.1:5232", "http://127.0.0.1:5232", "127.0.0.1:5232"),
            ("https://Calendar.example.org/", "https://calendar.example.org", "calendar.example.org"),
            ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443", "[2001:db8::1]:8443"),
            ("unix:/run/server.sock", "unix:/run/server.sock", "localhost"),
        ] {
            assert_eq!(named(text), Ok((shown.to_owned(), authority.to_owned())));
        }
        for bad in
            ["", "calendar.example.org", "ftp://x", "http://x/dav", "http://x/?a", "http://u@x", "unix:x", "unix:"]
        {
            assert!(named(bad).is_err(), "{bad}");
        }
        assert!(Origin::try_from("http://[::1]:1".to_owned()).unwrap().is_local());
        assert!(!Origin::try_from("http://10.0.0.1".to_owned()).unwrap().is_local());
    }

    #[test]
    fn the_settings_path_is_a_name_no_calendar_has() {
        let path = |text: &str| SettingsPath::try_from(text.to_owned());
        for text in ["/.teams", "/.teams/"] {
            let path = path(text).unwrap();
            assert_eq!(path.path(), Some("/.teams/"));
            assert_eq!(path.rest("/.teams"), Some(""));
            assert_eq!(path.rest("/.teams/"), Some(""));
            assert_eq!(path.rest("/.teams/healthz"), Some("healthz"));
            assert_eq!((path.rest("/.teamsx"), path.rest("/"), path.rest("/a/.teams/")), (None, None, None));
        }
        assert_eq!(path("").unwrap().rest("/.teams/"), None);
        for bad in ["/", "teams", "/teams/", "/.", "/./", "/../", "/.a/b/", "/.a b/", "/.well-known", "/.web/"] {
            assert!(path(bad).is_err(), "{bad}");
        }
    }
}
