//! Where the policy is from, in words: shown where nobody misses it, since a bar that a change set itself, or would
//! have moved, is read differently.

use serde::Serialize;

use crate::v1::{self, Report};

/// What is to be said before the numbers.
#[derive(Debug, Serialize)]
pub(crate) struct Notice {
    /// The sentence.
    pub(crate) words: String,
    /// What the change would have altered.
    pub(crate) changes: Vec<String>,
    /// How much more of it there is.
    pub(crate) left_out: usize,
}

impl Notice {
    /// The notice with what others wrote passed through `text`.
    pub(crate) fn through(self, text: impl Fn(&str) -> String) -> Self {
        let changes = self.changes.iter().map(|change| text(change)).collect();
        Self { words: text(&self.words), changes, ..self }
    }
}

/// `git:merge-base at commit 1a2b3c4d5e6f`; `None` for the candidate's own policy.
pub(crate) fn place(report: &Report) -> Option<String> {
    let source = report.policy_source.as_ref()?;
    let commit = source.commit.as_deref().and_then(|commit| commit.get(..12));
    let at = commit.map_or_else(String::new, |commit| format!(" at commit {commit}"));
    Some(format!("{}{at}", source.spec))
}

/// The notice, of at most `rows` changes; `None` where the policy is the one from elsewhere and nothing was altered.
pub(crate) fn notice(report: &Report, rows: usize) -> Option<Notice> {
    let place = place(report)?;
    let source = v1::policy_source(report)?;
    if source.new {
        let words = format!("new. There is no policy at {place}: this change set its own bar");
        return Some(Notice { words, changes: Vec::new(), left_out: 0 });
    }
    let mut changes: Vec<String> = source.changed.iter().map(ToString::to_string).collect();
    let all = changes.len() + source.more;
    if let Some(dataset) = source.dataset.filter(|dataset| !dataset.is_empty()) {
        // Unlike the rest, this counts: it comes first.
        changes.insert(0, format!("dataset: {dataset}"));
    }
    if changes.is_empty() {
        return None;
    }
    let left_out = changes.len().saturating_sub(rows) + source.more;
    let words = match all {
        0 => format!("that of {place}, with another dataset than there"),
        1 => format!("that of {place}. What this change alters in it did not count"),
        _ => format!("that of {place}. None of the {all} things that this change alters in it counted"),
    };
    changes.truncate(rows);
    Some(Notice { words, changes, left_out })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Format, Style, sample, write};
    use promptgate_core::model::{DatasetChanges, NamedCases, PolicyChange, PolicySource};

    fn report(source: PolicySource) -> Report {
        let mut parts = sample::pass();
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
        // As a reader sees it.
        String::from_utf8(out).unwrap().replace(['\u{200B}', '\\'], "")
    }

    #[test]
    fn a_bar_that_a_change_sets_itself_cannot_be_missed() {
        let report = report(PolicySource { new: true, ..from_main() });
        let text = rendered(&report, Format::Terminal);
        let second = text.lines().take(3).collect::<Vec<_>>().join("\n");
        assert!(second.contains("policy: new"), "{text}");
        let text = rendered(&report, Format::Markdown);
        let (seen, _) = text.split_once("<details>").unwrap();
        assert!(seen.contains("**Policy:** new."), "{text}");
        let text = rendered(&report, Format::Html);
        assert!(text.contains("this change set its own bar"), "{text}");
    }

    #[test]
    fn what_did_not_count_is_listed_before_the_numbers() {
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
        for words in ["None of the 5 things", "2 cases removed", "0.75 to 0.1", "and 3 more"] {
            assert!(seen.contains(words), "{words} in {seen}");
        }
        assert!(!text.contains("<b>"), "{text}");
        let text = rendered(&report, Format::Terminal);
        assert!(text.contains("policy") && text.contains("5f6e7d8c9b0a"), "{text}");
    }

    #[test]
    fn a_policy_that_nobody_touches_is_named_once() {
        let report = report(PolicySource { dataset: Some(DatasetChanges::default()), ..from_main() });
        assert!(notice(&report, 9).is_none());
        let text = rendered(&report, Format::Markdown);
        assert_eq!(text.matches("5f6e7d8c9b0a").count(), 1, "{text}");
    }

    #[test]
    fn it_is_read_back_as_it_was() {
        let source = PolicySource {
            changed: vec![PolicyChange { path: "a".to_owned(), old: None, new: Some("1".to_owned()) }],
            more: 2,
            dataset: Some(DatasetChanges::default()),
            ..from_main()
        };
        assert_eq!(report(source.clone()).to_run().unwrap().policy_source, Some(source));
        let old = sample::pass().report();
        let text = serde_json::to_string(&old).unwrap();
        assert!(!text.contains("policy_source") && !text.contains("dataset_changes"));
    }
}
