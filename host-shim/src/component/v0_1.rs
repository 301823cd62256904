//! Contract `calendar-mirror:extension@0.1`: generated bindings, and conversions from and to [`types`]. Nothing is decided
//! here.

use wasmtime::component::{HasSelf, InstancePre, Linker};
use wasmtime::{Result, Store};

use super::call::Call;
use super::{PrepareCall, http_client, log, mirror_record, types};

#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated code")]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "calendar-extension",
        imports: { default: trappable },
    });
}

use bindings::calendar_mirror::extension as imported;
use bindings::calendar_mirror::extension::types as wire;
use bindings::exports::calendar_mirror::extension as exported;

/// Gives a component what it may import of this version.
pub(super) fn add_to_linker(linker: &mut Linker<Call>) -> Result<()> {
    imported::http_client::add_to_linker::<Call, HasSelf<Call>>(linker, |call| call)?;
    imported::mirror_record::add_to_linker::<Call, HasSelf<Call>>(linker, |call| call)?;
    imported::log::add_to_linker::<Call, HasSelf<Call>>(linker, |call| call)
}

/// A component that is known to export what this version asks for.
pub(super) struct Linked(bindings::CalendarExtensionPre<Call>);

impl Linked {
    pub(super) fn new(pre: InstancePre<Call>) -> Result<Self> {
        bindings::CalendarExtensionPre::new(pre).map(Self)
    }

    pub(super) fn instantiate(&self, store: &mut Store<Call>) -> Result<Instance> {
        self.0.instantiate(store).map(Instance)
    }
}

/// One instance, for one call.
pub(super) struct Instance(bindings::CalendarExtension);

impl Instance {
    pub(super) fn describe(&self, store: &mut Store<Call>) -> Result<types::Description> {
        self.0.calendar_mirror_extension_extension().call_describe(store).map(Into::into)
    }

    pub(super) fn inspect(
        &self,
        store: &mut Store<Call>,
        account: &types::Account,
        now_ms: i64,
    ) -> Result<Result<types::Report, types::HookError>> {
        let answer = self.0.calendar_mirror_extension_mailbox().call_inspect(store, &account.into(), now_ms)?;
        Ok(answer.map(Into::into).map_err(Into::into))
    }

    pub(super) fn prepare(
        &self,
        store: &mut Store<Call>,
        call: &PrepareCall<'_>,
    ) -> Result<Result<types::Prepared, types::Problem>> {
        let mirrored = call.mirrored.map(<[u8]>::to_vec);
        let answer = self.0.calendar_mirror_extension_calendar_hooks().call_prepare(
            store,
            &call.account.into(),
            &call.object.into(),
            mirrored.as_ref(),
            call.wish.into(),
            call.history.into(),
            call.draft,
            call.now_ms,
        )?;
        Ok(answer.map(Into::into).map_err(Into::into))
    }

    pub(super) fn on_create(
        &self,
        store: &mut Store<Call>,
        context: &types::Context,
        object: &types::CalendarObject,
        intent: types::Intent,
    ) -> Result<Result<types::Outcome, types::HookError>> {
        let hooks = self.0.calendar_mirror_extension_calendar_hooks();
        let answer = hooks.call_on_create(store, &context.into(), &object.into(), intent.into())?;
        Ok(answer.map(Into::into).map_err(Into::into))
    }

    pub(super) fn on_update(
        &self,
        store: &mut Store<Call>,
        context: &types::Context,
        object: &types::CalendarObject,
        intent: types::Intent,
        mirrored: &[u8],
    ) -> Result<Result<types::Outcome, types::HookError>> {
        let hooks = self.0.calendar_mirror_extension_calendar_hooks();
        let answer = hooks.call_on_update(store, &context.into(), &object.into(), intent.into(), &mirrored.to_vec())?;
        Ok(answer.map(Into::into).map_err(Into::into))
    }

    pub(super) fn on_delete(
        &self,
        store: &mut Store<Call>,
        context: &types::Context,
        object: &types::CalendarObject,
        mirrored: &[u8],
    ) -> Result<Result<(), types::HookError>> {
        let hooks = self.0.calendar_mirror_extension_calendar_hooks();
        let answer = hooks.call_on_delete(store, &context.into(), &object.into(), &mirrored.to_vec())?;
        Ok(answer.map_err(Into::into))
    }
}

// --- imports ---------------------------------------------------------------------------------------------------------

