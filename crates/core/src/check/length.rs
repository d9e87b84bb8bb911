//! `length`: characters, words, sentences or tokens of the answer are within bounds.
//!
//! Characters are Unicode scalar values; words and sentences are those of Unicode Standard Annex 29 that contain a
//! letter or a digit; tokens are those of the whole completion as the endpoint reported them.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use unicode_segmentation::UnicodeSegmentation;

use crate::port::{Check, Finding, Subject};

use super::comparison::text;
use super::diagnostic::{EntryDiagnostic, no_errors};
use super::reason::{fail, finding};
use super::spec::{Built, Files, Spec};

/// At least one bound; all bounds are inclusive.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub(crate) struct Length {
    /// At least this many characters.
    min_chars: Option<u64>,
    /// At most this many characters.
    max_chars: Option<u64>,
    /// At least this many words.
    min_words: Option<u64>,
    /// At most this many words.
    max_words: Option<u64>,
    /// At least this many sentences.
    min_sentences: Option<u64>,
    /// At most this many sentences.
    max_sentences: Option<u64>,
    /// At least this many tokens, as the endpoint reported them.
    min_tokens: Option<u64>,
    /// At most this many tokens, as the endpoint reported them.
    max_tokens: Option<u64>,
}

/// Counts a unit of the answer; `None` if the endpoint reported no tokens.
type Count = fn(&str, &Subject<'_>) -> Option<u64>;

#[derive(Debug)]
struct Bounds {
    unit: &'static str,
    count: Count,
    min: Option<u64>,
    max: Option<u64>,
}

impl Spec for Length {
    fn build(self, _files: &Files<'_>) -> Result<Built, Vec<EntryDiagnostic>> {
        let characters: Count = |answer, _| Some(answer.chars().count() as u64);
        let words: Count = |answer, _| Some(answer.unicode_words().count() as u64);
        let sentences: Count = |answer, _| Some(answer.unicode_sentences().count() as u64);
        let tokens: Count = |_, subject| subject.completion.usage.map(|usage| usage.completion_tokens);
        let (mut diagnostics, mut bounds) = (Vec::new(), Vec::new());
        for (unit, key, count, min, max) in [
            ("characters", "chars", characters, self.min_chars, self.max_chars),
            ("words", "words", words, self.min_words, self.max_words),
            ("sentences", "sentences", sentences, self.min_sentences, self.max_sentences),
            ("tokens", "tokens", tokens, self.min_tokens, self.max_tokens),
        ] {
            if let (Some(min), Some(max)) = (min, max)
                && min > max
            {
                let message = format!("min_{key} is {min}, more than max_{key}, which is {max}");
                diagnostics.push(
                    EntryDiagnostic::new(format!("/min_{key}"), message).help("no answer can meet both"),
                );
            }
            if min.is_some() || max.is_some() {
                bounds.push(Bounds { unit, count, min, max });
            }
        }
        no_errors(diagnostics)?;
        Ok(Built::new(LengthCheck { bounds }))
    }
}

#[derive(Debug)]
struct LengthCheck {
    bounds: Vec<Bounds>,
}

impl Check for LengthCheck {
    fn finding(&self, subject: &Subject<'_>) -> Result<Finding, Finding> {
        let answer = text(subject)?;
        let mut counts = Map::new();
        let mut descriptions = Vec::new();
        let mut violations = Vec::new();
        for Bounds { unit, count, min, max } in &self.bounds {
            let Some(count) = count(answer, subject) else {
                return Err(fail("the endpoint reported no tokens, so their number cannot be checked"));
            };
            counts.insert((*unit).to_owned(), Value::from(count));
            descriptions.push(format!("{count} {unit}"));
            if let Some(min) = min.filter(|min| count < *min) {
                violations.push(format!("{count} {unit}, fewer than {min}"));
            }
            if let Some(max) = max.filter(|max| count > *max) {
                violations.push(format!("{count} {unit}, more than {max}"));
            }
        }
        let passed = violations.is_empty();
        let reason = if passed { descriptions.join(", ") } else { violations.join("; ") };
        Ok(finding(passed, &reason, Value::Object(counts)))
    }
}
