//! What of the demo others use too: the sample webmail.

pub mod webmail;
