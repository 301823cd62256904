//! Calendar user addresses (RFC 5545 §3.3.3).

use calcard::icalendar::{ICalendarEntry, ICalendarParameterName};
use percent_encoding::percent_decode_str;

/// The mail address of an ORGANIZER or ATTENDEE, lower case: of its `mailto:` URI, percent-decoded, or of its EMAIL
/// parameter (RFC 7986 §6.2) where the URI is another.
pub(crate) fn of(entry: &ICalendarEntry) -> Option<String> {
    let uri = entry.values.first().and_then(|value| value.as_text()).unwrap_or_default();
    mail_address(uri).or_else(|| {
        let email = entry.parameter(&ICalendarParameterName::Email)?.as_text()?;
        mail_address(email)
    })
}

fn mail_address(uri: &str) -> Option<String> {
    let uri = uri.trim();
    let address = match uri.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => uri.get(7..).unwrap_or_default(),
        _ => uri,
    };
    let address = address.split('?').next().unwrap_or_default();
    let address = percent_decode_str(address).decode_utf8().ok()?.trim().to_lowercase();
    let (local, domain) = address.rsplit_once('@')?;
    let plain = !local.is_empty()
        && !domain.is_empty()
        && !address.contains(|c: char| c.is_whitespace() || c.is_control() || c == ':');
    plain.then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_however_they_are_written() {
        for (uri, address) in [
            ("mailto:Alice@Example.org", Some("alice@example.org")),
            ("MAILTO:alice%2Bx@example.org", Some("alice+x@example.org")),
            ("alice@example.org", Some("alice@example.org")),
            ("mailto:alice@example.org?subject=x", Some("alice@example.org")),
            ("urn:uuid:1@2", None),
            ("invalid:nomail", None),
            ("mailto:", None),
            ("mailto:a b@example.org", None),
        ] {
            assert_eq!(mail_address(uri).as_deref(), address, "{uri}");
        }
    }
}
