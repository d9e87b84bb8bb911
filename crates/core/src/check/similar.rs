//! `similar`: the answer means about the same as a text, by the cosine of their embeddings, a · b / (|a| |b|).
//!
//! The check itself calls nothing: the embeddings come from outside, as of Reimers and Gurevych 2019, "Sentence-BERT:
//! Sentence Embeddings using Siamese BERT-Networks", or of any other model. What a cosine means depends on the model.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::port::{Check, Finding, Subject};

use super::comparison::{reference, text, text_of};
use super::diagnostic::EntryDiagnostic;
use super::reason::{fail, finding};
use super::spec::{Built, Files, Spec};

/// Tolerance of the comparison with the minimum: embeddings are single-precision numbers.
const TOLERANCE: f64 = 1e-6;

/// Minimum cosine with the case's expected, or a map.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Similar {
    /// Minimum cosine with the case's expected.
    Min(#[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1))] f64),
    /// With a text of its own.
    Map(SimilarMap),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SimilarMap {
    /// The text to compare with. Default: the case's expected.
    #[schemars(length(min = 1))]
    value: Option<String>,
    /// Minimum cosine of the embeddings, above 0 and up to 1.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1))]
    min: f64,
}

impl Spec for Similar {
    const READS_EXPECTED: bool = true;

    fn build(self, _files: &Files<'_>) -> Result<Built, Vec<EntryDiagnostic>> {
        let (value, min) = match self {
            Self::Min(min) => (None, min),
            Self::Map(map) => (map.value, map.min),
        };
        let needs_expected = value.is_none();
        Ok(Built::new(SimilarCheck { value: value.map(Value::String), min }).needing_expected(needs_expected))
    }
}

#[derive(Debug)]
struct SimilarCheck {
    value: Option<Value>,
    min: f64,
}

impl Check for SimilarCheck {
    fn finding(&self, _: &Subject<'_>) -> Result<Finding, Finding> {
        Err(fail("without embeddings nothing can be compared"))
    }

    fn needs_embeddings(&self) -> bool {
        true
    }

    fn embedded_texts(&self, subject: &Subject<'_>) -> Result<[String; 2], Finding> {
        let answer = text(subject)?;
        let other = text_of(reference(self.value.as_ref(), subject.case)?).into_owned();
        // Services refuse a blank text, and none means something.
        for (name, text) in [("answer", answer), ("text to compare with", &other)] {
            if text.trim().is_empty() {
                return Err(fail(format!("the {name} is blank")));
            }
        }
        Ok([answer.to_owned(), other])
    }

    fn embedded_finding(&self, [answer, other]: [&[f64]; 2]) -> Result<Finding, String> {
        let cosine = cosine(answer, other)?;
        let passed = cosine >= self.min - TOLERANCE;
        let relation = if passed { "at least" } else { "below" };
        let reason = format!("cosine {cosine:.3}, {relation} {}", self.min);
        Ok(finding(passed, &reason, json!({ "cosine": cosine })))
    }
}

/// The cosine of the angle between two vectors, in -1..=1.
///
/// # Errors
/// There is none: other dimensions, no dimension, a number that is not finite, a vector without a direction.
fn cosine(left: &[f64], right: &[f64]) -> Result<f64, String> {
    if left.len() != right.len() {
        return Err(format!("the embeddings have {} and {} dimensions", left.len(), right.len()));
    }
    if left.is_empty() {
        return Err("the embeddings have no dimension".to_owned());
    }
    let (left, right) = (scaled(left)?, scaled(right)?);
    let dot =
        |left: &[f64], right: &[f64]| -> f64 { left.iter().zip(right).map(|(one, other)| one * other).sum() };
    let cosine = dot(&left, &right) / (dot(&left, &left).sqrt() * dot(&right, &right).sqrt());
    Ok(cosine.clamp(-1.0, 1.0))
}

/// The vector divided by its largest number, so that no square overflows or vanishes.
fn scaled(vector: &[f64]) -> Result<Vec<f64>, String> {
    if vector.iter().any(|number| !number.is_finite()) {
        return Err("an embedding has a number that is not finite".to_owned());
    }
    let largest = vector.iter().fold(0.0_f64, |largest, number| largest.max(number.abs()));
    if largest == 0.0 {
        return Err("an embedding is the zero vector, which has no direction".to_owned());
    }
    Ok(vector.iter().map(|number| number / largest).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosine_is_that_of_the_angle() {
        for (left, right, expected) in [
            ([1.0, 0.0], [2.0, 0.0], 1.0),
            ([1.0, 0.0], [0.0, 3.0], 0.0),
            ([1.0, 0.0], [-1.0, 0.0], -1.0),
            ([3.0, 4.0], [4.0, 3.0], 0.96),
            ([1e200, 0.0], [1e200, 1e200], 0.5_f64.sqrt()),
            ([1e-200, 0.0], [1e-200, 1e-200], 0.5_f64.sqrt()),
            ([f64::MIN_POSITIVE, 0.0], [1.0, 0.0], 1.0),
        ] {
            let found = cosine(&left, &right).unwrap();
            assert!((found - expected).abs() < 1e-12, "{left:?} {right:?}: {found}");
        }
    }

    #[test]
    fn vectors_without_a_cosine_are_errors() {
        for (left, right, part) in [
            (vec![1.0], vec![1.0, 0.0], "1 and 2 dimensions"),
            (vec![], vec![], "no dimension"),
            (vec![0.0, 0.0], vec![1.0, 0.0], "the zero vector"),
            (vec![f64::NAN], vec![1.0], "not finite"),
            (vec![1.0], vec![f64::INFINITY], "not finite"),
        ] {
            let error = cosine(&left, &right).unwrap_err();
            assert!(error.contains(part), "{error}");
            let check = SimilarCheck { value: None, min: 0.1 };
            assert_eq!(check.embedded_finding([&left, &right]), Err(error));
        }
    }
}
