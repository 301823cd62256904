//! As much HTML as a browser without JavaScript needs: tags, their attributes, and what a form would send.

/// One opening tag.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tag {
    pub(crate) name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    /// An attribute's value; empty where it has none.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Every tag, in order; closing ones as `/name`.
pub(crate) fn tags(html: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some((_, after)) = rest.split_once('<') {
        let Some((inside, next)) = after.split_once('>') else { break };
        tags.push(tag(inside));
        rest = next;
    }
    tags
}

fn tag(inside: &str) -> Tag {
    let (name, mut rest) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start();
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if name.is_empty() {
            break;
        }
        match after.strip_prefix("=\"").and_then(|value| value.split_once('"')) {
            Some((value, next)) => {
                attributes.push((name.to_owned(), unescaped(value)));
                rest = next;
            }
            None => {
                attributes.push((name.to_owned(), String::new()));
                rest = after.strip_prefix('=').unwrap_or(after);
            }
        }
    }
    Tag { name: name.to_owned(), attributes }
}

/// What a form sends: where to, and its fields as they stand.
pub(crate) struct FormFields {
    pub(crate) action: String,
    pub(crate) fields: Vec<(String, String)>,
}

/// The first form that holds the element with this id, or has it itself.
pub(crate) fn form_around(html: &str, id: &str) -> Option<FormFields> {
    form_of(html, |tag| tag.get("id") == Some(id))
}

/// The first form with a field or button of that name and value.
pub(crate) fn form_with(html: &str, name: &str, value: &str) -> Option<FormFields> {
    form_of(html, |tag| tag.get("name") == Some(name) && tag.get("value") == Some(value))
}

fn form_of(html: &str, wanted: impl Fn(&Tag) -> bool) -> Option<FormFields> {
    let mut form: Option<(FormFields, bool)> = None;
    for tag in tags(html) {
        let is_it = wanted(&tag);
        match tag.name.as_str() {
            "form" => {
                let action = tag.get("action").unwrap_or_default().to_owned();
                form = Some((FormFields { action, fields: Vec::new() }, is_it));
            }
            "/form" => {
                if let Some((found, true)) = form.take() {
                    return Some(found);
                }
            }
            _ => {
                let Some((fields, found)) = &mut form else { continue };
                *found |= is_it;
                let kind = tag.get("type").unwrap_or("text");
                let counts = !matches!(kind, "radio" | "checkbox" | "submit") || tag.get("checked").is_some();
                if let Some(name) = tag.get("name").filter(|_| tag.name == "input" && counts) {
                    fields.fields.push((name.to_owned(), tag.get("value").unwrap_or_default().to_owned()));
                }
            }
        }
    }
    None
}

/// The tag with this id.
pub(crate) fn element(html: &str, id: &str) -> Option<Tag> {
    tags(html).into_iter().find(|tag| tag.get("id") == Some(id))
}

/// Undoes the escaping of what our templates and the simulator's write.
pub(crate) fn unescaped(text: &str) -> String {
    let mut text = text.to_owned();
    for (escaped, plain) in [
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#38;", "&"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&amp;", "&"),
    ] {
        text = text.replace(escaped, plain);
    }
    text
}
