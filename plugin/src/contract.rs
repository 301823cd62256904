//! The skin between the contract in `wit/` and the logic: one file per version of the contract, conversions only.

mod v0_1;
