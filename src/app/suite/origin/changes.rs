//! What a change would have altered of the policy, the files that it names, and the dataset.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::Value;

use super::Parts;
use crate::app::suite::dataset;
use crate::config::{self, Settings};
use promptgate_adapters::load::{self, BaselineSpec, FILE_LIMIT, LoadError, Tree};
use promptgate_core::document::looks_like_secret;
use promptgate_core::model::{
    Case, Dataset, DatasetChanges, Diagnostic, NamedCases, PolicyChange, PolicySource,
};
use promptgate_core::text::neutral;

/// Changes that a report lists.
const LISTED: usize = 100;
/// Changes that are warnings of their own.
const WARNED: usize = 10;
/// Cases of a kind that are named.
const NAMED: usize = 5;
/// Characters of a value.
const VALUE: usize = 100;
/// Characters of a path.
const PATH: usize = 120;
/// Stands for what may hold a secret.
const HIDDEN: &str = "(not shown)";

/// Names what the candidate's configuration, as written, has otherwise than the policy's.
pub(super) fn policy(base: &Value, own: &Value, source: &mut PolicySource) {
    for difference in config::differences(base, own) {
        let shown = |value: Option<&Value>| value.map(|value| shown(&difference.path, value));
        let (old, new) = (shown(difference.old.as_ref()), shown(difference.new.as_ref()));
        add(source, &difference.path, old, new);
    }
}

fn add(source: &mut PolicySource, path: &str, old: Option<String>, new: Option<String>) {
    if source.changed.len() == LISTED {
        source.more += 1;
        return;
    }
    let path = if looks_like_secret(path) { HIDDEN.to_owned() } else { harmless(path, PATH) };
    source.changed.push(PolicyChange { path, old, new });
}

fn harmless(text: &str, limit: usize) -> String {
    neutral::clip(&neutral::terminal(text), limit)
}

/// A value as a reader may see it.
fn shown(path: &str, value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    // A header may hold what nobody recognises as a secret; so may the query of an address.
    if path.split('.').any(|part| part == "headers")
        || text.contains("\"headers\"")
        || looks_like_secret(&text)
    {
        return HIDDEN.to_owned();
    }
    match text.split_once('?') {
        Some((address, _)) if address.contains("://") => harmless(&format!("{address}?…"), VALUE),
        _ => harmless(&text, VALUE),
    }
}

/// Adds what is known once everything is loaded: the files that the policy names, and the dataset.
pub(in crate::app::suite) fn finish(parts: &mut Parts, dataset: Option<DatasetChanges>) {
    let (Some(source), Some(base)) = (&mut parts.source, &parts.base) else { return };
    let files = &parts.files;
    let mut named = named_files(base, &files.policy);
    // A pattern may match more in the change than it does there.
    for path in base.judge.iter().filter_map(|judge| judge.planted.as_ref()) {
        named.extend(files.candidate.glob(&path.value).unwrap_or_default());
    }
    for path in named {
        compare(source, &path, &files.policy, &files.candidate);
    }
    for (path, theirs) in files.read() {
        compare(source, &path, theirs, &files.candidate);
    }
    source.dataset = dataset;
}

/// How the whole dataset differs from the one beside the policy; `None` where there is none to compare with.
pub(in crate::app::suite) fn dataset_changes(
    parts: &Parts,
    now: &Dataset,
    warnings: &mut Vec<String>,
) -> Option<DatasetChanges> {
    let (source, base) = (parts.source.as_ref()?, parts.base.as_ref()?);
    match dataset::load(base, &parts.files.policy) {
        Ok(before) => Some(between(&before.value.cases, &now.cases)),
        Err(error) => {
            let why = match error {
                LoadError::Diagnostics(diagnostics) => diagnostics.0.into_iter().next(),
                LoadError::Empty(diagnostic) => Some(diagnostic),
            };
            let why =
                why.map_or_else(String::new, |diagnostic: Diagnostic| format!(": {}", diagnostic.message));
            warnings.push(format!(
                "what changed in the dataset since {} is not known: it cannot be read there{why}",
                source.spec
            ));
            None
        }
    }
}

/// Files that the policy names beside those of its checks.
fn named_files(base: &Settings, policy: &Tree) -> BTreeSet<String> {
    let judge = base.judge.iter();
    let planted = judge.clone().filter_map(|judge| judge.planted.as_ref());
    let calibration = judge.clone().filter_map(|judge| judge.calibration.as_ref());
    let endpoints = judge.flat_map(|judge| &judge.panel).filter_map(|member| member.endpoint.as_ref());
    let authorities = endpoints.chain([&base.endpoint]).filter_map(|endpoint| endpoint.ca_cert.as_ref());
    let mut named: BTreeSet<String> = calibration.chain(authorities).map(|path| path.value.clone()).collect();
    for path in planted {
        named.extend(policy.glob(&path.value).unwrap_or_default());
    }
    let baseline = base.baseline.as_ref().and_then(|written| BaselineSpec::parse(&written.value).ok());
    if let Some(BaselineSpec::File(path) | BaselineSpec::Report(path)) = baseline {
        named.insert(path);
    }
    named
}

