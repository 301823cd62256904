//! The configuration file.
//!
//! Everything that has to be known before the store can be opened stands here; the rest (connectors, policy, settings,
//! secrets) is in the store and changes without a restart.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::mirror::Timing;

/// Where the file is looked for when nobody says otherwise.
pub const DEFAULT_PATH: &str = "/etc/teams-mirror/teams-mirror.toml";

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The folder for store, keys, caches and the admin socket; only we may read it.
    pub state_dir: PathBuf,
    /// The address under which browsers reach the public listener, `https://…` (plain http for literal loopback only).
    pub public_url: String,
    /// Origins of webmails that may show the settings page in a frame, beside that of `public_url`: `https://mail.example.org`,
    /// or `https://*.example.org` for all names under a domain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub webmail_origins: Vec<String>,
    /// A component to load instead of the built-in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<PathBuf>,
    /// Where to listen.
    #[serde(default)]
    pub listen: Listen,
    /// How long things take.
    #[serde(default)]
    pub mirror: MirrorConfig,
    /// What is logged.
    #[serde(default)]
    pub log: Log,
}

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Listen {
    /// For adapters: `127.0.0.1:7460`, or `unix:/run/teams-mirror/hook.sock`.
    pub hook: Endpoint,
    /// For the reverse proxy.
    pub public: Endpoint,
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            hook: Endpoint::Tcp(SocketAddr::from(([127, 0, 0, 1], 7460))),
            public: Endpoint::Tcp(SocketAddr::from(([127, 0, 0, 1], 7461))),
        }
    }
}

/// An address to listen on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Endpoint {
    /// A TCP address.
    Tcp(SocketAddr),
    /// A Unix socket's path.
    Unix(PathBuf),
}

impl TryFrom<String> for Endpoint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return Ok(Self::Unix(path.into()));
        }
        text.parse().map(Self::Tcp).map_err(|_| {
            format!(
                "`{text}` is no address to listen on; write an IP address with a port, as in `127.0.0.1:7460`, or the path of a socket, as in `unix:/run/teams-mirror/hook.sock`"
            )
        })
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> Self {
        match endpoint {
            Endpoint::Tcp(address) => address.to_string(),
            Endpoint::Unix(path) => format!("unix:{}", path.display()),
        }
    }
}

/// How long things take; durations as `30s`, `5m`, `24h`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MirrorConfig {
    /// Events brought about at the same time.
    pub workers: usize,
    /// How long a waiting save waits for a new link where the call does not say.
    #[serde(with = "humantime_serde")]
    pub patience: Duration,
    /// How long after its last object is gone an event's mirror goes.
    #[serde(with = "humantime_serde")]
    pub delete_grace: Duration,
    /// How long a save may stay unreported before it is taken as stored.
    #[serde(with = "humantime_serde")]
    pub unconfirmed_after: Duration,
    /// How long a draft lives after its last PUT.
    #[serde(with = "humantime_serde")]
    pub draft_lifetime: Duration,
    /// How old the facts about a mailbox may be.
    #[serde(with = "humantime_serde")]
    pub facts_lifetime: Duration,
    /// How long an event's text is kept after its last end.
    #[serde(with = "humantime_serde")]
    pub keep_texts: Duration,
}

impl Default for MirrorConfig {
    fn default() -> Self {
        let timing = Timing::default();
        Self {
            // They mostly wait for answers.
            workers: 64,
            patience: timing.patience,
            delete_grace: timing.delete_grace,
            unconfirmed_after: timing.unconfirmed_after,
            draft_lifetime: timing.draft_lifetime,
            facts_lifetime: timing.facts_lifetime,
            keep_texts: timing.keep_texts,
        }
    }
}

impl MirrorConfig {
    /// As the mirror takes it.
    pub fn timing(&self) -> Timing {
        Timing {
            delete_grace: self.delete_grace,
            unconfirmed_after: self.unconfirmed_after,
            draft_lifetime: self.draft_lifetime,
            facts_lifetime: self.facts_lifetime,
            patience: self.patience,
            keep_texts: self.keep_texts,
        }
    }
}

