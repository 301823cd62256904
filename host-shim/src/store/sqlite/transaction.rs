//! The rows of one transaction: each method is one function of the file that holds its SQL.

use std::cell::Cell;

use rusqlite::Connection;

use super::{SqliteStore, accounts, connectors, events, proposals};
use crate::store::{
    AccountRow, CalendarRow, ClosedRow, ConnectionRow, ConnectorRow, EventRow, HookSecretRow, OfferRow, OnceRow,
    PolicyRow, ProposalRow, Scope, SettingRow, StoreError, ToldRow, Transaction,
};

/// One transaction, reading or writing.
pub(super) struct SqliteTransaction<'c> {
    pub(super) c: &'c Connection,
    pub(super) store: &'c SqliteStore,
    pub(super) io_failed: &'c Cell<bool>,
}

impl SqliteTransaction<'_> {
    fn done<T>(&self, outcome: rusqlite::Result<T>) -> Result<T, StoreError> {
        outcome.map_err(|e| self.store.failed(e, self.io_failed))
    }
}

impl Transaction for SqliteTransaction<'_> {
    fn event(&mut self, account: &str, uid: &str) -> Result<Option<EventRow>, StoreError> {
        self.done(events::get(self.c, account, uid))
    }

    fn put_event(&mut self, row: &EventRow) -> Result<(), StoreError> {
        self.done(events::put(self.c, row))
    }

    fn remove_event(&mut self, account: &str, uid: &str) -> Result<(), StoreError> {
        self.done(events::remove(self.c, account, uid))
    }

    fn due_events(&mut self, now: i64, limit: u32, per_account: u32) -> Result<Vec<(String, String)>, StoreError> {
        self.done(events::due(self.c, now, limit, per_account))
    }

    fn next_due(&mut self) -> Result<Option<i64>, StoreError> {
        self.done(events::next_due(self.c))
    }

    fn list_events(
        &mut self,
        account: Option<&str>,
        state: Option<&str>,
        limit: u32,
    ) -> Result<Vec<EventRow>, StoreError> {
        self.done(events::list(self.c, account, state, limit))
    }

    fn mirrored_ahead(&mut self, account: &str, now: i64) -> Result<Vec<(String, Option<String>)>, StoreError> {
        self.done(events::mirrored_ahead(self.c, account, now))
    }

    fn told_events(
        &mut self,
        account: &str,
        after: &str,
        limit: u32,
        unconfirmed: bool,
    ) -> Result<Vec<ToldRow>, StoreError> {
        self.done(events::told(self.c, account, after, limit, unconfirmed))
    }

    fn count_unconfirmed(&mut self, account: &str) -> Result<u64, StoreError> {
        self.done(events::count_unconfirmed(self.c, account))
    }

    fn calendars(&mut self, account: &str, limit: u32) -> Result<Vec<CalendarRow>, StoreError> {
        self.done(events::calendars(self.c, account, limit))
    }

    fn calendar(&mut self, account: &str, path: &str) -> Result<Option<CalendarRow>, StoreError> {
        self.done(events::calendar(self.c, account, path))
    }

    fn put_calendar(&mut self, row: &CalendarRow) -> Result<(), StoreError> {
        self.done(events::put_calendar(self.c, row))
    }

    fn count_events(&mut self) -> Result<Vec<(String, u64)>, StoreError> {
        self.done(events::count_by_state(self.c))
    }

    fn unpark(&mut self, account: Option<&str>, why: &str, now: i64) -> Result<u64, StoreError> {
        self.done(events::unpark(self.c, account, why, now))
    }

    fn releases(&mut self, why: &str) -> Result<u64, StoreError> {
        self.done(events::releases(self.c, why))
    }

    fn proposal(&mut self, change: &str) -> Result<Option<ProposalRow>, StoreError> {
        self.done(proposals::get(self.c, change))
    }

    fn proposals(&mut self, account: &str, uid: &str) -> Result<Vec<ProposalRow>, StoreError> {
        self.done(proposals::of_event(self.c, account, uid))
    }

    fn put_proposal(&mut self, row: &ProposalRow) -> Result<(), StoreError> {
        self.done(proposals::put(self.c, row))
    }

    fn remove_proposal(&mut self, change: &str) -> Result<(), StoreError> {
        self.done(proposals::remove(self.c, change))
    }

    fn put_closed(&mut self, row: &ClosedRow) -> Result<(), StoreError> {
        self.done(proposals::put_closed(self.c, row))
    }

    fn closed(&mut self, change: &str) -> Result<Option<ClosedRow>, StoreError> {
        self.done(proposals::closed(self.c, change))
    }

    fn expire_closed(&mut self, before: i64) -> Result<(), StoreError> {
        self.done(proposals::expire_closed(self.c, before))
    }

    fn put_offer(&mut self, offer: &OfferRow) -> Result<u64, StoreError> {
        self.done(proposals::put_offer(self.c, offer))
    }

    fn offer(&mut self, account: &str, uid: &str) -> Result<Option<OfferRow>, StoreError> {
        self.done(proposals::offer(self.c, account, uid))
    }

    fn remove_offer(&mut self, account: &str, uid: &str) -> Result<(), StoreError> {
        self.done(proposals::remove_offer(self.c, account, uid))
    }

    fn offers(&mut self, after: u64, limit: u32) -> Result<Vec<OfferRow>, StoreError> {
        self.done(proposals::offers(self.c, after, limit))
    }

    fn account(&mut self, address: &str) -> Result<Option<AccountRow>, StoreError> {
        self.done(accounts::get(self.c, address))
    }

    fn put_account(&mut self, row: &AccountRow) -> Result<(), StoreError> {
        self.done(accounts::put(self.c, row))
    }

    fn remove_account(&mut self, address: &str) -> Result<(), StoreError> {
        self.done(accounts::remove(self.c, address))
    }

    fn rename_account(&mut self, from: &str, to: &str) -> Result<(), StoreError> {
        if from == to {
            return Ok(());
        }
        if self.account(to)?.is_some() {
            return Err(StoreError::Undone(format!("there is already an account `{to}`")));
        }
        self.done(accounts::rename(self.c, from, to))
    }

    fn list_accounts(&mut self, after: &str, limit: u32) -> Result<Vec<AccountRow>, StoreError> {
        self.done(accounts::list(self.c, after, limit))
    }

    fn connection(&mut self, account: &str) -> Result<Option<ConnectionRow>, StoreError> {
        self.done(accounts::connection(self.c, account))
    }

    fn put_connection(&mut self, row: &ConnectionRow) -> Result<(), StoreError> {
        self.done(accounts::put_connection(self.c, row))
    }

    fn remove_connection(&mut self, account: &str) -> Result<(), StoreError> {
        self.done(accounts::remove_connection(self.c, account))
    }

    fn connected_accounts(&mut self, after: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        self.done(accounts::connected(self.c, after, limit))
    }

    fn accounts_of_mailbox(&mut self, tenant: &str, object: &str) -> Result<Vec<String>, StoreError> {
        self.done(accounts::accounts_of_mailbox(self.c, tenant, object))
    }

    fn leaving(&mut self) -> Result<Vec<String>, StoreError> {
        self.done(accounts::leaving(self.c))
    }

    fn connectors(&mut self) -> Result<Vec<ConnectorRow>, StoreError> {
        self.done(connectors::all(self.c))
    }

    fn put_connector(&mut self, row: &ConnectorRow) -> Result<(), StoreError> {
        self.done(connectors::put(self.c, row))
    }

    fn remove_connector(&mut self, id: &str) -> Result<(), StoreError> {
        self.done(connectors::remove(self.c, id))
    }

    fn policy(&mut self) -> Result<Vec<PolicyRow>, StoreError> {
        self.done(connectors::policy(self.c))
    }

    fn put_policy(&mut self, scope: &Scope, allow: Option<bool>) -> Result<(), StoreError> {
        self.done(connectors::put_policy(self.c, scope, allow))
    }

    fn settings(&mut self, account: Option<&str>) -> Result<Vec<SettingRow>, StoreError> {
        self.done(connectors::settings(self.c, account))
    }

    fn put_setting(&mut self, scope: &Scope, name: &str, value: Option<&str>) -> Result<(), StoreError> {
        self.done(connectors::put_setting(self.c, scope, name, value))
    }

    fn hook_secrets(&mut self) -> Result<Vec<HookSecretRow>, StoreError> {
        self.done(connectors::hook_secrets(self.c))
    }

    fn put_hook_secret(&mut self, row: &HookSecretRow) -> Result<(), StoreError> {
        self.done(connectors::put_hook_secret(self.c, row))
    }

    fn remove_hook_secret(&mut self, name: &str) -> Result<bool, StoreError> {
        self.done(connectors::remove_hook_secret(self.c, name))
    }

    fn put_once(&mut self, row: &OnceRow) -> Result<(), StoreError> {
        self.done(accounts::put_once(self.c, row))
    }

    fn once(&mut self, kind: &str, key: &[u8; 32]) -> Result<Option<OnceRow>, StoreError> {
        self.done(accounts::once(self.c, kind, key))
    }

    fn take_once(&mut self, kind: &str, key: &[u8; 32]) -> Result<Option<OnceRow>, StoreError> {
        self.done(accounts::take_once(self.c, kind, key))
    }

    fn end_once(&mut self, account: &str, kinds: &[&str]) -> Result<(), StoreError> {
        self.done(accounts::end_once(self.c, account, kinds))
    }

    fn expire_once(&mut self, now: i64) -> Result<(), StoreError> {
        self.done(accounts::expire_once(self.c, now))
    }

    fn meta(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        self.done(connectors::meta(self.c, name))
    }

    fn put_meta(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        self.done(connectors::put_meta(self.c, name, value))
    }
}
