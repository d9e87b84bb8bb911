//! A bounded cache of replies and bounded counts of equal requests.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use hyper::body::Bytes;

use crate::RequestDigest;

/// The maximum size of the cached replies, in bytes.
const MAX_BYTES: usize = 32 << 20;
/// The maximum number of distinct requests counted.
const MAX_COUNTS: usize = 1 << 20;

/// A complete reply body.
#[derive(Debug, Clone)]
pub(super) struct CachedReply {
    pub(super) body: Bytes,
    /// Whether the request was a judge request.
    pub(super) is_judgement: bool,
}

/// Replies by request digest; dropped when they are too large together.
#[derive(Debug, Default)]
pub(super) struct Replies(Mutex<(HashMap<RequestDigest, CachedReply>, usize)>);

impl Replies {
    pub(super) fn get(&self, digest: &RequestDigest) -> Option<CachedReply> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.get(digest).cloned()
    }

    pub(super) fn insert(&self, digest: RequestDigest, reply: CachedReply) {
        let (replies, bytes) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let size = reply.body.len() + size_of::<(RequestDigest, CachedReply)>();
        if *bytes + size > MAX_BYTES {
            replies.clear();
            *bytes = 0;
        }
        *bytes += size;
        replies.insert(digest, reply);
    }
}

/// The number of arrivals of each request; reset when there are too many distinct ones.
#[derive(Debug, Default)]
pub(super) struct Occurrences(Mutex<HashMap<RequestDigest, u32>>);

impl Occurrences {
    /// Counts an arrival of a request and returns the number of earlier ones.
    pub(super) fn next(&self, digest: &RequestDigest) -> u32 {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MAX_COUNTS && !counts.contains_key(digest) {
            counts.clear();
        }
        let count = counts.entry(*digest).or_default();
        let before = *count;
        *count = count.saturating_add(1);
        before
    }
}
