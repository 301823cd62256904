//! `teams-mirror gateway`: a CalDAV server's front door.

use serde_json::json;

use super::output::Output;
use super::process::{begin_log, many_files, survive_full_disks, unreadable};
use super::{Context, Failure, notify, readable};
use crate::doors::gateway::config::{DEFAULT_PATH, GatewayConfig};
use crate::doors::gateway::{self, Finding};

/// Files for everything but clients that are connected and ask nothing: connections to the server, notes, the log.
const OTHER_FILES: u64 = 1000;

/// Run the gateway before a CalDAV server, until SIGTERM or SIGINT
///
/// Stands between a CalDAV server and its clients, passes on everything as it is, and tells the hook API of `teams-mirror
/// serve` which events are saved and deleted, so that the join link stands in what the server stores first. It is a process of
/// its own with a configuration of its own, needs no access to the state folder, and lets every request through where
/// `serve` or Microsoft does not answer: then it notes what was saved, and tells it later.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  teams-mirror gateway --check
  teams-mirror gateway
  teams-mirror --config ./try/gateway.toml gateway

The least a configuration holds:
  upstream = \"http://127.0.0.1:5232\"
  secret_file = \"/etc/teams-mirror/gateway-secret\"")]
pub(super) struct Gateway {
    /// Say whether all is in order, and what to do where it is not, instead of running
    #[arg(long)]
    check: bool,
}

impl Gateway {
    pub(super) fn run(self, context: &Context) -> Result<Output, Failure> {
        let file = context.config.clone().unwrap_or_else(|| DEFAULT_PATH.into());
        readable(&file, "gateway")?;
        let config = GatewayConfig::read(&file)?;
        let wanted = u64::try_from(config.max_connections).unwrap_or(u64::MAX).saturating_add(OTHER_FILES);
        let few = many_files().filter(|files| *files < wanted).map(|files| {
            format!(
                "this process may have {files} files and sockets open, too few for {} clients at a time (`max_connections`); \
                 raise the limit (systemd: `LimitNOFILE={wanted}`), or lower `max_connections`",
                config.max_connections
            )
        });
        if self.check {
            let mut findings = gateway::check(config)?;
            findings.extend(few.map(Finding::problem));
            return report(&findings);
        }
        begin_log(&config.log)?;
        unreadable();
        if let Some(few) = few {
            tracing::warn!("{few}");
        }
        survive_full_disks().map_err(|e| format!("SIGXFSZ cannot be handled: {e}"))?;
        let running = gateway::Gateway::open(config)?.start()?;
        let signals = running.signals().map_err(|e| format!("signals cannot be waited for: {e}"))?;
        notify::tell("READY=1");
        running.wait_for(signals);
        notify::tell("STOPPING=1");
        running.stop();
        Ok(Output::silent())
    }
}

fn report(findings: &[Finding]) -> Result<Output, Failure> {
    let bad = findings.iter().any(|finding| !finding.holds);
    let mut text = String::from(if bad { "This is not in order:\n\n" } else { "All is in order.\n\n" });
    for finding in findings {
        text.push_str(if finding.holds { "  " } else { "! " });
        text.push_str(&finding.says);
        text.push('\n');
    }
    let list: Vec<_> = findings.iter().map(|finding| json!({ "holds": finding.holds, "says": finding.says })).collect();
    Ok(Output::new(&json!({ "in_order": !bad, "findings": list }), text)?.bad_news_if(bad))
}
