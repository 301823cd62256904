//! `teams-mirror init`: everything a first `serve` needs.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};

use super::output::{self, Output};
use super::{Context, Failure};
use crate::accounts::vault::Vault;
use crate::address::Address;
use crate::config::Config;
use crate::serve::Shim;

const EXAMPLES: &str = "\
Examples:
  teams-mirror init --public-url https://mail.example.org/teams --domain example.org
  teams-mirror init --public-url https://mail.example.org --domain a.example --domain b.example
  teams-mirror --config ./try/teams-mirror.toml init --state ./try
                                     to try it in a folder of one's own

What comes next is printed, and is told by `teams-mirror --help`.";

/// The name of the hook secret that is made with the installation.
const FIRST_SECRET: &str = "server";

/// Make state folder, configuration, keys, store and a first hook secret
///
/// Makes what a first `serve` needs: the state folder (for its owner alone), the configuration file, the key ring, the
/// store with the connector `teams` switched off, and a first hook secret for the calendar server, in the file `hook-secret`
/// of the state folder.
///
/// Nothing that exists is touched: where a part exists already, its name is told and nothing is made at all.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct Init {
    /// The state folder
    #[arg(long, value_name = "DIR", default_value = "/var/lib/teams-mirror")]
    state: PathBuf,

    /// The address under which browsers will reach the public listener, through the server's reverse proxy
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7461")]
    public_url: String,

    /// A domain the first hook secret may speak for; can be given several times; all domains where absent
    #[arg(long = "domain", value_name = "DOMAIN")]
    domains: Vec<String>,
}

/// What was made.
#[derive(Debug, serde::Serialize)]
struct Made {
    config: PathBuf,
    state: PathBuf,
    hook_secret_file: PathBuf,
    domains: Vec<String>,
}

impl Init {
    pub(super) fn run(self, context: &Context) -> Result<Output, Failure> {
        let made = Made {
            config: std::path::absolute(context.config_file())?,
            state: std::path::absolute(&self.state)?,
            hook_secret_file: std::path::absolute(&self.state)?.join("hook-secret"),
            domains: self.domains.iter().map(|name| Address::parse_domain(name)).collect::<Result<_, _>>()?,
        };
        refuse_existing(&made)?;
        let mut undo = Undo::default();
        make(&made, &self.public_url, &mut undo)?;
        undo.keep();
        let text = told(&made, &self.public_url);
        Output::new(&made, text)
    }
}

/// Names all that is in the way.
fn refuse_existing(made: &Made) -> Result<(), Failure> {
    let config = Config::new(&made.state, "");
    let parts =
        [made.config.clone(), config.key_dir().join("keys"), config.store_file(), made.hook_secret_file.clone()];
    let there: Vec<String> = parts
        .iter()
        .filter(|path| path.symlink_metadata().is_ok())
        .map(|path| format!("`{}`", path.display()))
        .collect();
    if there.is_empty() {
        return Ok(());
    }
    Err(Failure(format!(
        "there is an installation already: {}; nothing was changed. `--config FILE` and `--state DIR` name other places",
        there.join(", ")
    )))
}

fn make(made: &Made, public_url: &str, undo: &mut Undo) -> Result<(), Failure> {
    if let Some(dir) = made.config.parent()
        && !dir.exists()
    {
        // Holds no secret, and others may keep things there too; unless it is the state folder itself.
        let mode = if made.state.starts_with(dir) && made.state == dir { 0o700 } else { 0o755 };
        std::fs::create_dir_all(dir).map_err(cannot_make(dir))?;
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(mode)).map_err(cannot_make(dir))?;
        undo.dirs.push(dir.into());
    }
    undo.files.push(made.config.clone());
    write_new(&made.config, 0o640, &commented(&made.state, public_url))?;
    // Read back before anything else is made: a wrong address is told now and not by the first `serve`.
    let config = Config::read(&made.config)?;

    state_folder(&made.state, undo)?;
    for name in ["keys", "cache"] {
        undo.trees.push(made.state.join(name));
    }
    Vault::create(&config.key_dir())?;
    for suffix in ["", "-wal", "-shm", "-journal"] {
        undo.files.push(made.state.join(format!("store.sqlite{suffix}")));
    }
    let shim = Shim::open(config)?;
    let secret = shim.accounts().add_secret(FIRST_SECRET, &made.domains)?;
    undo.files.push(made.hook_secret_file.clone());
    write_secret(&made.hook_secret_file, &secret)
}

