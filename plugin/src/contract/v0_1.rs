//! Contract `calendar-mirror:extension@0.1`: generated bindings, conversions, exports.

use crate::domain;
use crate::extension as own_extension;
use crate::host::{self, Host};

mod bindings {
    #![allow(unsafe_code, missing_docs, unreachable_pub, clippy::all, reason = "generated code")]

    wit_bindgen::generate!({ path: "../wit", world: "calendar-extension" });
}

use bindings::calendar_mirror::extension::{http_client, log, mirror_record, types};
use bindings::exports::calendar_mirror::extension::{calendar_hooks, extension, mailbox};

/// The host by way of the component's imports.
struct Imports;

impl Host for Imports {
    fn send(&mut self, request: host::Request) -> Result<host::Response, host::HttpError> {
        let request = http_client::Request {
            service: own_extension::SERVICE.to_owned(),
            method: match request.method {
                host::Method::Get => http_client::Method::Get,
                host::Method::Post => http_client::Method::Post,
                host::Method::Patch => http_client::Method::Patch,
                host::Method::Delete => http_client::Method::Delete,
            },
            path: request.path,
            headers: request.headers.into_iter().map(|(name, value)| http_client::Header { name, value }).collect(),
            body: request.body,
        };
        match http_client::send(&request) {
            Ok(answer) => Ok(host::Response {
                status: answer.status,
                headers: answer.headers.into_iter().map(|field| (field.name, field.value)).collect(),
                retry_after_ms: answer.retry_after_ms,
                body: answer.body,
            }),
            Err(error) => Err(match error {
                http_client::HttpError::NotSent(text) => host::HttpError::NotSent(text),
                http_client::HttpError::Unanswered(text) => host::HttpError::Unanswered(text),
                http_client::HttpError::Wait(ms) => host::HttpError::Wait(ms),
                http_client::HttpError::SignInNeeded(text) => host::HttpError::SignInNeeded(text),
                http_client::HttpError::AdminNeeded(text) => host::HttpError::AdminNeeded(text),
                http_client::HttpError::Refused(text) => host::HttpError::Refused(text),
                http_client::HttpError::BudgetSpent(text) => host::HttpError::BudgetSpent(text),
                http_client::HttpError::Other(text) => host::HttpError::Other(text),
            }),
        }
    }

    fn save(&mut self, record: Option<Vec<u8>>) -> Result<(), String> {
        mirror_record::save(record.as_deref())
    }

    fn new_id(&mut self) -> String {
        mirror_record::new_id()
    }

    fn log(&mut self, level: host::Level, message: &str) {
        let level = match level {
            host::Level::Debug => log::Level::Debug,
            host::Level::Info => log::Level::Info,
            host::Level::Warn => log::Level::Warn,
            host::Level::Error => log::Level::Error,
        };
        log::write(level, message);
    }
}

struct Component;

impl extension::Guest for Component {
    fn describe() -> extension::Description {
        let own = own_extension::describe();
        let owned = |values: &[&str]| values.iter().map(|&value| value.to_owned()).collect();
        extension::Description {
            name: own.name.to_owned(),
            title: own.title.to_owned(),
            version: own.version.to_owned(),
            services: own
                .services
                .iter()
                .map(|&(name, description)| extension::Service {
                    name: name.to_owned(),
                    description: description.to_owned(),
                })
                .collect(),
            scopes: owned(own.scopes),
            settings: own
                .settings
                .iter()
                .map(|setting| extension::SettingDeclaration {
                    name: setting.name.to_owned(),
                    description: setting.description.to_owned(),
                    values: owned(setting.values),
                    default: setting.default.to_owned(),
                    user_may: match setting.user_may {
                        own_extension::UserChoice::Nothing => extension::UserChoice::Nothing,
                        own_extension::UserChoice::Narrow => extension::UserChoice::Narrow,
                        own_extension::UserChoice::Anything => extension::UserChoice::Anything,
                    },
                })
                .collect(),
            record_formats: own.record_formats.to_vec(),
        }
    }
}

impl mailbox::Guest for Component {
    fn inspect(account: types::Account, now_ms: i64) -> Result<mailbox::Report, types::HookError> {
        let report = crate::mailbox::inspect(&mut Imports, &account.into(), now_ms)?;
        Ok(mailbox::Report {
            facts: report.facts,
            code: report.code,
            message: report.message,
            events: report.events,
            meetings: report.meetings,
            again_after_ms: report.again_after_ms,
        })
    }
}

impl calendar_hooks::Guest for Component {
    fn prepare(
        account: types::Account,
        object: types::CalendarObject,
        mirrored: Option<types::Mirrored>,
        wish: types::Wish,
        history: types::History,
        draft: bool,
        now_ms: i64,
    ) -> Result<calendar_hooks::Prepared, types::Problem> {
        let wish = match wish {
            types::Wish::Wanted => domain::Wish::Wanted,
            types::Wish::None => domain::Wish::None,
            types::Wish::Keep => domain::Wish::Keep,
            types::Wish::KeepWanted => domain::Wish::KeepWanted,
        };
        let history = match history {
            types::History::Unseen => domain::History::Unseen,
            types::History::SeenAlone => domain::History::SeenAlone,
            types::History::SeenWithGuests => domain::History::SeenWithGuests,
            types::History::Imported => domain::History::Imported,
        };
        let save = crate::prepare::Save {
            account: account.into(),
            object: object.into(),
            mirrored,
            wish,
            history,
            draft,
            now_ms,
        };
        Ok(crate::prepare::prepare(&save).map_err(types::Problem::from)?.into())
    }

