//! Shards, read and joined.