/// What is logged, to standard error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `text` or `json`.
    pub format: LogFormat,
    /// Levels, for example `info` or `info,host_shim=debug`.
    pub filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info".into() }
    }
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the configuration `{path}` cannot be used: {why}")]
pub struct ConfigError {
    path: String,
    why: String,
}

impl Config {
    /// A configuration with everything at its default.
    pub fn new(state_dir: impl Into<PathBuf>, public_url: impl Into<String>) -> Self {
        Self {
            state_dir: state_dir.into(),
            public_url: public_url.into(),
            webmail_origins: Vec::new(),
            component: None,
            listen: Listen::default(),
            mirror: MirrorConfig::default(),
            log: Log::default(),
        }
    }

    /// Reads a file. Unknown keys are an error that names the nearest known one.
    ///
    /// # Errors
    /// With the file's name, the place, and what to do.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        parse(path, "; `teams-mirror init` makes one, `--config FILE` names another", Self::check)
    }

    /// Sees whether the values make sense together.
    fn check(&self) -> Result<(), String> {
        let url = url::Url::parse(&self.public_url)
            .map_err(|e| format!("`public_url` is no address: {e}; write `https://mail.example.org/teams`"))?;
        let loopback = matches!(url.host_str(), Some("127.0.0.1" | "[::1]"));
        if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
            return Err(
                "`public_url` must begin with `https://`: browsers carry sign-ins through it (plain http is for \
                 `127.0.0.1` and `[::1]` alone)"
                    .into(),
            );
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("`public_url` must not have a query or a fragment".into());
        }
        if url.path().contains("//") {
            return Err(format!(
                "`public_url` has `//` in its path (`{}`), which browsers read as the beginning of another host's address; \
                 write single slashes",
                url.path()
            ));
        }
        for origin in &self.webmail_origins {
            check_origin(origin).map_err(|why| format!("`webmail_origins` holds `{origin}`, {why}"))?;
        }
        if let Endpoint::Tcp(address) = &self.listen.hook
            && !address.ip().is_loopback()
        {
            return Err(format!(
                "`listen.hook` is `{address}`; the hook API listens on loopback or a Unix socket only"
            ));
        }
        if self.mirror.workers == 0 || self.mirror.workers > 256 {
            return Err("`mirror.workers` is a number from 1 to 256".into());
        }
        Ok(())
    }

    /// The admin socket.
    pub fn admin_socket(&self) -> PathBuf {
        self.state_dir.join("admin.sock")
    }

    /// The store's file.
    pub fn store_file(&self) -> PathBuf {
        self.state_dir.join("store.sqlite")
    }

    /// The folder of the key ring.
    pub fn key_dir(&self) -> PathBuf {
        self.state_dir.join("keys")
    }

    /// The folder of compiled components.
    pub fn cache_dir(&self) -> PathBuf {
        self.state_dir.join("cache")
    }
}

/// Sees whether a text is an origin that a page may be framed by (CSP Level 3, `frame-ancestors`), letter by letter: it is put
/// into a header.
fn check_origin(origin: &str) -> Result<(), &'static str> {
    const FORM: &str = "which is no origin; write `https://mail.example.org`, without a path";
    let (scheme, rest) = origin.split_once("://").ok_or(FORM)?;
    let host = rest.strip_prefix("*.").unwrap_or(rest);
    // A list separator inside a name is a name to the URL standard, and another directive to a browser.
    let plain = host.bytes().all(|c| c.is_ascii_alphanumeric() || b"-.:[]".contains(&c));
    let url = url::Url::parse(&format!("{scheme}://{host}")).map_err(|_| FORM)?;
    if url.origin().ascii_serialization() != format!("{scheme}://{host}") || !plain {
        return Err(FORM);
    }
    let here = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    match scheme {
        "https" => Ok(()),
        "http" if here && host == rest => Ok(()),
        _ => Err("which does not begin with `https://` (plain http is for this machine alone)"),
    }
}

