//! `graph-sim`: the simulator on its own, for any Graph or OAuth client.

use std::net::SocketAddr;

use clap::Parser;
use graph_sim::{CLIENT_ID, CLIENT_SECRET, CONTOSO, REDIRECT_URI, Simulator};

/// A stand-in for Entra ID v2 and Microsoft Graph v1.0.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// Where to listen.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8365")]
    listen: SocketAddr,
    /// Draw ids, tokens and lifetimes from this seed instead of from chance.
    #[arg(long)]
    seed: Option<u64>,
}

fn main() -> std::process::ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: cannot listen on `{}`: {error}; name another address with `--listen`", arguments.listen);
            std::process::ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> std::io::Result<()> {
    let simulator = match arguments.seed {
        Some(seed) => Simulator::start_seeded(arguments.listen, seed)?,
        None => Simulator::start(arguments.listen)?,
    };
    if !arguments.listen.ip().is_loopback() {
        eprintln!("warning: it asks for no passwords, and others can reach `{}`", arguments.listen);
    }
    let base = simulator.base_url();
    println!("Graph         {base}/v1.0");
    println!("OAuth         {base}/{{tenant}}/oauth2/v2.0/authorize and /token");
    println!("Tenants       contoso.example ({CONTOSO}), fabrikam.example, outlook.example (personal)");
    println!("Application   {CLIENT_ID}");
    println!("  secret      {CLIENT_SECRET}");
    println!("  redirect    {REDIRECT_URI}  (more: PATCH {base}/sim/apps/{CLIENT_ID})");
    println!("Users         alice@contoso.example, bob@contoso.example: Teams; admin@contoso.example: administrator");
    println!("              unlicensed@, skype@, onprem@, fresh@contoso.example; fay@fabrikam.example");
    println!("              personal@outlook.example");
    println!("Calendars     {base}/");
    println!("Side channel  {base}/sim/");
    println!("Ctrl-C stops it.");
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(tokio::signal::ctrl_c())?;
    simulator.stop();
    Ok(())
}
