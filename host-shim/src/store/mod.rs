//! What the shim must remember: one trait, a database behind it.
//!
//! The store knows nothing of calendars, Microsoft or HTTP. It keeps rows and gives transactions; what a row means is said
//! by `mirror` and `accounts`. Whatever is secret or comes out of somebody's calendar arrives here already sealed.
//!
//! A transaction sees a consistent state, and when [`Store::transact`] returns `Ok` its writes are on disk (fsync).
//! Instants are Unix time in milliseconds, UTC.

mod rows;
pub mod sqlite;
#[cfg(test)]
mod suite;

pub use rows::*;

/// Why the store could not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The disk is full. Nothing was written; it may work again once there is room.
    #[error("the store's disk is full: {0}")]
    Full(String),
    /// Somebody else holds the store: another `teams-mirror serve`, most likely.
    #[error(
        "the store at `{path}` is in use by another process; stop it first, or talk to it through its admin socket"
    )]
    InUse {
        /// The file.
        path: String,
    },
    /// The file is not a store of this program, is damaged, or was written by a newer version.
    #[error("the store at `{path}` cannot be used: {why}")]
    Unusable {
        /// The file.
        path: String,
        /// What is wrong with it and what to do.
        why: String,
    },
    /// The database failed in some other way.
    #[error("the store failed: {0}")]
    Failed(String),
    /// The closure given to [`Store::transact`] wants the transaction undone; not a failure of the store.
    #[error("undone: {0}")]
    Undone(String),
}

/// A transaction's body: it may be run more than once (PostgreSQL serialisation), so it must not have effects of its own.
pub type Body<'a> = &'a mut dyn FnMut(&mut dyn Transaction) -> Result<(), StoreError>;

