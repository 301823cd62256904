//! Small XML documents as trees: what servers answer to PROPFIND and REPORT.
//!
//! Within bounds that no honest answer reaches, and without entities of the document's own.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;

/// `DAV:` (RFC 4918).
pub(crate) const DAV: &str = "DAV:";
/// CalDAV (RFC 4791, RFC 6638).
pub(crate) const CALDAV: &str = "urn:ietf:params:xml:ns:caldav";
/// What Apple's calendar server began, and others kept.
pub(crate) const CALENDARSERVER: &str = "http://calendarserver.org/ns/";

/// The deepest nesting read.
const DEEPEST: usize = 32;

/// Why a document cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum XmlError {
    /// It is no XML.
    #[error("the answer is no XML: {0}")]
    Broken(#[from] quick_xml::Error),
    /// It is XML of a kind no server answers.
    #[error("the answer is no XML that a calendar server would send: {0}")]
    Strange(&'static str),
}

/// An element with all that is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element {
    namespace: String,
    name: String,
    attributes: Vec<(String, String)>,
    /// Its own text, without that of its children.
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// Reads a document.
    pub(crate) fn parse(text: &str) -> Result<Self, XmlError> {
        let mut reader = NsReader::from_str(text.trim_start_matches('\u{feff}'));
        reader.config_mut().expand_empty_elements = true;
        let mut open: Vec<Self> = Vec::new();
        loop {
            let (namespace, event) = reader.read_resolved_event()?;
            match event {
                Event::Start(start) => {
                    if open.len() >= DEEPEST {
                        return Err(XmlError::Strange("it is nested too deeply"));
                    }
                    open.push(Self::begun(&namespace, &start)?);
                }
                Event::End(_) => {
                    let done = open.pop().ok_or(XmlError::Strange("it ends before it begins"))?;
                    match open.last_mut() {
                        Some(parent) => parent.children.push(done),
                        None => return Ok(done),
                    }
                }
                Event::Text(text) => append(&mut open, &text.xml10_content()),
                Event::CData(text) => append(&mut open, &text.xml10_content()),
                Event::GeneralRef(reference) => match reference.resolve_char_ref()? {
                    Some(character) => append(&mut open, character.encode_utf8(&mut [0; 4])),
                    None => append(
                        &mut open,
                        quick_xml::escape::resolve_predefined_entity(&reference)
                            .ok_or(XmlError::Strange("it has entities of its own"))?,
                    ),
                },
                Event::DocType(_) => return Err(XmlError::Strange("it has a document type")),
                Event::Eof => return Err(XmlError::Strange("it breaks off")),
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
    }

    fn begun(namespace: &ResolveResult<'_>, start: &BytesStart<'_>) -> Result<Self, XmlError> {
        let mut attributes = Vec::new();
        for attribute in start.attributes().flatten() {
            let value = attribute.normalized_value(XmlVersion::Implicit1_0)?.into_owned();
            attributes.push((attribute.key.local_name().into_inner().to_owned(), value));
        }
        let namespace = match namespace {
            ResolveResult::Bound(Namespace(name)) => (*name).to_owned(),
            _ => String::new(),
        };
        let name = start.local_name().into_inner().to_owned();
        Ok(Self { namespace, name, attributes, ..Self::default() })
    }

    /// Whether it has this name.
    pub(crate) fn is(&self, namespace: &str, name: &str) -> bool {
        self.name == name && self.namespace == namespace
    }

    /// An attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Its own text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The elements in it.
    pub(crate) fn children(&self) -> &[Self] {
        &self.children
    }

    /// The elements of this name in it.
    pub(crate) fn all(&self, namespace: &'static str, name: &'static str) -> impl Iterator<Item = &Self> {
        self.children.iter().filter(move |child| child.is(namespace, name))
    }

    /// The first element of this name in it.
    pub(crate) fn first(&self, namespace: &'static str, name: &'static str) -> Option<&Self> {
        self.all(namespace, name).next()
    }
}

fn append(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

/// A text as it may stand in an element or an attribute.
pub(crate) fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_by_their_namespace() {
        for text in [
            "<?xml version=\"1.0\"?><multistatus xmlns=\"DAV:\"><href a=\"1 &amp; 2\">/a%20b/</href></multistatus>",
            "\u{feff}<D:multistatus xmlns:D='DAV:'><!-- x --><D:href a='1 &amp; 2'><![CDATA[/a%20b/]]></D:href></D:multistatus>",
        ] {
            let read = Element::parse(text).unwrap();
            assert!(read.is(DAV, "multistatus"));
            let href = read.first(DAV, "href").unwrap();
            assert_eq!((href.text(), href.attribute("a")), ("/a%20b/", Some("1 & 2")));
            assert!(read.first(CALDAV, "href").is_none());
        }
    }

    #[test]
    fn references_and_line_ends_are_read_as_xml_says() {
        let read = Element::parse("<a>x&#13;\r\ny &lt;&amp;&gt; <![CDATA[<&\r\n]]></a>").unwrap();
        assert_eq!(read.text(), "x\r\ny <&> <&\n");
    }

    #[test]
    fn what_no_server_sends_is_refused() {
        let deep = "<a>".repeat(1000);
        for text in ["", "x", "<a>", "<a></b>", "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "<a>&x;</a>", &deep] {
            assert!(Element::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_escaped_is_read_again() {
        let text = "a<b>&\"'c";
        let read = Element::parse(&format!("<a b=\"{0}\">{0}</a>", escaped(text))).unwrap();
        assert_eq!((read.text(), read.attribute("b")), (text, Some(text)));
    }
}
