//! What is read from Graph's answers.

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use serde::Deserialize;

use crate::host::Response;

use super::requests::mirror_id_property;

/// An event as Graph shows it; every field may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RemoteEvent {
    /// Its id; immutable, as asked for.
    pub(crate) id: String,
    /// `@odata.etag`.
    pub(crate) etag: Option<String>,
    /// Where people join (never `onlineMeetingUrl`, which is null for Teams).
    pub(crate) join_url: Option<String>,
    /// Where it can be looked at.
    pub(crate) web_link: Option<String>,
    /// `body.content`.
    pub(crate) body: Option<String>,
    /// Whether the answer tells if there is a meeting at all.
    pub(crate) tells_meeting: bool,
    /// Whether it says that there is one, and not where: a read of the event tells more than the answer to a change.
    pub(crate) is_vague: bool,
    /// The `mirror-id` it carries, where it was asked for.
    pub(crate) mirror_id: Option<String>,
    /// The day a series begins with.
    pub(crate) first_day: Option<NaiveDate>,
}

/// An occurrence as a list of them shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RemoteInstance {
    /// Its id.
    pub(crate) id: String,
    /// `@odata.etag`.
    pub(crate) etag: Option<String>,
    /// When the series has it start, wherever it was moved: Unix time in milliseconds.
    pub(crate) original_ms: i64,
    /// When it starts and ends.
    pub(crate) span_ms: (i64, i64),
    /// It was changed.
    pub(crate) exception: bool,
}

impl RemoteInstance {
    /// The occurrences of an answer, and where the next page is; `None` where it is not what Graph sends.
    pub(crate) fn read_page(response: &Response) -> Option<(Vec<Self>, Option<String>)> {
        let page: InstancePage = serde_json::from_slice(&response.body).ok()?;
        let instances = page.value.into_iter().filter_map(Self::from_raw).collect();
        Some((instances, page.next))
    }

    /// The exceptions of a series, from an answer that tells of the series or a further page of them, and where the next
    /// page is; `None` where it is not what Graph sends.
    pub(crate) fn read_exceptions(response: &Response) -> Option<(Vec<Self>, Option<String>)> {
        let page: ExceptionsPage = serde_json::from_slice(&response.body).ok()?;
        let found = page.exceptions.into_iter().chain(page.value);
        let exceptions = found.filter_map(Self::from_raw).map(|one| Self { exception: true, ..one }).collect();
        Some((exceptions, page.first_next.or(page.next)))
    }

    fn from_raw(raw: RawInstance) -> Option<Self> {
        let start = instant(&raw.start?)?;
        let original = raw.original_start.as_deref().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        Some(Self {
            id: raw.id.filter(|id| !id.is_empty())?,
            etag: raw.etag.filter(|etag| is_visible(etag)),
            original_ms: original.map_or(start, |original| original.timestamp_millis()),
            span_ms: (start, instant(&raw.end?)?),
            exception: raw.kind.as_deref() == Some("exception"),
        })
    }
}

/// A time in UTC, which is how Graph tells times where no other zone was asked for.
fn instant(time: &RawTime) -> Option<i64> {
    let local = NaiveDateTime::parse_from_str(&time.date_time, "%Y-%m-%dT%H:%M:%S%.f").ok()?;
    Some(local.and_utc().timestamp_millis())
}

#[derive(Deserialize)]
struct InstancePage {
    value: Vec<RawInstance>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

#[derive(Deserialize)]
struct ExceptionsPage {
    #[serde(rename = "exceptionOccurrences", default)]
    exceptions: Vec<RawInstance>,
    #[serde(rename = "exceptionOccurrences@odata.nextLink")]
    first_next: Option<String>,
    #[serde(default)]
    value: Vec<RawInstance>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawInstance {
    id: Option<String>,
    #[serde(rename = "@odata.etag")]
    etag: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    original_start: Option<String>,
    start: Option<RawTime>,
    end: Option<RawTime>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawTime {
    date_time: String,
}

#[derive(Deserialize)]
struct Recurrence {
    range: Range,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Range {
    start_date: NaiveDate,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    id: Option<String>,
    #[serde(rename = "@odata.etag")]
    etag: Option<String>,
    is_online_meeting: Option<bool>,
    online_meeting: Option<Meeting>,
    web_link: Option<String>,
    body: Option<Body>,
    recurrence: Option<Recurrence>,
    #[serde(default)]
    single_value_extended_properties: Vec<Property>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meeting {
    join_url: Option<String>,
}

#[derive(Deserialize)]
struct Body {
    content: Option<String>,
}

#[derive(Deserialize)]
struct Property {
    id: String,
    value: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    value: Vec<Raw>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

impl RemoteEvent {
    /// The event in an answer; `None` where the body is none, or not what Graph sends.
    pub(crate) fn read(response: &Response) -> Option<Self> {
        let mut event = Self::from_raw(serde_json::from_slice(&response.body).ok()?)?;
        if event.etag.is_none() {
            event.etag = response.header("etag").map(str::to_owned);
        }
        Some(event)
    }

    /// The events in an answer to a search, and where the next page is.
    pub(crate) fn read_page(response: &Response) -> Option<(Vec<Self>, Option<String>)> {
        let page: Page = serde_json::from_slice(&response.body).ok()?;
        Some((page.value.into_iter().filter_map(Self::from_raw).collect(), page.next))
    }

    fn from_raw(raw: Raw) -> Option<Self> {
        let join_url = raw.online_meeting.and_then(|meeting| meeting.join_url).filter(|url| is_link(url));
        Some(Self {
            id: raw.id.filter(|id| !id.is_empty())?,
            etag: raw.etag.filter(|etag| is_visible(etag)),
            tells_meeting: raw.is_online_meeting.is_some() || join_url.is_some(),
            is_vague: raw.is_online_meeting == Some(true) && join_url.is_none(),
            join_url,
            web_link: raw.web_link.filter(|url| is_link(url)),
            body: raw.body.and_then(|body| body.content),
            first_day: raw.recurrence.map(|recurrence| recurrence.range.start_date),
            mirror_id: raw
                .single_value_extended_properties
                .into_iter()
                .find(|property| property.id.eq_ignore_ascii_case(&mirror_id_property()))
                .and_then(|property| property.value),
        })
    }
}

/// A link is opaque, but it is written into a calendar file, where a line end would be an injection.
fn is_link(url: &str) -> bool {
    (url.starts_with("https://") || url.starts_with("http://")) && url.len() <= 4096 && is_visible(url)
}

fn is_visible(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Graph's error code: the innermost, which is the most specific; empty where the body has none.
pub(crate) fn error_code(response: &Response) -> String {
    let Ok(body) = serde_json::from_slice::<serde_json::Value>(&response.body) else { return String::new() };
    let Some(error) = body.get("error") else { return String::new() };
    let code = |value: &serde_json::Value| value.get("code").and_then(|code| code.as_str()).map(str::to_owned);
    let mut found = code(error).unwrap_or_default();
    let mut inner = error;
    // `innerError` in the documents, `innererror` in older answers; a number there only repeats the status.
    while let Some(next) = inner.get("innerError").or_else(|| inner.get("innererror")) {
        if let Some(code) = code(next).filter(|code| !code.bytes().all(|byte| byte.is_ascii_digit())) {
            found = code;
        }
        inner = next;
    }
    // It ends up in sentences and logs: a name and nothing else.
    found.chars().filter(|character| character.is_ascii_alphanumeric() || "-_.".contains(*character)).take(80).collect()
}
