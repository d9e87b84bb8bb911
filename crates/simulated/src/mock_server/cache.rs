//! A bounded cache of replies and a bounded count of how often each request came.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use hyper::body::Bytes;

use crate::RequestDigest;

/// The most bytes of replies kept in one generation; two are kept.
const MAX_BYTES: usize = 16 << 20;
/// The most requests counted in one generation.
const MAX_COUNTS: usize = 1 << 20;

/// A finished reply, and whether it answers a judgement.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) body: Bytes,
    pub(super) judgement: bool,
}

/// Replies by request, the older half forgotten when full.
#[derive(Debug, Default)]
pub(super) struct Replies {
    generations: Mutex<Generations>,
}

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<RequestDigest, Kept>,
    old: HashMap<RequestDigest, Kept>,
    bytes: usize,
}

impl Replies {
    /// The reply kept for a request.
    pub(super) fn get(&self, digest: &RequestDigest) -> Option<Kept> {
        let kept = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        kept.young.get(digest).or_else(|| kept.old.get(digest)).cloned()
    }

    /// Keeps a reply.
    pub(super) fn keep(&self, digest: RequestDigest, reply: Kept) {
        let mut kept = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += reply.body.len() + size_of::<(RequestDigest, Kept)>();
        if kept.bytes > MAX_BYTES {
            kept.old = std::mem::take(&mut kept.young);
            kept.bytes = reply.body.len();
        }
        kept.young.insert(digest, reply);
    }
}

/// How often each request came; the count starts anew when there are too many different ones.
#[derive(Debug, Default)]
pub(super) struct Occurrences {
    counts: Mutex<HashMap<RequestDigest, u32>>,
}

impl Occurrences {
    /// The number of earlier arrivals of a request.
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
