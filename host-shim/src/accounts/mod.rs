//! accounts
pub mod vault;
