//! The endpoint room.

pub mod mock_server;
pub mod simulated;
