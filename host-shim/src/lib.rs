//! The host shim of a calendar extension.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`component`] | loads the extension (a WASI component) and gives it its three imports, within limits |
//! | [`egress`] | HTTP on its way out: where it may go, by which connector, and how long it may take |
//! | [`accounts`] | connectors, sign-in, tokens, and who may use the extension |
//! | [`mirror`] | what each event should be at the remote service, and the loop that makes it so |
//! | [`store`] | what must survive a crash |
//! | [`doors`] | where servers, administrators and users come in |
//! | [`words`] | what users are told, in their language |
//! | [`embed`] | the mirror inside a calendar server written in Rust |
//! | [`cli`] | the commands of `teams-mirror` |
//!
//! A door knows `mirror` and `accounts`; `mirror` knows `component`, `accounts` and `store`; `component` knows none of the
//! doors; `store` knows nobody.

pub mod accounts;
pub mod address;
pub mod cli;
pub mod clock;
pub mod component;
pub mod config;
pub mod doors;
pub mod egress;
pub mod embed;
pub mod listen;
pub mod mirror;
pub mod serve;
pub mod store;
pub mod words;
