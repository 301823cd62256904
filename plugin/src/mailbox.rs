//! What a Microsoft mailbox can do, asked once and remembered by the host.

use serde::{Deserialize, Serialize};

use crate::domain::{Account, HookError};
use crate::graph::{errors, requests};
use crate::host::{Host, Response};
use crate::words::{Phrase, Words};

/// The provider whose meetings are Teams meetings (Graph, `onlineMeetingProviderType`).
pub(crate) const TEAMS: &str = "teamsForBusiness";

/// When to look again at a mailbox that is being set up.
const NOT_READY_AGAIN_MS: u64 = 2 * 60 * 1000;

/// What was found; the fields are those of `wit/mailbox.wit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// To be handed to the hooks.
    pub facts: Vec<u8>,
    /// `ready`, `no-teams`, `personal`, `other-provider`, `no-mailbox` or `not-ready-yet`.
    pub code: String,
    /// The same in a sentence or two.
    pub message: String,
    /// Whether events can be mirrored.
    pub events: bool,
    /// Whether they can have a meeting.
    pub meetings: bool,
    /// When to ask again, in milliseconds.
    pub again_after_ms: Option<u64>,
}

/// What is remembered, as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Facts {
    /// Providers the default calendar can make meetings with.
    pub(crate) allowed_online_meeting_providers: Vec<String>,
    /// The one it uses where none is named.
    pub(crate) default_online_meeting_provider: Option<String>,
}

impl Facts {
    /// Reads what an earlier inspection gave; `None` where it cannot be read.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Whether Teams meetings can be made.
    pub(crate) fn teams(&self) -> bool {
        self.offers(TEAMS)
    }

    fn offers(&self, provider: &str) -> bool {
        self.allowed_online_meeting_providers.iter().any(|allowed| allowed == provider)
            || self.default_online_meeting_provider.as_deref() == Some(provider)
    }

    fn phrase(&self) -> Phrase {
        if self.teams() {
            Phrase::MailboxReady
        } else if self.offers("skypeForConsumer") {
            Phrase::MailboxPersonal
        } else if self.offers("skypeForBusiness") {
            Phrase::MailboxOtherProvider
        } else {
            Phrase::MailboxNoTeams
        }
    }
}

/// Asks Microsoft what the mailbox can do. One request.
///
/// # Errors
/// Where there is no answer, or a refusal that says nothing about the mailbox.
pub fn inspect(host: &mut dyn Host, account: &Account, _now_ms: i64) -> Result<Report, HookError> {
    let words = Words::for_language(&account.language);
    let response = host.send(requests::calendar()).map_err(|error| errors::of_failure(&error, words))?;
    match response.status {
        200..300 => {
            let facts: Facts =
                serde_json::from_slice(&response.body).map_err(|_| errors::unexpected(&response, words))?;
            Ok(report(&facts, facts.phrase(), words))
        }
        404 => Ok(missing(&response, words)),
        _ => Err(errors::of_response(&response, words)),
    }
}

fn missing(response: &Response, words: Words) -> Report {
    // Nothing is known of a mailbox that nobody has seen: should it come before the next look, its first event asks for Teams.
    let unseen = |phrase| Report { facts: Vec::new(), events: false, ..report(&Facts::default(), phrase, words) };
    if errors::is_no_mailbox(response) {
        return unseen(Phrase::MailboxNone);
    }
    Report {
        again_after_ms: Some(response.retry_after_ms.unwrap_or(NOT_READY_AGAIN_MS)),
        ..unseen(Phrase::MailboxNotReadyYet)
    }
}

fn report(facts: &Facts, phrase: Phrase, words: Words) -> Report {
    Report {
        // Writing a few strings into memory cannot fail; unreadable facts count as none.
        facts: serde_json::to_vec(facts).unwrap_or_default(),
        code: phrase.code().to_owned(),
        message: words.say(phrase).to_owned(),
        events: true,
        meetings: facts.teams(),
        again_after_ms: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{HttpError, Level, Request};

    struct Once(Option<Result<Response, HttpError>>);

    impl Host for Once {
        fn send(&mut self, request: Request) -> Result<Response, HttpError> {
            assert!(request.path.starts_with("/me/calendar?$select=allowedOnlineMeetingProviders"));
            self.0.take().expect("one request")
        }

        fn save(&mut self, _: Option<Vec<u8>>) -> Result<(), String> {
            panic!("nothing to remember of an event")
        }

        fn new_id(&mut self) -> String {
            panic!("nothing to create")
        }

        fn log(&mut self, _: Level, _: &str) {}
    }

    fn look(status: u16, body: &str) -> Result<Report, HookError> {
        let response = Response { status, headers: Vec::new(), retry_after_ms: None, body: body.as_bytes().to_vec() };
        inspect(&mut Once(Some(Ok(response))), &Account::default(), 0)
    }

    #[test]
    fn mailboxes_are_named_as_what_they_are() {
        for (status, body, code, events, meetings) in [
            (
                200,
                r#"{"allowedOnlineMeetingProviders":["teamsForBusiness"],"defaultOnlineMeetingProvider":"teamsForBusiness"}"#,
                "ready",
                true,
                true,
            ),
            (200, r#"{"allowedOnlineMeetingProviders":["skypeForBusiness","teamsForBusiness"]}"#, "ready", true, true),
            (
                200,
                r#"{"allowedOnlineMeetingProviders":[],"defaultOnlineMeetingProvider":"unknown"}"#,
                "no-teams",
                true,
                false,
            ),
            (200, "{}", "no-teams", true, false),
            (200, r#"{"allowedOnlineMeetingProviders":["skypeForConsumer"]}"#, "personal", true, false),
            (200, r#"{"allowedOnlineMeetingProviders":["skypeForBusiness"]}"#, "other-provider", true, false),
            (404, r#"{"error":{"code":"MailboxNotEnabledForRESTAPI"}}"#, "no-mailbox", false, false),
            (404, "", "not-ready-yet", false, false),
            (404, r#"{"error":{"code":"ResourceNotFound"}}"#, "not-ready-yet", false, false),
        ] {
            let report = look(status, body).unwrap();
            assert_eq!((report.code.as_str(), report.events, report.meetings), (code, events, meetings), "{body}");
            assert!(!report.message.is_empty());
            assert_eq!(Facts::read(&report.facts).map(|facts| facts.teams()), events.then_some(meetings));
            assert_eq!(report.again_after_ms.is_some(), code == "not-ready-yet");
        }
    }

    #[test]
    fn what_says_nothing_of_the_mailbox_is_an_error() {
        assert_eq!(look(401, "").unwrap_err().problem().code, "sign-in-needed");
        assert_eq!(look(429, "").unwrap_err().problem().code, "throttled");
        assert_eq!(look(503, "<html>").unwrap_err().problem().code, "microsoft-unavailable");
        assert_eq!(look(200, "<html>").unwrap_err().problem().code, "unexpected-answer");
        let error = inspect(&mut Once(Some(Err(HttpError::NotSent("x".into())))), &Account::default(), 0).unwrap_err();
        assert_eq!(error.problem().code, "not-sent");
    }
}
