//! HTTP on its way out.
//!
//! | what | rule |
//! | --- | --- |
//! | where to | hosts that the connector names; plain http only for literal `127.0.0.1` and `[::1]` |
//! | addresses | a name must resolve to a public address; checked at each connect |
//! | proxy, trust | the connector's own `proxy` and `ca_file`; nothing from the environment |
//! | redirects | never followed |
//! | time | connect 3 s, answer's headers 10 s, all 15 s or the caller's deadline |
//! | size | an answer's body up to 1 MiB |

mod address_guard;
mod resolver;
mod sending;
mod service;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};
use ureq::{Agent, Proxy, http};
use url::Url;

use crate::store::ConnectorRow;
pub use service::{retry_after_ms, scrub, scrub_headers, service_url};

const CONNECT: Duration = Duration::from_secs(3);
const HEADERS: Duration = Duration::from_secs(10);
const ALL: Duration = Duration::from_secs(15);
const MOST_BODY: u64 = 1 << 20;

/// A request to send.
pub struct Outgoing {
    /// For example `POST`.
    pub method: &'static str,
    /// Absolute, at one of the connector's addresses.
    pub url: String,
    /// Name and value.
    pub headers: Vec<(String, String)>,
    /// The body, where there is one.
    pub body: Option<Vec<u8>>,
    /// It may take until then, and 15 s at most.
    pub deadline: Instant,
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Headers carry credentials, the query may carry contents.
        let url = self.url.split('?').next().unwrap_or_default();
        f.debug_struct("Outgoing").field("method", &self.method).field("url", &url).finish_non_exhaustive()
    }
}

/// An answer, whatever its status.
pub struct Incoming {
    /// The status.
    pub status: u16,
    /// Name (lower case) and value; values that are no text are left out.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Incoming {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EgressError {
    /// It certainly did not leave this machine.
    #[error("not sent: {0}")]
    NotSent(String),
    /// It may have arrived, and there is no whole answer.
    #[error("no answer: {0}")]
    Unanswered(String),
    /// It was answered with more than is read.
    #[error("the answer is too large: {0}")]
    TooLarge(String),
    /// It may not go there. It did not leave.
    #[error("refused: {0}")]
    Refused(String),
}

/// The settings an agent is made from; other settings, another agent.
#[derive(PartialEq)]
struct Settings {
    proxy: Option<String>,
    ca_file: Option<String>,
    /// When the file was written, so that a replaced one is read.
    ca_written: Option<SystemTime>,
    plain_http: bool,
}

/// Sends requests, for each connector by an agent of its own.
pub struct Egress {
    names: resolver::Names,
    agents: Mutex<HashMap<String, (Arc<Settings>, Agent)>>,
}

impl std::fmt::Debug for Egress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Egress").finish_non_exhaustive()
    }
}

impl Default for Egress {
    fn default() -> Self {
        Self::new()
    }
}

impl Egress {
    /// With no connection open yet.
    pub fn new() -> Self {
        Self { names: resolver::Names::of_the_system(), agents: Mutex::default() }
    }

    /// Sends a request by a connector and reads its answer, whatever its status.
    pub fn send(&self, connector: &ConnectorRow, request: Outgoing) -> Result<Incoming, EgressError> {
        let host = check_target(connector, &request.url).map_err(EgressError::Refused)?;
        let left = request.deadline.saturating_duration_since(Instant::now()).min(ALL);
        if left.is_zero() {
            return Err(EgressError::NotSent("no time was left for it".into()));
        }
        let agent = self.agent(connector).map_err(EgressError::NotSent)?;
        let mut prepared = http::Request::builder().method(request.method).uri(&request.url);
        for (name, value) in &request.headers {
            prepared = prepared.header(name, value);
        }
        // A POST without a body says so, or Microsoft asks for its length.
        let empty = matches!(request.method, "POST" | "PUT" | "PATCH").then(Vec::new);
        let invalid = |e: http::Error| EgressError::NotSent(format!("it is no valid request: {e}"));
        let (outcome, sent) = match request.body.or(empty) {
            Some(body) => {
                let ready = prepared.body(body).map_err(invalid)?;
                let ready = agent.configure_request(ready).timeout_global(Some(left)).build();
                sending::watched(|| agent.run(ready).and_then(read))
            }
            None => {
                let ready = prepared.body(()).map_err(invalid)?;
                let ready = agent.configure_request(ready).timeout_global(Some(left)).build();
                sending::watched(|| agent.run(ready).and_then(read))
            }
        };
        outcome.map_err(|error| describe(&host, error, sent))
    }

