//! The `Prefer` header, and which of its wishes were granted.

use chrono_tz::Tz;

use crate::answer::{Answer, Call};
use crate::graph::error::{Result, time_zone_not_supported};
use crate::zones;

/// What a request prefers. It holds for that request only.
#[derive(Debug, Clone, Default)]
pub(crate) struct Prefer {
    /// The zone's name as sent, and its meaning.
    pub zone: Option<(String, Tz)>,
    pub text_body: bool,
    pub immutable_ids: bool,
    applied: Vec<String>,
}

impl Prefer {
    pub(crate) fn read(call: &Call, any_iana: bool) -> Result<Self> {
        let mut prefer = Self::default();
        for wish in call.headers_named("prefer").flat_map(split_wishes) {
            let (name, value) = wish.split_once('=').unwrap_or((&wish, ""));
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "outlook.timezone" => {
                    let zone = zones::find(value, any_iana).ok_or_else(|| time_zone_not_supported(value))?;
                    prefer.zone = Some((value.to_owned(), zone));
                    prefer.applied.push(format!("outlook.timezone=\"{value}\""));
                }
                "outlook.body-content-type" => {
                    prefer.text_body = value.eq_ignore_ascii_case("text");
                    prefer.applied.push(format!("outlook.body-content-type=\"{value}\""));
                }
                "idtype" if value.eq_ignore_ascii_case("ImmutableId") => {
                    prefer.immutable_ids = true;
                    prefer.applied.push("IdType=\"ImmutableId\"".to_owned());
                }
                _ => {}
            }
        }
        Ok(prefer)
    }

    pub(crate) fn acknowledge(&self, answer: Answer) -> Answer {
        if self.applied.is_empty() { answer } else { answer.with("Preference-Applied", &self.applied.join(", ")) }
    }
}

/// Splits a header at its commas, those in quotes apart.
fn split_wishes(line: &str) -> Vec<String> {
    let (mut wishes, mut wish, mut quoted) = (Vec::new(), String::new(), false);
    for c in line.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                wish.push(c);
            }
            ',' | ';' if !quoted => wishes.push(std::mem::take(&mut wish)),
            _ => wish.push(c),
        }
    }
    wishes.push(wish);
    wishes.into_iter().map(|wish| wish.trim().to_owned()).filter(|wish| !wish.is_empty()).collect()
}