impl wire::Host for Call {}

impl imported::http_client::Host for Call {
    fn send(
        &mut self,
        request: imported::http_client::Request,
    ) -> Result<Result<imported::http_client::Response, imported::http_client::HttpError>> {
        let answer = http_client::send(self, request.into())?;
        Ok(answer.map(Into::into).map_err(Into::into))
    }
}

impl imported::mirror_record::Host for Call {
    fn save(&mut self, mirrored: Option<wire::Mirrored>) -> Result<Result<(), String>> {
        mirror_record::save(self, mirrored)
    }

    fn new_id(&mut self) -> Result<String> {
        mirror_record::new_id(self)
    }
}

impl imported::log::Host for Call {
    fn write(&mut self, level: imported::log::Level, message: String) -> Result<()> {
        let level = match level {
            imported::log::Level::Debug => tracing::Level::DEBUG,
            imported::log::Level::Info => tracing::Level::INFO,
            imported::log::Level::Warn => tracing::Level::WARN,
            imported::log::Level::Error => tracing::Level::ERROR,
        };
        log::write(self, level, &message)
    }
}

// --- into the component ----------------------------------------------------------------------------------------------

impl From<&types::Account> for wire::Account {
    fn from(account: &types::Account) -> Self {
        Self {
            address: account.address.clone(),
            further_addresses: account.further_addresses.clone(),
            display_name: account.display_name.clone(),
            time_zone: account.time_zone.clone(),
            language: account.language.clone(),
            settings: account
                .settings
                .iter()
                .map(|setting| wire::Setting { name: setting.name.clone(), value: setting.value.clone() })
                .collect(),
        }
    }
}

impl From<&types::CalendarObject> for wire::CalendarObject {
    fn from(object: &types::CalendarObject) -> Self {
        Self { uid: object.uid.clone(), tag: object.tag.clone(), icalendar: object.icalendar.clone() }
    }
}

impl From<&types::Context> for exported::calendar_hooks::Context {
    fn from(context: &types::Context) -> Self {
        Self {
            account: (&context.account).into(),
            mailbox: context.mailbox.clone(),
            now_ms: context.now_ms,
            may_exist: context.may_exist,
            draft: context.draft,
        }
    }
}

impl From<types::Intent> for exported::calendar_hooks::Intent {
    fn from(intent: types::Intent) -> Self {
        Self { mirror: intent.mirror, meeting: intent.meeting }
    }
}

impl From<types::Wish> for wire::Wish {
    fn from(wish: types::Wish) -> Self {
        match wish {
            types::Wish::Wanted => Self::Wanted,
            types::Wish::None => Self::None,
            types::Wish::Keep => Self::Keep,
            types::Wish::KeepWanted => Self::KeepWanted,
        }
    }
}

impl From<types::History> for wire::History {
    fn from(history: types::History) -> Self {
        match history {
            types::History::Unseen => Self::Unseen,
            types::History::SeenAlone => Self::SeenAlone,
            types::History::SeenWithGuests => Self::SeenWithGuests,
            types::History::Imported => Self::Imported,
        }
    }
}

impl From<types::Response> for imported::http_client::Response {
    fn from(answer: types::Response) -> Self {
        Self {
            status: answer.status,
            headers: answer
                .headers
                .into_iter()
                .map(|types::Header { name, value }| imported::http_client::Header { name, value })
                .collect(),
            retry_after_ms: answer.retry_after_ms,
            body: answer.body,
        }
    }
}

impl From<types::HttpError> for imported::http_client::HttpError {
    fn from(error: types::HttpError) -> Self {
        match error {
            types::HttpError::NotSent(text) => Self::NotSent(text),
            types::HttpError::Unanswered(text) => Self::Unanswered(text),
            types::HttpError::Wait(ms) => Self::Wait(ms),
            types::HttpError::SignInNeeded(text) => Self::SignInNeeded(text),
            types::HttpError::AdminNeeded(text) => Self::AdminNeeded(text),
            types::HttpError::Refused(text) => Self::Refused(text),
            types::HttpError::BudgetSpent(text) => Self::BudgetSpent(text),
            types::HttpError::Other(text) => Self::Other(text),
        }
    }
}

// --- out of the component --------------------------------------------------------------------------------------------

