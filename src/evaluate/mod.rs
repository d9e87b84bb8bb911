//! The evaluate room.
