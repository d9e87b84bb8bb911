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
use super::diagnostic::EntryDiagnostic;
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Characters,
    Words,
    Sentences,
    Tokens,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Characters => "characters",
            Self::Words => "words",
            Self::Sentences => "sentences",
            Self::Tokens => "tokens",
        }
    }

    /// Counts the units; `None` where the endpoint reported no tokens.
    fn count(self, answer: &str, subject: &Subject<'_>) -> Option<u64> {
        let count = match self {
            Self::Characters => answer.chars().count(),
            Self::Words => answer.unicode_words().count(),
            Self::Sentences => answer.unicode_sentences().count(),
            Self::Tokens => return subject.completion.usage.map(|usage| usage.completion_tokens),
        };
        Some(count as u64)
    }
}

#[derive(Debug)]
struct Bounds {
    unit: Unit,
    min: Option<u64>,
    max: Option<u64>,
}

impl Spec for Length {
    fn build(self, _files: &Files<'_>) -> Result<Built, Vec<EntryDiagnostic>> {
        let mut diagnostics = Vec::new();
        let mut bounds = Vec::new();
        for (unit, key, min, max) in [
            (Unit::Characters, "chars", self.min_chars, self.max_chars),
            (Unit::Words, "words", self.min_words, self.max_words),
            (Unit::Sentences, "sentences", self.min_sentences, self.max_sentences),
            (Unit::Tokens, "tokens", self.min_tokens, self.max_tokens),
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
                bounds.push(Bounds { unit, min, max });
            }
        }
        if diagnostics.is_empty() { Ok(Built::new(LengthCheck { bounds })) } else { Err(diagnostics) }
    }
}

#[derive(Debug)]
struct LengthCheck {
    bounds: Vec<Bounds>,
}

impl Check for LengthCheck {
    fn grade(&self, subject: &Subject<'_>) -> Finding {
        let answer = match text(subject) {
            Ok(answer) => answer,
            Err(finding) => return finding,
        };
        let mut counts = Map::new();
        let mut descriptions = Vec::new();
        let mut violations = Vec::new();
        for Bounds { unit, min, max } in &self.bounds {
            let name = unit.name();
            let Some(count) = unit.count(answer, subject) else {
                return fail("the endpoint reported no tokens, so their number cannot be checked");
            };
            counts.insert(name.to_owned(), Value::from(count));
            descriptions.push(format!("{count} {name}"));
            if let Some(min) = min.filter(|min| count < *min) {
                violations.push(format!("{count} {name}, fewer than {min}"));
            }
            if let Some(max) = max.filter(|max| count > *max) {
                violations.push(format!("{count} {name}, more than {max}"));
            }
        }
        let passed = violations.is_empty();
        let reason = if passed { descriptions.join(", ") } else { violations.join("; ") };
        finding(passed, &reason, Value::Object(counts))
    }
}
