//! The text room.

pub mod neutral;
