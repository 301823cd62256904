//! Python in a virtual environment: a child process that answers a line for each question.
//!
//! The environment is made beside what cargo builds, or in the temporary folder where no folder above the program is marked
//! as cargo's.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

/// What the oracles need; the two with calendars bring their own test files along.
const PACKAGES: &[&str] = &["python-dateutil==2.9.0.post0", "icalendar==7.3.0", "recurring-ical-events==3.8.2"];

/// A script that is running.
#[derive(Debug)]
pub struct Python {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Python {
    /// Starts a script, in an environment that is made where there is none.
    ///
    /// # Errors
    /// With a sentence, where there is no python3, or no way to the packages.
    pub fn start(script: &str) -> Result<Self, String> {
        let python = environment()?.join("bin/python3");
        let mut child = Command::new(&python)
            .args(["-u", "-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| format!("{}: {e}", python.display()))?;
        let (Some(ask), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("the Python process has no pipes".into());
        };
        Ok(Self { child, ask, answers: BufReader::new(answers) })
    }

    /// Asks.
    ///
    /// # Errors
    /// Where the process has ended.
    pub fn ask(&mut self, question: &Value) -> Result<Value, String> {
        let mut exchange = || -> std::io::Result<Value> {
            writeln!(self.ask, "{question}")?;
            self.ask.flush()?;
            let mut line = String::new();
            self.answers.read_line(&mut line)?;
            Ok(serde_json::from_str(&line)?)
        };
        exchange().map_err(|e| format!("python: {e}"))
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The virtual environment with all packages; what is there is used again.
///
/// # Errors
/// With a sentence, where it cannot be made.
pub fn environment() -> Result<PathBuf, String> {
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    let target = program.ancestors().find(|folder| folder.join(".rustc_info.json").is_file());
    let folder = target.map_or_else(std::env::temp_dir, Path::to_path_buf).join("exact-python");
    let mark = folder.join("complete");
    let wanted = PACKAGES.join(" ");
    if std::fs::read_to_string(&mark).is_ok_and(|made| made == wanted) {
        return Ok(folder);
    }
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    // Two test programs may want it at once; the second waits for the first.
    let lock = std::fs::File::create(folder.join("lock")).map_err(|e| format!("{}: {e}", folder.display()))?;
    lock.lock().map_err(|e| format!("{}: {e}", folder.display()))?;
    if std::fs::read_to_string(&mark).is_ok_and(|made| made == wanted) {
        return Ok(folder);
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    run(Command::new(folder.join("bin/python3"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(PACKAGES))?;
    std::fs::write(&mark, wanted).map_err(|e| format!("{}: {e}", mark.display()))?;
    Ok(folder)
}

fn run(command: &mut Command) -> Result<(), String> {
    let shown = format!("{command:?}");
    let output = command.stdin(Stdio::null()).output().map_err(|e| format!("{shown}: {e}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("{shown}: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}

/// Says loudly that a suite does not run; where every suite is to run (`TEAMS_MIRROR_REQUIRE_ALL`), that is a failure.
///
/// # Panics
/// Where every suite is to run.
#[allow(clippy::panic, clippy::disallowed_methods, reason = "a test's own failure; the variable is the tests' switch")]
pub fn skip(suite: &str, why: &str) {
    let required = std::env::var_os("TEAMS_MIRROR_REQUIRE_ALL").is_some();
    assert!(!required, "{suite} has to run and cannot: {why}");
    // Not by `eprintln!`, which a test that passes keeps to itself.
    let _ = writeln!(std::io::stderr(), "skipped: {suite}: {why}");
}
