//! One run for one event: what is to be done, the hook that does it, and what came of it.
//!
//! The run reads the row ([`super::plan`]), lets the component talk to the remote service without holding any lock, and then
//! writes what came of it into the row as it is *then* ([`super::outcome`]): whatever changed meanwhile is the next run's work.
//! [`super::schedule`] sees to it that no two runs for one event overlap.

use std::sync::Arc;

use super::plan::{Plan, Target};
use super::services::HookServices;
use super::{Mirror, MirrorError};
use crate::accounts::calendars::{self, Calendars, Named};
use crate::accounts::policy::Standing;
use crate::accounts::settings::is_the_shims;
use crate::accounts::sign_in::Facts;
use crate::address::Address;
use crate::component::types::{
    Account, CalendarObject, Context, HookError, Intent, Outcome, Problem, RemoteState, Setting,
};
use crate::store::{ConnectionRow, StoreError};
use crate::words::{self, Words};

/// What the schedule learns from a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct RunResult {
    /// The service did not answer at all.
    pub(super) unreachable: bool,
    /// The service answered.
    pub(super) reached: bool,
    /// It asked for a pause of so many milliseconds.
    pub(super) pause_ms: Option<u64>,
}

impl Mirror {
    /// Makes one event right, as far as that is possible now.
    pub(super) fn converge(self: &Arc<Self>, account: &str, uid: &str) -> Result<RunResult, MirrorError> {
        let Some(plan) = self.plan(account, uid)? else { return Ok(RunResult::default()) };
        let address = Address::parse(account)
            .map_err(|e| StoreError::Failed(format!("a row is kept under an address that is none: {e}")))?;
        let standing = self.accounts.standing(&address).map_err(super::saves::accounts_failed)?;
        let connection = match self.connection_for(&standing, &plan.row) {
            Ok(connection) => connection.clone(),
            Err(parked) => {
                self.park(&plan, parked)?;
                return Ok(RunResult::default());
            }
        };
        let component_account = self.component_account(&address, &standing);
        let mut services = HookServices::new(Arc::clone(self), account, uid);
        let facts = match self.facts(&component_account, &address, &connection, &mut services) {
            Ok(facts) => facts,
            Err(error) => {
                self.failed(&plan, error, &services)?;
                return Ok(services.result());
            }
        };
        tracing::debug!(account, uid, generation = plan.row.generation, target = ?plan.target.kind(), "a hook begins");
        let outcome = self.run_hook(&plan, component_account, facts, &mut services)?;
        tracing::debug!(account, uid, ok = outcome.is_ok(), "a hook ended");
        match outcome {
            Ok(outcome) => self.succeeded(&plan, &address, &connection, self.told_why(outcome, &plan, &standing)?)?,
            Err(error) => self.failed(&plan, error, &services)?,
        }
        // It may have begun to leave while the hook ran.
        let leaves = |row: ConnectionRow| row.leaving_since.is_some();
        if crate::store::read(&*self.store, |tx| tx.connection(account))?.is_some_and(leaves) {
            self.end_leaving(account)?;
        }
        Ok(services.result())
    }

    /// What the mailbox can do: as remembered, or asked again where that is too old.
    fn facts(
        &self,
        account: &Account,
        address: &Address,
        connection: &ConnectionRow,
        services: &mut HookServices,
    ) -> Result<Option<Vec<u8>>, HookError> {
        let now = self.now();
        // A mailbox that was not there is looked for again each time: it may have come.
        if connection.facts_events != Some(false)
            && connection.facts.is_some()
            && connection.facts_until.is_some_and(|until| until > now)
        {
            return Ok(connection.facts.clone());
        }
        self.inspect(account, address, services)
    }

