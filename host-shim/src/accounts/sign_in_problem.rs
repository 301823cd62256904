//! Why a sign-in went no further, and what the user can do.

use super::AccountsError;
use crate::store::StoreError;
use crate::words::Phrase;

/// Why a sign-in went no further. What is shown is for the page: a sentence, a next step, a status.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignInProblem {
    /// The link or the answer is unknown, used or too old.
    #[error("the sign-in is no longer open")]
    Stale,
    /// It was begun in another browser.
    #[error("the sign-in was begun in another browser")]
    OtherBrowser,
    /// The account may not use the extension (any more), or there is nothing to sign in by.
    #[error("{0}")]
    NotAllowed(Phrase),
    /// The account is on its way out; a sign-in would call that off.
    #[error("the account is being disconnected")]
    Leaving,
    /// The user or a rule of their organisation said no.
    #[error("Microsoft ended the sign-in without connecting anything")]
    Declined {
        /// What the link said about it: plain text, at most 200 characters, of unknown origin.
        detail: String,
    },
    /// The user pressed "Cancel" when asked whether to connect.
    #[error("the user did not confirm")]
    NotConfirmed,
    /// Microsoft does not grant it; the sentence says what the user can do.
    #[error("{0}")]
    Refused(Phrase),
    /// The answer is not from whom it should be, or for somebody else.
    #[error("the answer did not fit the sign-in that was begun ({0})")]
    Mismatch(&'static str),
    /// The mailbox belongs to another account here.
    #[error("the Microsoft account {0} is connected with another account of this server already")]
    Taken(String),
    /// The registration is at fault.
    #[error("the administrator has to mend the connection with Microsoft: {0}")]
    Admin(Phrase),
    /// It may go better later.
    #[error("{0}")]
    Later(Phrase),
    /// The store or the vault failed.
    #[error("the sign-in could not be kept")]
    Failed(#[source] AccountsError),
}

impl SignInProblem {
    /// What happened.
    pub fn sentence(&self) -> Phrase {
        match self {
            Self::Stale => Phrase::new("sign-in-stale"),
            Self::OtherBrowser => Phrase::new("sign-in-other-browser"),
            Self::Declined { .. } => Phrase::new("sign-in-declined"),
            Self::NotConfirmed => Phrase::new("sign-in-not-confirmed"),
            Self::Leaving => Phrase::new("sign-in-leaving"),
            Self::NotAllowed(phrase) | Self::Refused(phrase) | Self::Later(phrase) => phrase.clone(),
            Self::Mismatch(what) => Phrase::new("sign-in-mismatch").with("what", *what),
            Self::Taken(address) => Phrase::new("sign-in-taken").with("microsoft", address),
            Self::Admin(_) => Phrase::new("sign-in-admin"),
            Self::Failed(_) => Phrase::new("sign-in-failed"),
        }
    }

    /// What the administrator would have to know.
    pub fn for_admin(&self) -> Option<&Phrase> {
        match self {
            Self::Admin(phrase) => Some(phrase),
            _ => None,
        }
    }

    /// What the user can do.
    pub fn next_step(&self) -> Phrase {
        Phrase::new(match self {
            Self::Stale | Self::OtherBrowser | Self::Mismatch(_) => "next-begin-again",
            Self::NotAllowed(_) | Self::Admin(_) => "next-ask-administrator",
            Self::Declined { .. } | Self::Refused(_) | Self::NotConfirmed => "next-try-again",
            Self::Taken(_) => "next-other-account",
            Self::Leaving => "next-disconnected",
            Self::Later(_) | Self::Failed(_) => "next-later",
        })
    }

    /// The page's HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Stale | Self::OtherBrowser | Self::Mismatch(_) => 400,
            Self::NotAllowed(_) => 403,
            Self::Taken(_) | Self::Leaving => 409,
            // The page is fine; it tells of a decision.
            Self::Declined { .. } | Self::Refused(_) | Self::NotConfirmed => 200,
            Self::Admin(_) => 502,
            Self::Later(_) | Self::Failed(_) => 503,
        }
    }

    /// A stable word for pages and tests to hold on to.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Stale => "stale",
            Self::OtherBrowser => "other-browser",
            Self::NotAllowed(_) => "not-allowed",
            Self::Leaving => "leaving",
            Self::Declined { .. } => "declined",
            Self::NotConfirmed => "not-confirmed",
            Self::Refused(_) => "refused",
            Self::Mismatch(_) => "mismatch",
            Self::Taken(_) => "taken",
            Self::Admin(_) => "admin",
            Self::Later(_) => "later",
            Self::Failed(_) => "failed",
        }
    }

    /// Text of unknown origin to show, escaped, beneath the sentence.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::Declined { detail } if !detail.is_empty() => Some(detail),
            _ => None,
        }
    }
}

impl From<AccountsError> for SignInProblem {
    fn from(error: AccountsError) -> Self {
        Self::Failed(error)
    }
}

impl From<StoreError> for SignInProblem {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}
