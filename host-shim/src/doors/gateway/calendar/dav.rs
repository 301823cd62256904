//! What a server answers to PROPFIND and REPORT (RFC 4918 §13), as far as calendars go.

use super::path::canonical;
use super::xml::{CALDAV, CALENDARSERVER, DAV, Element, XmlError};

/// One of the resources of a multistatus, with the properties the server has for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Resource {
    /// Its path, in the one spelling of [`canonical`].
    pub(crate) path: String,
    /// The status of the whole, where there is one: 404 for what is gone (RFC 6578 §3.5).
    pub(crate) status: Option<u16>,
    /// What the server says of it.
    properties: Vec<Element>,
}

/// A multistatus.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Multistatus {
    /// In the server's order. A resource whose path makes no sense is left out.
    pub(crate) resources: Vec<Resource>,
    /// The token of a `sync-collection` report (RFC 6578 §6.4).
    pub(crate) sync_token: Option<String>,
}

impl Multistatus {
    /// Reads an answer's body.
    pub(crate) fn parse(text: &str) -> Result<Self, XmlError> {
        let root = Element::parse(text)?;
        if !root.is(DAV, "multistatus") {
            return Err(XmlError::Strange("it is no multistatus"));
        }
        let resources = root.all(DAV, "response").filter_map(Resource::read).collect();
        let sync_token = root.first(DAV, "sync-token").map(|token| token.text().trim().to_owned());
        Ok(Self { resources, sync_token })
    }
}

impl Resource {
    fn read(response: &Element) -> Option<Self> {
        let path = canonical(response.first(DAV, "href")?.text())?;
        let mut properties = Vec::new();
        for propstat in response.all(DAV, "propstat") {
            if propstat.first(DAV, "status").and_then(status).is_none_or(|status| (200..300).contains(&status)) {
                properties.extend(propstat.all(DAV, "prop").flat_map(|prop| prop.children().iter().cloned()));
            }
        }
        Some(Self { path, status: response.first(DAV, "status").and_then(status), properties })
    }

    /// A property.
    pub(crate) fn property(&self, namespace: &str, name: &str) -> Option<&Element> {
        self.properties.iter().find(|property| property.is(namespace, name))
    }

    /// A property's text, where it is not empty.
    pub(crate) fn text(&self, namespace: &str, name: &str) -> Option<&str> {
        self.property(namespace, name).map(|property| property.text().trim()).filter(|text| !text.is_empty())
    }

    /// The paths of a property that holds `DAV:href`s.
    pub(crate) fn paths(&self, namespace: &str, name: &str) -> Vec<String> {
        let hrefs = self.property(namespace, name).into_iter().flat_map(|property| property.all(DAV, "href"));
        hrefs.filter_map(|href| canonical(href.text())).collect()
    }

    fn is_type(&self, namespace: &'static str, name: &'static str) -> bool {
        self.property(DAV, "resourcetype").is_some_and(|kind| kind.first(namespace, name).is_some())
    }

    /// Whether it is a collection of any kind.
    pub(crate) fn is_collection(&self) -> bool {
        self.is_type(DAV, "collection")
    }

    /// Whether it is a calendar that may hold events: no inbox or outbox, no list of tasks (RFC 4791 §5.2.3).
    pub(crate) fn is_event_calendar(&self) -> bool {
        let scheduling = self.is_type(CALDAV, "schedule-inbox") || self.is_type(CALDAV, "schedule-outbox");
        let takes = self.property(CALDAV, "supported-calendar-component-set").is_none_or(|set| {
            let mut kinds = set.all(CALDAV, "comp").filter_map(|kind| kind.attribute("name")).peekable();
            kinds.peek().is_none() || kinds.any(|kind| kind.eq_ignore_ascii_case("VEVENT"))
        });
        self.is_type(CALDAV, "calendar") && !scheduling && takes
    }

    /// Whether it is somebody else's calendar, shown among one's own (calendarserver's sharing): its paths are not the owner's.
    pub(crate) fn is_shared_to_me(&self) -> bool {
        self.is_type(CALENDARSERVER, "shared")
    }

    /// Whether whoever asked may write there; `true` where the server does not say (RFC 3744 §5.5).
    pub(crate) fn may_write(&self) -> bool {
        let Some(set) = self.property(DAV, "current-user-privilege-set") else { return true };
        let mut names = set.all(DAV, "privilege").flat_map(Element::children).filter(|name| {
            // Cyrus and Apple have finer ones of their own; these are what they are part of.
            name.is(DAV, "all") || name.is(DAV, "write") || name.is(DAV, "write-content") || name.is(DAV, "bind")
        });
        names.next().is_some()
    }

    /// The mail addresses of a principal, the preferred one first (RFC 6638 §2.4.1).
    pub(crate) fn addresses(&self) -> Vec<String> {
        let set = self.property(CALDAV, "calendar-user-address-set");
        let mut found: Vec<(bool, String)> = set
            .into_iter()
            .flat_map(|set| set.all(DAV, "href"))
            .filter_map(|href| {
                let text = href.text().trim();
                let (scheme, address) = text.split_once(':')?;
                let address = percent_encoding::percent_decode_str(address).decode_utf8().ok()?.into_owned();
                scheme.eq_ignore_ascii_case("mailto").then_some((href.attribute("preferred") != Some("1"), address))
            })
            .collect();
        found.sort_by_key(|(later, _)| *later);
        found.into_iter().map(|(_, address)| address).collect()
    }

