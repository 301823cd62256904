//! What stands in a note.

use serde::{Deserialize, Serialize};

/// One thing the hook is to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub(crate) enum Step {
    /// An object holds a text.
    Holds {
        /// The owner's address.
        account: String,
        /// The event's UID.
        uid: String,
        /// The object's path.
        object: String,
        /// The calendar's path.
        calendar: String,
        /// What its user calls it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        calendar_name: Option<String>,
        /// The text; absent where it is read when it is told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// Whether it is one of many, from an import.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        import: bool,
    },
    /// An object is gone.
    Gone {
        /// The owner's address.
        account: String,
        /// The event's UID.
        uid: String,
        /// The object's path.
        object: String,
    },
}

impl Step {
    /// Whose it is, and what it is about: account, UID and object.
    pub(crate) fn about(&self) -> (&str, &str, &str) {
        match self {
            Self::Holds { account, uid, object, .. } | Self::Gone { account, uid, object } => (account, uid, object),
        }
    }
}

/// What became of it at the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// The server has done it.
    Stored,
    /// The server has stored the client's own text.
    StoredOriginal,
    /// The server has refused it.
    Refused,
}

/// What the server was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sent {
    /// The text in place of the client's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    /// Whether the hook has the announced save.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) announced: bool,
}

/// A note.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// What the hook is to know when the server has done it, in order.
    pub(crate) steps: Vec<Step>,
    /// The id under which the first step is announced as a save.
    pub(crate) change: Option<String>,
    /// That the server saw it. Without an announced save, it sees it when the note is there.
    pub(crate) sent: Option<Sent>,
    /// What became of it; absent: nobody knows.
    pub(crate) outcome: Option<Outcome>,
}

/// A line of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Line {
    Begun { change: Option<String>, steps: Vec<Step> },
    Sent(Sent),
    Steps(Vec<Step>),
    Outcome(Outcome),
}

impl Record {
    /// Whose accounts it is about, sorted, each once.
    pub(crate) fn accounts(&self) -> Vec<String> {
        let mut accounts: Vec<String> = self.steps.iter().map(|step| step.about().0.to_owned()).collect();
        accounts.sort();
        accounts.dedup();
        accounts
    }

    /// What notes have in common of which the newest is enough; `None` where each counts: one that is about more than one object.
    pub(crate) fn merged(&self) -> Option<String> {
        let [step] = self.steps.as_slice() else { return None };
        let (account, uid, object) = step.about();
        Some(format!("{account}\n{uid}\n{object}"))
    }

    /// The first line.
    pub(super) fn begun(&self) -> Line {
        Line::Begun { change: self.change.clone(), steps: self.steps.clone() }
    }

    /// What the lines of a file say. `None`: not even the first is whole.
    pub(super) fn of(text: &str) -> Result<Option<Self>, serde_json::Error> {
        let mut record: Option<Self> = None;
        for line in text.split_inclusive('\n') {
            let Some(line) = line.strip_suffix('\n') else { break };
            match (serde_json::from_str(line)?, &mut record) {
                (Line::Begun { change, steps }, none @ None) => *none = Some(Self { steps, change, ..Self::default() }),
                (Line::Sent(sent), Some(record)) => record.sent = Some(sent),
                (Line::Steps(steps), Some(record)) => record.steps = steps,
                (Line::Outcome(outcome), Some(record)) => record.outcome = Some(outcome),
                _ => return Err(serde::de::Error::custom("its lines are not in order")),
            }
        }
        Ok(record)
    }
}
