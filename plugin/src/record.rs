//! What is remembered of one event at Microsoft: format number 2 (two bytes, big-endian), then JSON.
//!
//! Format 1 had one event and nothing that repeats; all of it means the same here. An event that repeats may stand at
//! Microsoft as several: the one that owns the meeting is the record itself, the others are records within it.
//!
//! It holds ids, links, the meeting block and fingerprints of the fields, but none of the fields themselves; only a
//! request that may be on its way is kept whole, because it may have to be sent again to the byte.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Formats that are read, the one that is written first.
pub(crate) const FORMATS: &[u16] = &[FORMAT, 1];

const FORMAT: u16 = 2;

/// The record of one event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Record {
    /// The event's immutable id; `None` while its create is pending, and where it was removed at Microsoft.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remote_id: Option<String>,
    /// `@odata.etag` of the last answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) etag: Option<String>,
    /// Where people join; opaque. Present exactly where the event has a meeting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) join_url: Option<String>,
    /// Where the event can be looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) web_link: Option<String>,
    /// The id the event was created with.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) mirror_id: String,
    /// The `mirror-object` it carries.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) tag: String,
    /// Whether a meeting was asked for, whether or not the mailbox could make one.
    pub(crate) meeting_asked: bool,
    /// Microsoft's own part of the body (HTML), from the separator on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) block: Option<String>,
    /// The fingerprint of each field group as last confirmed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) groups: BTreeMap<String, String>,
    /// We set out to remove the event: if it is found gone, that was us and not the user.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) deleting: bool,
    /// Somebody removed the event at Microsoft; it stays removed until a meeting is asked for again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) removed: bool,
    /// A create that may have left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pending: Option<Pending>,
    /// Whether it is a series.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) series: bool,
    /// Occurrences of the series that are, or were, not as the series says, by the day the pattern gives them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) instances: BTreeMap<NaiveDate, Instance>,
    /// The exceptions are to be read again: the pattern was changed, and what Microsoft made of them is not known.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) unread: bool,
    /// So far they have been read again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) read_to: Option<NaiveDate>,
    /// The series was found and not made: exceptions may be there that nobody knows of.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) adopted: bool,
    /// Whether Microsoft takes a day the month has not for its last one, where that was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) clamps: Option<bool>,
    /// Microsoft split the series here when its pattern was changed: what is before is an event of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) split: Option<NaiveDate>,
    /// Microsoft split off what was before, and that event is still to be looked for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) parted: bool,
    /// The further events the calendar's event has become, none of them with a meeting.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) others: Vec<Record>,
}

/// An occurrence that is, or was, not as its series says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Instance {
    /// Its id, where it was met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    /// `@odata.etag` of the last answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) etag: Option<String>,
    /// When it starts, where it was moved: Unix time in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) start_ms: Option<i64>,
    /// The fingerprint of each field group it has of its own; all else it has from the series.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) groups: BTreeMap<String, String>,
    /// It was taken out of the series, which cannot be undone at Microsoft.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deleted: Option<Deleted>,
}

/// Who took an occurrence out of its series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Deleted {
    /// We are about to: if it is found gone, that was us.
    Going,
    /// We did.
    Gone,
    /// Somebody at Microsoft; it stays away.
    Elsewhere,
}

/// A create that may have left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pending {
    /// The request's exact body.
    pub(crate) body: String,
    /// Its `transactionId` and `mirror-id`.
    pub(crate) mirror_id: String,
    /// When it was first sent: Unix time in milliseconds.
    pub(crate) sent_ms: i64,
}

impl Record {
    /// Whether the event has a meeting.
    pub(crate) fn has_meeting(&self) -> bool {
        self.join_url.is_some()
    }

    /// Its exceptions are to be read again, all of them.
    pub(crate) fn read_again(&mut self) {
        (self.unread, self.read_to) = (true, None);
    }

    /// What there is of exceptions is known.
    pub(crate) fn all_read(&mut self) {
        (self.unread, self.read_to, self.adopted) = (false, None, false);
    }

    /// Reads a record.
    ///
    /// # Errors
    /// Where it is none, or of a format this version does not read.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        let (number, json) = bytes.split_first_chunk::<2>().ok_or(Unreadable)?;
        if !FORMATS.contains(&u16::from_be_bytes(*number)) {
            return Err(Unreadable);
        }
        serde_json::from_slice(json).map_err(|_| Unreadable)
    }

    /// The record as bytes.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = FORMAT.to_be_bytes().to_vec();
        // Writing strings and numbers into memory cannot fail; a record without its JSON would be refused when read.
        bytes.extend(serde_json::to_vec(self).unwrap_or_default());
        bytes
    }
}

/// The bytes are no record of a known format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// A fingerprint (FNV-1a, 128 bits) of a field group's JSON. It tells a change from none; it guards against nobody.
pub(crate) fn fingerprint(json: &str) -> String {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let hash = json.bytes().fold(OFFSET, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME));
    format!("{hash:032x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_writing_and_reading() {
        let record = Record {
            remote_id: Some("AAk".into()),
            join_url: Some("https://teams.microsoft.com/meet/1?p=2".into()),
            groups: BTreeMap::from([("subject".into(), fingerprint("\"x\""))]),
            pending: Some(Pending { body: "{}".into(), mirror_id: "0a".into(), sent_ms: 5 }),
            instances: BTreeMap::from([(
                NaiveDate::from_ymd_opt(2026, 12, 1).unwrap(),
                Instance { deleted: Some(Deleted::Gone), ..Instance::default() },
            )]),
            others: vec![Record { remote_id: Some("AAx".into()), ..Record::default() }],
            ..Record::default()
        };
        let bytes = record.to_bytes();
        assert_eq!(bytes.get(..2), Some([0, 2].as_slice()));
        assert_eq!(Record::read(&bytes), Ok(record));
    }

    #[test]
    fn other_formats_and_rubbish_are_refused() {
        for bytes in [&b""[..], b"\0", b"\0\x03{}", b"\0\x00{}", b"\0\x02", b"\0\x01not json"] {
            assert_eq!(Record::read(bytes), Err(Unreadable));
        }
    }

    #[test]
    fn the_format_before_is_read() {
        let record = Record { remote_id: Some("AAk".into()), meeting_asked: true, ..Record::default() };
        assert_eq!(Record::read(b"\0\x01{\"remote_id\":\"AAk\",\"meeting_asked\":true}"), Ok(record));
    }

    #[test]
    fn fields_of_a_later_version_are_ignored() {
        assert_eq!(Record::read(b"\0\x01{\"later\":1}"), Ok(Record::default()));
    }

    #[test]
    fn the_fingerprint_is_fnv_1a() {
        // Test vector of the FNV authors (draft-eastlake-fnv, 128 bits, "a").
        assert_eq!(fingerprint("a"), "d228cb696f1a8caf78912b704e4a8964");
    }
}
