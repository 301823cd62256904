//! How the server's calendars are watched for what was written past the hooks: settings of the shim's own, which a watcher
//! reads with the accounts it is to look at. The shim itself reads no calendar.

use std::time::Duration;

use chrono::NaiveDate;

use super::policy::Standing;
use super::settings::Declared;
use super::{Accounts, AccountsError};
use crate::address::Address;
use crate::component::types::{SettingDeclaration, UserChoice};
use crate::store::HookSecretRow;

/// How often an account's calendars are looked at.
pub const INTERVAL: &str = "watch-interval";

/// How far back the events are that are brought to Teams.
pub const BACK: &str = "watch-back";

/// How far ahead they are.
pub const AHEAD: &str = "watch-ahead";

/// What is brought to Teams of that which is older than the turning on.
pub const SINCE: &str = "since";

/// Everything, however old.
const ALL: &str = "all";

/// The longest interval: a calendar that is looked at less often is not watched.
const LONGEST_INTERVAL: Duration = Duration::from_secs(30 * 86_400);

/// The furthest the window reaches, either way, in days.
const FURTHEST_DAYS: u64 = 3_660;

/// Accounts looked at for one page of those to watch.
const PAGE: u32 = 200;

/// What is brought to Teams of events that were saved before Teams was turned on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// Nothing: only what is saved from then on.
    TurnedOn,
    /// Those that end on this day or after it.
    Date(NaiveDate),
    /// All.
    All,
}

/// How one account's calendars are to be watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watching {
    /// From one look to the next; zero: as often as possible.
    pub interval: Duration,
    /// How far back the window reaches.
    pub back: Duration,
    /// How far ahead it does.
    pub ahead: Duration,
    /// What counts of that which is older than the turning on.
    pub since: Since,
}

/// An account to watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// Its address.
    pub account: String,
    /// Whether new events may be brought to Teams; otherwise only those that are there, or are known, follow.
    pub usable: bool,
    /// When its user turned Teams on, Unix milliseconds.
    pub turned_on_at: Option<i64>,
    /// How it is to be watched.
    pub watching: Watching,
    /// Its user asked for the coming events from before.
    pub older_wanted: bool,
    /// How many of its events have a save that nobody reported.
    pub unconfirmed: u64,
}

/// A page of accounts to watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedPage {
    /// By address.
    pub accounts: Vec<Watched>,
    /// Where the next page begins; `None`: this was the last.
    pub next: Option<String>,
}

fn declaration(name: &str, default: &str, description: &str) -> SettingDeclaration {
    SettingDeclaration {
        name: name.into(),
        description: description.into(),
        values: Vec::new(),
        default: default.into(),
        user_may: UserChoice::Nothing,
    }
}

/// The settings of the watching.
pub fn declarations() -> [SettingDeclaration; 4] {
    [
        declaration(
            INTERVAL,
            "10min",
            "How often the gateway looks for what was written past it, with a unit, for example `90s`, `10min` or `6h`; `0` \
             is as often as possible.",
        ),
        declaration(
            BACK,
            "7days",
            "How far back events are that the gateway brings to Teams when they were written past it, for example `7days`.",
        ),
        declaration(AHEAD, "365days", "How far ahead they are, for example `7days` or `365days`."),
        declaration(
            SINCE,
            "",
            "Which events from before Teams was turned on the gateway brings to Teams, within that window: none where this is \
             empty, `all`, or those that end on a date or after it, for example `2027-01-01`.",
        ),
    ]
}

/// Whether a setting is one of these.
pub fn is_ours(name: &str) -> bool {
    [INTERVAL, BACK, AHEAD, SINCE].contains(&name)
}

/// Why a value cannot be taken, in a sentence; `None`: it can, or the setting is none of these.
pub(crate) fn refusal(name: &str, value: &str) -> Option<String> {
    match name {
        INTERVAL => interval(value).err(),
        BACK | AHEAD => window(name, value).err(),
        SINCE => since(value).err(),
        _ => None,
    }
}

fn interval(value: &str) -> Result<Duration, String> {
    duration(value).filter(|interval| *interval <= LONGEST_INTERVAL).ok_or_else(|| {
        format!("`{INTERVAL}` cannot be `{value}`; write it with its unit, `10min` for example, `0` or up to `30days`")
    })
}

fn window(name: &str, value: &str) -> Result<Duration, String> {
    duration(value).filter(|window| *window <= Duration::from_secs(FURTHEST_DAYS * 86_400)).ok_or_else(|| {
        format!(
            "`{name}` cannot be `{value}`; write it with its unit, `7days` for example, up to `{FURTHEST_DAYS}days`"
        )
    })
}

fn duration(value: &str) -> Option<Duration> {
    if value.trim() == "0" { Some(Duration::ZERO) } else { humantime::parse_duration(value).ok() }
}

fn since(value: &str) -> Result<Since, String> {
    let value = value.trim();
    if value.is_empty() {
        return Ok(Since::TurnedOn);
    }
    if value.eq_ignore_ascii_case(ALL) {
        return Ok(Since::All);
    }
    NaiveDate::parse_from_str(value, "%Y-%m-%d").map(Since::Date).map_err(|_| {
        format!("`{SINCE}` cannot be `{value}`; it is a date such as `2027-01-01`, `{ALL}`, or empty for nothing older")
    })
}

