//! The metric room.
