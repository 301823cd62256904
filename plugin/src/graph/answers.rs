//! What is read from Graph's answers.

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

    /// The events in an answer to a search.
    pub(crate) fn read_page(response: &Response) -> Option<Vec<Self>> {
        let page: Page = serde_json::from_slice(&response.body).ok()?;
        Some(page.value.into_iter().filter_map(Self::from_raw).collect())
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
