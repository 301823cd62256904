//! The domain's event → Graph's JSON; Graph's answers → outcomes and errors. Microsoft Graph v1.0, resource `event`.

pub(crate) mod answers;
pub(crate) mod errors;
pub(crate) mod fields;
pub(crate) mod meeting_block;
pub(crate) mod requests;

pub(crate) use answers::{RemoteEvent, RemoteInstance};
