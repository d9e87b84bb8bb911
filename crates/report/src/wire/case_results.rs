//! The results by case of a saved report, without its answers.

use std::sync::Arc;

use serde::Deserialize;

use super::document::Document;
use super::v1::{CUT, Dataset, MetricKind, Passes, Policy, SCHEMA, Variants};
use promptgate_core::model::Diagnostic;

/// The results by case of a saved report.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "the fields of `Report`")]
pub struct SavedResults {
    pub name: String,
    pub started_at: String,
    pub metrics: Vec<SavedMetric>,
    pub policy: Policy,
    pub variants: Variants,
    pub usage: SavedUsage,
    pub dataset: Dataset,
    pub simulated: bool,
    pub cases: Vec<SavedCase>,
}

/// A metric of a saved report.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "the fields of `Metric`")]
pub struct SavedMetric {
    pub name: String,
    pub kind: MetricKind,
}

/// The calls of a saved run.
#[derive(Debug, Clone, Copy, Deserialize)]
#[expect(missing_docs, reason = "the fields of `Usage`")]
pub struct SavedUsage {
    pub calls: u64,
}

/// A case of a saved report.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "the fields of `Case`")]
pub struct SavedCase {
    pub id: String,
    pub query: String,
    #[serde(default)]
    pub context: Option<Arc<[String]>>,
    #[serde(default)]
    pub expected: Option<String>,
    #[serde(default)]
    pub shared: bool,
    pub candidate_passes: Option<Passes>,
    pub baseline_passes: Option<Passes>,
}

impl SavedCase {
    /// Whether the question, context and reference answer are these, as far as the report has them: that of a large run has the
    /// beginning of the question alone.
    pub fn has_content(&self, query: &str, context: Option<&[String]>, expected: Option<&str>) -> bool {
        if self.context.is_none() && self.expected.is_none() && self.query.ends_with(CUT) {
            return query.starts_with(self.query.trim_end_matches(CUT));
        }
        self.query == query && self.context.as_deref() == context && self.expected.as_deref() == expected
    }
}

/// Reads the results of a report from the text of `file`.
///
/// # Errors
/// A [`Diagnostic`] where the text is cut off, not a report of this version, or has impossible numbers of trials.
pub fn read(file: &str, text: &str) -> Result<SavedResults, Diagnostic> {
    let help = "name a report.json that `promptgate run` wrote, or its folder";
    let document = Document { noun: "report", schema: SCHEMA, file, help };
    let results: SavedResults = document.parse(text)?;
    if results.started_at.parse::<jiff::Timestamp>().is_err() {
        return Err(document.refuse("`started_at` is not a time".to_owned()));
    }
    let is_possible = |passes: Option<Passes>| passes.is_none_or(|passes| passes.passed <= passes.of);
    let wrong = |case: &&SavedCase| !is_possible(case.candidate_passes) || !is_possible(case.baseline_passes);
    if let Some(case) = results.cases.iter().find(wrong) {
        return Err(document.refuse(format!("case `{}` has more passed trials than trials", case.id)));
    }
    Ok(results)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(query: &str, expected: Option<&str>) -> SavedCase {
        SavedCase {
            id: "a".to_owned(),
            query: query.to_owned(),
            context: None,
            expected: expected.map(str::to_owned),
            shared: false,
            candidate_passes: None,
            baseline_passes: None,
        }
    }

    #[test]
    fn shortened_question_is_compared_by_its_beginning() {
        assert!(saved("How long…", None).has_content("How long is it?", None, Some("10 days")));
        assert!(!saved("How wide…", None).has_content("How long is it?", None, None));
        assert!(!saved("How long", None).has_content("How long is it?", None, None));
        assert!(!saved("How long", Some("10")).has_content("How long", None, Some("11")));
        assert!(saved("How long", Some("10")).has_content("How long", None, Some("10")));
    }
}
