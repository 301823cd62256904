//! A gateway in this process.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use host_shim::doors::gateway::config::GatewayConfig;
use host_shim::doors::gateway::{Gateway, Running};

/// A running gateway, with a folder of its own; stops when dropped.
pub struct Started {
    running: Option<Running>,
    dir: tempfile::TempDir,
}

/// Starts one before `upstream`; `more` are further lines of its configuration.
pub fn start(upstream: &str, more: &str) -> Started {
    start_in(tempfile::tempdir().unwrap(), upstream, more)
}

/// The same in a folder that is there already.
pub fn start_in(dir: tempfile::TempDir, upstream: &str, more: &str) -> Started {
    let config = GatewayConfig::read(&written(dir.path(), upstream, more)).unwrap();
    Started { running: Some(Gateway::open(config).unwrap().start().unwrap()), dir }
}

/// Writes a configuration. Without a line about it, it listens on a free port.
pub fn written(dir: &Path, upstream: &str, more: &str) -> PathBuf {
    let (file, secret) = (dir.join("gateway.toml"), dir.join("secret"));
    std::fs::write(&secret, "a-secret").unwrap();
    let listen = if more.contains("listen =") { "" } else { "listen = \"127.0.0.1:0\"\n" };
    let (secret, spool) = (secret.display(), dir.join("spool"));
    let text = format!(
        "{listen}upstream = \"{upstream}\"\nsecret_file = \"{secret}\"\nspool = {spool:?}\nhook = \"http://127.0.0.1:9\"\n{more}\n"
    );
    std::fs::write(&file, text).unwrap();
    file
}

impl Started {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.running.as_ref().unwrap().address().unwrap()
    }

    /// Its folder.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Lets what is on its way finish, and stops.
    pub fn stop(mut self) {
        self.running.take().unwrap().stop();
    }
}
