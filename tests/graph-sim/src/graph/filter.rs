//! The `$filter` expressions Outlook's store understands.

use chrono::{DateTime, Utc};

use crate::graph::draft::parse_local;
use crate::graph::error::{Result, invalid, not_modelled};
use crate::graph::mailbox::Event;

/// An extended property's id, taken apart: type, property set or tag, name.
#[derive(Debug, PartialEq)]
pub(crate) struct ExtendedId {
    kind: String,
    set: String,
    /// Compared with case.
    name: String,
}

/// Reads `String {guid} Name n`, `Integer {guid} Id 0x8001` or `String 0x1001`.
pub(crate) fn extended_id(id: &str) -> Option<ExtendedId> {
    const KINDS: &[&str] = &[
        "ApplicationTime",
        "ApplicationTimeArray",
        "Binary",
        "BinaryArray",
        "Boolean",
        "CLSID",
        "CLSIDArray",
        "Currency",
        "CurrencyArray",
        "Double",
        "DoubleArray",
        "Error",
        "Float",
        "FloatArray",
        "Integer",
        "IntegerArray",
        "Long",
        "LongArray",
        "Null",
        "Object",
        "ObjectArray",
        "Short",
        "ShortArray",
        "SystemTime",
        "SystemTimeArray",
        "String",
        "StringArray",
    ];
    let (kind, rest) = id.split_once(' ')?;
    let kind = KINDS.iter().find(|known| known.eq_ignore_ascii_case(kind))?.to_lowercase();
    if let Some(tag) = rest.strip_prefix("0x") {
        u32::from_str_radix(tag, 16).ok()?;
        return Some(ExtendedId { kind, set: tag.to_lowercase(), name: String::new() });
    }
    let (set, rest) = rest.strip_prefix('{')?.split_once("} ")?;
    let groups: Vec<usize> = set.split('-').map(str::len).collect();
    if groups != [8, 4, 4, 4, 12] || !set.chars().all(|c| c.is_ascii_hexdigit() || c == '-') {
        return None;
    }
    let name = rest.strip_prefix("Name ").or_else(|| rest.strip_prefix("Id "))?;
    (!name.is_empty()).then(|| ExtendedId { kind, set: set.to_lowercase(), name: name.to_owned() })
}

/// Whether two spellings name one property.
pub(crate) fn same_extended(left: &str, right: &str) -> bool {
    extended_id(left).is_some() && extended_id(left) == extended_id(right)
}

#[derive(Debug)]
enum Term {
    ICalUid(String),
    Extended { id: ExtendedId, value: Option<String> },
    Extension(String),
    Subject { text: String, prefix: bool },
    Cancelled(bool),
    Time { of_start: bool, operator: String, at: DateTime<Utc> },
}

/// A conjunction of the terms above.
#[derive(Debug)]
pub(crate) struct Filter(Vec<Term>);

impl Filter {
    pub(crate) fn read(text: &str) -> Result<Self> {
        let mut scanner = Scanner { rest: text };
        let mut terms = vec![term(&mut scanner)?];
        while scanner.word("and") {
            terms.push(term(&mut scanner)?);
        }
        if scanner.peek().is_empty() {
            Ok(Self(terms))
        } else if scanner.word("or") {
            Err(not_modelled("`or` in $filter"))
        } else {
            Err(syntax(text))
        }
    }

