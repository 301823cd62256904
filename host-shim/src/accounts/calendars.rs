//! Which of an account's calendars are mirrored: settings of the shim's own, the same for every extension.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::policy::Standing;
use super::settings::{Chosen, Declared, entries};
use crate::component::types::{SettingDeclaration, UserChoice};
use crate::store::CalendarRow;

/// The setting that names the only calendars that are mirrored.
pub const ONLY: &str = "calendars";

/// The setting that names calendars that are not.
pub const EXCLUDED: &str = "exclude-calendars";

/// The reason code of an event in a calendar that is not mirrored.
pub const REASON: &str = "calendar-excluded";

/// Every calendar.
const ALL: &str = "all";

/// The settings that name them.
pub fn declarations() -> [SettingDeclaration; 2] {
    [
        SettingDeclaration {
            name: ONLY.into(),
            description:
                "Which calendars of an account are mirrored: `all`, or the only ones, separated by commas. Each \
                          is named by what its user calls it, where the server tells that, by its path, or by the last \
                          part of its path."
                    .into(),
            values: Vec::new(),
            default: ALL.into(),
            user_may: UserChoice::Nothing,
        },
        SettingDeclaration {
            name: EXCLUDED.into(),
            description:
                "Calendars that are not mirrored, named in the same way, separated by commas. What users leave \
                          out on their settings page comes on top."
                    .into(),
            values: Vec::new(),
            default: String::new(),
            user_may: UserChoice::Narrow,
        },
    ]
}

/// Whether a setting is one of these.
pub fn is_ours(name: &str) -> bool {
    name == ONLY || name == EXCLUDED
}

/// A calendar as a save names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named<'a> {
    /// The server's path.
    pub path: &'a str,
    /// What its user calls it.
    pub name: Option<&'a str>,
}

impl<'a> Named<'a> {
    /// The calendar an event is in: as the call named it, else the folder of its object; `None` where neither was told.
    pub fn of_event(calendar: Option<&'a str>, name: Option<&'a str>, object: Option<&'a str>) -> Option<Self> {
        let folder = || object.and_then(|object| object.rsplit_once('/')).map(|(folder, _)| folder);
        let path = calendar.filter(|calendar| !calendar.is_empty()).or_else(folder)?;
        Some(Self { path, name: name.map(str::trim).filter(|name| !name.is_empty()) })
    }

    /// Whether an entry of a list names it. Slashes at the ends, upper and lower case, and percent-encoding make no difference;
    /// a comma is written `%2C`.
    fn is(self, entry: &str) -> bool {
        let (entry, path) = (tidy(entry), tidy(self.path));
        let by_path = entry == path || path.rsplit('/').next() == Some(entry.as_str());
        !entry.is_empty() && (by_path || self.name.is_some_and(|name| name.to_lowercase() == entry))
    }
}

/// Which calendars of an account are mirrored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendars {
    /// `None`: all.
    only: Option<Vec<String>>,
    excluded: Vec<String>,
}

impl Calendars {
    /// As an account's settings say.
    pub fn of(standing: &Standing) -> Self {
        let [only, excluded] = declarations().map(|setting| standing.chosen.counting(&Declared::from(&setting)).value);
        Self::new(&only, &excluded)
    }

    /// As administrators chose, whatever the user left out beyond that.
    fn by_admin(chosen: &Chosen) -> Self {
        let [only, excluded] = declarations().map(|setting| chosen.by_admin(&Declared::from(&setting)).value);
        Self::new(&only, &excluded)
    }

    fn new(only: &str, excluded: &str) -> Self {
        let list = |list: &str| entries(list).map(str::to_owned).collect::<Vec<_>>();
        let only = list(only);
        let all = only.is_empty() || only.iter().any(|entry| entry.eq_ignore_ascii_case(ALL));
        Self { only: (!all).then_some(only), excluded: list(excluded) }
    }

    /// Whether a calendar is not mirrored. One that nobody named is none of the only ones.
    pub fn exclude(&self, calendar: Option<Named<'_>>) -> bool {
        let names = |list: &[String]| calendar.is_some_and(|calendar| list.iter().any(|entry| calendar.is(entry)));
        self.only.as_deref().is_some_and(|only| !names(only)) || names(&self.excluded)
    }
}

/// A calendar as its user sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCalendar {
    /// The server's path.
    pub path: String,
    /// What to call it: as its user does, else by the last part of its path; by all of it where two have the same name.
    pub name: String,
    /// Whether it is mirrored.
    pub mirrored: bool,
    /// Whether its user may choose.
    pub open: bool,
}

/// An account's calendars, as far as they are known: those its events were seen in, and those its user left out.
pub fn of_account(chosen: &Chosen, mut seen: Vec<CalendarRow>) -> Vec<OwnCalendar> {
    let by_admin = Calendars::by_admin(chosen);
    let own = own(chosen);
    let named = |row: &CalendarRow, entry: &str| Named { path: &row.path, name: row.name.as_deref() }.is(entry);
    for entry in entries(&own) {
        if !seen.iter().any(|row| named(row, entry)) {
            seen.push(CalendarRow { account: String::new(), path: entry.replace("%2C", ","), name: None });
        }
    }
    let last_part = |row: &CalendarRow| tidy_case(&row.path).rsplit('/').next().unwrap_or_default().to_owned();
    let name = |row: &CalendarRow| row.name.clone().unwrap_or_else(|| last_part(row));
    let calendars = seen.iter().map(|row| {
        let open = !by_admin.exclude(Some(Named { path: &row.path, name: row.name.as_deref() }));
        let alone = seen.iter().filter(|other| name(other) == name(row)).count() == 1;
        OwnCalendar {
            path: row.path.clone(),
            name: if alone { name(row) } else { tidy_case(&row.path) },
            mirrored: open && !entries(&own).any(|entry| named(row, entry)),
            open,
        }
    });
    calendars.collect()
}

