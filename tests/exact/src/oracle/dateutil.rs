//! The oracle in Python: python-dateutil, in a child process that answers a line for each question.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use chrono::NaiveDateTime;
use serde_json::{Value, json};

use super::{Expand, LONG, Unknown};

const PACKAGE: &str = "python-dateutil==2.9.0.post0";
const SCRIPT: &str = include_str!("../../python/expand.py");
const FORMAT: &str = "%Y-%m-%dT%H:%M:%S";

/// Expands with python-dateutil.
#[derive(Debug)]
pub struct Dateutil {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Dateutil {
    /// Starts it, in a virtual environment under `folder` that is made where there is none.
    ///
    /// # Errors
    /// With a sentence, where there is no python3, or no way to the package.
    pub fn start(folder: &Path) -> Result<Self, String> {
        let python = environment(folder, &[PACKAGE])?;
        let mut child = Command::new(&python)
            .args(["-u", "-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("{}: {e}", python.display()))?;
        let (Some(ask), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("the Python process has no pipes".into());
        };
        Ok(Self { child, ask, answers: BufReader::new(answers) })
    }

    fn question(&mut self, question: &Value) -> std::io::Result<Value> {
        writeln!(self.ask, "{question}")?;
        self.ask.flush()?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Dateutil {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Expand for Dateutil {
    fn expand(&mut self, rule: &str, start: NaiveDateTime, to: NaiveDateTime) -> Result<Vec<NaiveDateTime>, Unknown> {
        let text = |at: NaiveDateTime| at.format(FORMAT).to_string();
        let question = json!({"rule": rule, "start": text(start), "to": text(to), "most": LONG});
        let answer = self.question(&question).map_err(|e| Unknown::Refused(format!("python: {e}")))?;
        if answer.get("dense").is_some() {
            return Err(Unknown::Dense);
        }
        if let Some(why) = answer.get("error").and_then(Value::as_str) {
            return Err(Unknown::Refused(why.to_owned()));
        }
        let dates = answer.get("dates").and_then(Value::as_array).cloned().unwrap_or_default();
        Ok(dates
            .iter()
            .filter_map(|at| NaiveDateTime::parse_from_str(at.as_str().unwrap_or_default(), FORMAT).ok())
            .collect())
    }
}

/// Where the environment is kept: beside what cargo builds.
#[must_use]
pub fn folder() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let target = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    target.map_or_else(std::env::temp_dir, Path::to_path_buf).join("exact-python")
}

/// A virtual environment with some packages; gives its interpreter. What is there is used again.
///
/// # Errors
/// With a sentence, where it cannot be made.
pub fn environment(folder: &Path, packages: &[&str]) -> Result<PathBuf, String> {
    let python = folder.join("bin/python3");
    let mark = folder.join("complete");
    if std::fs::read_to_string(&mark).is_ok_and(|made| made == packages.join(" ")) {
        return Ok(python);
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages))?;
    std::fs::write(&mark, packages.join(" ")).map_err(|e| format!("{}: {e}", mark.display()))?;
    Ok(python)
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let shown = format!("{command:?}");
    let output = command.stdin(Stdio::null()).output().map_err(|e| format!("{shown}: {e}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("{shown}: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}
