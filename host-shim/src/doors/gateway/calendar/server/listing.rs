//! What a watcher asks of the server: what changed in a calendar, what is in it, and what falls into a time.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use hyper::StatusCode;

use super::{Asked, BATCH, LARGE, NAMES, Server, Trouble, Who, XML, propfind};
use crate::doors::gateway::calendar::dav::{Multistatus, Resource};
use crate::doors::gateway::calendar::path::collection;
use crate::doors::gateway::calendar::xml::{DAV, escaped};

/// How long the server may take to list a calendar.
const PATIENCE: Duration = Duration::from_secs(60);
/// The most pages of one answer: what a server says in more of them is no answer any more.
const MOST_PAGES: usize = 10_000;

/// A member of a calendar, without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its path.
    pub(crate) path: String,
    /// What changes with its text: its ETag, or else when it was last modified; empty where the server tells neither.
    pub(crate) etag: String,
    /// When it was last modified, Unix milliseconds.
    pub(crate) modified: Option<i64>,
}

/// What is different in a calendar.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Delta {
    /// Members that are new or changed.
    pub(crate) changed: Vec<Entry>,
    /// Paths that are members no more.
    pub(crate) gone: Vec<String>,
    /// Where the next question begins.
    pub(crate) token: String,
}

/// A member's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    /// Its path.
    pub(crate) path: String,
    /// As [`Entry::etag`].
    pub(crate) etag: String,
    /// The text; `None`: it is there no more, or may not be read.
    pub(crate) text: Option<String>,
}

impl Server {
    /// What changed in a calendar since a token (RFC 6578); with an empty one, all that is in it.
    ///
    /// # Errors
    /// [`Trouble::Refused`] with a status below 500 where the server does not know the token (any more), or has no such report.
    pub(crate) async fn changes(&self, who: &Who, calendar: &str, token: &str) -> Result<Delta, Trouble> {
        let mut delta = Delta { token: token.to_owned(), ..Delta::default() };
        for _ in 0..MOST_PAGES {
            let body = format!(
                "{XML}<D:sync-collection {NAMES}><D:sync-token>{}</D:sync-token><D:sync-level>1</D:sync-level><D:prop>\
                 <D:getetag/><D:getlastmodified/><D:resourcetype/></D:prop></D:sync-collection>",
                escaped(&delta.token)
            );
            let page = self.multistatus(who, long(Asked::xml("REPORT", calendar, 0, body))).await?;
            let before = std::mem::take(&mut delta.token);
            if delta.add(calendar, page)? {
                return Ok(delta);
            }
            if delta.token == before {
                return Err(Trouble::Strange(format!("the server tells of `{calendar}` in pages that do not end")));
            }
        }
        Err(Trouble::Strange(format!("the server tells of `{calendar}` in more than {MOST_PAGES} pages")))
    }

    /// All that is in a calendar, where the server cannot say what changed.
    pub(crate) async fn members(&self, who: &Who, calendar: &str) -> Result<Vec<Entry>, Trouble> {
        let props = "<D:getetag/><D:getlastmodified/><D:resourcetype/>";
        let found = self.multistatus(who, long(Asked::xml("PROPFIND", calendar, 1, propfind(props)))).await?;
        let members = found.resources.into_iter().filter(|resource| is_member(resource, calendar));
        Ok(members.map(|resource| Entry::of(&resource)).collect())
    }

