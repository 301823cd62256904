//! Rows that wait for somebody: why, and how that is told.

use super::plan::Plan;
use super::status::State;
use super::{Mirror, MirrorError};
use crate::accounts::dead_phrase;
use crate::accounts::policy::Standing;
use crate::store::{ConnectionRow, EventRow, transact};
use crate::words;

/// Why a row has to wait for somebody.
pub(super) struct Parked {
    why: &'static str,
    state: State,
    reason: String,
    message: String,
}

impl Parked {
    fn new(why: &'static str, state: State, reason: &str, message: &str) -> Self {
        Self { why, state, reason: reason.into(), message: message.into() }
    }
}

impl Mirror {
    /// The connection over which the row may be brought about, or why it has to wait.
    pub(super) fn connection_for<'a>(
        &self,
        standing: &'a Standing,
        row: &EventRow,
    ) -> Result<&'a ConnectionRow, Parked> {
        let words = words::of(standing.language());
        let told = || standing.phrase().said(words);
        if matches!(standing.reason, "not-enabled" | "denied" | "unknown-account") {
            return Err(Parked::new("policy", State::AdminNeeded, standing.reason, &told()));
        }
        if standing.reason == "connector-off" {
            return Err(Parked::new("connector", State::AdminNeeded, standing.reason, &told()));
        }
        let Some(connection) = &standing.connection else {
            // Whoever turned it off and disconnected is not asked to sign in.
            let (state, reason) = match standing.is_on() {
                true => (State::SignInNeeded, "not-connected"),
                false => (State::NotMirrored, "not-turned-on"),
            };
            return Err(Parked::new("connection", state, reason, &told()));
        };
        if !standing.is_on() && row.record.is_none() {
            return Err(Parked::new("off", State::NotMirrored, "not-turned-on", &told()));
        }
        if let Some(code) = &connection.dead {
            let message = dead_phrase(code).said(words);
            return Err(Parked::new("connection", State::SignInNeeded, "connection-dead", &message));
        }
        let mailbox = connection.mailbox();
        if row.record.is_some() && row.mailbox.as_ref().is_some_and(|known| *known != mailbox) {
            return Err(Parked::new(
                "mailbox",
                State::NotMirrored,
                "other-mailbox",
                &words.say("event-reason-other-mailbox"),
            ));
        }
        Ok(connection)
    }

    pub(super) fn park(&self, plan: &Plan, parked: Parked) -> Result<(), MirrorError> {
        let (account, uid) = (plan.row.account.clone(), plan.row.uid.clone());
        let now = self.now();
        transact(&*self.store, |tx| {
            let Some(mut row) = tx.event(&account, &uid)? else { return Ok(()) };
            if plan.is_mended(tx, parked.why)? {
                row.due_at = Some(now);
                return tx.put_event(&row);
            }
            row.parked = Some(parked.why.into());
            row.state = parked.state.name().into();
            row.reason = Some(parked.reason.clone());
            row.message = Some(parked.message.clone()).filter(|message| !message.is_empty());
            row.due_at = row.gone_at.map(|at| at + super::millis(self.timing.delete_grace));
            row.updated_at = now;
            self.wake_for_proposals(tx, &mut row)?;
            tx.put_event(&row)?;
            Ok(())
        })?;
        Ok(())
    }
}
