//! Virtual environments, made once under the target directory and kept.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The newest Radicale when this was written. Most tests run with it; `versions` names the others.
pub const NEWEST: &str = "3.9.0";

/// The clients: what people script with, and what they synchronise with.
const CLIENTS: [&str; 2] = ["caldav==3.6.0", "vdirsyncer==0.21.0"];

/// The interpreter of an environment with this Radicale; `None` where there can be none, which is said.
pub fn with_radicale(version: &str) -> Option<PathBuf> {
    environment(&format!("radicale-{version}"), &[&format!("radicale=={version}")])
}

/// The interpreter of the environment with the clients.
pub fn with_clients() -> Option<PathBuf> {
    environment("clients", &CLIENTS)
}

/// The folder with the adapter's package.
pub fn adapter() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("adapters/radicale")
}

/// The interpreter of an environment with these packages; `None` where there can be none, which is said.
pub fn environment(name: &str, packages: &[&str]) -> Option<PathBuf> {
    make(name, packages).map_err(|why| skip(&format!("the environment `{name}` cannot be made: {why}"))).ok()
}

/// Tells, past the test runner's capturing, that a test did not run; fails where nothing may be skipped.
pub fn skip(why: &str) {
    let required = std::env::var_os("TEAMS_MIRROR_REQUIRE_ALL").is_some();
    assert!(!required, "{why}");
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {why}");
}

fn make(name: &str, packages: &[&str]) -> Result<PathBuf, String> {
    static NO_PYTHON: OnceLock<Option<String>> = OnceLock::new();
    let absent = NO_PYTHON.get_or_init(|| run(Command::new("python3").args(["-c", "import venv, ensurepip"])).err());
    if let Some(why) = absent {
        return Err(format!("no Python with venv (Debian and Ubuntu: apt install python3-venv): {why}"));
    }
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python");
    std::fs::create_dir_all(&root).map_err(|e| e.to_string())?;
    // One test makes it, the others wait; other processes, too.
    let lock = File::create(root.join(format!("{name}.lock"))).map_err(|e| e.to_string())?;
    lock.lock().map_err(|e| e.to_string())?;
    let dir = root.join(name);
    let python = dir.join("bin/python");
    let done = dir.join("made-with");
    let wanted = packages.join("\n");
    if std::fs::read_to_string(&done).is_ok_and(|made| made == wanted) {
        return Ok(python);
    }
    let _ = std::fs::remove_dir_all(&dir);
    run(Command::new("python3").args(["-m", "venv"]).arg(&dir))?;
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages))?;
    std::fs::write(done, wanted).map_err(|e| e.to_string())?;
    Ok(python)
}

/// Runs a command that has to succeed; gives what it printed.
pub fn run(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|e| format!("{command:?}: {e}"))?;
    let printed = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    if output.status.success() { Ok(printed) } else { Err(format!("{command:?}: {}\n{printed}", output.status)) }
}
