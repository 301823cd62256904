//! Off, disconnected, another Microsoft account: what becomes of the events.
//!
//! *Off* makes no new meetings and is nothing more; what is mirrored goes on following. *Disconnect, keep* drops the tokens at
//! once and leaves everything where it stands. *Disconnect, remove* takes the events to come out of the remote calendar first,
//! as if each had been saved without a meeting, and drops the tokens when that is done, or a day later whatever is left, or when
//! the user has no patience; what is left then stays, whoever signs in later. With *another Microsoft account* the events stay
//! where they are, or those to come are made anew in the new calendar.

use std::sync::Arc;

use super::{Mirror, MirrorError, reports, row};
use crate::accounts::sign_in::{Finished, SignInProblem, end_sign_ins};
use crate::address::Address;
use crate::store::{ConnectionRow, Desired, EventRow, StoreError, Transaction, transact};

/// However much is left to be taken away by then: the user wanted the tokens gone.
const LONGEST_LEAVING_MS: i64 = 24 * 3600 * 1000;

/// What becomes of the mirrored events when an account is disconnected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// They stay as they are.
    Keep,
    /// Those that are not over yet are taken away first.
    Remove,
}

/// What becomes of events that stand in the calendar of the Microsoft account connected before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Elsewhere {
    /// They stay there, frozen, and their links with them.
    Keep,
    /// Those to come are made anew in the calendar of the new one.
    Move,
}

/// How a disconnect began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// The tokens are gone.
    Gone,
    /// Events are being taken away first.
    Leaving,
}

impl Mirror {
    /// Turns the extension on or off for an account, as its user wants it; gives whether it is on now.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn turn(&self, account: &Address, on: bool) -> Result<bool, MirrorError> {
        let row = self.accounts.set_on(account, on).map_err(super::saves::accounts_failed)?;
        self.pulse.wake();
        Ok(row.on)
    }

    /// Ends an account's connection. Taking events away needs a living connection; over a dead one they are kept.
    ///
    /// # Errors
    /// Where the store fails; nothing was changed then.
    pub fn disconnect(&self, account: &Address, leave: Leave) -> Result<Left, MirrorError> {
        let name = account.as_str();
        let now = self.now();
        transact(&*self.store, |tx| {
            if let Some(mut row) = tx.account(name)? {
                row.on = false;
                if leave == Leave::Remove {
                    row.last_remote = None;
                }
                tx.put_account(&row)?;
            }
            end_sign_ins(tx, name)?;
            let Some(mut connection) = tx.connection(name)? else { return Ok(()) };
            if leave == Leave::Keep || connection.dead.is_some() {
                return self.drop_connection(tx, &connection, now);
            }
            connection.leaving_since = Some(connection.leaving_since.unwrap_or(now));
            tx.put_connection(&connection)?;
            let mailbox = connection.mailbox();
            for (uid, at) in tx.mirrored_ahead(name, now)? {
                if at.as_ref().is_none_or(|at| *at == mailbox) {
                    withdraw(tx, name, &uid, now)?;
                }
            }
            Ok(())
        })?;
        self.accounts.forget_refreshes(account);
        self.pulse.wake();
        self.end_leaving(name)?;
        let connected = crate::store::read(&*self.store, |tx| tx.connection(name))?.is_some();
        Ok(if connected { Left::Leaving } else { Left::Gone })
    }

    /// Ends an account's connection at once and leaves everything where it stands, the user's own switch too: an administrator
    /// ends a connection, the user may make another.
    ///
    /// # Errors
    /// Where the store fails; nothing was changed then.
    pub fn end_connection(&self, account: &Address) -> Result<(), MirrorError> {
        let now = self.now();
        transact(&*self.store, |tx| {
            end_sign_ins(tx, account.as_str())?;
            match tx.connection(account.as_str())? {
                Some(connection) => self.drop_connection(tx, &connection, now),
                None => Ok(()),
            }
        })?;
        self.accounts.forget_refreshes(account);
        self.pulse.wake();
        Ok(())
    }

    /// The tokens go. What was to be taken away with them and is still there stays, and is not taken away at a later sign-in.
    fn drop_connection(
        &self,
        tx: &mut dyn Transaction,
        connection: &ConnectionRow,
        now: i64,
    ) -> Result<(), StoreError> {
        let (account, mailbox) = (connection.account.as_str(), connection.mailbox());
        let there = if connection.leaving_since.is_some() { tx.mirrored_ahead(account, i64::MIN)? } else { Vec::new() };
        for (uid, at) in there {
            let Some(mut row) = tx.event(account, &uid)? else { continue };
            let withdrawn = row.desired == Desired::Stored && !row.mirror && row.generation != row.mirrored_generation;
            if !withdrawn || at.is_some_and(|at| at != mailbox) {
                continue;
            }
            row::left(&mut row, now);
            if row.due_at.is_none() {
                self.rest(&mut row, now);
            }
            for mut proposal in tx.proposals(account, &uid)? {
                (proposal.mirror, proposal.meeting) = (row.mirror, row.meeting);
                tx.put_proposal(&proposal)?;
            }
            self.wake_for_proposals(tx, &mut row)?;
            tx.put_event(&row)?;
        }
        tx.remove_connection(account)
    }

    /// How many events of an account are still to be taken away before its tokens go.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn still_to_leave(&self, account: &Address) -> Result<usize, MirrorError> {
        let now = self.now();
        Ok(crate::store::read(&*self.store, |tx| to_leave(tx, account.as_str(), now))?.unwrap_or(0))
    }

    /// When the tokens of a leaving account go at the latest, Unix milliseconds.
    pub fn leaves_at_latest(leaving_since: i64) -> i64 {
        leaving_since.saturating_add(LONGEST_LEAVING_MS)
    }

    /// Drops the tokens of a leaving account if nothing is left to be taken away, or its time is over.
    pub(super) fn end_leaving(&self, account: &str) -> Result<(), MirrorError> {
        let now = self.now();
        let ended = transact(&*self.store, |tx| {
            let Some(left) = to_leave(tx, account, now)? else { return Ok(None) };
            let Some(connection) = tx.connection(account)? else { return Ok(None) };
            if left > 0 && Self::leaves_at_latest(connection.leaving_since.unwrap_or(now)) > now {
                return Ok(None);
            }
            self.drop_connection(tx, &connection, now)?;
            Ok(Some(left))
        })?;
        match ended {
            Some(0) => tracing::info!(account, "disconnected; the mirrored events were taken away first"),
            Some(left) => {
                tracing::warn!(account, left, "disconnected after a day; some events could not be taken away")
            }
            None => return Ok(()),
        }
        if let Ok(address) = Address::parse(account) {
            self.accounts.forget_refreshes(&address);
        }
        Ok(())
    }

    /// Ends what has been leaving for too long.
    pub(super) fn tidy_leaving(&self) -> Result<(), MirrorError> {
        let leaving = crate::store::read(&*self.store, |tx| tx.leaving())?;
        leaving.iter().try_for_each(|account| self.end_leaving(account))
    }

    /// The user confirmed the Microsoft account that signed in: connects it, and does with earlier events what the user chose.
    ///
    /// # Errors
    /// As [`crate::accounts::Accounts::confirm`].
    pub fn confirm_link(
        self: &Arc<Self>,
        cookie: &str,
        token: &str,
        elsewhere: Elsewhere,
    ) -> Result<Finished, SignInProblem> {
        let now = self.now();
        let finished = self.accounts.confirm(cookie, token, &mut |tx, account, mailbox| {
            for (uid, at) in tx.mirrored_ahead(account, now)? {
                if elsewhere == Elsewhere::Move && at.as_ref().is_some_and(|at| at != mailbox) {
                    make_anew(tx, account, &uid, now)?;
                }
            }
            Ok(())
        })?;
        if !finished.again {
            self.after_sign_in(&finished.account);
        }
        Ok(finished)
    }
}

