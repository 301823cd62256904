//! The gateway's own questions to the server, asked as the client asks, or as the service.

pub(crate) mod listing;

use std::time::{Duration, Instant};

use base64::Engine as _;
use bytes::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};
use sha2::{Digest as _, Sha256};

use super::dav::Multistatus;
use super::hook::LARGEST;
use super::path::{canonical, collection};
use super::xml::{CALDAV, DAV, escaped};
use crate::doors::gateway::config::{GatewayConfig, Service};
use crate::doors::gateway::upstream::{Unreachable, Upstream};

/// How long the server may take for one question.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer to a question about one resource, in octets.
const SMALL: usize = 1024 * 1024;
/// The longest answer to a question about many.
const LARGE: usize = 64 * 1024 * 1024;
/// How often the server may send elsewhere.
const HOPS: usize = 3;
/// Objects asked for at once.
const BATCH: usize = 50;

/// Headers that say who asks, beside those the configuration names.
const CREDENTIALS: [HeaderName; 2] = [header::AUTHORIZATION, header::COOKIE];
/// Headers that the server may decide by, too, or builds its addresses with.
const ALONG: [&str; 6] = ["host", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded", "x-real-ip"];

/// Why the server does not say.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// It does not let whoever asks know.
    #[error("the server answers {0}")]
    Refused(StatusCode),
    /// It gave no answer.
    #[error("the server gives no answer: {0}")]
    Unreachable(#[from] Unreachable),
    /// Its answer is not understood.
    #[error("{0}")]
    Strange(String),
}

impl Trouble {
    /// Whether another time may fare better.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Refused(status) => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
            Self::Unreachable(_) => true,
            Self::Strange(_) => false,
        }
    }
}

/// Who asks.
#[derive(Clone)]
pub(crate) struct Who {
    headers: HeaderMap,
    /// Tells people apart, where what one may do is remembered.
    pub(crate) key: [u8; 32],
    /// Whether it is the gateway itself.
    is_service: bool,
}

impl Who {
    /// Whoever sent a request.
    pub(crate) fn sent(headers: &HeaderMap, config: &GatewayConfig) -> Self {
        let remote = config.service.as_ref().and_then(|service| service.remote_user_header.as_ref());
        let further = config.credential_headers.iter().chain(remote).map(|name| &name.0);
        let along = ALONG.map(HeaderName::from_static);
        let mut copied = HeaderMap::new();
        let mut digest = Sha256::new();
        for name in CREDENTIALS.iter().chain(further).chain(&along) {
            for value in headers.get_all(name) {
                copied.append(name.clone(), value.clone());
                digest.update((name.as_str().len() as u64).to_be_bytes());
                digest.update(name.as_str());
                digest.update((value.len() as u64).to_be_bytes());
                digest.update(value);
            }
        }
        Self { headers: copied, key: digest.finalize().into(), is_service: false }
    }

    /// The service, for somebody's calendars; `user` is the owner's name at the server. `None` where there is no service, or its
    /// password cannot be read, which is logged.
    pub(crate) fn service(service: Option<&Service>, user: &str) -> Option<Self> {
        let service = service?;
        let (name, value) = match (&service.remote_user_header, &service.user, &service.password_file) {
            (Some(name), ..) => (name.0.clone(), HeaderValue::from_str(user).ok()?),
            (None, Some(login), Some(file)) => {
                let password = std::fs::read_to_string(file)
                    .inspect_err(|error| {
                        tracing::error!("`password_file`, `{}`, cannot be read: {error}", file.display())
                    })
                    .ok()?;
                let both = format!("{login}:{}", password.trim_end_matches(['\r', '\n']));
                let encoded = base64::engine::general_purpose::STANDARD.encode(both);
                (header::AUTHORIZATION, HeaderValue::from_str(&format!("Basic {encoded}")).ok()?)
            }
            _ => return None,
        };
        let key = Sha256::digest(value.as_bytes()).into();
        let mut headers = HeaderMap::new();
        headers.insert(name, value);
        Some(Self { headers, key, is_service: true })
    }

