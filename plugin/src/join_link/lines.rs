//! A text as content lines (RFC 5545 §3.1) that remember their bytes.

use std::borrow::Cow;

/// One content line with its folds and its line end, exactly as it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// The bytes, line end included.
    pub(crate) raw: Cow<'a, str>,
}

impl<'a> Line<'a> {
    /// A line that was not in the text before.
    pub(crate) fn new(raw: String) -> Self {
        Self { raw: Cow::Owned(raw) }
    }

    /// The line without folds and line end.
    pub(crate) fn unfolded(&self) -> Cow<'_, str> {
        let content = trim_line_end(&self.raw);
        if !content.contains('\n') {
            return Cow::Borrowed(content);
        }
        let mut out = String::with_capacity(content.len());
        let mut parts = content.split('\n').enumerate().peekable();
        while let Some((number, part)) = parts.next() {
            let part = if parts.peek().is_some() { part.strip_suffix('\r').unwrap_or(part) } else { part };
            out.push_str(if number == 0 { part } else { part.get(1..).unwrap_or_default() });
        }
        Cow::Owned(out)
    }

    /// The property's name as written, without its parameters.
    pub(crate) fn name(&self) -> &str {
        let content = trim_line_end(&self.raw).trim_start_matches('\u{feff}');
        // A name that is itself folded is legal, but nothing writes one; such a line is simply none of those looked for.
        content.split([':', ';', '\r', '\n']).next().unwrap_or_default()
    }

    /// Whether the property has this name.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name)
    }
}

/// The part of an unfolded line before the colon (name and parameters), and the value after it. Colons in quoted parameter
/// values do not count (RFC 5545 §3.1).
pub(crate) fn split_value(unfolded: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    for (at, byte) in unfolded.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b':' if !quoted => return Some((unfolded.get(..at)?, unfolded.get(at + 1..)?)),
            _ => {}
        }
    }
    None
}

/// The value of a parameter in the head of a line, unquoted.
pub(crate) fn parameter<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let mut quoted = false;
    head.split(|character| {
        if character == '"' {
            quoted = !quoted;
        }
        character == ';' && !quoted
    })
    .skip(1)
    .filter_map(|part| part.split_once('='))
    .find(|(key, _)| key.eq_ignore_ascii_case(name))
    .map(|(_, value)| value.trim_matches('"'))
}

/// One VEVENT, by the positions of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventLines {
    /// Of its own property lines, those of nested components left out.
    pub(crate) properties: Vec<usize>,
    /// Of its first nested BEGIN, or of its END: where new properties go.
    pub(crate) first_nested: usize,
}

/// A whole text.
#[derive(Debug, Clone)]
pub(crate) struct Document<'a> {
    /// Every line.
    pub(crate) lines: Vec<Line<'a>>,
    /// The VEVENTs, in their order.
    pub(crate) events: Vec<EventLines>,
    /// Whether every BEGIN has its END and nothing stands outside of one VCALENDAR.
    pub(crate) well_formed: bool,
}

impl<'a> Document<'a> {
    /// Splits a text. Never fails: what it does not understand it keeps.
    pub(crate) fn parse(text: &'a str) -> Self {
        let lines: Vec<Line<'a>> = split_lines(text).map(|raw| Line { raw: Cow::Borrowed(raw) }).collect();
        let mut stack: Vec<String> = Vec::new();
        let mut events: Vec<EventLines> = Vec::new();
        let mut calendars = 0_usize;
        let mut well_formed = true;
        let mut in_event = false;
        for (at, line) in lines.iter().enumerate() {
            let begins = line.is("BEGIN");
            if begins || line.is("END") {
                let content = line.unfolded();
                let component = split_value(&content).map_or("", |(_, value)| value).trim().to_ascii_uppercase();
                if in_event
                    && stack.len() == 2
                    && let Some(event) = events.last_mut()
                    && event.first_nested == usize::MAX
                {
                    event.first_nested = at;
                }
                if begins {
                    if stack.is_empty() {
                        calendars += 1;
                        well_formed &= component == "VCALENDAR";
                    }
                    if component == "VEVENT" && stack.len() == 1 {
                        in_event = true;
                        events.push(EventLines { properties: Vec::new(), first_nested: usize::MAX });
                    }
                    stack.push(component);
                } else {
                    well_formed &= stack.pop().is_some_and(|open| open == component);
                    if stack.len() < 2 {
                        in_event = false;
                    }
                }
            } else if stack.is_empty() {
                well_formed &= line.raw.trim_matches(['\u{feff}', '\r', '\n', ' ', '\t']).is_empty();
            } else if in_event
                && stack.len() == 2
                && let Some(event) = events.last_mut()
            {
                event.properties.push(at);
            }
        }
        well_formed &= stack.is_empty() && calendars == 1;
        Self { lines, events, well_formed }
    }

    /// The text again.
    #[cfg(test)]
    pub(crate) fn render(&self) -> String {
        self.lines.iter().map(|line| line.raw.as_ref()).collect()
    }

    /// The first of an event's own properties of this name.
    pub(crate) fn property(&self, event: &EventLines, name: &str) -> Option<(usize, &Line<'a>)> {
        event.properties.iter().find_map(|&at| self.lines.get(at).filter(|line| line.is(name)).map(|line| (at, line)))
    }

    /// All of an event's own properties of this name.
    pub(crate) fn properties(&self, event: &EventLines, name: &str) -> impl Iterator<Item = &Line<'a>> {
        event.properties.iter().filter_map(|&at| self.lines.get(at)).filter(move |line| line.is(name))
    }

    /// The line end in use: that of the first line.
    pub(crate) fn line_end(&self) -> &'static str {
        match self.lines.first() {
            Some(line) if line.raw.contains('\n') && !line.raw.contains("\r\n") => "\n",
            _ => "\r\n",
        }
    }
}

/// Splits into content lines: a physical line that begins with a space or a tab belongs to the one before.
pub(crate) fn split_lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let bytes = rest.as_bytes();
        let mut from = 0;
        let end = loop {
            match bytes.get(from..).and_then(|tail| tail.iter().position(|&byte| byte == b'\n')) {
                None => break bytes.len(),
                Some(at) => {
                    let next = from + at + 1;
                    if matches!(bytes.get(next), Some(b' ' | b'\t')) {
                        from = next;
                    } else {
                        break next;
                    }
                }
            }
        };
        let (line, tail) = rest.split_at_checked(end)?;
        rest = tail;
        Some(line)
    })
}

/// A raw line without its own line end.
pub(crate) fn trim_line_end(raw: &str) -> &str {
    let raw = raw.strip_suffix('\n').unwrap_or(raw);
    raw.strip_suffix('\r').unwrap_or(raw)
}
