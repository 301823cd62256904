//! Which events are mirrored, as far as the administrator leaves it to users: they may only narrow it.

use super::page::{Choice, PageError};
use crate::accounts::calendars::{self, Named, OwnCalendar};
use crate::accounts::{Accounts, AccountsError};
use crate::address::Address;
use crate::mirror::Mirror;
use crate::words::Words;

pub(super) const MIRROR: &str = "mirror";
const CLASS: &str = "exclude-class";
const CATEGORIES: &str = "exclude-categories";

/// What the page shows of it.
pub(super) struct Which {
    /// All events or those with a meeting; empty where there is nothing to choose.
    pub(super) events: Vec<Choice>,
    /// Which classes stay out.
    pub(super) classes: Vec<Choice>,
    /// The user's own categories that stay out; `None`: there is no such setting.
    pub(super) categories: Option<String>,
    /// The calendars that are known.
    pub(super) calendars: Vec<OwnCalendar>,
}

/// What the form sends; what it did not show is absent.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(in crate::doors::public) struct WhichForm {
    /// The session's.
    pub(super) token: String,
    mirror: Option<String>,
    class: Option<String>,
    categories: Option<String>,
}

impl Which {
    pub(super) fn of(
        mirror: &Mirror,
        accounts: &Accounts,
        account: &Address,
        w: &'static Words,
    ) -> Result<Self, PageError> {
        let declared = mirror.declared_settings();
        let narrowed = |name: &str| -> Result<Vec<Choice>, PageError> {
            let choices = accounts.own_choices(account, name, declared)?;
            let choices = choices.filter(|choices| choices.open.len() > 1);
            Ok(choices.map(|choices| Choice::of(w, name, choices)).unwrap_or_default())
        };
        let categories = accounts.own_choices(account, CATEGORIES, declared)?;
        let chosen = accounts.chosen(account)?;
        Ok(Self {
            events: narrowed(MIRROR)?,
            classes: narrowed(CLASS)?,
            categories: categories.map(|choices| choices.own.unwrap_or_default()),
            calendars: calendars::of_account(&chosen, mirror.calendars(account)?),
        })
    }
}

impl WhichForm {
    /// Chooses what the form says; the first that is refused ends it.
    pub(super) fn choose(self, mirror: &Mirror, accounts: &Accounts, account: &Address) -> Result<(), AccountsError> {
        let declared = mirror.declared_settings();
        for (name, value) in [(MIRROR, self.mirror), (CLASS, self.class), (CATEGORIES, self.categories)] {
            let Some(value) = value else { continue };
            accounts.set_own_setting(account, name, Some(value.trim()).filter(|value| !value.is_empty()), declared)?;
        }
        Ok(())
    }
}

/// Mirrors a calendar, or leaves it out.
pub(super) fn choose_calendar(
    mirror: &Mirror,
    accounts: &Accounts,
    account: &Address,
    path: &str,
    mirrored: bool,
) -> Result<(), AccountsError> {
    // By its path, and not by what it is called now: that may change.
    let list = calendars::left_out(&accounts.chosen(account)?, Named { path, name: None }, mirrored);
    accounts.set_own_setting(account, calendars::EXCLUDED, list.as_deref(), mirror.declared_settings())
}
