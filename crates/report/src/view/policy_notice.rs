//! The policy notice: where the policy comes from, and whether the change under test alters it.

use serde::Serialize;

use crate::v1::{PolicyChange, Report};

/// A notice shown before the numbers.
#[derive(Debug, Serialize)]
pub(crate) struct Notice {
    /// A sentence without its period.
    pub(crate) sentence: String,
    /// Changes to the policy that did not count, and dataset changes that did.
    pub(crate) changes: Vec<String>,
    /// Number of changes not listed.
    pub(crate) left_out: usize,
}

impl Notice {
    /// Sanitizes the texts.
    pub(crate) fn map_text(self, text: impl Fn(&str) -> String) -> Self {
        let changes = self.changes.iter().map(|change| text(change)).collect();
        Self { sentence: text(&self.sentence), changes, ..self }
    }
}

/// `git:merge-base at commit 1a2b3c4d5e6f`; `None` for the candidate's own policy.
pub(crate) fn place(report: &Report) -> Option<String> {
    let source = report.policy_source.as_ref()?;
    let commit = source.commit.as_deref().and_then(|commit| commit.get(..12));
    let at = commit.map_or_else(String::new, |commit| format!(" at commit {commit}"));
    Some(format!("{}{at}", source.spec))
}

/// Returns the notice with at most `rows` changes; `None` for the candidate's own policy or an unaltered one.
pub(crate) fn notice(report: &Report, rows: usize) -> Option<Notice> {
    described(report, rows, &ToString::to_string)
}

/// The same without the values, which may be texts of rubrics and checks, unless both are numbers.
pub(crate) fn notice_without_text(report: &Report, rows: usize) -> Option<Notice> {
    let is_number = |value: &Option<String>| {
        value.as_ref().is_none_or(|text| text.trim_end_matches('%').parse::<f64>().is_ok())
    };
    described(report, rows, &|change| match is_number(&change.old) && is_number(&change.new) {
        true => change.to_string(),
        false => change.path.clone(),
    })
}

fn described(report: &Report, rows: usize, describe: &dyn Fn(&PolicyChange) -> String) -> Option<Notice> {
    let place = place(report)?;
    let source = report.policy_source.as_ref()?;
    if source.new {
        let sentence = format!("new. There is no policy at {place}: this change sets its own bar");
        return Some(Notice { sentence, changes: Vec::new(), left_out: 0 });
    }
    let mut changes: Vec<String> = source.changed.iter().map(describe).collect();
    let all = changes.len() + source.more;
    if let Some(dataset) = report.dataset_changes.as_ref().filter(|dataset| !dataset.is_empty()) {
        // First, since only dataset changes take effect.
        changes.insert(0, format!("dataset: {dataset}"));
    }
    if changes.is_empty() {
        return None;
    }
    let left_out = changes.len().saturating_sub(rows) + source.more;
    let sentence = match all {
        0 => format!("from {place}; the dataset differs from the one there"),
        1 => format!("from {place}. The change made to it here did not count"),
        _ => format!("from {place}. The {all} changes made to it here did not count"),
    };
    changes.truncate(rows);
    Some(Notice { sentence, changes, left_out })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{self, Parts};
    use crate::{Format, Style, write};
    use promptgate_core::model::{DatasetChanges, NamedCases, PolicySource};

    fn report(source: PolicySource) -> Report {
        let mut parts = Parts::of(&fixtures::pass());
        parts.run.policy_source = Some(source);
        parts.report()
    }

    fn from_main() -> PolicySource {
        PolicySource {
            spec: "git:main".to_owned(),
            commit: Some("5f6e7d8c9b0a1f2e3d4c5b6a7988776655443322".to_owned()),
            ..PolicySource::default()
        }
    }

    fn rendered(report: &Report, format: Format) -> String {
        let mut out = Vec::new();
        write(report, format, &mut out, Style::default()).unwrap();
        // Without the characters that neutralize markup.
        String::from_utf8(out).unwrap().replace(['\u{200B}', '\\'], "")
    }

    #[test]
    fn new_policy_is_announced_before_the_numbers() {
        let report = report(PolicySource { new: true, ..from_main() });
        let text = rendered(&report, Format::Terminal);
        let headline = text.lines().take(3).collect::<Vec<_>>().join("\n");
        assert!(headline.contains("policy: new"), "{text}");
        let text = rendered(&report, Format::Markdown);
        let (seen, _) = text.split_once("<details>").unwrap();
        assert!(seen.contains("**Policy:** new."), "{text}");
        let text = rendered(&report, Format::Html);
        assert!(text.contains("this change sets its own bar"), "{text}");
    }

    #[test]
    fn ignored_policy_changes_are_listed_before_the_numbers() {
        let change = |path: &str| PolicyChange {
            path: path.to_owned(),
            old: Some("0.75".to_owned()),
            new: Some("0.1".to_owned()),
        };
        let gone = NamedCases { count: 2, first: vec!["hard-1".to_owned(), "hard-2".to_owned()] };
        let report = report(PolicySource {
            changed: vec![change("metrics.faithfulness.min"), change("@all <b>")],
            more: 3,
            dataset: Some(DatasetChanges { removed: gone, ..DatasetChanges::default() }),
            ..from_main()
        });
        let text = rendered(&report, Format::Markdown);
        let (seen, _) = text.split_once("<details>").unwrap();
        for words in ["The 5 changes", "2 cases removed", "0.75 to 0.1", "and 3 more"] {
            assert!(seen.contains(words), "{words} in {seen}");
        }
        assert!(!text.contains("<b>"), "{text}");
        let text = rendered(&report, Format::Terminal);
        assert!(text.contains("policy") && text.contains("5f6e7d8c9b0a"), "{text}");
    }

    #[test]
    fn values_of_policy_changes_are_numbers_or_left_out() {
        let change = |path: &str, old: &str, new: &str| PolicyChange {
            path: path.to_owned(),
            old: Some(old.to_owned()),
            new: Some(new.to_owned()),
        };
        let changed = vec![
            change("gate.max_missing", "2%", "90%"),
            change("metrics.tone.rubric", "Is it about the secret plan?", "Is it kind?"),
        ];
        let report = report(PolicySource { changed, ..from_main() });
        let notice = notice_without_text(&report, 9).unwrap();
        assert!(notice.changes[0].contains("2%") && notice.changes[0].contains("90%"), "{notice:?}");
        assert_eq!(notice.changes[1], "metrics.tone.rubric");
    }

    #[test]
    fn unchanged_policy_is_named_once() {
        let report = report(PolicySource { dataset: Some(DatasetChanges::default()), ..from_main() });
        assert!(notice(&report, 9).is_none());
        let text = rendered(&report, Format::Markdown);
        assert_eq!(text.matches("5f6e7d8c9b0a").count(), 1, "{text}");
    }

    #[test]
    fn policy_source_survives_the_round_trip() {
        let source = PolicySource {
            changed: vec![PolicyChange { path: "a".to_owned(), old: None, new: Some("1".to_owned()) }],
            more: 2,
            dataset: Some(DatasetChanges::default()),
            ..from_main()
        };
        assert_eq!(report(source.clone()).to_run().unwrap().policy_source, Some(source));
        let old = fixtures::pass();
        let text = serde_json::to_string(&old).unwrap();
        assert!(!text.contains("policy_source") && !text.contains("dataset_changes"));
    }
}