    /// Somebody who sends the same, but does not say who he or she is.
    pub(crate) fn without_credentials(&self, config: &GatewayConfig) -> Self {
        let remote = config.service.as_ref().and_then(|service| service.remote_user_header.as_ref());
        let mut headers = self.headers.clone();
        for name in CREDENTIALS.iter().chain(config.credential_headers.iter().chain(remote).map(|name| &name.0)) {
            headers.remove(name);
        }
        Self { headers, key: [0; 32], is_service: false }
    }
}

/// A calendar object as the server holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    /// The text.
    pub(crate) text: String,
    /// Its ETag.
    pub(crate) etag: Option<String>,
    /// Its Schedule-Tag (RFC 6638 §3.2.10).
    pub(crate) schedule_tag: Option<String>,
    /// When it changed, as HTTP says it.
    pub(crate) last_modified: Option<String>,
}

/// A member of a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    /// Its path.
    pub(crate) path: String,
    /// Its text; the UID alone, where no more was asked for and the server can give less.
    pub(crate) text: String,
}

/// The server, for the gateway's own questions.
#[derive(Clone)]
pub(crate) struct Server {
    upstream: Upstream,
}

impl Server {
    /// The server behind.
    pub(crate) fn new(upstream: Upstream) -> Self {
        Self { upstream }
    }

    /// Asks for properties. `props`: the elements of `DAV:prop`, with the prefixes `D`, `C` and `S`.
    pub(crate) async fn propfind(&self, who: &Who, path: &str, depth: u8, props: &str) -> Result<Multistatus, Trouble> {
        self.multistatus(who, Asked::xml("PROPFIND", path, depth, propfind(props))).await
    }

    /// The same where a path under which the server sends whoever asks elsewhere is not wanted.
    pub(crate) async fn propfind_here(&self, who: &Who, path: &str, props: &str) -> Result<Multistatus, Trouble> {
        self.multistatus(who, Asked { followed: false, ..Asked::xml("PROPFIND", path, 0, propfind(props)) }).await
    }

    /// Where the server sends whoever asks about a path.
    pub(crate) async fn leads_to(&self, who: &Who, path: &str) -> Result<Option<String>, Trouble> {
        Ok(self.ask(who, Asked::xml("PROPFIND", path, 0, propfind("<D:resourcetype/>"))).await?.1)
    }

    /// Asks who asks, and gives the whole answer: a refusal may have to be passed on.
    pub(crate) async fn principal(&self, who: &Who, path: &str) -> Result<Response<Bytes>, Trouble> {
        Ok(self.ask(who, Asked::xml("PROPFIND", path, 0, propfind("<D:current-user-principal/>"))).await?.0)
    }

