//! Processes of their own for what is measured, so that its memory is its own.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use host_shim::doors::gateway::Gateway;
use host_shim::doors::gateway::config::GatewayConfig;

/// What the gateway's process is told.
#[derive(Debug, clap::Args)]
pub(crate) struct File {
    /// Its configuration
    file: PathBuf,
}

/// Runs a gateway, prints its address, and serves until it is killed.
pub(crate) fn gateway(options: &File) -> Result<(), String> {
    many_files();
    let config = GatewayConfig::read(&options.file).map_err(|e| e.to_string())?;
    let running = Gateway::open(config).and_then(Gateway::start).map_err(|e| e.to_string())?;
    println!("{}", running.address().ok_or("it does not listen on TCP")?);
    running.wait_for(running.signals().map_err(|e| e.to_string())?);
    Ok(())
}

/// As many files as may be.
pub(crate) fn many_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let most = getrlimit(Resource::Nofile).maximum;
    let _ = setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most });
}

/// A process that is killed when this is dropped.
pub(crate) struct Process {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Process {
    /// This program again, for another purpose; its first line is its address.
    pub(crate) fn ourselves(arguments: &[&str]) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|e| e.to_string())?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| e.to_string())?;
        let out = child.stdout.take().ok_or("no output")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).map_err(|e| e.to_string())?;
        let address = line.trim().parse().map_err(|_| format!("`{}` did not start", arguments.join(" ")))?;
        Ok(Self { child, address })
    }

    /// Another program that listens at `address` as soon as it can.
    pub(crate) fn other(command: &mut Command, address: SocketAddr) -> Result<Self, String> {
        let child = command.stdin(Stdio::null()).spawn().map_err(|e| e.to_string())?;
        let mut process = Self { child, address };
        for _ in 0..500 {
            if std::net::TcpStream::connect(address).is_ok() {
                return Ok(process);
            }
            if let Ok(Some(status)) = process.child.try_wait() {
                return Err(format!("it ended: {status}"));
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        Err("it does not listen".into())
    }

    /// Its memory and that of its children, in KiB; `None` where the system does not say.
    pub(crate) fn memory(&self) -> Option<u64> {
        let own = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap_or_default();
        let all = children.split_whitespace().filter_map(|id| id.parse().ok()).chain([own]);
        all.map(|id| resident(Path::new(&format!("/proc/{id}/status")))).sum()
    }
}

fn resident(status: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(status).ok()?;
    text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().trim_end_matches(" kB").parse().ok()
}

impl Drop for Process {
    fn drop(&mut self) {
        // Asked first, so that it ends its own children.
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.child.wait();
    }
}
