//! Every word the webmail shows of its own, one file per language. What teams-mirror says comes from it, in the language the
//! webmail told it.

mod de;
mod en;

use chrono::{Datelike, NaiveDate};

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    German,
}

impl Language {
    /// Its words.
    pub(crate) fn words(self) -> &'static Words {
        match self {
            Self::English => &en::WORDS,
            Self::German => &de::WORDS,
        }
    }

    /// Reads a tag such as `de` or `de-AT`.
    pub(crate) fn from_tag(tag: &str) -> Option<Self> {
        match tag.split('-').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "en" => Some(Self::English),
            "de" => Some(Self::German),
            _ => None,
        }
    }

    /// The first known language of an `Accept-Language`, by weight (RFC 9110 §12.5.4).
    pub(crate) fn accepted(header: &str) -> Option<Self> {
        let mut tags: Vec<(f32, &str)> = header
            .split(',')
            .map(|part| {
                let (tag, rest) = part.split_once(';').unwrap_or((part, ""));
                let weight = rest.trim().strip_prefix("q=").map_or(Some(1.0), |q| q.parse().ok()).unwrap_or(0.0);
                (weight, tag.trim())
            })
            .filter(|(weight, _)| *weight > 0.0)
            .collect();
        tags.sort_by(|a, b| b.0.total_cmp(&a.0));
        tags.into_iter().find_map(|(_, tag)| Self::from_tag(tag))
    }
}

/// What is said after something was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Said {
    Saved,
    SavedLate,
    SavedNotTaken,
    TeamsAdded,
    TeamsWaits,
    TeamsLate,
    TeamsRemoved,
    Discarded,
    Cancelled,
    Reinstated,
    Deleted,
    DeletedLate,
    Language,
}

/// The words of a language. A language that lacks one does not compile.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) tag: &'static str,
    pub(crate) webmail: &'static str,
    pub(crate) skip: &'static str,
    pub(crate) menu: &'static str,
    pub(crate) calendar: &'static str,
    pub(crate) settings: &'static str,
    pub(crate) sample: &'static str,
    pub(crate) new_event: &'static str,
    pub(crate) no_events: &'static str,
    pub(crate) no_subject: &'static str,
    pub(crate) draft: &'static str,
    pub(crate) cancelled: &'static str,
    pub(crate) with: &'static str,
    pub(crate) subject: &'static str,
    pub(crate) start: &'static str,
    pub(crate) end: &'static str,
    pub(crate) zone: &'static str,
    pub(crate) guests: &'static str,
    pub(crate) guests_hint: &'static str,
    pub(crate) description: &'static str,
    pub(crate) save: &'static str,
    pub(crate) discard: &'static str,
    pub(crate) cancel_event: &'static str,
    pub(crate) reinstate: &'static str,
    pub(crate) delete: &'static str,
    pub(crate) delete_question: &'static str,
    pub(crate) delete_yes: &'static str,
    pub(crate) back: &'static str,
    pub(crate) teams: &'static str,
    pub(crate) add_teams: &'static str,
    pub(crate) join: &'static str,
    pub(crate) remove_teams: &'static str,
    pub(crate) sign_in: &'static str,
    pub(crate) sign_in_again: &'static str,
    pub(crate) signed_in_now: &'static str,
    pub(crate) sign_in_hint: &'static str,
    pub(crate) off_hint: &'static str,
    pub(crate) silent_hint: &'static str,
    pub(crate) not_saved_yet: &'static str,
    pub(crate) mirrored: &'static str,
    pub(crate) pending: &'static str,
    pub(crate) sign_in_needed: &'static str,
    pub(crate) admin_needed: &'static str,
    pub(crate) rejected: &'static str,
    pub(crate) not_mirrored: &'static str,
    pub(crate) removed: &'static str,
    pub(crate) extensions: &'static str,
    pub(crate) language: &'static str,
    pub(crate) language_apply: &'static str,
    pub(crate) account: &'static str,
    pub(crate) teams_what: &'static str,
    pub(crate) teams_connected: &'static str,
    pub(crate) teams_sign_in: &'static str,
    pub(crate) teams_off: &'static str,
    pub(crate) teams_hidden: &'static str,
    pub(crate) open: &'static str,
    pub(crate) open_apart: &'static str,
    pub(crate) teams_silent: &'static str,
    pub(crate) teams_no_page: &'static str,
    pub(crate) beside: &'static str,
    pub(crate) beside_open: &'static str,
    pub(crate) not_found: &'static str,
    pub(crate) not_found_hint: &'static str,
    pub(crate) foreign: &'static str,
    pub(crate) foreign_hint: &'static str,
    pub(crate) mend: &'static str,
    pub(crate) bad_start: &'static str,
    pub(crate) bad_end: &'static str,
    pub(crate) end_before_start: &'static str,
    /// With `{}` for what was typed.
    pub(crate) bad_guest: &'static str,
    pub(crate) weekdays: [&'static str; 7],
    pub(crate) months: [&'static str; 12],
    /// A date, with `{weekday}`, `{day}`, `{month}` and `{year}`.
    pub(crate) date: &'static str,
    pub(crate) said: fn(Said) -> &'static str,
}

impl Words {
    /// A date as people of this language write it.
    pub(crate) fn date(&self, date: NaiveDate) -> String {
        let name = |names: &[&str], at: u32| names.get(at as usize).copied().unwrap_or_default().to_owned();
        self.date
            .replace("{weekday}", &name(&self.weekdays, date.weekday().num_days_from_monday()))
            .replace("{day}", &date.day().to_string())
            .replace("{month}", &name(&self.months, date.month0()))
            .replace("{year}", &date.year().to_string())
    }

    /// How an event stands, by the state's name in the hook API.
    pub(crate) fn state(&self, state: &str) -> &'static str {
        match state {
            "mirrored" => self.mirrored,
            "pending" => self.pending,
            "sign-in-needed" => self.sign_in_needed,
            "admin-needed" => self.admin_needed,
            "rejected" => self.rejected,
            "removed" => self.removed,
            _ => self.not_mirrored,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_wanted_known_language_is_taken() {
        for (header, language) in [
            ("de-AT,de;q=0.9,en;q=0.8", Some(Language::German)),
            ("fr, en;q=0.5, de;q=0.7", Some(Language::German)),
            ("fr;q=1, en-GB;q=0.1, de;q=0", Some(Language::English)),
            ("fr", None),
            ("", None),
        ] {
            assert_eq!(Language::accepted(header), language, "{header}");
        }
    }

    #[test]
    fn dates_read_as_the_language_writes_them() {
        let day = NaiveDate::from_ymd_opt(2030, 1, 14).unwrap();
        assert_eq!(Language::English.words().date(day), "Monday 14 January 2030");
        assert_eq!(Language::German.words().date(day), "Montag, 14. Januar 2030");
    }
}