/// How many events are still to be taken away; `None` where the account is not leaving.
fn to_leave(tx: &mut dyn Transaction, account: &str, now: i64) -> Result<Option<usize>, StoreError> {
    let Some(connection) = tx.connection(account)?.filter(|row| row.leaving_since.is_some()) else { return Ok(None) };
    let mailbox = connection.mailbox();
    let ahead = tx.mirrored_ahead(account, now)?;
    Ok(Some(ahead.iter().filter(|(_, at)| at.as_ref().is_none_or(|at| *at == mailbox)).count()))
}

/// The remote event is to go, whatever the server stores.
fn withdraw(tx: &mut dyn Transaction, account: &str, uid: &str, now: i64) -> Result<(), StoreError> {
    let Some(mut row) = tx.event(account, uid)? else { return Ok(()) };
    for mut proposal in tx.proposals(account, uid)? {
        if proposal.draft {
            reports::close_refused(tx, &proposal, now)?;
        } else {
            (proposal.mirror, proposal.meeting, proposal.link_needed) = (false, false, false);
            tx.put_proposal(&proposal)?;
        }
    }
    row::withdrawn(&mut row, now);
    tx.put_event(&row)
}

/// The event is made as if it had never been anywhere.
fn make_anew(tx: &mut dyn Transaction, account: &str, uid: &str, now: i64) -> Result<(), StoreError> {
    let Some(mut row) = tx.event(account, uid)? else { return Ok(()) };
    if row.desired != Desired::Stored || !row.mirror || row.text.is_none() {
        return Ok(());
    }
    row = EventRow {
        record: None,
        record_sha: None,
        record_meeting: false,
        record_asked: false,
        mailbox: None,
        made_for: None,
        view: None,
        generation: row.generation + 1,
        ..row
    };
    row::begin(&mut row, now);
    tx.put_event(&row)
}