    /// The iCalendar text. XML turns CRLF into LF; where only that is left of the line ends, they are as RFC 5545 §3.1 has them.
    pub(crate) fn calendar_data(&self) -> Option<String> {
        let text = self.property(CALDAV, "calendar-data")?.text();
        Some(if text.contains('\r') { text.to_owned() } else { text.replace('\n', "\r\n") })
    }
}

/// The code in `HTTP/1.1 200 OK`.
fn status(element: &Element) -> Option<u16> {
    element.text().split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::doors::gateway::calendar::xml::escaped;

    /// As Cyrus answers, shortened.
    const CALENDAR: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:CY="http://cyrusimap.org/ns/">
 <D:response>
  <D:href>/dav/calendars/user/alice%40test.tld/Default/</D:href>
  <D:propstat>
   <D:prop>
    <D:resourcetype><D:collection/><C:calendar/></D:resourcetype>
    <D:displayname> personal </D:displayname>
    <D:owner><D:href>http://localhost/dav/principals/user/alice%40test.tld/</D:href></D:owner>
    <D:current-user-privilege-set>
     <D:privilege><D:read/></D:privilege><D:privilege><CY:make-collection/></D:privilege>
     <D:privilege><D:write-content/></D:privilege>
    </D:current-user-privilege-set>
    <C:supported-calendar-component-set><C:comp name="VEVENT"/><C:comp name="VTODO"/></C:supported-calendar-component-set>
   </D:prop>
   <D:status>HTTP/1.1 200 OK</D:status>
  </D:propstat>
  <D:propstat><D:prop><D:getetag>no</D:getetag></D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>
 </D:response>
</D:multistatus>"#;

    fn one(text: &str) -> Resource {
        Multistatus::parse(text).unwrap().resources.remove(0)
    }

    #[test]
    fn a_calendar_is_read() {
        let calendar = one(CALENDAR);
        assert_eq!(calendar.path, "/dav/calendars/user/alice@test.tld/Default/");
        assert!(calendar.is_collection() && calendar.is_event_calendar() && calendar.may_write());
        assert_eq!(calendar.text(DAV, "displayname"), Some("personal"));
        assert_eq!(calendar.paths(DAV, "owner"), ["/dav/principals/user/alice@test.tld/"]);
        assert_eq!(calendar.text(DAV, "getetag"), None, "the server has none");
    }

    #[test]
    fn what_holds_no_events_is_told_apart() {
        for other in [
            CALENDAR.replace("<C:comp name=\"VEVENT\"/>", ""),
            CALENDAR.replace("<C:calendar/>", ""),
            CALENDAR.replace("<C:calendar/>", "<C:calendar/><C:schedule-inbox/>"),
            CALENDAR.replace("xmlns:C=\"urn:ietf:params:xml:ns:caldav\"", "xmlns:C=\"urn:x\""),
        ] {
            assert!(!one(&other).is_event_calendar(), "{other}");
        }
        assert!(!one(&CALENDAR.replace("write-content", "read-acl")).may_write());
        assert!(one(&CALENDAR.replace("current-user-privilege-set", "x")).may_write());
        let unnamed = CALENDAR.replace("supported-calendar-component-set", "x");
        assert!(one(&unnamed).is_event_calendar(), "all are taken where none is named");
    }

    #[test]
    fn the_preferred_address_is_first() {
        let principal = one(
            "<multistatus xmlns='DAV:' xmlns:C='urn:ietf:params:xml:ns:caldav'><response><href>/p/</href><propstat><prop>\
             <C:calendar-user-address-set><href>/p/</href><href>MAILTO:a@x.example</href>\
             <href preferred='1'>mailto:b%2Bc@x.example</href><href>urn:uuid:1</href></C:calendar-user-address-set>\
             </prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>",
        );
        assert_eq!(principal.addresses(), ["b+c@x.example", "a@x.example"]);
    }

    #[test]
    fn what_is_gone_says_so() {
        let read = Multistatus::parse(
            "<multistatus xmlns='DAV:'><response><href>/a/1.ics</href><status>HTTP/1.1 404 Not Found</status></response>\
             <response><href>relative</href></response><sync-token> t1 </sync-token></multistatus>",
        );
        let read = read.unwrap();
        assert_eq!((read.resources.len(), read.resources[0].status), (1, Some(404)));
        assert_eq!(read.sync_token.as_deref(), Some("t1"));
    }

    #[test]
    fn other_answers_are_errors() {
        for text in ["<html></html>", "<multistatus/>", "", "<multistatus xmlns='DAV:'>"] {
            assert!(Multistatus::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        /// However a text was put into the XML, it comes out as it was.
        #[test]
        fn texts_come_through(lines in prop::collection::vec("[ -~äß€<>&\"]{0,20}", 1..10), cr in any::<bool>()) {
            let text = lines.join("\r\n") + "\r\n";
            let mut written = escaped(&text);
            if cr {
                written = written.replace('\r', "&#13;");
            }
            let read = one(&format!(
                "<multistatus xmlns='DAV:'><response><href>/a</href><propstat><prop>\
                 <calendar-data xmlns='urn:ietf:params:xml:ns:caldav'>{written}</calendar-data></prop></propstat>\
                 </response></multistatus>"
            ));
            prop_assert_eq!(read.calendar_data(), Some(text));
        }
    }
}