    pub(crate) fn matches(&self, event: &Event) -> bool {
        self.0.iter().all(|term| match term {
            Term::ICalUid(uid) => event.ical_uid == *uid,
            // The property's name is compared with case, its value without.
            Term::Extended { id, value } => event.extended.iter().any(|(own_id, own)| {
                value.as_ref().is_none_or(|v| own.to_lowercase() == *v) && extended_id(own_id).as_ref() == Some(id)
            }),
            Term::Extension(id) => event.extensions.iter().any(|extension| {
                extension.get("extensionName").and_then(serde_json::Value::as_str).is_some_and(|name| {
                    name == id || format!("Microsoft.OutlookServices.OpenTypeExtension.{name}") == *id
                })
            }),
            Term::Subject { text, prefix } => {
                let (own, text) = (event.subject().to_lowercase(), text.to_lowercase());
                if *prefix { own.starts_with(&text) } else { own == text }
            }
            Term::Cancelled(flag) => event.is_cancelled == *flag,
            Term::Time { of_start, operator, at } => {
                let own = if *of_start { event.start.utc } else { event.end.utc };
                match operator.as_str() {
                    "eq" => own == *at,
                    "ne" => own != *at,
                    "ge" => own >= *at,
                    "gt" => own > *at,
                    "le" => own <= *at,
                    _ => own < *at,
                }
            }
        })
    }
}

fn syntax(text: &str) -> super::error::GraphError {
    // Known from memory only.
    invalid("ErrorInvalidUrlQueryFilter", format!("The query filter contains one or more invalid nodes: '{text}'."))
}

fn term(scanner: &mut Scanner<'_>) -> Result<Term> {
    let start = scanner.peek();
    let Some(path) = scanner.path() else { return Err(syntax(start)) };
    let lower = path.to_ascii_lowercase();
    match lower.as_str() {
        "icaluid" => Ok(Term::ICalUid(scanner.equals_text()?)),
        "subject" => Ok(Term::Subject { text: scanner.equals_text()?, prefix: false }),
        "iscancelled" => {
            let flag = scanner.word("eq") && scanner.word("true");
            if flag || scanner.word("false") { Ok(Term::Cancelled(flag)) } else { Err(syntax(start)) }
        }
        "start/datetime" | "end/datetime" => {
            let operator = ["eq", "ne", "ge", "gt", "le", "lt"]
                .into_iter()
                .find(|operator| scanner.word(operator))
                .ok_or_else(|| syntax(start))?;
            let text = scanner.text().ok_or_else(|| syntax(start))?;
            let at = instant(&text).ok_or_else(|| syntax(start))?;
            Ok(Term::Time { of_start: lower.starts_with("start"), operator: operator.to_owned(), at })
        }
        "startswith" => {
            let inside = scanner.between_brackets().ok_or_else(|| syntax(start))?;
            let mut inside = Scanner { rest: inside };
            let property = inside.path().unwrap_or_default();
            let text = inside.symbol(',').then(|| inside.text()).flatten().ok_or_else(|| syntax(start))?;
            if property.eq_ignore_ascii_case("subject") {
                Ok(Term::Subject { text, prefix: true })
            } else {
                Err(unfilterable(&property))
            }
        }
        "singlevalueextendedproperties/any" => extended_term(scanner.between_brackets().ok_or_else(|| syntax(start))?),
        "extensions/any" => {
            let inside = scanner.between_brackets().ok_or_else(|| syntax(start))?;
            let (variable, body) = inside.split_once(':').ok_or_else(|| syntax(inside))?;
            let mut body = Scanner { rest: body };
            let path = body.path().unwrap_or_default();
            if path != format!("{}/id", variable.trim()) {
                return Err(syntax(inside));
            }
            Ok(Term::Extension(body.equals_text()?))
        }
        _ => {
            let name = path.split('/').next().unwrap_or_default();
            // graph-facts A1: the wrong filter on the top-level id.
            let name = if name == "id" || path.ends_with("/id") { "Id" } else { name };
            Err(unfilterable(name))
        }
    }
}

fn unfilterable(name: &str) -> super::error::GraphError {
    invalid("ErrorInvalidProperty", format!("The property '{name}' does not support filtering."))
}

