//! What a process that runs for long needs: a log, and memory and files that are its own.

use tracing_subscriber::EnvFilter;

use super::Failure;
use crate::config::{Log, LogFormat};

/// Begins the log, to standard error.
pub(super) fn begin_log(log: &Log) -> Result<(), Failure> {
    // A word alone would count as the name of a part of the program, and silence the rest.
    let levels = ["off", "error", "warn", "info", "debug", "trace"];
    let stray =
        |part: &&str| !part.contains(['=', ':', '_']) && !levels.iter().any(|level| part.eq_ignore_ascii_case(level));
    if let Some(word) = log.filter.split(',').map(str::trim).find(stray) {
        return Err(format!("`log.filter` in the configuration: `{word}` is no level; write for example `info`").into());
    }
    let filter = EnvFilter::try_new(&log.filter)
        .map_err(|e| format!("`log.filter` in the configuration is not understood: {e}; write for example `info`"))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let begun = match log.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    begun.map_err(|e| Failure(format!("the log cannot be begun: {e}")))
}

/// Tokens and keys are in this memory, so it is never written into a core.
pub(super) fn no_cores() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    // A machine that does not even let a limit be lowered gives no cores either.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

/// No other process of the same user may look into this memory. Only for what runs for long: a command that does this could no
/// longer open the `/dev/fd/…` a shell gives it.
pub(super) fn unreadable() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "other processes of this user can look into this one's memory");
    }
}

/// A file that grows over the process's limit should be an error of the write, and not the end of the process. Registering
/// a handler is how a signal's deadly default is taken away without unsafe code; the handler stays for good.
///
/// # Errors
/// Where the handler cannot be registered.
pub(super) fn survive_full_disks() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _guard = runtime.enter();
    let kind = tokio::signal::unix::SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    tokio::signal::unix::signal(kind).map(drop)
}

/// Lets the process have as many connections as the system allows it at most; the usual soft limit is 1,024 files. How many.
pub(super) fn many_files() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let known = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: known.maximum, maximum: known.maximum });
    if raised.is_ok() { known.maximum } else { known.current }
}
