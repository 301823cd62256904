//! A stand-in for Entra ID v2 and Microsoft Graph v1.0, for tests and demonstrations.
//!
//! It refuses what Microsoft refuses, with the same status and code, and breaks what Microsoft breaks: a calendar
//! without Teams silently makes no meeting, a body that lost Microsoft's block takes the meeting away, a throttled
//! request counts. What is not settled about Microsoft is a switch ([`Switches`]); what can go wrong on the way is a
//! fault ([`Fault`]). What it does not model answers `501 SimNotModelled`, which Microsoft never does.
//!
//! ```
//! use graph_sim::{CLIENT_ID, Fault, Simulator};
//!
//! let sim = Simulator::start(([127, 0, 0, 1], 0).into())?;
//! sim.fault(Fault::throttled("2.128").on_graph("POST", "/events"));
//! let tokens = sim.tokens("alice@contoso.example", "offline_access Calendars.ReadWrite");
//! assert!(tokens["access_token"].is_string());
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Module map: `listener` owns the socket, `front` takes a request through its faults, `traffic` records, counts and
//! throttles, `entra` and `graph` answer, `side` is the JSON channel under `/sim/`, `calendar_page` shows a calendar.
//! All state is one `world` behind one lock that is never held across a wait.

mod answer;
mod calendar_page;
mod clock;
mod directory;
mod entra;
mod faults;
mod front;
mod graph;
mod html;
mod listener;
mod records;
mod rng;
mod side;
mod simulator;
mod switches;
mod traffic;
mod world;
mod zones;

pub use directory::{
    App, Audience, CLIENT_ID, CLIENT_SECRET, CLIENT_SECRET_ID, CONSUMERS, CONTOSO, FABRIKAM, REDIRECT_URI, Secret,
    Tenant, User, UserKind,
};
pub use faults::{Fault, FaultBody, FaultKind, Service};
pub use records::{Mail, PageShown, RequestRecord, Violation};
pub use simulator::Simulator;
pub use switches::{
    AfterDelete, BlobCheck, IdResolution, JoinUrlFormat, OtherBody, RecurrencePatch, RefreshReuse, ScopeEcho, Switches,
    TimeZoneAnswer, TransactionMemory, UpdateMail,
};