/// Makes the state folder, or takes one that a service manager made; only its owner may look into it.
fn state_folder(dir: &Path, undo: &mut Undo) -> Result<(), Failure> {
    if let Ok(about) = dir.symlink_metadata() {
        if !about.is_dir() {
            return Err(Failure(format!("`{}` is not a folder", dir.display())));
        }
        if about.uid() != rustix::process::geteuid().as_raw() {
            return Err(Failure(format!(
                "the folder `{}` belongs to another user; run `init` as that user: `sudo -u '#{}' teams-mirror init …`",
                dir.display(),
                about.uid()
            )));
        }
        if about.mode() & 0o077 != 0 && dir.read_dir().map_err(cannot_make(dir))?.next().is_some() {
            return Err(Failure(format!(
                "the folder `{}` is not empty, and others may look into it; `chmod 700` it, or name another with `--state DIR`",
                dir.display()
            )));
        }
    } else {
        if let Some(parent) = dir.parent()
            && !parent.exists()
        {
            std::fs::create_dir_all(parent).map_err(cannot_make(parent))?;
            std::fs::set_permissions(parent, std::fs::Permissions::from_mode(0o755)).map_err(cannot_make(parent))?;
            undo.dirs.push(parent.into());
        }
        std::fs::DirBuilder::new().mode(0o700).create(dir).map_err(cannot_make(dir))?;
        undo.dirs.push(dir.into());
    }
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700)).map_err(cannot_make(dir))
}

fn write_secret(path: &Path, secret: &SecretString) -> Result<(), Failure> {
    write_new(path, 0o600, &format!("{}\n", secret.expose_secret()))
}

fn write_new(path: &Path, mode: u32, text: &str) -> Result<(), Failure> {
    let mut file =
        std::fs::OpenOptions::new().create_new(true).write(true).mode(mode).open(path).map_err(cannot_make(path))?;
    // The mode given above loses what the umask takes.
    file.set_permissions(std::fs::Permissions::from_mode(mode)).map_err(cannot_make(path))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(cannot_make(path))
}

fn cannot_make(path: &Path) -> impl Fn(std::io::Error) -> Failure {
    let path = path.display().to_string();
    move |error| {
        let hint = if error.kind() == std::io::ErrorKind::PermissionDenied {
            "; run `init` as root, or name other places with `--config FILE` and `--state DIR`"
        } else {
            ""
        };
        Failure(format!("`{path}` cannot be made: {error}{hint}"))
    }
}

/// Takes back what was made, unless all of it was.
#[derive(Default)]
struct Undo {
    files: Vec<PathBuf>,
    trees: Vec<PathBuf>,
    dirs: Vec<PathBuf>,
    kept: bool,
}

impl Undo {
    fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        for file in &self.files {
            let _ = std::fs::remove_file(file);
        }
        for tree in &self.trees {
            let _ = std::fs::remove_dir_all(tree);
        }
        // Only where they are empty again.
        for dir in self.dirs.iter().rev() {
            let _ = std::fs::remove_dir(dir);
        }
    }
}

