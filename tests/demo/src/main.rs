//! The main job, to look at: a calendar event travels to Microsoft Teams and its join link comes back.
//!
//! Starts a simulated Microsoft and a shim on SQLite, signs a user in through the sign-in pages, and takes a real iCalendar
//! event through create, update and cancel by the hook API, as a calendar server would call it. Every step is checked against
//! what the simulated Microsoft really holds; the exit status is 0 only if all of it was as it should be. Then a sample webmail
//! stays up, with a user of its own, to be clicked.

mod story;

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use demo::webmail::{Options as Wiring, Webmail};
use graph_sim::Simulator;
use host_shim::config::Config;
use host_shim::serve::Extras;

/// The webmail's user, on the calendar server.
const WEBMAIL_USER: &str = "fay@mail.example";
/// The same at Microsoft.
const WEBMAIL_USER_AT_MICROSOFT: &str = "fay@fabrikam.example";

/// Shows how an event saved on a calendar server appears in Microsoft Teams, with everything it needs built in.
#[derive(Debug, Parser)]
#[command(after_help = "Nothing here leaves this machine: Microsoft is simulated.")]
struct Options {
    /// Stop when done, instead of staying up to be looked at.
    #[arg(long)]
    exit: bool,
    /// Keep the shim's state in this folder, instead of a temporary one.
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let temporary = tempfile::tempdir().map_err(|e| format!("no temporary folder: {e}"))?;
    let dir = options.dir.clone().unwrap_or_else(|| temporary.path().join("state"));
    let sim = Simulator::start(([127, 0, 0, 1], 0).into()).map_err(|e| format!("the simulator does not start: {e}"))?;
    let listener =
        TcpListener::bind(("127.0.0.1", 0)).map_err(|e| format!("no address for the sample webmail: {e}"))?;
    let webmail = listener.local_addr().map_err(|e| format!("no address for the sample webmail: {e}"))?;
    let framing = |config: &mut Config| config.webmail_origins = vec![format!("http://{webmail}")];
    let shim = support::shim::start(&sim, &dir, story::DOMAIN, framing, Extras::default())?;
    println!("A simulated Microsoft is at {}, a shim on SQLite in {}.\n", sim.base_url(), dir.display());
    let wiring = Wiring { hook: shim.hook.clone(), account: WEBMAIL_USER.into(), beside: Some(sim.base_url()) };
    let webmail = Webmail::start(listener, wiring).map_err(|e| format!("the sample webmail does not start: {e}"))?;
    let told = story::tell(&sim, &shim).and_then(|()| story::look_at_webmail(&webmail.url()));
    if told.is_ok() && !options.exit {
        story::leave_something_to_look_at(&sim, &shim)?;
        println!("\nStill running, to look at; Ctrl-C ends it.");
        println!("  A webmail to click       {}/", webmail.url());
        println!("      Its user is {WEBMAIL_USER}, who has not turned Teams on yet: Settings, Microsoft Teams,");
        println!("      connect as {WEBMAIL_USER_AT_MICROSOFT} (no password), then write an event and add Teams.");
        println!("  Alice's Teams calendar   {}/calendar/{}?week=2030-01-14", sim.base_url(), story::AT_MICROSOFT);
        println!("  All simulated mailboxes  {}/", sim.base_url());
        println!("  Requests at Microsoft    {}/sim/requests", sim.base_url());
        if let Some(address) = shim.running.hook_address() {
            println!("  The hook API             http://{address}/v1/openapi.json");
        }
        let (sender, interrupted) = std::sync::mpsc::channel();
        ctrlc::set_handler(move || {
            // The receiver is gone only when we are stopping already.
            let _ = sender.send(());
        })
        .map_err(|e| format!("Ctrl-C cannot be waited for: {e}"))?;
        let _ = interrupted.recv();
        println!("\nStopping.");
    }
    shim.running.stop();
    told
}
