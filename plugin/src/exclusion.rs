//! Which events never leave for Microsoft, whatever else is wanted: by CLASS (RFC 5545 §3.8.1.3), by CATEGORIES (§3.8.1.2),
//! by an X- property (§3.8.8.2).
//!
//! An excluded event has no meeting either: whoever excludes a class, or marks an event, means the whole of it.

use crate::calendar::event::Sensitivity;
use crate::domain::Account;

/// The setting that excludes classes, as [`crate::extension::describe`] declares it.
pub(crate) const CLASS: &str = "exclude-class";
/// The setting that excludes categories: a list.
pub(crate) const CATEGORIES: &str = "exclude-categories";
/// The setting that excludes X- properties: a list of `NAME:VALUE` and `NAME`.
pub(crate) const PROPERTIES: &str = "exclude-properties";

/// What [`PROPERTIES`] is where nobody chose.
pub(crate) const PROPERTIES_DEFAULT: &str = "X-TEAMS-MIRROR:FALSE";

/// What of an event says whether it is excluded; of a series, what its own component says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Marks {
    /// CLASS.
    pub(crate) sensitivity: Sensitivity,
    /// CATEGORIES of all lines, each once.
    pub(crate) categories: Vec<String>,
    /// Name and value of its X- properties, in their order.
    pub(crate) properties: Vec<(String, String)>,
}

impl Default for Marks {
    fn default() -> Self {
        Self { sensitivity: Sensitivity::Normal, categories: Vec::new(), properties: Vec::new() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Classes {
    None,
    Confidential,
    NotPublic,
}

/// What an account's settings exclude.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exclusion {
    classes: Classes,
    /// Lower case.
    categories: Vec<String>,
    /// Name, and its value in lower case; `None`: every value.
    properties: Vec<(String, Option<String>)>,
}

impl Exclusion {
    /// The settings of an account; a value this version does not know counts as the default.
    pub(crate) fn of(account: &Account) -> Self {
        let value = |name: &str| {
            account.settings.iter().find(|setting| setting.name == name).map(|setting| setting.value.as_str())
        };
        Self {
            classes: match value(CLASS) {
                Some("confidential") => Classes::Confidential,
                Some("not-public") => Classes::NotPublic,
                _ => Classes::None,
            },
            categories: entries(value(CATEGORIES).unwrap_or_default()).map(str::to_lowercase).collect(),
            properties: entries(value(PROPERTIES).unwrap_or(PROPERTIES_DEFAULT)).map(property).collect(),
        }
    }

    /// Whether an event with these marks is excluded.
    pub(crate) fn excludes(&self, marks: &Marks) -> bool {
        let by_class = match self.classes {
            Classes::None => false,
            Classes::Confidential => marks.sensitivity == Sensitivity::Confidential,
            Classes::NotPublic => marks.sensitivity != Sensitivity::Normal,
        };
        by_class
            || marks.categories.iter().any(|category| self.categories.contains(&category.trim().to_lowercase()))
            || marks.properties.iter().any(|(name, value)| self.excludes_property(name, value))
    }

    fn excludes_property(&self, name: &str, value: &str) -> bool {
        self.properties.iter().any(|(excluded, only)| {
            excluded.eq_ignore_ascii_case(name) && only.as_ref().is_none_or(|only| *only == value.trim().to_lowercase())
        })
    }
}

/// The entries of a list as administrators and users write it: separated by commas, spaces around them do not count.
fn entries(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty())
}

/// `NAME:VALUE`, or `NAME` for every value.
fn property(entry: &str) -> (String, Option<String>) {
    match entry.split_once(':') {
        Some((name, value)) => (name.trim().to_owned(), Some(value.trim().to_lowercase())),
        None => (entry.to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Setting;

    fn exclusion(settings: &[(&str, &str)]) -> Exclusion {
        let settings =
            settings.iter().map(|&(name, value)| Setting { name: name.into(), value: value.into() }).collect();
        Exclusion::of(&Account { settings, ..Account::default() })
    }

    fn of_class(sensitivity: Sensitivity) -> Marks {
        Marks { sensitivity, ..Marks::default() }
    }

    fn with_property(name: &str, value: &str) -> Marks {
        Marks { properties: vec![(name.into(), value.into())], ..Marks::default() }
    }

    #[test]
    fn classes_are_excluded_from_the_most_confidential_on() {
        use Sensitivity::{Confidential, Normal, Private};
        for (value, excluded) in [
            ("none", [false, false, false]),
            ("confidential", [false, false, true]),
            ("not-public", [false, true, true]),
            ("of-a-later-version", [false, false, false]),
        ] {
            let exclusion = exclusion(&[(CLASS, value)]);
            assert_eq!([Normal, Private, Confidential].map(|class| exclusion.excludes(&of_class(class))), excluded);
        }
    }

    #[test]
    fn a_category_is_one_of_a_list_whatever_its_case() {
        let exclusion = exclusion(&[(CATEGORIES, " Ärztin , Urlaub,,")]);
        let of = |names: &[&str]| Marks { categories: names.iter().map(|&n| n.into()).collect(), ..Marks::default() };
        assert!(exclusion.excludes(&of(&["Work", "urlaub"])));
        assert!(exclusion.excludes(&of(&["ÄRZTIN"])));
        assert!(!exclusion.excludes(&of(&["Urlaubsplanung"])));
        assert!(!exclusion.excludes(&of(&[""])));
        assert!(!exclusion.excludes(&of(&[])));
    }

    #[test]
    fn a_property_is_excluded_with_one_value_or_with_any() {
        let by_default = exclusion(&[]);
        assert!(by_default.excludes(&with_property("x-teams-mirror", " false ")));
        assert!(!by_default.excludes(&with_property("X-TEAMS-MIRROR", "TRUE")));

        let chosen = exclusion(&[(PROPERTIES, "X-KEEP-HERE, X-KIND : Leave")]);
        assert!(chosen.excludes(&with_property("X-KEEP-HERE", "")));
        assert!(chosen.excludes(&with_property("X-Kind", "leave")));
        assert!(!chosen.excludes(&with_property("X-KIND", "work")));
        assert!(!chosen.excludes(&with_property("X-TEAMS-MIRROR", "FALSE")), "the default was replaced");
        assert!(!exclusion(&[(PROPERTIES, "")]).excludes(&with_property("X-TEAMS-MIRROR", "FALSE")));
    }
}
