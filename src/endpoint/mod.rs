//! The endpoint room.

pub mod simulated;
