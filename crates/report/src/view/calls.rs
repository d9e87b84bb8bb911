//! Where an answer came from, in words.

use crate::v1::{CallOrigin, CallReason};
use promptgate_core::model::CallFacts;

/// Where an answer came from, and why a call was made.
pub(crate) fn call_sentence(call: CallFacts) -> &'static str {
    match (call.how, call.reason) {
        (CallOrigin::Made, Some(CallReason::NoCache)) => "made: the cache is off",
        (CallOrigin::Made, Some(CallReason::NotCached)) => "made: not in the cache",
        (CallOrigin::Made, Some(CallReason::TooOld)) => "made: the cached answer is older than cache.max_age",
        (CallOrigin::Made, Some(CallReason::Refresh)) => "made: a fresh answer was required",
        (CallOrigin::Made, None) => "made",
        (CallOrigin::Cached, _) => "from the cache",
        (CallOrigin::Reused, _) => "from the run of the baseline",
        (CallOrigin::Shared, _) => "shared: the candidate sent the same request",
    }
}
