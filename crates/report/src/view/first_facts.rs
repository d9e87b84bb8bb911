//! Facts that come before the numbers: notices of the run, and what a change sets beside the prompt.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::NO_BASELINE;
use crate::v1::Report;
use promptgate_core::document::looks_like_secret;

/// Characters of a value.
const MAX_VALUE: usize = 60;

/// Notices that a page shows first. It explains a missing baseline by itself.
pub(crate) fn page_notices(report: &Report) -> impl Iterator<Item = &str> {
    report.notices.iter().map(String::as_str).filter(|notice| !notice.starts_with(NO_BASELINE))
}

/// Differences between the candidate and its baseline in model and parameters: `temperature from 0 to 1.5`. Without a
/// baseline, the candidate's parameters.
pub(crate) fn request_changes(report: &Report) -> Vec<String> {
    let candidate = &report.variants.candidate;
    let nothing = Map::new();
    let baseline = report.variants.baseline.as_ref();
    let before = baseline.map_or(&nothing, |baseline| &baseline.parameters);
    let model = baseline.filter(|baseline| baseline.model != candidate.model);
    let model = model.map(|baseline| format!("model from {} to {}", baseline.model, candidate.model));
    let names: BTreeSet<&String> = before.keys().chain(candidate.parameters.keys()).collect();
    let parameters =
        names.into_iter().filter_map(|name| match (before.get(name), candidate.parameters.get(name)) {
            (Some(old), Some(new)) if old == new => None,
            (Some(old), Some(new)) => Some(format!("{name} from {} to {}", shown(old), shown(new))),
            (Some(old), None) => Some(format!("{name} removed, was {}", shown(old))),
            (None, Some(new)) if baseline.is_some() => Some(format!("{name} added: {}", shown(new))),
            (None, Some(new)) => Some(format!("{name} {}", shown(new))),
            (None, None) => None,
        });
    model.into_iter().chain(parameters).collect()
}

/// A value as it is shown; one that may hold a secret is not.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if looks_like_secret(&text) {
        return "(not shown)".to_owned();
    }
    promptgate_core::text::neutral::clip(&text, MAX_VALUE)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixtures;
    use crate::{Format, Style, write};

    fn rendered(report: &Report, format: Format) -> String {
        let mut out = Vec::new();
        write(report, format, &mut out, Style::default()).unwrap();
        // Without the characters that neutralize markup.
        String::from_utf8(out).unwrap().replace(['\u{200B}', '\\'], "")
    }

    #[test]
    fn notices_come_first_in_every_rendering() {
        let mut report = fixtures::pass();
        report.notices = vec!["candidate and baseline are equal: <b>nothing</b> can show".to_owned()];
        let terminal = rendered(&report, Format::Terminal);
        assert!(terminal.starts_with("note"), "{terminal}");
        assert!(terminal.lines().next().is_some_and(|line| line.contains("are equal")), "{terminal}");
        let markdown = rendered(&report, Format::Markdown);
        let second = markdown.lines().filter(|line| !line.is_empty()).nth(1);
        assert!(
            second.is_some_and(|line| line.starts_with("**Note:** candidate and baseline")),
            "{markdown}"
        );
        assert!(!markdown.contains("<b>"));
        assert!(rendered(&report, Format::Html).contains("candidate and baseline are equal"));
    }

    #[test]
    fn changed_model_and_parameters_are_shown() {
        let mut report = fixtures::pass();
        let variants = &mut report.variants;
        variants.candidate.parameters =
            json!({"temperature": 1.9, "n": 2, "key": "sk-live-1234567890abcdef"})
                .as_object()
                .unwrap()
                .clone();
        if let Some(baseline) = &mut variants.baseline {
            baseline.parameters = json!({"temperature": 0, "seed": 7}).as_object().unwrap().clone();
            baseline.model = "other".to_owned();
        }
        let model = variants.candidate.model.clone();
        assert_eq!(
            request_changes(&report),
            [
                format!("model from other to {model}"),
                "key added: (not shown)".to_owned(),
                "n added: 2".to_owned(),
                "seed removed, was 7".to_owned(),
                "temperature from 0 to 1.9".to_owned(),
            ]
        );
        let markdown = rendered(&report, Format::Markdown);
        let (seen, _) = markdown.split_once("<details>").unwrap();
        assert!(seen.contains("**Request:**") && seen.contains("temperature from 0 to 1.9"), "{seen}");
    }
}