/// What a user leaves out once they chose for one calendar more; `None`: nothing.
pub fn left_out(chosen: &Chosen, calendar: Named<'_>, mirrored: bool) -> Option<String> {
    let own = own(chosen);
    let path = calendar.path.replace(',', "%2C");
    let others = entries(&own).filter(|entry| !calendar.is(entry));
    let all: Vec<&str> = others.chain((!mirrored).then_some(path.as_str())).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

fn own(chosen: &Chosen) -> String {
    let [_, excluded] = declarations();
    chosen.own(&Declared::from(&excluded)).map(|row| row.value.clone()).unwrap_or_default()
}

fn tidy(path: &str) -> String {
    tidy_case(path).to_lowercase()
}

/// The path as people read it.
fn tidy_case(path: &str) -> String {
    let decoded: Cow<'_, str> = percent_decode_str(path).decode_utf8_lossy();
    decoded.trim_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;
    use crate::store::{Scope, SettingRow};

    fn at(path: &str) -> Named<'_> {
        Named { path, name: None }
    }

    #[test]
    fn a_calendar_is_named_by_its_path_the_last_part_of_it_or_its_name() {
        for entry in ["work", "/alice/work/", "alice/Work", "/alice/work", "/work/"] {
            assert!(at("/alice/work/").is(entry), "{entry}");
        }
        for entry in ["alice", "k", "", "/", "/bob/work/", "homework"] {
            assert!(!at("/alice/work/").is(entry), "{entry}");
        }
        assert!(at("/alice/B%C3%BCro/").is("büro") && at("/alice/a,b/").is("a%2Cb"));
        assert!(!at("").is("") && !at("/").is("/"));
        let named = Named { path: "/alice/5f0c/", name: Some("Büro, neu") };
        assert!(named.is("BÜRO%2C neu") && named.is("5f0c") && !named.is("neu"));
    }

    #[test]
    fn all_are_mirrored_unless_a_setting_says_otherwise() {
        let excludes = |only: &str, excluded: &str, path: Option<&'static str>| {
            Calendars::new(only, excluded).exclude(path.map(at))
        };
        assert!(!excludes("all", "", Some("/a/w/")) && !excludes("", "", None) && !excludes(" ALL ", "x", None));
        assert!(!excludes("w, p", "", Some("/a/w/")) && excludes("w, p", "", Some("/a/x/")));
        assert!(excludes("w", "", None), "what nobody named is none of the only ones");
        assert!(excludes("all", "x, w", Some("/a/w/")) && excludes("w", "w", Some("/a/w/")));
    }

    #[test]
    fn a_user_leaves_calendars_out_one_by_one() {
        let alice = Address::parse("alice@test.tld").unwrap();
        let chosen = |admin: &str, own: Option<&str>| {
            let row = |scope, value: &str| SettingRow { scope, name: EXCLUDED.into(), value: value.into() };
            let own = own.map(|own| row(Scope::Own("alice@test.tld".into()), own));
            Chosen::new(&alice, None, own.into_iter().chain([row(Scope::Server, admin)]).collect())
        };
        let seen = |path: &str, name: Option<&str>| CalendarRow {
            account: "alice@test.tld".into(),
            path: path.into(),
            name: name.map(str::to_owned),
        };
        let seen = || {
            vec![
                seen("/alice/work/", None),
                seen("/alice/a,b/", None),
                seen("/alice/5f0c/", Some("Choir")),
                seen("/team/work/", None),
            ]
        };
        let shown = |chosen: &Chosen| -> Vec<(String, bool, bool)> {
            of_account(chosen, seen()).into_iter().map(|c| (c.name, c.mirrored, c.open)).collect()
        };
        let line = |name: &str, mirrored, open| (name.to_owned(), mirrored, open);
        let nothing = chosen("", None);
        let all = ["alice/work", "a,b", "Choir", "team/work"].map(|name| line(name, true, true));
        assert_eq!(shown(&nothing), all);

        let own = left_out(&nothing, at("/alice/a,b/"), false).unwrap();
        let own = left_out(&chosen("", Some(&own)), at("/alice/gone/"), false).unwrap();
        let lists = chosen("/team/work, choir", Some(&own));
        let expected = [
            line("alice/work", true, true),
            line("a,b", false, true),
            line("Choir", false, false),
            line("team/work", false, false),
            line("gone", false, true),
        ];
        assert_eq!(shown(&lists), expected);

        let own = left_out(&lists, at("/alice/a,b/"), true).unwrap();
        assert_eq!(left_out(&chosen("", Some(&own)), at("/alice/gone/"), true), None);
    }

    #[test]
    fn an_event_is_in_the_calendar_that_was_named_or_in_its_objects_folder() {
        let path = |calendar, object| Named::of_event(calendar, None, object).map(|named| named.path);
        assert_eq!(path(Some("/a/w/"), Some("/x/1.ics")), Some("/a/w/"));
        assert_eq!(path(None, Some("/a/w/1.ics")), Some("/a/w"));
        assert_eq!(path(Some(""), Some("1.ics")), None);
        assert_eq!(path(None, None), None);
        let named = Named::of_event(None, Some(" Work "), Some("/a/w/1.ics"));
        assert_eq!(named, Some(Named { path: "/a/w", name: Some("Work") }));
    }
}