/// `ep: ep/id eq '…' and ep/value eq '…'`, in either order.
fn extended_term(inside: &str) -> Result<Term> {
    let (variable, body) = inside.split_once(':').ok_or_else(|| syntax(inside))?;
    let variable = variable.trim();
    let mut body = Scanner { rest: body };
    let (mut id, mut value, mut any_value) = (None, None, false);
    loop {
        let path = body.path().unwrap_or_default();
        if path == format!("{variable}/id") {
            id = Some(body.equals_text()?);
        } else if path == format!("{variable}/value") {
            if body.word("ne") {
                any_value = body.word("null");
            } else {
                value = Some(body.equals_text()?);
            }
        } else {
            return Err(unfilterable(&path));
        }
        if !body.word("and") {
            break;
        }
    }
    if !body.peek().is_empty() {
        return Err(syntax(inside));
    }
    let id = id.as_deref().and_then(extended_id).ok_or_else(|| unfilterable("Id"))?;
    if value.is_none() && !any_value {
        return Err(unfilterable("Id"));
    }
    Ok(Term::Extended { id, value: value.map(|value| value.to_lowercase()) })
}

/// The id of `$expand=singleValueExtendedProperties($filter=id eq '…')`, several joined by `or`.
pub(crate) fn expand_ids(filter: &str) -> Result<Vec<String>> {
    let mut scanner = Scanner { rest: filter };
    let mut ids = Vec::new();
    loop {
        match scanner.path().as_deref() {
            Some("id") => ids.push(scanner.equals_text()?),
            _ => return Err(syntax(filter)),
        }
        if !scanner.word("or") {
            break;
        }
    }
    if scanner.peek().is_empty() && ids.iter().all(|id| extended_id(id).is_some()) {
        Ok(ids)
    } else {
        Err(invalid("ErrorInvalidProperty", format!("The expand filter '{filter}' is not valid.")))
    }
}

/// A moment in a query: with an offset, or without one in UTC.
pub(crate) fn instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.with_timezone(&Utc))
        .ok()
        .or_else(|| parse_local(text).map(|local| local.and_utc()))
}

/// Reads an expression from the left.
struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    fn peek(&mut self) -> &'a str {
        self.rest = self.rest.trim_start();
        self.rest
    }

    fn path(&mut self) -> Option<String> {
        let rest = self.peek();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '/' | '_')).unwrap_or(rest.len());
        let (path, rest) = rest.split_at(end);
        self.rest = rest;
        (!path.is_empty()).then(|| path.to_owned())
    }

    fn word(&mut self, word: &str) -> bool {
        let Some(rest) = self.peek().strip_prefix(word) else { return false };
        if rest.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return false;
        }
        self.rest = rest;
        true
    }

    fn symbol(&mut self, symbol: char) -> bool {
        match self.peek().strip_prefix(symbol) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// A quoted string, in which a doubled quote is one.
    fn text(&mut self) -> Option<String> {
        let rest = self.peek().strip_prefix('\'')?;
        let mut out = String::new();
        let mut letters = rest.char_indices().peekable();
        while let Some((at, c)) = letters.next() {
            if c != '\'' {
                out.push(c);
            } else if letters.peek().is_some_and(|(_, next)| *next == '\'') {
                letters.next();
                out.push('\'');
            } else {
                self.rest = rest.get(at + 1..).unwrap_or("");
                return Some(out);
            }
        }
        None
    }

    fn equals_text(&mut self) -> Result<String> {
        let start = self.peek();
        if self.word("eq") { self.text().ok_or_else(|| syntax(start)) } else { Err(syntax(start)) }
    }

    fn between_brackets(&mut self) -> Option<&'a str> {
        let rest = self.peek().strip_prefix('(')?;
        let (mut depth, mut quoted) = (1, false);
        for (at, c) in rest.char_indices() {
            match c {
                '\'' => quoted = !quoted,
                '(' if !quoted => depth += 1,
                ')' if !quoted => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                self.rest = rest.get(at + 1..).unwrap_or("");
                return rest.get(..at);
            }
        }
        None
    }
}