    /// Asks the remote service what the mailbox can do and remembers the answer.
    pub(super) fn inspect(
        &self,
        account: &Account,
        address: &Address,
        services: &mut HookServices,
    ) -> Result<Option<Vec<u8>>, HookError> {
        let now = self.now();
        let report = self
            .extension
            .inspect(account, now, services)
            .map_err(|e| broken(&e, words::of(Some(&account.language))))??;
        let lifetime = report
            .again_after_ms
            .map_or_else(|| super::millis(self.timing.facts_lifetime), |ms| i64::try_from(ms).unwrap_or(i64::MAX));
        let until = now.saturating_add(lifetime);
        let facts = Facts {
            facts: &report.facts,
            code: &report.code,
            message: &report.message,
            events: report.events,
            meetings: report.meetings,
        };
        if let Err(e) = self.accounts.store_facts(address.as_str(), facts, now, until) {
            tracing::warn!(account = %address, error = %e, "what the mailbox can do could not be remembered");
        }
        if report.events
            && let Err(e) = self.unpark(Some(address.as_str()), "mailbox")
        {
            tracing::warn!(account = %address, error = %e, "events that waited for the mailbox could not be released");
        }
        Ok(Some(report.facts))
    }

    fn run_hook(
        &self,
        plan: &Plan,
        account: Account,
        mailbox: Option<Vec<u8>>,
        services: &mut HookServices,
    ) -> Result<Result<Outcome, HookError>, MirrorError> {
        let row = &plan.row;
        let record = self.row_record(row)?;
        let context = Context {
            account,
            mailbox,
            now_ms: self.now(),
            may_exist: self.restored && record.is_none(),
            draft: matches!(plan.target, Target::Text { draft: true, .. }),
        };
        let mut object = CalendarObject {
            uid: row.uid.clone(),
            tag: self.vault.tag(&row.account, &row.uid),
            icalendar: String::new(),
        };
        let gone = Outcome {
            mirrored: None,
            state: RemoteState::Absent,
            reason: None,
            join_url: None,
            web_link: None,
            notices: Vec::new(),
            facts_stale: false,
        };
        let called = match (&plan.target, record) {
            (Target::Gone, None) => Ok(Ok(gone)),
            (Target::Gone, Some(record)) => {
                self.extension.on_delete(&context, &object, &record, services).map(|done| done.map(|()| gone))
            }
            (Target::Text { kept, mirror, meeting, .. }, record) => {
                let intent = Intent { mirror: *mirror, meeting: *meeting };
                object.icalendar.clone_from(&kept.text);
                match record {
                    None => self.extension.on_create(&context, &object, intent, services),
                    Some(record) => self.extension.on_update(&context, &object, intent, &record, services),
                }
            }
        };
        let words = words::of(Some(&context.account.language));
        Ok(called.unwrap_or_else(|failure| Err(broken(&failure, words))))
    }

    /// The account as the component sees it.
    pub(super) fn component_account(&self, address: &Address, standing: &Standing) -> Account {
        let settings = standing.settings(&self.declared).into_iter().filter(|(name, _)| !is_the_shims(name));
        let known = standing.account.as_ref();
        Account {
            address: address.as_str().into(),
            further_addresses: known.map(|a| a.further_addresses.clone()).unwrap_or_default(),
            display_name: known.and_then(|a| a.display_name.clone()),
            time_zone: known.and_then(|a| a.time_zone.clone()),
            language: known.and_then(|a| a.language.clone()).unwrap_or_else(|| "en".into()),
            settings: settings.map(|(name, value)| Setting { name, value }).collect(),
        }
    }

    /// The extension knows nothing of calendars: why an event in one that is left out is not there is ours to say.
    fn told_why(&self, outcome: Outcome, plan: &Plan, standing: &Standing) -> Result<Outcome, MirrorError> {
        if outcome.state != RemoteState::Absent || !matches!(plan.target, Target::Text { mirror: false, .. }) {
            return Ok(outcome);
        }
        let row = &plan.row;
        let known = match &row.calendar {
            Some(path) => crate::store::read(&*self.store, |tx| tx.calendar(&row.account, path))?,
            None => None,
        };
        let name = known.as_ref().and_then(|calendar| calendar.name.as_deref());
        let left_out = Calendars::of(standing).exclude(row.calendar.as_deref().map(|path| Named { path, name }));
        Ok(if left_out { Outcome { reason: Some(calendars::REASON.into()), ..outcome } } else { outcome })
    }
}

fn broken(failure: &crate::component::CallError, words: &Words) -> HookError {
    let message = words.with("event-failed", &[("why", &failure.to_string())]);
    HookError::Other(Problem { code: "extension-failed".into(), message })
}
