//! The features that public evaluation configurations use: each is carried, or refused by name with the way out.
//!
//! Source: 55 public repositories with an evaluation configuration and 25 home-made golden sets, 2026-11. Shares are of
//! repositories; of golden sets, numbers of sets.

mod carried;
mod features;
mod golden_sets;
mod refused;

use std::collections::BTreeSet;

use features::FEATURES;

#[test]
fn every_feature_is_carried_or_refused() {
    let listed: BTreeSet<&str> = FEATURES.iter().map(|(name, _)| *name).collect();
    assert_eq!(listed.len(), FEATURES.len(), "each feature is listed once");
    let tested: BTreeSet<&str> =
        carried::features().chain(refused::features()).chain(golden_sets::features()).collect();
    let missing: Vec<_> = listed.difference(&tested).collect();
    let unlisted: Vec<_> = tested.difference(&listed).collect();
    assert!(
        missing.is_empty() && unlisted.is_empty(),
        "without a suite: {missing:?}, unlisted: {unlisted:?}"
    );
}
