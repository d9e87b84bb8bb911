//! A bounded cache of replies and bounded counts of equal requests.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use hyper::body::Bytes;

use crate::RequestDigest;

/// The maximum size in bytes of one generation of replies; there are two.
const MAX_BYTES: usize = 16 << 20;
/// The maximum number of distinct requests counted.
const MAX_COUNTS: usize = 1 << 20;

/// A complete reply body.
#[derive(Debug, Clone)]
pub(super) struct CachedReply {
    pub(super) body: Bytes,
    /// Whether the request was a judge request.
    pub(super) is_judgement: bool,
}

/// Replies by request digest; the older half is dropped when full.
#[derive(Debug, Default)]
pub(super) struct Replies {
    generations: Mutex<Generations>,
}

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<RequestDigest, CachedReply>,
    old: HashMap<RequestDigest, CachedReply>,
    bytes: usize,
}

impl Replies {
    pub(super) fn get(&self, digest: &RequestDigest) -> Option<CachedReply> {
        let generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.young.get(digest).or_else(|| generations.old.get(digest)).cloned()
    }

    pub(super) fn insert(&self, digest: RequestDigest, reply: CachedReply) {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.bytes += reply.body.len() + size_of::<(RequestDigest, CachedReply)>();
        if generations.bytes > MAX_BYTES {
            generations.old = std::mem::take(&mut generations.young);
            generations.bytes = reply.body.len();
        }
        generations.young.insert(digest, reply);
    }
}

/// The number of arrivals of each request; reset when there are too many distinct ones.
#[derive(Debug, Default)]
pub(super) struct Occurrences {
    counts: Mutex<HashMap<RequestDigest, u32>>,
}

impl Occurrences {
    /// Counts an arrival of a request and returns the number of earlier ones.
    pub(super) fn next(&self, digest: &RequestDigest) -> u32 {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MAX_COUNTS && !counts.contains_key(digest) {
            counts.clear();
        }
        let count = counts.entry(*digest).or_default();
        let before = *count;
        *count = count.saturating_add(1);
        before
    }
}