/// Reads a configuration file and checks it. `hint` is what to do where there is none.
pub(crate) fn parse<T: DeserializeOwned>(
    path: &Path,
    hint: &str,
    check: impl FnOnce(&T) -> Result<(), String>,
) -> Result<T, ConfigError> {
    let err = |why: String| ConfigError { path: path.display().to_string(), why };
    let text = std::fs::read_to_string(path).map_err(|e| {
        let hint = if e.kind() == std::io::ErrorKind::NotFound { hint } else { "" };
        err(format!("{e}{hint}"))
    })?;
    let config: T = toml::from_str(&text).map_err(|e| err(explain(&e.to_string())))?;
    check(&config).map_err(err)?;
    Ok(config)
}

/// Adds "did you mean" to the parser's complaint about an unknown key.
fn explain(complaint: &str) -> String {
    let mut quoted = complaint.split('`').skip(1).step_by(2);
    if complaint.contains("expected a duration") {
        return format!("{}\nWrite it with its unit and in quotes: `\"5s\"`, `\"10m\"`, `\"24h\"`.", complaint.trim());
    }
    if !complaint.contains("unknown field") {
        return complaint.trim().to_owned();
    }
    let Some(unknown) = quoted.next() else { return complaint.trim().to_owned() };
    let nearest = quoted.max_by(|a, b| {
        strsim::jaro_winkler(a, unknown)
            .partial_cmp(&strsim::jaro_winkler(b, unknown))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    match nearest {
        Some(known) => format!("{}\nDid you mean `{known}`?", complaint.trim()),
        None => complaint.trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, ConfigError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Config::read(file.path())
    }

    #[test]
    fn a_duration_without_its_unit_is_explained() {
        let said = read("state_dir = '/x'\npublic_url = 'https://x.example'\n[mirror]\npatience = 5\n").unwrap_err();
        assert!(said.to_string().contains("\"5s\""), "{said}");
    }

    #[test]
    fn two_lines_are_enough() {
        let config = read("state_dir = '/x'\npublic_url = 'https://mail.example.org/teams'\n").unwrap();
        assert_eq!(config, Config::new("/x", "https://mail.example.org/teams"));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut config = Config::new("/x", "https://mail.example.org");
        config.listen.hook = Endpoint::Unix("/run/hook.sock".into());
        config.mirror.delete_grace = Duration::from_millis(200);
        assert_eq!(read(&toml::to_string(&config).unwrap()).unwrap(), config);
    }

    #[test]
    fn an_unknown_key_names_the_nearest() {
        let error = read("state_dir = '/x'\npublic_ulr = 'https://x.example'\n").unwrap_err().to_string();
        assert!(error.contains("Did you mean `public_url`?"), "{error}");
    }

    #[test]
    fn only_origins_may_frame() {
        for good in
            ["https://mail.example.org", "https://*.example.org", "https://x.example:8443", "http://localhost:81"]
        {
            assert_eq!(check_origin(good), Ok(()), "{good}");
        }
        for bad in [
            "*",
            "https://*",
            "https:",
            "mail.example.org",
            "http://mail.example.org",
            "http://*.localhost",
            "https://mail.example.org/",
            "https://mail.example.org/x",
            "https://a b.example",
            "https://x.example; script-src *",
            "https://x.example,y",
            "https://user@x.example",
            "https://*.*.example",
        ] {
            assert!(check_origin(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_would_be_unsafe_is_refused() {
        for line in ["public_url = 'http://mail.example.org'", "public_url = 'ftp://x.example'", "public_url = 'mail'"]
        {
            assert!(read(&format!("state_dir = '/x'\n{line}\n")).is_err(), "{line}");
        }
        // A browser reads `Location: //y.example/settings` as another host's address.
        for address in ["https://x.example//y.example", "https://x.example/a//b", r"https://x.example/\y.example/a"] {
            let error = read(&format!("state_dir = '/x'\npublic_url = '{address}'\n")).unwrap_err().to_string();
            assert!(error.contains("`public_url`") && error.contains("`//`"), "{address}: {error}");
        }
        let open = "state_dir = '/x'\npublic_url = 'https://x.example'\n[listen]\nhook = '0.0.0.0:7460'\n";
        assert!(read(open).unwrap_err().to_string().contains("loopback"));
    }
}