    fn agent(&self, connector: &ConnectorRow) -> Result<Agent, String> {
        let written = |file: &String| std::fs::metadata(file).and_then(|m| m.modified()).ok();
        let settings = Settings {
            proxy: connector.proxy.clone(),
            ca_file: connector.ca_file.clone(),
            ca_written: connector.ca_file.as_ref().and_then(written),
            plain_http: addresses_of(connector).any(|a| a.starts_with("http:")),
        };
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, agent)) = agents.get(&connector.id)
            && **known == settings
        {
            return Ok(agent.clone());
        }
        let agent = self.build(&settings)?;
        agents.insert(connector.id.clone(), (Arc::new(settings), agent.clone()));
        Ok(agent)
    }

    fn build(&self, settings: &Settings) -> Result<Agent, String> {
        let proxy = match &settings.proxy {
            Some(text) => Some(Proxy::new(text).map_err(|_| "the connector's proxy is not `http://host:port`")?),
            None => None,
        };
        let tls = TlsConfig::builder();
        let tls = match &settings.ca_file {
            Some(file) => tls.root_certs(RootCerts::from(certificates(Path::new(file))?)).build(),
            None => tls.build(),
        };
        let resolver = resolver::GuardedResolver {
            names: self.names.clone(),
            proxy: proxy.as_ref().map(|p| (p.host().to_owned(), p.port())),
        };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(proxy)
            .https_only(!settings.plain_http)
            .tls_config(tls)
            .user_agent(concat!("teams-mirror/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(HEADERS))
            .timeout_global(Some(ALL))
            .max_idle_connections(256)
            .max_idle_connections_per_host(64)
            .max_idle_age(Duration::from_secs(50))
            .build();
        Ok(Agent::with_parts(config, sending::connector(), resolver))
    }
}

fn read(response: http::Response<ureq::Body>) -> Result<Incoming, ureq::Error> {
    let (parts, mut body) = response.into_parts();
    let headers = parts.headers.iter();
    Ok(Incoming {
        status: parts.status.as_u16(),
        headers: headers.filter_map(|(n, v)| Some((n.as_str().to_owned(), v.to_str().ok()?.to_owned()))).collect(),
        body: body.with_config().limit(MOST_BODY).read_to_vec()?,
    })
}

fn describe(host: &str, error: ureq::Error, sent: bool) -> EgressError {
    if let ureq::Error::Io(io) = &error
        && io.get_ref().is_some_and(|inner| inner.is::<resolver::NotPublic>())
    {
        return EgressError::Refused(io.to_string());
    }
    let what = format!("{host}: {error}");
    match error {
        ureq::Error::BodyExceedsLimit(_) => EgressError::TooLarge(format!("{host}: over {MOST_BODY} octets")),
        _ if sent => EgressError::Unanswered(what),
        _ => EgressError::NotSent(what),
    }
}

/// Whether a connector could trust the certificates of this PEM file; what is wrong with it otherwise.
pub fn check_ca_file(file: &str) -> Result<(), String> {
    certificates(Path::new(file)).map(drop)
}

fn certificates(file: &Path) -> Result<Vec<Certificate<'static>>, String> {
    let why = |e: &dyn std::fmt::Display| format!("the connector's `ca_file` `{}` cannot be read: {e}", file.display());
    let pem = std::fs::read(file).map_err(|e| why(&e))?;
    let mut found = Vec::new();
    for item in ureq::tls::parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|e| why(&e))? {
            found.push(certificate);
        }
    }
    if found.is_empty() { Err(why(&"it holds no certificate")) } else { Ok(found) }
}

fn addresses_of(connector: &ConnectorRow) -> impl Iterator<Item = &str> {
    let services = connector.services.iter().map(|(_, base)| base.as_str());
    services.chain([connector.authorize_url.as_str(), connector.token_url.as_str()])
}

/// The second lock on the door: whoever made the URL, it leads to one of the connector's own hosts. Gives the host.
fn check_target(connector: &ConnectorRow, url: &str) -> Result<String, String> {
    let url = Url::parse(url).map_err(|e| format!("not a URL: {e}"))?;
    check_address(&url)?;
    let known = addresses_of(connector).filter_map(|a| Url::parse(a).ok()).any(|a| a.origin() == url.origin());
    let host = url.host_str().unwrap_or_default();
    if known { Ok(host.to_owned()) } else { Err(format!("connector `{}` does not lead to `{host}`", connector.name)) }
}

/// An address requests may be sent to: https, or plain http to a literal loopback address; no user, no password.
pub fn check_address(url: &Url) -> Result<(), String> {
    let host = url.host_str().unwrap_or_default();
    match url.scheme() {
        "https" if !host.is_empty() => {}
        "http" if is_literal_loopback(host) => {}
        "http" => return Err("plain http is for `127.0.0.1` and `[::1]` only; write `https://`".into()),
        _ => return Err("it does not begin with `https://`".into()),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it holds a user name or a password".into());
    }
    Ok(())
}

fn is_literal_loopback(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests;