    /// The paths of events of which something falls between two instants (RFC 4791 §9.9).
    pub(crate) async fn within(
        &self,
        who: &Who,
        calendar: &str,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<HashSet<String>, Trouble> {
        let filter = format!(
            "<C:comp-filter name=\"VEVENT\"><C:time-range start=\"{}\" end=\"{}\"/></C:comp-filter>",
            from.format("%Y%m%dT%H%M%SZ"),
            until.format("%Y%m%dT%H%M%SZ")
        );
        Ok(self.query(who, calendar, &filter, PATIENCE).await?.into_iter().collect())
    }

    /// The texts under these paths of a calendar (RFC 4791 §7.9).
    pub(crate) async fn texts(&self, who: &Who, calendar: &str, paths: &[String]) -> Result<Vec<Held>, Trouble> {
        let mut held = Vec::new();
        for batch in paths.chunks(BATCH) {
            let hrefs: String = batch.iter().map(|path| format!("<D:href>{}</D:href>", escaped(path))).collect();
            let body = format!(
                "{XML}<C:calendar-multiget {NAMES}><D:prop><D:getetag/><D:getlastmodified/><C:calendar-data/></D:prop>{hrefs}\
                 </C:calendar-multiget>"
            );
            let found = self.multistatus(who, long(Asked::xml("REPORT", calendar, 1, body))).await?;
            held.extend(found.resources.iter().map(|resource| {
                let entry = Entry::of(resource);
                Held { path: entry.path, etag: entry.etag, text: resource.calendar_data() }
            }));
        }
        Ok(held)
    }

    /// The principal of whoever asks (RFC 5397); `None`: the server knows nobody by that credential.
    pub(crate) async fn myself(&self, who: &Who) -> Result<Option<String>, Trouble> {
        match self.propfind(who, "/", 0, "<D:current-user-principal/>").await {
            Ok(found) => Ok(found.resources.iter().flat_map(|here| here.paths(DAV, "current-user-principal")).next()),
            Err(Trouble::Refused(StatusCode::UNAUTHORIZED)) => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    /// Whether there is nothing under a path any more; a server that does not let us see it does not say so.
    pub(crate) async fn is_gone(&self, who: &Who, path: &str) -> Result<bool, Trouble> {
        match self.propfind(who, path, 0, "<D:resourcetype/>").await {
            // Some servers say so of the resource, and not of the answer.
            Ok(found) => Ok(found.resources.iter().any(|here| matches!(here.status, Some(404 | 410)))),
            Err(Trouble::Refused(StatusCode::NOT_FOUND | StatusCode::GONE)) => Ok(true),
            Err(Trouble::Refused(status)) if status.is_client_error() => Ok(false),
            Err(trouble) => Err(trouble),
        }
    }
}

impl Delta {
    /// Takes a page; whether it was the last (RFC 6578 §3.6).
    fn add(&mut self, calendar: &str, page: Multistatus) -> Result<bool, Trouble> {
        let mut last = true;
        for resource in page.resources {
            match resource.status {
                Some(507) if collection(&resource.path) == collection(calendar) => last = false,
                Some(404 | 410) => self.gone.push(resource.path),
                Some(status) if status >= 400 => {}
                _ if is_member(&resource, calendar) => self.changed.push(Entry::of(&resource)),
                _ => {}
            }
        }
        self.token = page
            .sync_token
            .filter(|token| !token.is_empty())
            .ok_or_else(|| Trouble::Strange(format!("the server tells of `{calendar}` without a sync-token")))?;
        Ok(last)
    }
}

impl Entry {
    fn of(resource: &Resource) -> Self {
        let modified = resource.text(DAV, "getlastmodified");
        Self {
            path: resource.path.clone(),
            etag: resource.text(DAV, "getetag").or(modified).unwrap_or_default().to_owned(),
            modified: modified.and_then(instant),
        }
    }
}

/// A question that concerns a whole calendar.
fn long(asked: Asked<'_>) -> Asked<'_> {
    Asked { limit: LARGE, patience: PATIENCE, ..asked }
}

/// An HTTP date, in Unix milliseconds.
fn instant(date: &str) -> Option<i64> {
    let since = httpdate::parse_http_date(date).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}

/// Whether it is something in the calendar, and neither that itself nor a folder.
fn is_member(resource: &Resource, calendar: &str) -> bool {
    collection(&resource.path) != collection(calendar) && !resource.is_collection()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> Multistatus {
        Multistatus::parse(&format!("<multistatus xmlns='DAV:'>{text}</multistatus>")).unwrap()
    }

    const ONE: &str = "<response><href>/a/c/1.ics</href><propstat><prop><getetag>\"1\"</getetag>\
        <getlastmodified>Sun, 06 Nov 1994 08:49:37 GMT</getlastmodified><resourcetype/></prop>\
        <status>HTTP/1.1 200 OK</status></propstat></response>";

    #[test]
    fn changes_come_in_pages() {
        let mut delta = Delta::default();
        let more = "<response><href>/a/c</href><status>HTTP/1.1 507 Insufficient Storage</status></response>";
        assert!(!delta.add("/a/c/", page(&format!("{ONE}{more}<sync-token>t1</sync-token>"))).unwrap());
        let gone = "<response><href>/a/c/2.ics</href><status>HTTP/1.1 404 Not Found</status></response>";
        assert!(delta.add("/a/c/", page(&format!("{gone}<sync-token>t2</sync-token>"))).unwrap());
        let expected = Delta {
            changed: vec![Entry { path: "/a/c/1.ics".into(), etag: "\"1\"".into(), modified: Some(784_111_777_000) }],
            gone: vec!["/a/c/2.ics".into()],
            token: "t2".into(),
        };
        assert_eq!(delta, expected);
        assert!(delta.add("/a/c/", page(ONE)).is_err(), "no token, no end");
    }

    #[test]
    fn the_calendar_itself_and_folders_in_it_are_no_members() {
        let folder = "<response><href>/a/c/x/</href><propstat><prop><resourcetype><collection/></resourcetype></prop>\
            </propstat></response>";
        let itself = "<response><href>/a/c</href><propstat><prop><getetag>\"c\"</getetag></prop></propstat></response>";
        let mut delta = Delta::default();
        delta.add("/a/c/", page(&format!("{folder}{itself}<sync-token>t</sync-token>"))).unwrap();
        assert!(delta.changed.is_empty() && delta.gone.is_empty());
    }

    #[test]
    fn where_there_is_no_etag_the_date_does() {
        let dated = ONE.replace("<getetag>\"1\"</getetag>", "");
        let entry = Entry::of(&page(&dated).resources[0]);
        assert_eq!(entry.etag, "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
