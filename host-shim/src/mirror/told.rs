//! What was last told of events, for whoever compares it with what the server holds: a watcher.
//!
//! A watcher reads the server's text some time before it tells it, and the server's own flow may tell a newer one in between.
//! So it names the text that was last told when it began to look: where another was told meanwhile, nothing is taken.

use super::{Mirror, MirrorError};
use crate::address::Address;
use crate::store::{Desired, Digest, EventRow, ToldRow};

/// The longest page.
pub(crate) const PAGE: u32 = 500;

/// What was last told of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Nothing, or that it is gone.
    Nothing,
    /// A text with this SHA-256.
    Text(Digest),
}

impl Told {
    /// Of an event's row.
    pub(super) fn of(row: Option<&EventRow>) -> Self {
        row.filter(|row| row.desired == Desired::Stored && row.gone_at.is_none())
            .and_then(|row| row.stored_sha)
            .map_or(Self::Nothing, Self::Text)
    }

    /// Whether what a caller expects is still what was last told; a caller that expects nothing in particular is content.
    pub(super) fn is_still(expected: Option<Self>, row: Option<&EventRow>) -> bool {
        expected.is_none_or(|expected| expected == Self::of(row))
    }

    /// The digest, lower-case hexadecimal.
    pub fn hex(self) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Text(digest) => Some(hex(&digest)),
        }
    }

    /// Reads `none` or a digest in hexadecimal; `None`: it is neither.
    pub fn read(text: &str) -> Option<Self> {
        if text == "none" {
            return Some(Self::Nothing);
        }
        let mut digest = Digest::default();
        if text.len() != digest.len() * 2 || !text.bytes().all(|c| c.is_ascii_hexdigit()) {
            return None;
        }
        for (octet, pair) in digest.iter_mut().zip(text.as_bytes().chunks(2)) {
            *octet = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self::Text(digest))
    }
}

/// Octets in lower-case hexadecimal.
pub(crate) fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

impl Mirror {
    /// An account's events that the server stored and that are not gone, by UID, from `after` (exclusive) on, a page at most; all of
    /// them, or only those with a save that nobody reported.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn told(&self, account: &Address, after: &str, unconfirmed: bool) -> Result<Vec<ToldRow>, MirrorError> {
        Ok(crate::store::read(&*self.store, |tx| tx.told_events(account.as_str(), after, PAGE, unconfirmed))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_as_it_is_written() {
        let digest = Told::Text(super::super::digest(b"text"));
        assert_eq!(Told::read(&digest.hex().unwrap()), Some(digest));
        assert_eq!(Told::read(&digest.hex().unwrap().to_uppercase()), Some(digest));
        assert_eq!(Told::read("none"), Some(Told::Nothing));
        for wrong in ["", "None", "00", &"é".repeat(32), &"+1".repeat(32)] {
            assert!(Told::read(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn what_is_gone_is_told_no_more() {
        let mut row = EventRow::new("a@x.example", "1", 0);
        row.stored_sha = Some([1; 32]);
        assert_eq!(Told::of(Some(&row)), Told::Nothing, "not stored yet");
        row.desired = Desired::Stored;
        assert_eq!(Told::of(Some(&row)), Told::Text([1; 32]));
        assert!(Told::is_still(None, Some(&row)) && !Told::is_still(Some(Told::Nothing), Some(&row)));
        row.gone_at = Some(1);
        assert_eq!(Told::of(Some(&row)), Told::Nothing);
        assert!(Told::is_still(Some(Told::Nothing), None));
    }
}
