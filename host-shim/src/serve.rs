//! Puts everything together and keeps it running: `teams-mirror serve`, and the same for a Rust program that embeds it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::accounts::vault::{Vault, VaultError, bump_start};
use crate::accounts::{Accounts, AccountsError};
use crate::clock::{Clock, SystemClock};
use crate::component::{Extension, Limits, LoadError, Recorder, Source};
use crate::config::Config;
use crate::doors;
use crate::egress::Egress;
use crate::listen::{Listener, Signals};
use crate::mirror::{Mirror, Parts};
use crate::store::sqlite::SqliteStore;
use crate::store::{Store, StoreError};

/// How long a stop waits for requests and hooks on their way.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// Why it does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key ring cannot be opened.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The component cannot be loaded.
    #[error(transparent)]
    Component(#[from] LoadError),
    /// Accounts and connectors cannot be read.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    /// An address cannot be listened on, or the machine gives no threads.
    #[error("{0}")]
    Machine(String),
}

/// What an embedder or an audit may put in.
#[derive(Default)]
pub struct Extras {
    /// Is shown everything that crosses into the component.
    pub recorder: Option<Recorder>,
    /// Tells the time instead of the machine's clock.
    pub clock: Option<Arc<dyn Clock>>,
}

/// Everything but the listeners: what commands work on when no `serve` is running.
pub struct Shim {
    config: Config,
    store: Arc<dyn Store>,
    accounts: Arc<Accounts>,
    mirror: Arc<Mirror>,
    clock: Arc<dyn Clock>,
}

impl Shim {
    /// Makes the state folder and the key ring of a new installation; what exists stays as it is.
    ///
    /// # Errors
    /// Where the folder cannot be made, or is not ours alone.
    pub fn install(config: &Config) -> Result<(), StartError> {
        use std::os::unix::fs::DirBuilderExt as _;
        let err = |e: std::io::Error| StartError::Machine(format!("cannot make `{}`: {e}", config.state_dir.display()));
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&config.state_dir).map_err(err)?;
        if !config.key_dir().exists() {
            Vault::create(&config.key_dir())?;
        }
        Ok(())
    }

    /// Opens store, key ring and component. Nothing runs yet.
    ///
    /// # Errors
    /// With what is wrong and what to do; `StoreError::InUse` where another process has the store.
    pub fn open(config: Config) -> Result<Self, StartError> {
        Self::open_with(config, Extras::default())
    }

    /// The same with another clock, or watched.
    ///
    /// # Errors
    /// As [`Shim::open`].
    pub fn open_with(config: Config, extras: Extras) -> Result<Self, StartError> {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&config.store_file())?);
        let vault = Arc::new(Vault::open(&config.key_dir())?);
        let restored = bump_start(&config.key_dir(), &*store)?;
        if restored {
            tracing::warn!("the store is older than the key ring's start counter: it was restored from a backup");
        }
        let epoch = Self::epoch(&*store, restored)?;
        let mut extension = Self::load_component(&config)?;
        if let Some(recorder) = extras.recorder {
            extension = extension.with_recorder(recorder);
        }
        let extension = Arc::new(extension);
        let clock = extras.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let egress = Arc::new(Egress::new());
        let accounts = Arc::new(Accounts::new(
            Arc::clone(&store),
            Arc::clone(&vault),
            Arc::clone(&egress),
            Arc::clone(&clock),
            config.public_url.trim_end_matches('/').to_owned(),
        )?);
        accounts.check_key_ring()?;
        accounts.ensure_predefined()?;
        let mirror = Arc::new(Mirror::new(Parts {
            store: Arc::clone(&store),
            vault,
            accounts: Arc::clone(&accounts),
            egress,
            extension,
            clock: Arc::clone(&clock),
            timing: config.mirror.timing(),
            restored,
            epoch,
        }));
        Ok(Self { config, store, accounts, mirror, clock })
    }

    /// The name of this store's numbers, made anew where the store was restored.
    fn epoch(store: &dyn Store, restored: bool) -> Result<String, StartError> {
        let mut bytes = [0u8; 6];
        getrandom::fill(&mut bytes)
            .map_err(|e| StartError::Machine(format!("the machine gives no random numbers: {e}")))?;
        let fresh: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(crate::store::transact(store, |tx| {
            // Once for each restore: the store stays marked as restored for longer.
            let renewed = tx.meta("epoch_renewed")?.as_deref() == Some("yes");
            tx.put_meta("epoch_renewed", if restored { "yes" } else { "no" })?;
            match tx.meta("epoch")? {
                Some(known) if !restored || renewed => Ok(known),
                _ => {
                    tx.put_meta("epoch", &fresh)?;
                    Ok(fresh.clone())
                }
            }
        })?)
    }

    fn load_component(config: &Config) -> Result<Extension, LoadError> {
        let source = config.component.as_deref().map_or(Source::Embedded, Source::File);
        Extension::load(source, Some(&config.cache_dir()), Limits::default())
    }

    /// The accounts.
    pub fn accounts(&self) -> &Arc<Accounts> {
        &self.accounts
    }

    /// The mirror.
    pub fn mirror(&self) -> &Arc<Mirror> {
        &self.mirror
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The time.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Opens the doors and starts the loop. Returns when all listen.
    ///
    /// # Errors
    /// Where an address cannot be listened on; the sentence names it.
    pub fn start(self) -> Result<Running, StartError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(128)
            .thread_name("door")
            .enable_all()
            .build()
            .map_err(|e| StartError::Machine(format!("the machine gives no threads: {e}")))?;
        let shim = Arc::new(self);
        let hook = doors::hook::router(Arc::clone(&shim.mirror), Arc::clone(&shim.accounts));
        let public = doors::public::router(
            Arc::clone(&shim.mirror),
            Arc::clone(&shim.accounts),
            &shim.config.public_url,
            &shim.config.webmail_origins,
        );
        let admin = doors::admin::router(Arc::clone(&shim));
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let listeners = runtime.block_on(async {
            let hook_listener = Listener::bind(&shim.config.listen.hook).await?;
            let public_listener = Listener::bind(&shim.config.listen.public).await?;
            let admin_listener = Listener::bind_private(&shim.config.admin_socket())?;
            let addresses = (hook_listener.tcp(), public_listener.tcp());
            let mut doors = tokio::task::JoinSet::new();
            doors.spawn(hook_listener.serve(hook, stopped.clone(), STOP_PATIENCE));
            doors.spawn(public_listener.serve(public, stopped.clone(), STOP_PATIENCE));
            doors.spawn(admin_listener.serve(admin, stopped, STOP_PATIENCE));
            Ok::<_, String>((doors, addresses))
        });
        let (doors, (hook_address, public_address)) = listeners.map_err(StartError::Machine)?;
        let work = shim
            .mirror
            .start(shim.config.mirror.workers)
            .map_err(|e| StartError::Machine(format!("the machine gives no threads: {e}")))?;
        tracing::info!(
            hook = %String::from(shim.config.listen.hook.clone()),
            public = %String::from(shim.config.listen.public.clone()),
            component = shim.mirror.extension().digest(),
            "teams-mirror is running"
        );
        Ok(Running { shim, runtime, doors, stop, work: Some(work), hook_address, public_address })
    }
}

