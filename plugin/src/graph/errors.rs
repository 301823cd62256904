//! Graph's refusals and the way's failures → what is to be done: by status first, then by code, never by message.

use super::answers::error_code;
use crate::domain::{HookError, Retry};
use crate::host::{HttpError, Response};
use crate::words::{Phrase, Words};

/// Codes of a 404 that speak of the mailbox and not of the event.
const NO_MAILBOX: &[&str] =
    &["MailboxNotEnabledForRESTAPI", "MailboxNotSupportedForRESTAPI", "ErrorNonExistentMailbox"];
const NO_USER: &[&str] = &["ErrorInvalidUser", "Request_ResourceNotFound", "ErrorMailboxNotFound"];

/// Whether the event that was asked for is gone.
pub(crate) fn is_gone(response: &Response) -> bool {
    match response.status {
        404 => {
            let code = error_code(response);
            !NO_MAILBOX.contains(&code.as_str()) && !NO_USER.contains(&code.as_str())
        }
        410 => true,
        _ => false,
    }
}

/// Whether an occurrence cannot be where it was moved, on or beyond its neighbour.
pub(crate) fn is_crossing(response: &Response) -> bool {
    response.status == 400 && error_code(response) == "ErrorOccurrenceCrossingBoundary"
}

/// Whether it is how an event repeats that is refused, as `ErrorRecurrenceHasNoOccurrence` does.
pub(crate) fn is_recurrence(response: &Response) -> bool {
    response.status == 400 && error_code(response).contains("Recurrence")
}

/// Whether a 404 says that there is no mailbox.
pub(crate) fn is_no_mailbox(response: &Response) -> bool {
    response.status == 404 && NO_MAILBOX.contains(&error_code(response).as_str())
}

/// Whether a refused create proves that nothing was created. A time-out (408), a conflict (409) and everything from 500 on
/// prove nothing.
pub(crate) fn proves_not_created(response: &Response) -> bool {
    (400..500).contains(&response.status) && response.status != 408 && response.status != 409
}

/// What a refusal means.
pub(crate) fn of_response(response: &Response, words: Words) -> HookError {
    let code = error_code(response);
    let named = if code.is_empty() { format!("HTTP {}", response.status) } else { code.clone() };
    let after_ms = response.retry_after_ms;
    let again = |phrase, after_ms, counts| {
        HookError::TryAgain(Retry { problem: words.problem_about(phrase, &named), after_ms, counts })
    };
    match response.status {
        401 => HookError::SignInNeeded(words.problem(Phrase::SignInNeeded)),
        403 => match code.as_str() {
            "ErrorAccessDenied" => HookError::SignInNeeded(words.problem(Phrase::PermissionMissing)),
            "insufficient_claims" | "InvalidAuthenticationToken" => {
                HookError::SignInNeeded(words.problem(Phrase::SignInNeeded))
            }
            _ => HookError::AdminNeeded(words.problem_about(Phrase::AccessRefused, &named)),
        },
        404 if NO_MAILBOX.contains(&code.as_str()) => HookError::MailboxNeeded(words.problem(Phrase::NoMailbox)),
        // Up to a quarter of an hour after it was licensed, a mailbox answers 404 to everything.
        404 => again(Phrase::MailboxNotReady, after_ms.or(Some(60_000)), false),
        408 => again(Phrase::MicrosoftUnavailable, after_ms, true),
        409 | 412 => again(Phrase::Conflict, after_ms, true),
        413 => HookError::Rejected(words.problem(Phrase::TooLargeForMicrosoft)),
        429 => again(Phrase::Throttled, after_ms, false),
        400..500 => HookError::Rejected(words.problem_about(Phrase::RefusedByMicrosoft, &named)),
        500..600 => again(Phrase::MicrosoftUnavailable, after_ms, after_ms.is_none()),
        _ => HookError::Other(words.problem_about(Phrase::UnexpectedAnswer, &named)),
    }
}

/// What a missing answer means.
pub(crate) fn of_failure(error: &HttpError, words: Words) -> HookError {
    let again =
        |phrase, after_ms, counts| HookError::TryAgain(Retry { problem: words.problem(phrase), after_ms, counts });
    match error {
        HttpError::NotSent(_) => again(Phrase::NotSent, None, true),
        HttpError::Unanswered(_) | HttpError::Other(_) => again(Phrase::Unanswered, None, true),
        HttpError::Wait(ms) => again(Phrase::Waiting, Some(*ms), false),
        HttpError::SignInNeeded(_) => HookError::SignInNeeded(words.problem(Phrase::SignInNeeded)),
        HttpError::AdminNeeded(text) => HookError::AdminNeeded(words.problem_about(Phrase::AdminNeeded, text)),
        HttpError::Refused(text) => HookError::Other(words.problem_about(Phrase::RefusedByHost, text)),
        HttpError::BudgetSpent(_) => again(Phrase::BudgetSpent, Some(0), false),
    }
}

/// An answer that says yes in a way nobody understands.
pub(crate) fn unexpected(response: &Response, words: Words) -> HookError {
    let named = format!("HTTP {}", response.status);
    let problem = words.problem_about(Phrase::UnexpectedAnswer, &named);
    HookError::TryAgain(Retry { problem, after_ms: None, counts: true })
}
