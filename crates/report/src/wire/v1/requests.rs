//! The messages of cases in a report that was read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Messages, Report};
use promptgate_core::text::neutral;

impl Report {
    /// Finds the messages of every case by their digests. Returns a sentence for each that is missing.
    pub(in super::super) fn resolve_requests(&mut self) -> Vec<String> {
        let messages = Arc::clone(self.messages.shared());
        let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
        for case in &self.cases {
            for digest in case.requests.digests().collect::<BTreeSet<_>>() {
                *uses.entry(digest).or_default() += 1;
            }
        }
        // A file beside the report may refer to any of them. Otherwise those of one case belong to it alone.
        let keeps_all = self.trials_file.is_some();
        let is_shared = |digest: &str| keeps_all || uses.get(digest).is_none_or(|uses| *uses > 1);
        let shared = messages.iter().filter(|(digest, _)| is_shared(digest));
        let shared = shared.map(|(digest, message)| (digest.clone(), Arc::clone(message))).collect();
        let mut unknown = Vec::new();
        for case in &mut self.cases {
            if let Err(digest) = case.requests.resolve(&messages) {
                let (id, digest) = (neutral::terminal(&case.id), neutral::terminal(&digest));
                unknown.push(format!("case `{id}` has a message `{digest}` that is not in `messages`"));
            }
        }
        self.messages = Messages::new(Arc::new(shared), self.cases.iter().map(|case| case.requests.clone()));
        unknown
    }

    /// Leaves only those messages shared that several cases have: not the `own` ones of a line of trials.jsonl, and not
    /// those of a single case without lines, which no line refers to.
    pub(in super::super) fn unshare_messages(
        &mut self,
        mut own: BTreeSet<String>,
        referenced: &BTreeSet<String>,
    ) {
        let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
        let sent: Vec<Vec<String>> =
            self.cases.iter().map(|case| case.requests.digests_in_memory()).collect();
        for digests in &sent {
            for digest in digests.iter().collect::<BTreeSet<_>>() {
                *uses.entry(digest).or_default() += 1;
            }
        }
        let single = uses.iter().filter(|(digest, uses)| **uses == 1 && !referenced.contains(**digest));
        own.extend(single.map(|(digest, _)| (*digest).to_owned()));
        self.messages.unshare(&own);
    }
}