impl From<imported::http_client::Request> for types::Request {
    fn from(request: imported::http_client::Request) -> Self {
        use imported::http_client::{Header, Method};
        Self {
            service: request.service,
            method: match request.method {
                Method::Get => types::Method::Get,
                Method::Post => types::Method::Post,
                Method::Put => types::Method::Put,
                Method::Patch => types::Method::Patch,
                Method::Delete => types::Method::Delete,
            },
            path: request.path,
            headers: request.headers.into_iter().map(|Header { name, value }| types::Header { name, value }).collect(),
            body: request.body,
        }
    }
}

impl From<exported::extension::Description> for types::Description {
    fn from(own: exported::extension::Description) -> Self {
        Self {
            name: own.name,
            title: own.title,
            version: own.version,
            services: own
                .services
                .into_iter()
                .map(|service| types::ServiceDeclaration { name: service.name, description: service.description })
                .collect(),
            scopes: own.scopes,
            settings: own
                .settings
                .into_iter()
                .map(|setting| types::SettingDeclaration {
                    name: setting.name,
                    description: setting.description,
                    values: setting.values,
                    default: setting.default,
                    user_may: match setting.user_may {
                        exported::extension::UserChoice::Nothing => types::UserChoice::Nothing,
                        exported::extension::UserChoice::Narrow => types::UserChoice::Narrow,
                        exported::extension::UserChoice::Anything => types::UserChoice::Anything,
                    },
                })
                .collect(),
            record_formats: own.record_formats,
        }
    }
}

impl From<exported::mailbox::Report> for types::Report {
    fn from(report: exported::mailbox::Report) -> Self {
        Self {
            facts: report.facts,
            code: report.code,
            message: report.message,
            events: report.events,
            meetings: report.meetings,
            again_after_ms: report.again_after_ms,
        }
    }
}

impl From<exported::calendar_hooks::Prepared> for types::Prepared {
    fn from(found: exported::calendar_hooks::Prepared) -> Self {
        Self {
            uid: found.uid,
            first_start_ms: found.first_start_ms,
            last_end_ms: found.last_end_ms,
            copy: match found.copy {
                exported::calendar_hooks::WhoseCopy::Own => types::Copy::Own,
                exported::calendar_hooks::WhoseCopy::Attendee => types::Copy::Attendee,
                exported::calendar_hooks::WhoseCopy::NotAnEvent => types::Copy::NotAnEvent,
            },
            has_guests: found.has_guests,
            mirror: found.mirror,
            meeting: found.meeting,
            link_needed: found.link_needed,
            rejected: found.rejected.map(Into::into),
            reason: found.reason,
            icalendar: found.icalendar,
            kept: found.kept,
            kept_is_whole: found.kept_is_whole,
            notices: found.notices.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<wire::Outcome> for types::Outcome {
    fn from(outcome: wire::Outcome) -> Self {
        Self {
            mirrored: outcome.mirrored,
            state: match outcome.state {
                wire::RemoteState::Mirrored => types::RemoteState::Mirrored,
                wire::RemoteState::Absent => types::RemoteState::Absent,
                wire::RemoteState::RemovedRemotely => types::RemoteState::RemovedRemotely,
            },
            reason: outcome.reason,
            join_url: outcome.join_url,
            web_link: outcome.web_link,
            notices: outcome.notices.into_iter().map(Into::into).collect(),
            facts_stale: outcome.facts_stale,
        }
    }
}

impl From<wire::Notice> for types::Notice {
    fn from(notice: wire::Notice) -> Self {
        Self { code: notice.code, message: notice.message }
    }
}

impl From<wire::Problem> for types::Problem {
    fn from(problem: wire::Problem) -> Self {
        Self { code: problem.code, message: problem.message }
    }
}

impl From<wire::HookError> for types::HookError {
    fn from(error: wire::HookError) -> Self {
        match error {
            wire::HookError::SignInNeeded(problem) => Self::SignInNeeded(problem.into()),
            wire::HookError::TryAgain(retry) => Self::TryAgain(types::Retry {
                problem: retry.problem.into(),
                after_ms: retry.after_ms,
                counts: retry.counts,
            }),
            wire::HookError::AdminNeeded(problem) => Self::AdminNeeded(problem.into()),
            wire::HookError::MailboxNeeded(problem) => Self::MailboxNeeded(problem.into()),
            wire::HookError::Rejected(problem) => Self::Rejected(problem.into()),
            wire::HookError::Other(problem) => Self::Other(problem.into()),
        }
    }
}