/// Names a file whose bytes differ.
fn compare(source: &mut PolicySource, path: &str, policy: &Tree, candidate: &Tree) {
    let read = |tree: &Tree| tree.find(path, FILE_LIMIT).map_err(|diagnostic| diagnostic.message);
    let (old, new) = (read(policy), read(candidate));
    if old == new {
        return;
    }
    let told = |file: Result<Option<Vec<u8>>, String>| match file {
        Ok(bytes) => bytes.map(|bytes| neutral::clip(&load::digest_of_bytes(&bytes), 20).replace('…', "")),
        Err(message) => Some(harmless(&message, VALUE)),
    };
    let path = format!("file {path}");
    if source.changed.iter().all(|change| change.path != path) {
        add(source, &path, told(old), told(new));
    }
}

fn between(before: &[Case], now: &[Case]) -> DatasetChanges {
    let digest = |case: &Case| load::digest(std::slice::from_ref(case));
    let known: HashMap<&str, String> = before.iter().map(|case| (case.id.as_str(), digest(case))).collect();
    let left: HashSet<&str> = now.iter().map(|case| case.id.as_str()).collect();
    let mut changes = DatasetChanges::default();
    let note = |cases: &mut NamedCases, case: &Case| {
        cases.count += 1;
        if cases.first.len() < NAMED {
            cases.first.push(harmless(&case.id, 60));
        }
    };
    for case in before.iter().filter(|case| !left.contains(case.id.as_str())) {
        note(&mut changes.removed, case);
    }
    for case in now {
        match known.get(case.id.as_str()) {
            None => note(&mut changes.added, case),
            Some(then) if *then != digest(case) => note(&mut changes.changed, case),
            Some(_) => {}
        }
    }
    changes
}

/// What every reader is to know of it.
pub(in crate::app::suite) fn warnings(source: &PolicySource) -> Vec<String> {
    let commit = source.commit.as_deref().and_then(|commit| commit.get(..12));
    let at = commit.map_or_else(String::new, |commit| format!(" (commit {commit})"));
    let spec = &source.spec;
    if source.new {
        return vec![format!(
            "policy: new: {spec}{at} has no configuration here, so this change sets its own bar"
        )];
    }
    let mut said: Vec<String> = source
        .changed
        .iter()
        .take(WARNED)
        .map(|change| format!("policy of {spec}: this change does not count: {change}"))
        .collect();
    let more = source.changed.len().saturating_sub(WARNED) + source.more;
    if more > 0 {
        said.push(format!("policy of {spec}: {more} more changes do not count; report.json lists them"));
    }
    if let Some(changes) = source.dataset.as_ref().filter(|changes| !changes.is_empty()) {
        said.push(format!("the dataset is not that of {spec}: {changes}"));
    }
    said
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn case(id: &str, query: &str) -> Case {
        Case { id: id.to_owned(), query: query.to_owned(), ..Case::default() }
    }

    #[test]
    fn cases_are_told_apart_by_id_and_content() {
        let before = [case("a", "1"), case("b", "2"), case("c", "3")];
        let now = [case("c", "3"), case("b", "easier"), case("d", "4")];
        let changes = between(&before, &now);
        assert_eq!(changes.to_string(), "1 case removed (a), 1 changed (b), 1 added (d)");
        assert!(between(&before, &before).is_empty());
        let many: Vec<Case> = (0..9).map(|number| case(&format!("n{number}"), "")).collect();
        assert_eq!(between(&many, &[]).to_string(), "9 cases removed (n0, n1, n2, n3, n4, …)");
    }

    #[test]
    fn what_may_be_a_secret_is_not_shown() {
        for (path, value) in [
            ("endpoint.headers.x-team.value", json!("blue")),
            ("endpoint", json!({"headers": {"x": {"value": "blue"}}})),
            ("checks.contains", json!("sk-live-1234567890abcdef")),
        ] {
            assert_eq!(shown(path, &value), HIDDEN, "{path}");
        }
        assert_eq!(shown("endpoint.base_url", &json!("https://a.example/v1?k=v")), "https://a.example/v1?…");
        assert_eq!(shown("gate.max_missing", &json!("90%")), "90%");
        assert_eq!(shown("name", &json!("a\n::error::b\u{1b}[0m")).matches(['\n', '\u{1b}']).count(), 0);
        assert_eq!(shown("name", &json!("x".repeat(900))).chars().count(), VALUE);
    }

    #[test]
    fn what_is_listed_is_bounded_and_nothing_is_lost_from_the_count() {
        let mut source = PolicySource { spec: "git:main".to_owned(), ..PolicySource::default() };
        let own: serde_json::Map<String, Value> =
            (0..LISTED + 7).map(|number| (format!("k{number}"), json!(number))).collect();
        policy(&json!({}), &Value::Object(own), &mut source);
        assert_eq!((source.changed.len(), source.more), (LISTED, 7));
        let said = warnings(&source);
        assert_eq!(said.len(), WARNED + 1);
        assert!(said[WARNED].contains("97 more changes"), "{}", said[WARNED]);
    }
}