    fn on_create(
        context: calendar_hooks::Context,
        object: types::CalendarObject,
        intent: calendar_hooks::Intent,
    ) -> Result<types::Outcome, types::HookError> {
        Ok(crate::mirror::on_create(&mut Imports, &context.into(), &object.into(), intent.into())?.into())
    }

    fn on_update(
        context: calendar_hooks::Context,
        object: types::CalendarObject,
        intent: calendar_hooks::Intent,
        mirrored: types::Mirrored,
    ) -> Result<types::Outcome, types::HookError> {
        Ok(crate::mirror::on_update(&mut Imports, &context.into(), &object.into(), intent.into(), &mirrored)?.into())
    }

    fn on_delete(
        context: calendar_hooks::Context,
        object: types::CalendarObject,
        mirrored: types::Mirrored,
    ) -> Result<(), types::HookError> {
        Ok(crate::mirror::on_delete(&mut Imports, &context.into(), &object.into(), &mirrored)?)
    }
}

impl From<types::Account> for domain::Account {
    fn from(account: types::Account) -> Self {
        Self {
            address: account.address,
            further_addresses: account.further_addresses,
            display_name: account.display_name,
            time_zone: account.time_zone,
            language: account.language,
            settings: account
                .settings
                .into_iter()
                .map(|setting| domain::Setting { name: setting.name, value: setting.value })
                .collect(),
        }
    }
}

impl From<types::CalendarObject> for domain::CalendarObject {
    fn from(object: types::CalendarObject) -> Self {
        Self { uid: object.uid, tag: object.tag, icalendar: object.icalendar }
    }
}

impl From<calendar_hooks::Context> for domain::Context {
    fn from(context: calendar_hooks::Context) -> Self {
        Self {
            account: context.account.into(),
            mailbox: context.mailbox,
            now_ms: context.now_ms,
            may_exist: context.may_exist,
            draft: context.draft,
        }
    }
}

impl From<calendar_hooks::Intent> for domain::Intent {
    fn from(intent: calendar_hooks::Intent) -> Self {
        Self { mirror: intent.mirror, meeting: intent.meeting }
    }
}

impl From<domain::Notice> for types::Notice {
    fn from(notice: domain::Notice) -> Self {
        Self { code: notice.code, message: notice.message }
    }
}

impl From<domain::Problem> for types::Problem {
    fn from(problem: domain::Problem) -> Self {
        Self { code: problem.code, message: problem.message }
    }
}

impl From<domain::HookError> for types::HookError {
    fn from(error: domain::HookError) -> Self {
        match error {
            domain::HookError::SignInNeeded(problem) => Self::SignInNeeded(problem.into()),
            domain::HookError::TryAgain(retry) => Self::TryAgain(types::Retry {
                problem: retry.problem.into(),
                after_ms: retry.after_ms,
                counts: retry.counts,
            }),
            domain::HookError::AdminNeeded(problem) => Self::AdminNeeded(problem.into()),
            domain::HookError::MailboxNeeded(problem) => Self::MailboxNeeded(problem.into()),
            domain::HookError::Rejected(problem) => Self::Rejected(problem.into()),
            domain::HookError::Other(problem) => Self::Other(problem.into()),
        }
    }
}

impl From<domain::Outcome> for types::Outcome {
    fn from(outcome: domain::Outcome) -> Self {
        Self {
            mirrored: outcome.mirrored,
            state: match outcome.state {
                domain::RemoteState::Mirrored => types::RemoteState::Mirrored,
                domain::RemoteState::Absent => types::RemoteState::Absent,
                domain::RemoteState::RemovedRemotely => types::RemoteState::RemovedRemotely,
            },
            reason: outcome.reason,
            join_url: outcome.join_url,
            web_link: outcome.web_link,
            notices: outcome.notices.into_iter().map(Into::into).collect(),
            facts_stale: outcome.facts_stale,
        }
    }
}

impl From<domain::Prepared> for calendar_hooks::Prepared {
    fn from(prepared: domain::Prepared) -> Self {
        Self {
            uid: prepared.uid,
            first_start_ms: prepared.first_start_ms,
            last_end_ms: prepared.last_end_ms,
            copy: match prepared.copy {
                domain::Copy::Own => calendar_hooks::WhoseCopy::Own,
                domain::Copy::Attendee => calendar_hooks::WhoseCopy::Attendee,
                domain::Copy::NotAnEvent => calendar_hooks::WhoseCopy::NotAnEvent,
            },
            has_guests: prepared.has_guests,
            mirror: prepared.mirror,
            meeting: prepared.meeting,
            link_needed: prepared.link_needed,
            rejected: prepared.rejected.map(Into::into),
            reason: prepared.reason,
            icalendar: prepared.icalendar,
            kept: prepared.kept,
            kept_is_whole: prepared.kept_is_whole,
            notices: prepared.notices.into_iter().map(Into::into).collect(),
        }
    }
}

mod export {
    #![allow(unsafe_code, reason = "the component model's entry points are unsafe functions; the macro writes them")]

    use super::Component;

    super::bindings::export!(Component with_types_in super::bindings);
}
