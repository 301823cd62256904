//! What the gateway costs, beside nginx and beside no proxy at all.
//!
//! The three are asked in turn, round by round, so that a machine whose speed drifts is unfair to nobody.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;

use crate::client::{Client, rate};
use crate::process::{Process, many_files};
use crate::{load, nginx};

/// Prints what the gateway adds to a request, beside nginx, in the same run
#[derive(Debug, clap::Args)]
pub(crate) struct Measured {
    /// How often each request is asked, one after the other.
    #[arg(long, default_value_t = 2000)]
    count: u32,
    /// How many seconds each request is asked by many at once, in all.
    #[arg(long, default_value_t = 10)]
    seconds: u32,
    /// How many ask at once.
    #[arg(long, default_value_t = 32)]
    clients: usize,
    /// How many connections are held open while memory is looked at.
    #[arg(long, default_value_t = 10_000)]
    connections: usize,
    /// A server that runs, by its address, instead of one that answers at once.
    #[arg(long, value_name = "ADDRESS", requires = "path")]
    server: Option<SocketAddr>,
    /// A calendar of that server.
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// Who asks that server, and with which password.
    #[arg(long, value_name = "USER:PASSWORD")]
    user: Option<String>,
}

/// Rounds in which the three take turns.
const ROUNDS: u32 = 10;

const PROPFIND: &str =
    "<propfind xmlns=\"DAV:\"><prop><displayname/><getetag/><resourcetype/><owner/></prop></propfind>";
const REPORT: &str = "<C:calendar-query xmlns:C=\"urn:ietf:params:xml:ns:caldav\" xmlns=\"DAV:\"><prop><getetag/><C:calendar-data/>\
                      </prop><C:filter><C:comp-filter name=\"VCALENDAR\"/></C:filter></C:calendar-query>";

struct Contender {
    name: &'static str,
    address: SocketAddr,
    process: Option<Process>,
}

pub(crate) fn run(options: &Measured) -> Result<(), String> {
    many_files();
    let dir = tempfile::tempdir().map_err(|e| e.to_string())?;
    let own = if options.server.is_none() { Some(Process::ourselves(&["upstream-process"])?) } else { None };
    let server = options.server.or_else(|| own.as_ref().map(|own| own.address)).ok_or("no server")?;
    let gateway = Process::ourselves(&["gateway-process", &configured(dir.path(), server)?])?;
    let mut contenders = vec![
        Contender { name: "direct", address: server, process: None },
        Contender { name: "gateway", address: gateway.address, process: Some(gateway) },
    ];
    match nginx::start(dir.path(), server)? {
        Some(nginx) => contenders.insert(1, Contender { name: "nginx", address: nginx.address, process: Some(nginx) }),
        None => println!(
            "SKIPPED: nginx is not installed (Debian: `apt install nginx-light`), so there is nothing to compare with"
        ),
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|e| e.to_string())?;
    println!(
        "load {}, {} requests one after the other, then {} s by {} clients at once",
        load(),
        options.count,
        options.seconds,
        options.clients
    );
    println!("{:<10} {:<8} {:>9} {:>9} {:>9} {:>12} {:>9}", "", "", "median", "p90", "p99", "requests/s", "of nginx");
    for (method, request) in requests(options) {
        runtime.block_on(compare(method, request, &contenders, options))?;
    }
    runtime.block_on(memory(&contenders, options))
}

/// The requests, whole, made once for good.
fn requests(options: &Measured) -> Vec<(&'static str, &'static [u8])> {
    let path = options.path.as_deref().unwrap_or("/alice/work/");
    let user = options.user.as_ref().map_or_else(String::new, |user| {
        format!("Authorization: Basic {}\r\n", base64::engine::general_purpose::STANDARD.encode(user))
    });
    [("GET", "", ""), ("PROPFIND", "Depth: 0\r\n", PROPFIND), ("REPORT", "Depth: 1\r\n", REPORT)]
        .into_iter()
        .map(|(method, depth, body)| {
            let length = if body.is_empty() {
                String::new()
            } else {
                format!("Content-Type: application/xml\r\nContent-Length: {}\r\n", body.len())
            };
            let request =
                format!("{method} {path} HTTP/1.1\r\nHost: calendar.example.org\r\n{user}{depth}{length}\r\n{body}");
            (method, &*Vec::leak(request.into_bytes()))
        })
        .collect()
}