/// The configuration file, with everything that can be chosen in it.
fn commented(state: &Path, public_url: &str) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    format!(
        "\
# teams-mirror: what has to be known before the store can be opened. Connectors, policy, settings and secrets are in the
# store; `teams-mirror --help` tells the commands that change them, without a restart.

# Store, keys, caches and the admin socket. Its owner is the user who runs `teams-mirror serve`.
state_dir = {}

# The address under which browsers reach the public listener, through the server's reverse proxy: `https://…`.
# Sign-ins go through it, and the redirect address to register with Microsoft is made from it.
public_url = {}

# A component to load instead of the built-in one.
# component = \"/usr/local/lib/teams-mirror/extension.wasm\"

[listen]
# For the calendar server's adapter: loopback, or a Unix socket (\"unix:/run/teams-mirror/hook.sock\").
hook = \"127.0.0.1:7460\"
# For the reverse proxy.
public = \"127.0.0.1:7461\"

[log]
# To standard error, as \"text\" or \"json\".
format = \"text\"
# For example \"info\", or \"info,host_shim=debug\".
filter = \"info\"

# What follows are the defaults; they seldom need a change.
[mirror]
# workers = 64              # events brought about at the same time
# patience = \"5s\"           # how long a save waits for a new link where the call does not say
# delete_grace = \"30s\"      # after the last copy of an event is gone, until it goes from the Teams calendar
# unconfirmed_after = \"60s\" # a save that nobody reported as stored or refused is then taken as stored
# draft_lifetime = \"24h\"    # how long a draft's meeting lives after its last save
# facts_lifetime = \"24h\"    # how old the facts about a mailbox may be
# keep_texts = \"30days\"     # how long an event's text is kept after its last end
",
        quoted(&state.display().to_string()),
        quoted(public_url)
    )
}

fn told(made: &Made, public_url: &str) -> String {
    let (config, state) = (made.config.display(), made.state.display());
    let speaks_for =
        if made.domains.is_empty() { "all domains".to_owned() } else { format!("`{}`", made.domains.join("`, `")) };
    let option = if made.config == Path::new(crate::config::DEFAULT_PATH) {
        String::new()
    } else {
        format!(" --config {config}")
    };
    let mut text = String::from("Made:\n");
    text.push_str(&output::fields(&[
        ("configuration", config.to_string()),
        ("state folder", state.to_string()),
        ("hook secret", format!("{} (for {speaks_for})", made.hook_secret_file.display())),
        ("connector", "`teams`, switched off".into()),
    ]));
    let mut steps = Vec::new();
    if public_url.starts_with("http://") {
        steps.push(format!(
            "set `public_url` in `{config}`: with `{public_url}` only browsers on this machine can sign in"
        ));
    }
    if rustix::process::geteuid().is_root() {
        steps.push(format!(
            "best, let a user of its own run it: `chown -R USER: {state}` and `chgrp USER {config}`; all as root works too"
        ));
    }
    steps.extend([
        format!("run it: `teams-mirror{option} serve`"),
        format!(
            "give the calendar server's adapter the secret in `{}`, and the address `http://127.0.0.1:7460`",
            made.hook_secret_file.display()
        ),
        format!(
            "register an application with Microsoft; `teams-mirror{option} connector show` tells the redirect address"
        ),
        format!("enter its id and secret: `teams-mirror{option} connector set --client-id ID --secret-prompt`"),
        format!("switch it on: `teams-mirror{option} connector enable`"),
        format!("let people use it: `teams-mirror{option} enable --domain DOMAIN`"),
    ]);
    text.push_str("\nNext:\n");
    text.push_str(&output::numbered(&steps));
    text.push_str("\nKeep a backup of the keys apart from the store: without them nothing that is sealed opens.\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_it_writes_is_all_defaults() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("teams-mirror.toml");
        let state = Path::new("/with \"quotes\"/and\\more");
        std::fs::write(&path, commented(state, "https://mail.example.org/teams")).unwrap();
        assert_eq!(Config::read(&path).unwrap(), Config::new(state, "https://mail.example.org/teams"));
    }

    #[test]
    fn what_it_says_of_the_defaults_is_true() {
        let text = commented(Path::new("/x"), "https://mail.example.org");
        let (head, defaults) = text.split_once("[mirror]\n").unwrap();
        let with: String = defaults.lines().map(|line| format!("{}\n", line.trim_start_matches("# "))).collect();
        let read: Config = toml::from_str(&format!("{head}[mirror]\n{with}")).unwrap();
        assert_eq!(read, Config::new("/x", "https://mail.example.org"));
    }
}
