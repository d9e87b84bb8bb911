//! Differences of policy, named files and dataset that do not count for the verdict.

use std::collections::{BTreeSet, HashSet};

use serde_json::Value;

use super::PolicySources;
use super::rows::{content, matched};
use crate::app::sources::files::{Trees, calibration, certificates};
use crate::app::suite::files_of_checks;
use crate::config;
use promptgate_adapters::files::{self, BaselineSpec, FILE_LIMIT, Tree};
use promptgate_core::document::looks_like_secret;
use promptgate_core::model::{Case, DatasetChanges, NamedCases, PolicyChange, PolicySource};
use promptgate_core::text::{counted, neutral};

/// Changes that a report lists.
const MAX_LISTED: usize = 100;
/// Changes with a warning of their own.
const WARNED: usize = 10;
/// Cases of a kind that are named.
const NAMED: usize = 5;
/// Characters of a value that are shown.
const VALUE: usize = 100;
/// Characters of a path that are shown.
const PATH: usize = 120;
/// Replaces a value that may hold a secret.
const HIDDEN: &str = "(not shown)";

/// Adds the differences between the policy's and the candidate's configuration, both as written.
pub(super) fn policy(base: &Value, own: &Value, source: &mut PolicySource) {
    // Whether there is a target is the change's, which is then not compared at all.
    let differences = config::differences(base, own).into_iter().filter(|it| it.path != "target");
    for difference in differences {
        let shown = |value: Option<&Value>| value.map(|value| shown(&difference.path, value));
        let (old, new) = (shown(difference.old.as_ref()), shown(difference.new.as_ref()));
        add(source, &difference.path, old, new);
    }
}

fn add(source: &mut PolicySource, path: &str, old: Option<String>, new: Option<String>) {
    if source.changed.len() == MAX_LISTED {
        source.more += 1;
        return;
    }
    let path = if looks_like_secret(path) { HIDDEN.to_owned() } else { neutralized(path, PATH) };
    source.changed.push(PolicyChange { path, old, new });
}

fn neutralized(text: &str, limit: usize) -> String {
    neutral::clip(&neutral::terminal(text), limit)
}

/// A value as it is shown.
fn shown(path: &str, value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    // A header may hold a secret of unknown form; so may the query of a URL.
    if path.split('.').any(|part| part == "headers")
        || text.contains("\"headers\"")
        || looks_like_secret(&text)
    {
        return HIDDEN.to_owned();
    }
    match text.split_once('?') {
        Some((address, _)) if address.contains("://") => neutralized(&format!("{address}?…"), VALUE),
        _ => neutralized(&text, VALUE),
    }
}

/// Adds the differences of files that the policy names.
pub(in crate::app::sources) fn add_named_files(sources: &mut PolicySources) {
    let (Some(source), Some(base)) = (&mut sources.source, &sources.base) else { return };
    let Trees { policy, candidate, .. } = &sources.trees;
    let judge = base.judge.as_ref();
    let mut named: BTreeSet<String> = calibration(base).into_iter().chain(certificates(base)).collect();
    // A pattern may match more files of the candidate than of the policy.
    if let Some(path) = judge.and_then(|judge| judge.planted.as_ref()) {
        named.extend(
            [policy, candidate].into_iter().flat_map(|tree| tree.glob(&path.value).unwrap_or_default()),
        );
    }
    let baseline = base.baseline.as_ref().and_then(|written| BaselineSpec::parse(&written.value).ok());
    if let Some(BaselineSpec::File(path) | BaselineSpec::Report(path)) = baseline {
        named.insert(path);
    }
    let checks = files_of_checks(base.checks.iter().map(|check| &check.value));
    // Arguments of scorers and of the transformation that are files of the policy.
    let of_transform = base.transform.command.iter().flat_map(|command| &command.run);
    let arguments = base.scorers.iter().flat_map(|scorer| &scorer.run).chain(of_transform).cloned();
    let is_file = |path: &String| matches!(policy.find(path, FILE_LIMIT), Ok(Some(_)));
    named.extend(arguments.filter(is_file));
    for path in named.iter().chain(&checks) {
        compare(source, path, policy, candidate);
    }
}

/// Adds the differences of files that single cases name.
pub(in crate::app::sources) fn add_files_of_cases(
    source: &mut PolicySource,
    trees: &Trees,
    paths: &BTreeSet<String>,
) {
    for path in paths {
        compare(source, path, &trees.of_cases, &trees.candidate);
    }
}

