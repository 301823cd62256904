//! The shim inside this process, wired to a simulator, with nothing left to configure.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, PoisonError};

use graph_sim::{CLIENT_ID, CLIENT_SECRET, Simulator};
use host_shim::accounts::ConnectorPatch;
use host_shim::config::{Config, Endpoint};
use host_shim::serve::{Extras, Running, Shim};
use host_shim::store::Scope;

use crate::{Browser, Hook, Page};

/// A running shim and a client of its hook API.
pub struct Embedded {
    /// What runs; `stop` it.
    pub running: Running,
    /// Its hook API.
    pub hook: Hook,
    /// Where browsers reach it.
    pub public_url: String,
}

/// Starts a shim on SQLite in `dir`, with Microsoft's addresses pointing at `sim`, enabled for `domain`.
///
/// # Errors
/// With the sentence an administrator would read.
pub fn start(
    sim: &Simulator,
    dir: &Path,
    domain: &str,
    change: impl FnOnce(&mut Config),
    extras: Extras,
) -> Result<Embedded, String> {
    let public_port = free_port().ok_or("no free port")?;
    let public_url = format!("http://127.0.0.1:{public_port}");
    let mut config = Config::new(dir, &public_url);
    config.listen.hook = Endpoint::Tcp(([127, 0, 0, 1], 0).into());
    config.listen.public = Endpoint::Tcp(([127, 0, 0, 1], public_port).into());
    change(&mut config);
    let shim = opened(sim, config, domain, extras)?;
    let secret = shim.accounts().add_secret("server", &[domain.to_owned()]).map_err(|e| e.to_string())?;
    let running = shim.start().map_err(|e| e.to_string())?;
    let address = running.hook_address().ok_or("the hook API does not listen on TCP")?;
    use secrecy::ExposeSecret as _;
    let hook = Hook::new(&format!("http://{address}"), secret.expose_secret());
    Ok(Embedded { running, hook, public_url })
}

/// The same, not started yet.
///
/// # Errors
/// With the sentence an administrator would read.
pub fn opened(sim: &Simulator, config: Config, domain: &str, extras: Extras) -> Result<Shim, String> {
    let public_url = config.public_url.clone();
    Shim::install(&config).map_err(|e| e.to_string())?;
    let shim = compiled_once(config, extras)?;
    sim.add_redirect_uri(&format!("{public_url}/api/v1/oauth/access"));
    let base = sim.base_url();
    let patch = ConnectorPatch {
        authorize_url: Some(format!("{base}/common/oauth2/v2.0/authorize")),
        token_url: Some(format!("{base}/common/oauth2/v2.0/token")),
        services: [("graph".to_owned(), format!("{base}/v1.0"))].into(),
        client_id: Some(CLIENT_ID.into()),
        secret: Some(CLIENT_SECRET.into()),
        ..ConnectorPatch::default()
    };
    let accounts = shim.accounts();
    accounts.change_connector("teams", patch).map_err(|e| e.to_string())?;
    accounts.enable_connector("teams", true).map_err(|e| e.to_string())?;
    accounts.set_policy(&Scope::Domain(domain.into()), Some(true)).map_err(|e| e.to_string())?;
    Ok(shim)
}

impl Embedded {
    /// A user turns Teams on and signs in; gives the page at which that ended.
    ///
    /// # Errors
    /// With what was in the way.
    pub fn sign_in(&self, account: &str, at_microsoft: &str) -> Result<Page, String> {
        self.hook.put_account(account, serde_json::json!({ "time_zone": "Europe/Vienna" }))?;
        let link = self.hook.settings_link(account)?;
        if link.status != 200 {
            return Err(format!("no link to sign in: {}", link.text));
        }
        Browser::default().sign_in(link.str("url"), at_microsoft)
    }
}

/// Opens it with the extension as another one in this process has compiled it already; that takes seconds.
fn compiled_once(config: Config, extras: Extras) -> Result<Shim, String> {
    static COMPILED: Mutex<Vec<(OsString, Vec<u8>)>> = Mutex::new(Vec::new());
    let cache = config.cache_dir();
    let open = || Shim::open_with(config, extras).map_err(|e| e.to_string());
    // Whoever comes second waits for the first.
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if compiled.is_empty() {
        let shim = open()?;
        for file in std::fs::read_dir(&cache).map_err(|e| e.to_string())?.flatten() {
            compiled.push((file.file_name(), std::fs::read(file.path()).map_err(|e| e.to_string())?));
        }
        return Ok(shim);
    }
    // Trusted only where nobody else can write.
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&cache).map_err(|e| e.to_string())?;
    for (name, code) in &*compiled {
        let file =
            std::fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(cache.join(name));
        file.and_then(|mut file| file.write_all(code)).map_err(|e| e.to_string())?;
    }
    drop(compiled);
    open()
}

/// A port below those the system gives to outgoing connections.
fn free_port() -> Option<u16> {
    // Counted on, so that two starts at the same time do not both find the same one.
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 900).ok()? * 20;
    (0..20_000_u16).find_map(|_| {
        let port = 12_000 + start.wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed)) % 20_000;
        std::net::TcpListener::bind(("127.0.0.1", port)).ok().map(|_| port)
    })
}
