//! Which of an account's calendars are mirrored: settings of the shim's own, the same for every extension.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::policy::Standing;
use super::settings::{Chosen, Declared, entries};
use crate::component::types::{SettingDeclaration, UserChoice};

/// The setting that names the only calendars that are mirrored.
pub const ONLY: &str = "calendars";

/// The setting that names calendars that are not.
pub const EXCLUDED: &str = "exclude-calendars";

/// The reason code of an event in a calendar that is not mirrored.
pub const REASON: &str = "calendar-excluded";

/// Every calendar.
const ALL: &str = "all";

/// The shim's own settings. An extension that declares one of these names does not get to see it.
pub fn declarations() -> [SettingDeclaration; 2] {
    [
        SettingDeclaration {
            name: ONLY.into(),
            description: "Which calendars of an account are mirrored: `all`, or the names or paths of the only ones, \
                          separated by commas. A name is the last part of the path that the server gives of the calendar."
                .into(),
            values: Vec::new(),
            default: ALL.into(),
            user_may: UserChoice::Nothing,
        },
        SettingDeclaration {
            name: EXCLUDED.into(),
            description: "Calendars that are not mirrored: names or paths, separated by commas. What users leave out on \
                          their settings page comes on top."
                .into(),
            values: Vec::new(),
            default: String::new(),
            user_may: UserChoice::Narrow,
        },
    ]
}

/// Whether a setting is the shim's own.
pub fn is_ours(name: &str) -> bool {
    name == ONLY || name == EXCLUDED
}

/// The calendar an event is in: as the call named it, else the folder of its object; `None` where neither was told.
pub fn of_event<'a>(calendar: Option<&'a str>, object: Option<&'a str>) -> Option<&'a str> {
    let folder = || object.and_then(|object| object.rsplit_once('/')).map(|(folder, _)| folder);
    calendar.filter(|calendar| !calendar.is_empty()).or_else(folder)
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
    pub fn exclude(&self, calendar: Option<&str>) -> bool {
        let names = |list: &[String]| calendar.is_some_and(|path| list.iter().any(|entry| is_named(entry, path)));
        self.only.as_deref().is_some_and(|only| !names(only)) || names(&self.excluded)
    }
}

/// A calendar as its user sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCalendar {
    /// The server's path.
    pub path: String,
    /// What to call it: the last part of its path, all of it where two have the same.
    pub name: String,
    /// Whether it is mirrored.
    pub mirrored: bool,
    /// Whether its user may choose.
    pub open: bool,
}

/// An account's calendars, as far as they are known: those its events were seen in, and those its user left out.
pub fn of_account(chosen: &Chosen, seen: Vec<String>) -> Vec<OwnCalendar> {
    let by_admin = Calendars::by_admin(chosen);
    let own = own(chosen);
    let mut paths = seen;
    for entry in entries(&own) {
        if !paths.iter().any(|path| is_named(entry, path)) {
            paths.push(entry.replace("%2C", ","));
        }
    }
    let name = |path: &str| tidy_case(path).rsplit('/').next().unwrap_or_default().to_owned();
    let calendars = paths.iter().map(|path| {
        let open = !by_admin.exclude(Some(path));
        let alone = paths.iter().filter(|other| name(other) == name(path)).count() == 1;
        OwnCalendar {
            path: path.clone(),
            name: if alone { name(path) } else { tidy_case(path) },
            mirrored: open && !entries(&own).any(|entry| is_named(entry, path)),
            open,
        }
    });
    calendars.collect()
}

/// What a user leaves out once they chose for one calendar more; `None`: nothing.
pub fn left_out(chosen: &Chosen, path: &str, mirrored: bool) -> Option<String> {
    let own = own(chosen);
    let path = path.replace(',', "%2C");
    let others = entries(&own).filter(|entry| !is_named(entry, &path));
    let all: Vec<&str> = others.chain((!mirrored).then_some(path.as_str())).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

fn own(chosen: &Chosen) -> String {
    let [_, excluded] = declarations();
    chosen.own(&Declared::from(&excluded)).map(|row| row.value.clone()).unwrap_or_default()
}

/// Whether an entry names a calendar: by its path or the last part of it. Slashes at the ends, upper and lower case, and
/// percent-encoding make no difference; a comma in a name is written `%2C`.
pub fn is_named(entry: &str, path: &str) -> bool {
    let (entry, path) = (tidy(entry), tidy(path));
    !entry.is_empty() && (entry == path || path.rsplit('/').next() == Some(entry.as_str()))
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

    #[test]
    fn a_calendar_is_named_by_its_path_or_the_last_part_of_it() {
        for entry in ["work", "/alice/work/", "alice/Work", "/alice/work"] {
            assert!(is_named(entry, "/alice/work/"), "{entry}");
        }
        for entry in ["alice", "/work/", "k", "", "/", "/bob/work/", "homework"] {
            assert_eq!(is_named(entry, "/alice/work/"), entry == "/work/", "{entry}");
        }
        assert!(is_named("Büro", "/alice/B%C3%BCro/") && is_named("a%2Cb", "/alice/a,b/"));
        assert!(!is_named("", "") && !is_named("/", "/"));
    }

    #[test]
    fn all_are_mirrored_unless_a_setting_says_otherwise() {
        let excludes = |only: &str, excluded: &str, path| Calendars::new(only, excluded).exclude(path);
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
        let seen = || vec!["/alice/work/".to_owned(), "/alice/a,b/".to_owned(), "/team/work/".to_owned()];
        let shown = |chosen: &Chosen| -> Vec<(String, bool, bool)> {
            of_account(chosen, seen()).into_iter().map(|c| (c.name, c.mirrored, c.open)).collect()
        };
        let line = |name: &str, mirrored, open| (name.to_owned(), mirrored, open);
        let nothing = chosen("", None);
        assert_eq!(
            shown(&nothing),
            [line("alice/work", true, true), line("a,b", true, true), line("team/work", true, true)]
        );

        let own = left_out(&nothing, "/alice/a,b/", false).unwrap();
        let own = left_out(&chosen("", Some(&own)), "/alice/gone/", false).unwrap();
        let lists = chosen("/team/work", Some(&own));
        let expected = [line("alice/work", true, true), line("a,b", false, true), line("team/work", false, false)];
        assert_eq!(shown(&lists), [expected.as_slice(), &[line("gone", false, true)]].concat());

        let own = left_out(&lists, "/alice/a,b/", true).unwrap();
        assert_eq!(left_out(&chosen("", Some(&own)), "/alice/gone/", true), None);
    }

    #[test]
    fn an_event_is_in_the_calendar_that_was_named_or_in_its_objects_folder() {
        assert_eq!(of_event(Some("/a/w/"), Some("/x/1.ics")), Some("/a/w/"));
        assert_eq!(of_event(None, Some("/a/w/1.ics")), Some("/a/w"));
        assert_eq!(of_event(Some(""), Some("1.ics")), None);
        assert_eq!(of_event(None, None), None);
    }
}
