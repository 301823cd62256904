//! `teams-mirror serve`: runs it.

use super::client::own_state;
use super::output::Output;
use super::process::{begin_log, survive_full_disks, unreadable};
use super::{Context, Failure, notify};
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
            survive_full_disks().map_err(|e| StartError::Machine(format!("SIGXFSZ cannot be handled: {e}")))?;
            shim.start()
        });
        let running = started.map_err(|error| match error {
            StartError::Store(StoreError::InUse { path }) => Failure(format!(
                "`{path}` is in use: another `teams-mirror serve` is running with it; `teams-mirror status` speaks to it at `{}`",
                socket.display()
            )),
            other => other.into(),
        })?;
        let signals = running.signals().map_err(|e| format!("signals cannot be waited for: {e}"))?;
        notify::tell("READY=1");
        running.wait_for(signals);
        notify::tell("STOPPING=1");
        running.stop();
        Ok(Output::silent())
    }
}