impl Watching {
    /// As an account's settings say.
    pub fn of(standing: &Standing) -> Self {
        let [every, back, ahead, from] =
            declarations().map(|setting| standing.chosen.counting(&Declared::from(&setting)).value);
        Self {
            interval: interval(&every).unwrap_or(Duration::from_secs(600)),
            back: window(BACK, &back).unwrap_or(Duration::from_secs(7 * 86_400)),
            ahead: window(AHEAD, &ahead).unwrap_or(Duration::from_secs(365 * 86_400)),
            since: since(&from).unwrap_or(Since::TurnedOn),
        }
    }
}

impl Accounts {
    /// The connected accounts that a server may speak for and that a rule allows, by address, from `after` (exclusive) on. One
    /// whose user turned it off is among them, because what stands in Teams already goes on following.
    pub fn to_watch(&self, reader: &HookSecretRow, after: &str) -> Result<WatchedPage, AccountsError> {
        let (mut accounts, mut from) = (Vec::new(), after.to_owned());
        loop {
            let names = self.read(|tx| tx.connected_accounts(&from, PAGE))?;
            let Some(last) = names.last().cloned() else { return Ok(WatchedPage { accounts, next: None }) };
            from = last;
            for name in names {
                let Ok(account) = Address::parse(&name) else { continue };
                // Another server's accounts are passed over, and never named, not even as a cursor.
                if !super::hook_secrets::may_speak_for(reader, &account) {
                    continue;
                }
                accounts.extend(self.watched(&account)?);
                if accounts.len() >= PAGE as usize {
                    return Ok(WatchedPage { accounts, next: Some(name) });
                }
            }
        }
    }

    fn watched(&self, account: &Address) -> Result<Option<Watched>, AccountsError> {
        let standing = self.standing(account)?;
        if !standing.is_allowed() || standing.is_leaving() {
            return Ok(None);
        }
        let row = standing.account.as_ref();
        Ok(Some(Watched {
            account: account.as_str().into(),
            usable: standing.usable,
            turned_on_at: row.and_then(|row| row.turned_on_at),
            watching: Watching::of(&standing),
            older_wanted: row.is_some_and(|row| row.older_wanted),
            unconfirmed: self.read(|tx| tx.count_unconfirmed(account.as_str()))?,
        }))
    }

    /// A watcher counted the coming events that are older than the turning on and therefore left alone. `included`: it has told
    /// those that their user asked for, so nothing is asked for any more.
    pub fn set_older(&self, account: &Address, count: u32, included: bool) -> Result<(), AccountsError> {
        let changes =
            |row: &crate::store::AccountRow| row.older_events != Some(count) || (included && row.older_wanted);
        if !self.account(account)?.as_ref().is_some_and(changes) {
            return Ok(());
        }
        Ok(self.transact(|tx| {
            let Some(mut row) = tx.account(account.as_str())? else { return Ok(()) };
            row.older_events = Some(count);
            row.older_wanted = row.older_wanted && !included;
            tx.put_account(&row)
        })?)
    }

    /// Its user wants the coming events from before; the watcher tells them at its next look.
    pub fn want_older(&self, account: &Address) -> Result<(), AccountsError> {
        Ok(self.transact(|tx| {
            let Some(mut row) = tx.account(account.as_str())? else { return Ok(()) };
            row.older_wanted = row.on && row.older_events.is_some_and(|count| count > 0);
            tx.put_account(&row)
        })?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_and_a_window_are_said_with_their_unit() {
        assert_eq!(interval("0").unwrap(), Duration::ZERO);
        assert_eq!(interval("10min").unwrap(), Duration::from_secs(600));
        assert_eq!(window(BACK, "7days").unwrap(), Duration::from_secs(7 * 86_400));
        assert_eq!(window(AHEAD, "0").unwrap(), Duration::ZERO);
        for wrong in ["", "10", "soon", "-1min", "31days"] {
            assert!(refusal(INTERVAL, wrong).unwrap().contains("10min"), "{wrong}");
        }
        for wrong in ["", "7", "11years"] {
            assert!(refusal(AHEAD, wrong).unwrap().contains("7days"), "{wrong}");
        }
        assert_eq!(refusal("meetings", "anything"), None);
    }

    #[test]
    fn what_is_older_counts_by_date_all_of_it_or_not_at_all() {
        assert_eq!(since("").unwrap(), Since::TurnedOn);
        assert_eq!(since("all").unwrap(), Since::All);
        assert_eq!(since("2027-01-01").unwrap(), Since::Date(NaiveDate::from_ymd_opt(2027, 1, 1).unwrap()));
        for wrong in ["yesterday", "2027-02-30", "01.01.2027"] {
            assert!(refusal(SINCE, wrong).is_some(), "{wrong}");
        }
    }

    #[test]
    fn every_default_is_a_value() {
        for setting in declarations() {
            assert!(is_ours(&setting.name));
            assert_eq!(refusal(&setting.name, &setting.default), None);
        }
    }
}
