//! The cache: completions and judgements in one crash-safe file. A repeated or interrupted run pays only for missing
//! entries.
//!
//! An entry's key is the digest of its request (`key`); its value carries a checksum (`record`). A writer thread
//! commits entries in batches, within a tenth of a second of their arrival (`writer`); entries waiting for their
//! commit are already readable. Only one process has a cache open at a time (`lock`). [`Cached`] is the layer of a chat
//! model that looks in the cache first. The caller decides what to insert: complete responses and parsed judgements.

mod cached;
mod diagnostics;
mod guard;
mod handle;
mod key;
mod lock;
mod record;
mod state;
mod table;
#[cfg(test)]
mod tests;
mod upkeep;
mod writer;

pub use cached::{CacheOptions, Cached};
pub use handle::{Cache, OpenError};
pub use key::scope;
pub use upkeep::{Statistics, TableStats};