/// A store.
pub trait Store: Send + Sync {
    /// Runs `body` in one transaction; commits, durably, if it returns `Ok`, and undoes everything otherwise.
    fn transact(&self, body: Body<'_>) -> Result<(), StoreError>;

    /// Runs `body` on a consistent state without writing.
    fn read(&self, body: Body<'_>) -> Result<(), StoreError>;

    /// Whether the store can be written; for the readiness probe.
    fn check(&self) -> Result<(), StoreError>;
}

/// Runs `body` in one durable transaction and gives back its value.
pub fn transact<T>(
    store: &dyn Store,
    mut body: impl FnMut(&mut dyn Transaction) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut value = None;
    store.transact(&mut |tx| {
        value = Some(body(tx)?);
        Ok(())
    })?;
    value.ok_or_else(|| StoreError::Failed("a transaction ended without a value".into()))
}

/// Runs `body` on a consistent state and gives back its value.
pub fn read<T>(
    store: &dyn Store,
    mut body: impl FnMut(&mut dyn Transaction) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut value = None;
    store.read(&mut |tx| {
        value = Some(body(tx)?);
        Ok(())
    })?;
    value.ok_or_else(|| StoreError::Failed("a read ended without a value".into()))
}

/// The rows, inside a transaction. `put_*` inserts or replaces by key; `remove_*` of what is not there is no error.
pub trait Transaction {
    // --- events ------------------------------------------------------------------------------------------------------
    /// The event's row, locked until the transaction ends where the database has row locks.
    fn event(&mut self, account: &str, uid: &str) -> Result<Option<EventRow>, StoreError>;
    /// Inserts or replaces by (account, uid).
    fn put_event(&mut self, row: &EventRow) -> Result<(), StoreError>;
    /// Forgets an event, its proposals and its offer.
    fn remove_event(&mut self, account: &str, uid: &str) -> Result<(), StoreError>;
    /// (account, uid) of at most `limit` rows with `due_at <= now`: earliest first start first, rows without one before all,
    /// then by `due_at`. At most `per_account` of one account, so that one account cannot fill the page.
    fn due_events(&mut self, now: i64, limit: u32, per_account: u32) -> Result<Vec<(String, String)>, StoreError>;
    /// The smallest `due_at` of all rows.
    fn next_due(&mut self) -> Result<Option<i64>, StoreError>;
    /// Rows of one account (all accounts if `None`) in a state (any if `None`), newest change first.
    fn list_events(
        &mut self,
        account: Option<&str>,
        state: Option<&str>,
        limit: u32,
    ) -> Result<Vec<EventRow>, StoreError>;
    /// UID and mailbox of an account's events that have a remote event, or may have one, and are not over at `now`; without
    /// those that a person removed there.
    fn mirrored_ahead(&mut self, account: &str, now: i64) -> Result<Vec<(String, Option<String>)>, StoreError>;
    /// An account's events that the server stored and that are not gone, by UID, from `after` (exclusive), at most `limit`; all
    /// of them, or only those with a save that nobody reported.
    fn told_events(
        &mut self,
        account: &str,
        after: &str,
        limit: u32,
        unconfirmed: bool,
    ) -> Result<Vec<ToldRow>, StoreError>;
    /// How many events of an account have a save that nobody reported.
    fn count_unconfirmed(&mut self, account: &str) -> Result<u64, StoreError>;
    /// The calendars that an account's events were last stored in, by path, at most `limit`.
    fn calendars(&mut self, account: &str, limit: u32) -> Result<Vec<CalendarRow>, StoreError>;
    /// One calendar, whether there are events in it or not.
    fn calendar(&mut self, account: &str, path: &str) -> Result<Option<CalendarRow>, StoreError>;
    /// Inserts or replaces by (account, path). A name that is not told stays.
    fn put_calendar(&mut self, row: &CalendarRow) -> Result<(), StoreError>;
    /// Counts per state.
    fn count_events(&mut self) -> Result<Vec<(String, u64)>, StoreError>;
    /// Makes every parked row of the account (all accounts if `None`) with `parked = why` due at `now`; gives how many.
    fn unpark(&mut self, account: Option<&str>, why: &str, now: i64) -> Result<u64, StoreError>;
    /// How often rows parked for `why` were made due.
    fn releases(&mut self, why: &str) -> Result<u64, StoreError>;

    // --- proposals (first beat of the hook API) ----------------------------------------------------------------------
    /// One proposal by its change id.
    fn proposal(&mut self, change: &str) -> Result<Option<ProposalRow>, StoreError>;
    /// All open proposals of an event, oldest first.
    fn proposals(&mut self, account: &str, uid: &str) -> Result<Vec<ProposalRow>, StoreError>;
    /// Inserts or replaces by change id.
    fn put_proposal(&mut self, row: &ProposalRow) -> Result<(), StoreError>;
    /// Removes one.
    fn remove_proposal(&mut self, change: &str) -> Result<(), StoreError>;

    /// Remembers what became of a change.
    fn put_closed(&mut self, row: &ClosedRow) -> Result<(), StoreError>;
    /// What became of a change.
    fn closed(&mut self, change: &str) -> Result<Option<ClosedRow>, StoreError>;
    /// Forgets what was closed before `before`.
    fn expire_closed(&mut self, before: i64) -> Result<(), StoreError>;

    // --- offers (texts an adapter should write back) -----------------------------------------------------------------
    /// Replaces the event's offer; the new one gets a number larger than any before, which is returned.
    fn put_offer(&mut self, offer: &OfferRow) -> Result<u64, StoreError>;
    /// The event's offer.
    fn offer(&mut self, account: &str, uid: &str) -> Result<Option<OfferRow>, StoreError>;
    /// The event has nothing to offer any more.
    fn remove_offer(&mut self, account: &str, uid: &str) -> Result<(), StoreError>;
    /// Offers with a number above `after`, in order, at most `limit`.
    fn offers(&mut self, after: u64, limit: u32) -> Result<Vec<OfferRow>, StoreError>;

    // --- accounts ----------------------------------------------------------------------------------------------------
    /// One account.
    fn account(&mut self, address: &str) -> Result<Option<AccountRow>, StoreError>;
    /// Inserts or replaces by address.
    fn put_account(&mut self, row: &AccountRow) -> Result<(), StoreError>;
    /// Forgets an account with its connection, events, proposals, offers, tickets, sign-ins, settings and policy.
    fn remove_account(&mut self, address: &str) -> Result<(), StoreError>;
    /// Gives an account another address, with all that belongs to it but what is sealed under the old one, which the caller
    /// re-seals. Fails with `Undone` if the new address exists.
    fn rename_account(&mut self, from: &str, to: &str) -> Result<(), StoreError>;
    /// Accounts by address, from `after` (exclusive), at most `limit`.
    fn list_accounts(&mut self, after: &str, limit: u32) -> Result<Vec<AccountRow>, StoreError>;

    // --- connections -------------------------------------------------------------------------------------------------
    /// The account's connection.
    fn connection(&mut self, account: &str) -> Result<Option<ConnectionRow>, StoreError>;
    /// Inserts or replaces by account.
    fn put_connection(&mut self, row: &ConnectionRow) -> Result<(), StoreError>;
    /// Removes it.
    fn remove_connection(&mut self, account: &str) -> Result<(), StoreError>;
    /// Accounts with a connection, by address, from `after` (exclusive), at most `limit`.
    fn connected_accounts(&mut self, after: &str, limit: u32) -> Result<Vec<String>, StoreError>;
    /// Accounts connected to the mailbox (tenant id, object id).
    fn accounts_of_mailbox(&mut self, tenant: &str, object: &str) -> Result<Vec<String>, StoreError>;
    /// Accounts whose connection is on its way out, longest first.
    fn leaving(&mut self) -> Result<Vec<String>, StoreError>;

    // --- connectors --------------------------------------------------------------------------------------------------
    /// All connectors, by name.
    fn connectors(&mut self) -> Result<Vec<ConnectorRow>, StoreError>;
    /// Inserts or replaces by id.
    fn put_connector(&mut self, row: &ConnectorRow) -> Result<(), StoreError>;
    /// Removes one.
    fn remove_connector(&mut self, id: &str) -> Result<(), StoreError>;

    // --- policy, settings, hook secrets ------------------------------------------------------------------------------
    /// All rules. There are few.
    fn policy(&mut self) -> Result<Vec<PolicyRow>, StoreError>;
    /// Sets (`Some`) or removes (`None`) the rule of a scope.
    fn put_policy(&mut self, scope: &Scope, allow: Option<bool>) -> Result<(), StoreError>;
    /// All chosen settings of server, domains and classes, and those of `account` and its user.
    fn settings(&mut self, account: Option<&str>) -> Result<Vec<SettingRow>, StoreError>;
    /// Sets (`Some`) or removes (`None`) one.
    fn put_setting(&mut self, scope: &Scope, name: &str, value: Option<&str>) -> Result<(), StoreError>;
    /// All hook secrets.
    fn hook_secrets(&mut self) -> Result<Vec<HookSecretRow>, StoreError>;
    /// Inserts or replaces by name.
    fn put_hook_secret(&mut self, row: &HookSecretRow) -> Result<(), StoreError>;
    /// Removes one; whether it was there.
    fn remove_hook_secret(&mut self, name: &str) -> Result<bool, StoreError>;

    // --- sign-in -----------------------------------------------------------------------------------------------------
    /// Keeps a one-time ticket or a sign-in on its way, by the SHA-256 of its secret.
    fn put_once(&mut self, row: &OnceRow) -> Result<(), StoreError>;
    /// Reads it and leaves it there. Expired ones are given too; the caller compares.
    fn once(&mut self, kind: &str, key: &[u8; 32]) -> Result<Option<OnceRow>, StoreError>;
    /// Takes it: at most one caller ever gets it. Expired ones are given too; the caller compares.
    fn take_once(&mut self, kind: &str, key: &[u8; 32]) -> Result<Option<OnceRow>, StoreError>;
    /// Drops those of an account that are of these kinds.
    fn end_once(&mut self, account: &str, kinds: &[&str]) -> Result<(), StoreError>;
    /// Drops those that expired before `now`.
    fn expire_once(&mut self, now: i64) -> Result<(), StoreError>;

    // --- the rest ----------------------------------------------------------------------------------------------------
    /// A small named value.
    fn meta(&mut self, name: &str) -> Result<Option<String>, StoreError>;
    /// Sets it.
    fn put_meta(&mut self, name: &str, value: &str) -> Result<(), StoreError>;
}