/// A running shim; stops when told or dropped.
pub struct Running {
    shim: Arc<Shim>,
    runtime: tokio::runtime::Runtime,
    doors: tokio::task::JoinSet<()>,
    stop: tokio::sync::watch::Sender<bool>,
    work: Option<crate::mirror::Loop>,
    hook_address: Option<SocketAddr>,
    public_address: Option<SocketAddr>,
}

impl Running {
    /// Where the hook API listens, where that is TCP.
    pub fn hook_address(&self) -> Option<SocketAddr> {
        self.hook_address
    }

    /// Where the public door listens, where that is TCP.
    pub fn public_address(&self) -> Option<SocketAddr> {
        self.public_address
    }

    /// What runs.
    pub fn shim(&self) -> &Arc<Shim> {
        &self.shim
    }

    /// Listens for SIGINT and SIGTERM. Made before anybody is told that this runs, none of them is lost.
    ///
    /// # Errors
    /// Where signals cannot be waited for.
    pub fn signals(&self) -> std::io::Result<Signals> {
        let _within = self.runtime.enter();
        Signals::listen()
    }

    /// Waits for one of them.
    pub fn wait_for(&self, signals: Signals) {
        self.runtime.block_on(signals.come());
    }

    /// Lets requests and hooks on their way finish, for at most ten seconds, and stops. Work that is left is taken up at the
    /// next start.
    pub fn stop(mut self) {
        self.stop.send_replace(true);
        self.shim.mirror().end_polls();
        self.runtime.block_on(async { while self.doors.join_next().await.is_some() {} });
        if let Some(work) = self.work.take()
            && !work.stop(STOP_PATIENCE)
        {
            tracing::warn!("some hooks did not finish in time; their events are taken up at the next start");
        }
        self.runtime.shutdown_timeout(Duration::from_millis(100));
        tracing::info!("teams-mirror has stopped");
    }
}
