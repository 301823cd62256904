//! `teams-mirror serve`: runs it.

use tracing_subscriber::EnvFilter;

use super::client::own_state;
use super::output::Output;
use super::{Context, Failure, notify};
use crate::config::{Log, LogFormat};
use crate::serve::{Shim, StartError};
use crate::store::StoreError;

const EXAMPLES: &str = "\
Examples:
  teams-mirror serve
  teams-mirror --config ./try/teams-mirror.toml serve

As a service of systemd:
  [Service]
  Type=notify
  User=teams-mirror
  ExecStart=/usr/local/bin/teams-mirror serve
  Restart=on-failure";

/// Run it, until SIGTERM or SIGINT
///
/// Opens the hook API for the calendar server, the public door for browsers, and the admin socket in the state folder, and
/// mirrors what is to be mirrored, until it is told to stop by SIGTERM or SIGINT. Work that is left then is taken up at the
/// next start. Logs go to standard error, as the configuration says.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct Serve {}

impl Serve {
    pub(super) fn run(self, context: &Context) -> Result<Output, Failure> {
        let config = context.config()?;
        own_state(&config)?;
        begin_log(&config.log)?;
        unreadable();
        let socket = config.admin_socket();
        let started = Shim::open(config).and_then(|shim| {
            survive_full_disks()?;
            shim.start()
        });
        let running = started.map_err(|error| match error {
            StartError::Store(StoreError::InUse { path }) => Failure(format!(
                "`{path}` is in use: another `teams-mirror serve` is running with it; `teams-mirror status` speaks to it at `{}`",
                socket.display()
            )),
            other => other.into(),
        })?;
        notify::tell("READY=1");
        let waited = running.wait_for_signal();
        notify::tell("STOPPING=1");
        running.stop();
        waited.map_err(|e| format!("signals cannot be waited for: {e}"))?;
        Ok(Output::silent())
    }
}

fn begin_log(log: &Log) -> Result<(), Failure> {
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

/// No other process of the same user may look into this memory. Only for `serve`: a command that does this could no longer
/// open the `/dev/fd/…` a shell gives it.
fn unreadable() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "other processes of this user can look into this one's memory");
    }
}

/// A file that grows over the process's limit should be an error of the write, and not the end of the process. Registering
/// a handler is how a signal's deadly default is taken away without unsafe code; the handler stays for good.
fn survive_full_disks() -> Result<(), StartError> {
    let failed = |e: std::io::Error| StartError::Machine(format!("SIGXFSZ cannot be handled: {e}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let _guard = runtime.enter();
    let kind = tokio::signal::unix::SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    tokio::signal::unix::signal(kind).map_err(failed).map(drop)
}