fn configured(dir: &Path, server: SocketAddr) -> Result<String, String> {
    let (file, secret, spool) = (dir.join("gateway.toml"), dir.join("secret"), dir.join("spool"));
    let text = format!(
        "listen = \"127.0.0.1:0\"\nupstream = \"http://{server}\"\nsecret_file = {secret:?}\nspool = {spool:?}\nhook = \"http://127.0.0.1:9\"\n\
         max_connections = 15000\n"
    );
    std::fs::write(&secret, "unused").and_then(|()| std::fs::write(&file, text)).map_err(|e| e.to_string())?;
    Ok(file.display().to_string())
}

async fn compare(
    method: &str,
    request: &'static [u8],
    contenders: &[Contender],
    options: &Measured,
) -> Result<(), String> {
    let mut took = vec![Vec::new(); contenders.len()];
    let mut rates = vec![Vec::new(); contenders.len()];
    let span = Duration::from_secs(options.seconds.into()) / ROUNDS;
    for _ in 0..ROUNDS {
        for (contender, took) in contenders.iter().zip(&mut took) {
            let mut client = Client::connect(contender.address).await?;
            client.ask(request).await?;
            for _ in 0..options.count / ROUNDS {
                took.push(client.ask(request).await?);
            }
        }
        for (contender, rates) in contenders.iter().zip(&mut rates) {
            rates.push(rate(contender.address, request, options.clients, span).await?);
        }
    }
    let middle = |rates: &mut Vec<f64>| {
        rates.sort_by(f64::total_cmp);
        rates.get(rates.len() / 2).copied().unwrap_or_default()
    };
    let rates: Vec<f64> = rates.iter_mut().map(middle).collect();
    let nginx = contenders.iter().zip(&rates).find(|(contender, _)| contender.name == "nginx").map(|(_, rate)| *rate);
    for ((contender, took), rate) in contenders.iter().zip(&mut took).zip(&rates) {
        took.sort();
        let at = |percent: usize| {
            took.get((took.len() * percent / 100).min(took.len().saturating_sub(1))).map_or(0, Duration::as_micros)
        };
        let share = match nginx {
            Some(nginx) if contender.name != "direct" => format!("{:.0} %", rate / nginx * 100.0),
            _ => String::new(),
        };
        println!(
            "{method:<10} {:<8} {:>6} µs {:>6} µs {:>6} µs {rate:>12.0} {share:>9}",
            contender.name,
            at(50),
            at(90),
            at(99)
        );
    }
    Ok(())
}

/// Waves of clients that ask once and stay until the next has come: what each adds to the one before would be lost for good.
async fn memory(contenders: &[Contender], options: &Measured) -> Result<(), String> {
    let request = requests(options).first().map(|(_, request)| *request).ok_or("no request")?;
    println!("\nmemory with {} connections held open after a request each, in MiB", options.connections);
    for contender in contenders {
        let Some(process) = &contender.process else { continue };
        let mut figures = vec![("before", process.memory())];
        for wave in ["first wave", "second", "third", "fourth"] {
            let mut clients = Vec::new();
            for _ in 0..options.connections {
                let mut client = Client::connect(contender.address).await?;
                client.ask(request).await?;
                clients.push(client);
            }
            figures.push((wave, process.memory()));
        }
        figures.push(("after", process.memory()));
        let text: Vec<String> = figures
            .iter()
            .map(|(when, kib)| {
                format!("{when} {}", kib.map_or_else(|| "unknown".into(), |kib| format!("{:.1}", kib as f64 / 1024.0)))
            })
            .collect();
        println!("{:<8} {}", contender.name, text.join(", "));
    }
    Ok(())
}
