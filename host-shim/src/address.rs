//! An account's name: one address of the *server*, in one form, made in one place.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

/// A normalised address: NFC, lower case, domain as A-label (RFC 5890), `+tag` kept.
///
/// Two spellings of one address give one `Address`, so it can be compared, stored and used as associated data.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(String);

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an address: {why}")]
pub struct AddressError {
    text: String,
    pub(crate) why: &'static str,
}

impl Address {
    /// Reads an address as people write it, with or without `mailto:`.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let err = |why| AddressError { text: text.chars().take(200).filter(|c| !c.is_control()).collect(), why };
        let trimmed = text.trim();
        let bare = match trimmed.get(..7) {
            Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => trimmed.get(7..).unwrap_or_default(),
            _ => trimmed,
        };
        if bare.len() > 320 {
            return Err(err("it is longer than 320 bytes"));
        }
        let (local, domain) = bare.rsplit_once('@').ok_or_else(|| err("it has no `@`"))?;
        // Looked at in the form it is kept in: some characters turn into separators only there (U+037E into `;`).
        let local: String = local.nfc().collect::<String>().to_lowercase().nfc().collect();
        if local.is_empty()
            || local.chars().any(|c| c.is_control() || c.is_whitespace() || "<>()[],;:\\\"@/".contains(c))
        {
            return Err(err("the part before `@` is empty or holds a character that is not allowed"));
        }
        Ok(Self(format!("{local}@{}", Self::parse_domain(domain).map_err(|e| err(e.why))?)))
    }

    /// Reads a domain alone, into its A-label form.
    pub fn parse_domain(text: &str) -> Result<String, AddressError> {
        let err = |why| AddressError { text: text.chars().take(200).filter(|c| !c.is_control()).collect(), why };
        let domain = idna::domain_to_ascii_strict(text.trim()).map_err(|_| err("its domain is not a domain name"))?;
        if domain.is_empty() {
            return Err(err("its domain is empty"));
        }
        Ok(domain)
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The domain, an A-label.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_one_form() {
        for spelling in ["Alice@Test.TLD", "alice@test.tld", " mailto:ALICE@test.tld ", "MailTo:alice@TEST.tld"] {
            assert_eq!(Address::parse(spelling).unwrap().as_str(), "alice@test.tld");
        }
        assert_eq!(Address::parse("jürgen@münchen.example").unwrap().as_str(), "jürgen@xn--mnchen-3ya.example");
        assert_eq!(Address::parse("ju\u{308}rgen@mu\u{308}nchen.example"), Address::parse("JÜRGEN@MÜNCHEN.example"));
        assert_eq!(Address::parse("a+b@x.example").unwrap().as_str(), "a+b@x.example");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in
            ["", "alice", "@x.example", "alice@", "a b@x.example", "a\u{0}@x.example", "a/../b@x.example", "a@x y"]
        {
            assert!(Address::parse(text).is_err(), "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn normalising_twice_changes_nothing(text in "\\PC{1,20}@[a-zA-Zäöü]{1,10}\\.example") {
            if let Ok(once) = Address::parse(&text) {
                proptest::prop_assert_eq!(Address::parse(once.as_str()).unwrap(), once);
            }
        }
    }
}