/// Adds a file whose bytes differ.
fn compare(source: &mut PolicySource, path: &str, policy: &Tree, candidate: &Tree) {
    let read = |tree: &Tree| tree.find(path, FILE_LIMIT).map_err(|diagnostic| diagnostic.message);
    let (old, new) = (read(policy), read(candidate));
    if old == new {
        return;
    }
    let describe = |file: Result<Option<Vec<u8>>, String>| match file {
        Ok(bytes) => bytes.map(|bytes| neutral::clip(&files::digest_of_bytes(&bytes), 20).replace('…', "")),
        Err(message) => Some(neutralized(&message, VALUE)),
    };
    let path = format!("file {path}");
    if source.changed.iter().all(|change| change.path != path) {
        add(source, &path, describe(old), describe(new));
    }
}

/// Differences between the cases of two datasets; of the removed ones, those that must pass come first.
pub(in crate::app) fn between(before: &[Case], now: &[Case]) -> DatasetChanges {
    let matches = matched(before, now);
    let found: HashSet<usize> = matches.iter().flatten().copied().collect();
    let mut changes = DatasetChanges::default();
    let note = |cases: &mut NamedCases, case: &Case| {
        cases.count += 1;
        if cases.first.len() < NAMED {
            cases.first.push(neutralized(&case.id, 60));
        }
    };
    let mut removed: Vec<&Case> =
        before.iter().enumerate().filter(|(index, _)| !found.contains(index)).map(|(_, case)| case).collect();
    removed.sort_by_key(|case| !case.must_pass);
    for case in removed {
        note(&mut changes.removed, case);
    }
    for (case, index) in now.iter().zip(matches) {
        match index.and_then(|index| before.get(index)) {
            None => note(&mut changes.added, case),
            Some(then) if content(then) != content(case) => note(&mut changes.changed, case),
            Some(_) => {}
        }
    }
    changes
}

/// Warnings about a policy from elsewhere.
pub(in crate::app) fn warnings(source: &PolicySource) -> Vec<String> {
    let commit = source.commit.as_deref().and_then(|commit| commit.get(..12));
    let at = commit.map_or_else(String::new, |commit| format!(" (commit {commit})"));
    let spec = &source.spec;
    if source.new {
        return vec![format!(
            "policy: new: {spec}{at} has no configuration here, so this change sets its own bar"
        )];
    }
    let mut warnings: Vec<String> = source
        .changed
        .iter()
        .take(WARNED)
        .map(|change| format!("policy of {spec}: this change does not count: {change}"))
        .collect();
    let more = source.changed.len().saturating_sub(WARNED) + source.more;
    if more > 0 {
        let more = counted(more as u64, "more change");
        warnings.push(format!("policy of {spec}: {more} not counted; report.json has all"));
    }
    if let Some(changes) = source.dataset.as_ref().filter(|changes| !changes.is_empty()) {
        warnings.push(format!("the dataset is not that of {spec}: {changes}"));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn case(id: &str, query: &str) -> Case {
        Case { id: id.to_owned(), query: query.to_owned(), ..Case::default() }
    }

    #[test]
    fn cases_are_matched_by_id_and_compared_by_content() {
        let before = [case("a", "1"), case("b", "2"), case("c", "3")];
        let now = [case("c", "3"), case("b", "easier"), case("d", "4")];
        let changes = between(&before, &now);
        assert_eq!(changes.to_string(), "1 case removed (a), 1 changed (b), 1 added (d)");
        assert!(between(&before, &before).is_empty());
        let many: Vec<Case> = (0..9).map(|number| case(&format!("n{number}"), "")).collect();
        assert_eq!(between(&many, &[]).to_string(), "9 cases removed (n0, n1, n2, n3, n4, …)");
    }

    #[test]
    fn values_that_may_be_secrets_are_not_shown() {
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
    fn listed_changes_are_bounded_and_all_are_counted() {
        let mut source = PolicySource { spec: "git:main".to_owned(), ..PolicySource::default() };
        let own: serde_json::Map<String, Value> =
            (0..MAX_LISTED + 7).map(|number| (format!("k{number}"), json!(number))).collect();
        policy(&json!({}), &Value::Object(own), &mut source);
        assert_eq!((source.changed.len(), source.more), (MAX_LISTED, 7));
        let warnings = warnings(&source);
        assert_eq!(warnings.len(), WARNED + 1);
        assert!(warnings[WARNED].contains("97 more changes"), "{}", warnings[WARNED]);
    }
}