    /// The object under a path; `None`: there is none.
    pub(crate) async fn get(&self, who: &Who, path: &str) -> Result<Option<Object>, Trouble> {
        let (answer, _) = self.ask(who, Asked { limit: LARGEST, ..Asked::new("GET", path) }).await?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(None),
            status => return Err(Trouble::Refused(status)),
        }
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (etag, schedule_tag, last_modified) = (header("etag"), header("schedule-tag"), header("last-modified"));
        let text = String::from_utf8(answer.into_body().into())
            .map_err(|_| Trouble::Strange(format!("the server's text of `{path}` is not UTF-8")))?;
        Ok(Some(Object { text, etag, schedule_tag, last_modified }))
    }

    /// The Schedule-Tag of an object, where the server has one for it.
    pub(crate) async fn schedule_tag(&self, who: &Who, path: &str) -> Result<Option<String>, Trouble> {
        let found = self.propfind(who, path, 0, "<C:schedule-tag/>").await?;
        Ok(found.resources.first().and_then(|here| here.text(CALDAV, "schedule-tag")).map(str::to_owned))
    }

    /// Stores a text over the one with this ETag. Gives the server's status.
    pub(crate) async fn put_back(&self, who: &Who, path: &str, text: &str, etag: &str) -> Result<StatusCode, Trouble> {
        let headers = [("content-type", "text/calendar; charset=utf-8"), ("if-match", etag)];
        let body = Bytes::copy_from_slice(text.as_bytes());
        Ok(self.ask(who, Asked { headers: &headers, body, ..Asked::new("PUT", path) }).await?.0.status())
    }

    /// The paths of the objects with this UID in a calendar.
    pub(crate) async fn with_uid(&self, who: &Who, calendar: &str, uid: &str) -> Result<Vec<String>, Trouble> {
        let filter = format!(
            "<C:comp-filter name=\"VEVENT\"><C:prop-filter name=\"UID\"><C:text-match collation=\"i;octet\">{}</C:text-match>\
             </C:prop-filter></C:comp-filter>",
            escaped(uid)
        );
        self.query(who, calendar, &filter, PATIENCE).await
    }

    /// The events in a calendar, within a time. `texts`: whole, or only so much that each has its UID.
    pub(crate) async fn events(
        &self,
        who: &Who,
        calendar: &str,
        texts: bool,
        patience: Duration,
    ) -> Result<Vec<Member>, Trouble> {
        let ends = Instant::now() + patience;
        let paths = self.query(who, calendar, "<C:comp-filter name=\"VEVENT\"/>", patience).await?;
        let data = if texts {
            "<C:calendar-data/>"
        } else {
            "<C:calendar-data><C:comp name=\"VCALENDAR\"><C:comp name=\"VEVENT\"><C:prop name=\"UID\"/></C:comp></C:comp>\
             </C:calendar-data>"
        };
        let mut members = Vec::new();
        for batch in paths.chunks(BATCH) {
            let hrefs: String = batch.iter().map(|path| format!("<D:href>{}</D:href>", escaped(path))).collect();
            let body = format!(
                "{XML}<C:calendar-multiget {NAMES}><D:prop><D:getetag/>{data}</D:prop>{hrefs}</C:calendar-multiget>"
            );
            let patience = ends.saturating_duration_since(Instant::now());
            let found = self.multistatus(who, Asked { patience, ..Asked::xml("REPORT", calendar, 1, body) }).await?;
            members.extend(
                found
                    .resources
                    .into_iter()
                    .filter_map(|resource| Some(Member { text: resource.calendar_data()?, path: resource.path })),
            );
        }
        Ok(members)
    }

    async fn query(&self, who: &Who, calendar: &str, filter: &str, patience: Duration) -> Result<Vec<String>, Trouble> {
        let body = format!(
            "{XML}<C:calendar-query {NAMES}><D:prop><D:getetag/></D:prop><C:filter><C:comp-filter name=\"VCALENDAR\">{filter}\
             </C:comp-filter></C:filter></C:calendar-query>"
        );
        let found = self.multistatus(who, Asked { patience, ..Asked::xml("REPORT", calendar, 1, body) }).await?;
        Ok(found.resources.into_iter().filter(|r| r.status.is_none_or(|s| s < 400)).map(|r| r.path).collect())
    }

    async fn multistatus(&self, who: &Who, asked: Asked<'_>) -> Result<Multistatus, Trouble> {
        let path = asked.path;
        let (answer, place) = self.ask(who, asked).await?;
        if answer.status() != StatusCode::MULTI_STATUS {
            return Err(Trouble::Refused(answer.status()));
        }
        let text = std::str::from_utf8(answer.body()).map_err(|error| Trouble::Strange(error.to_string()))?;
        let mut found = Multistatus::parse(text).map_err(|error| Trouble::Strange(error.to_string()))?;
        if let Some(place) = place {
            // What was found elsewhere is named as it was asked for.
            let (there, here) = (collection(&place), collection(path));
            for resource in &mut found.resources {
                if let Some(rest) = collection(&resource.path).strip_prefix(&there) {
                    let is_collection = resource.path.ends_with('/') || rest.is_empty();
                    let rest = if is_collection { rest } else { rest.trim_end_matches('/') };
                    resource.path = format!("{here}{rest}");
                }
            }
        }
        Ok(found)
    }

    /// Asks. Where the server sends whoever asks to another path, and that is `followed`, that is asked in its place, and named:
    /// some servers have one calendar under a path of each person who may see it.
    async fn ask(&self, who: &Who, asked: Asked<'_>) -> Result<(Response<Bytes>, Option<String>), Trouble> {
        let ends = Instant::now() + asked.patience;
        let mut place = None;
        for hops in 0.. {
            let path = place.as_deref().unwrap_or(asked.path);
            let left = ends.saturating_duration_since(Instant::now());
            let answer = self.upstream.ask(asked.request(who, path)?, asked.limit, left).await?;
            let moved = matches!(answer.status().as_u16(), 301 | 302 | 307 | 308);
            if !moved || !(asked.followed || who.is_service) || hops >= HOPS {
                return Ok((answer, place));
            }
            let named =
                answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok()).and_then(canonical);
            match named {
                Some(named) if named != path => place = Some(named),
                _ => return Ok((answer, place)),
            }
        }
        Err(Trouble::Strange("the server sends in circles".into()))
    }
}

