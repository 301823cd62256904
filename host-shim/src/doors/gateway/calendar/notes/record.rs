//! What stands in a note.

use serde::{Deserialize, Serialize};

/// One thing the hook is to know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Step {
    /// The owner's address.
    pub(crate) account: String,
    /// The event's UID.
    pub(crate) uid: String,
    /// The object's path.
    pub(crate) object: String,
    /// The calendar's path.
    pub(crate) calendar: String,
    /// What its user calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) calendar_name: Option<String>,
    /// Whether the object is gone; otherwise it holds a text.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) gone: bool,
    /// The text; absent where it is read when it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    /// Whether it is one of many, from an import.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) import: bool,
}

impl Step {
    /// The event it is about: what is told of one event is told in order.
    pub(crate) fn event(&self) -> String {
        format!("{}\n{}", self.account, self.uid)
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
    /// Somebody looked, and the steps say what is there. An announced save counts no more.
    Seen,
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
    /// What the hook is to know when the server has done it.
    pub(crate) steps: Vec<Step>,
    /// The id under which the first step is announced as a save.
    pub(crate) change: Option<String>,
    /// That the server saw it. What is not announced is sent when the note is there, without saying so.
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
    /// Something that is told when the server has done it.
    pub(crate) fn of_steps(steps: Vec<Step>) -> Self {
        Self { steps, ..Self::default() }
    }

    /// Whose accounts it is about, each once.
    pub(crate) fn accounts(&self) -> Vec<String> {
        sorted(self.steps.iter().map(|step| step.account.clone()).collect())
    }

    /// The events it is about, each once.
    pub(crate) fn events(&self) -> Vec<String> {
        sorted(self.steps.iter().map(Step::event).collect())
    }

    /// What notes have in common of which the newest is enough; `None` where each counts: one that is about more than one object.
    pub(crate) fn merged(&self) -> Option<String> {
        let [step] = self.steps.as_slice() else { return None };
        Some(format!("{}\n{}", step.event(), step.object))
    }

    /// The first line.
    pub(super) fn begun(&self) -> Line {
        Line::Begun { change: self.change.clone(), steps: self.steps.clone() }
    }

    /// What the lines of a file say. `None`: not even the first is whole.
    pub(super) fn read(text: &str) -> Result<Option<Self>, serde_json::Error> {
        let mut record: Option<Self> = None;
        for line in text.split_inclusive('\n') {
            let Some(line) = line.strip_suffix('\n') else { break };
            match (serde_json::from_str(line)?, &mut record) {
                (Line::Begun { change, steps }, none @ None) => *none = Some(Self { change, ..Self::of_steps(steps) }),
                (Line::Sent(sent), Some(record)) => record.sent = Some(sent),
                (Line::Steps(steps), Some(record)) => record.steps = steps,
                (Line::Outcome(outcome), Some(record)) => record.outcome = Some(outcome),
                _ => return Err(serde::de::Error::custom("its lines are not in order")),
            }
        }
        Ok(record)
    }
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}