/// One request of the gateway's own.
struct Asked<'a> {
    method: &'a str,
    path: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: Bytes,
    /// The longest answer, in octets.
    limit: usize,
    patience: Duration,
    /// Whether to go where the server sends.
    followed: bool,
}

impl<'a> Asked<'a> {
    fn new(method: &'a str, path: &'a str) -> Self {
        Self { method, path, headers: &[], body: Bytes::new(), limit: SMALL, patience: PATIENCE, followed: true }
    }

    /// A question whose answer is a multistatus.
    fn xml(method: &'a str, path: &'a str, depth: u8, body: String) -> Self {
        let headers: &[(&str, &str)] = if depth == 0 { &XML_ALONE } else { &XML_WITH_MEMBERS };
        Self { headers, body: body.into(), limit: if depth == 0 { SMALL } else { LARGE }, ..Self::new(method, path) }
    }

    fn request(&self, who: &Who, path: &str) -> Result<Request<Bytes>, Trouble> {
        let mut request = Request::builder().method(self.method).uri(path);
        for (name, value) in self.headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(self.body.clone()).map_err(|error| Trouble::Strange(error.to_string()))?;
        request.headers_mut().extend(who.headers.clone());
        let own = HeaderValue::from_static(concat!("teams-mirror-gateway/", env!("CARGO_PKG_VERSION")));
        request.headers_mut().insert(header::USER_AGENT, own);
        Ok(request)
    }
}

const XML_ALONE: [(&str, &str); 2] = [("content-type", "application/xml; charset=utf-8"), ("depth", "0")];
const XML_WITH_MEMBERS: [(&str, &str); 2] = [("content-type", "application/xml; charset=utf-8"), ("depth", "1")];

/// The principal that an answer of [`Server::principal`] names.
pub(crate) fn principal_of(answer: &Response<Bytes>) -> Option<String> {
    if answer.status() != StatusCode::MULTI_STATUS {
        return None;
    }
    let found = Multistatus::parse(std::str::from_utf8(answer.body()).ok()?).ok()?;
    found.resources.iter().flat_map(|here| here.paths(DAV, "current-user-principal")).next()
}

fn propfind(props: &str) -> String {
    format!("{XML}<D:propfind {NAMES}><D:prop>{props}</D:prop></D:propfind>")
}

const XML: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>";
const NAMES: &str =
    "xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\" xmlns:S=\"http://calendarserver.org/ns/\"";
