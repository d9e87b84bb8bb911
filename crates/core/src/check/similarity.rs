//! `similarity`: the answer is similar to a text, by edit distance or by common words.
//!
//! - `levenshtein`: 1 - d / max(characters), with d the edit distance of Levenshtein 1966; two empty texts: 1.
//! - `rouge_l`: the F measure (beta = 1) of the longest common subsequence of words, 2 LCS / (m + n), as in Lin 2004,
//!   "ROUGE: A Package for Automatic Evaluation of Summaries", without stemming. Words are those of Unicode Standard
//!   Annex 29, in lower case.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use similar::DiffOp;
use unicode_segmentation::UnicodeSegmentation;

use crate::port::{Check, Finding, Subject};
use crate::text::edit_script;

use super::comparison::{Comparison, reference, text, text_of};
use super::diagnostic::EntryDiagnostic;
use super::reason::{fail, finding};
use super::spec::{Built, Files, Spec};

/// Maximum product of both lengths, which limits the time of a comparison.
const MAX_WORK: usize = 400_000_000;

/// Minimum similarity to the case's expected, or a map.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Similarity {
    /// Minimum similarity to the case's expected, by edit distance.
    Min(#[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1))] f64),
    /// With options.
    Map(SimilarityMap),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SimilarityMap {
    /// The text to compare with. Default: the case's expected.
    #[schemars(length(min = 1))]
    value: Option<String>,
    /// Minimum similarity, above 0 and up to 1.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1))]
    min: f64,
    /// levenshtein: by edit distance; rouge_l: by common words in order. Default: levenshtein.
    #[serde(default)]
    measure: Measure,
    /// Whether to ignore case; rouge_l always does. Default: false.
    #[serde(default)]
    ignore_case: bool,
    /// Whether to ignore white space around the answer; rouge_l always does. Default: false.
    #[serde(default)]
    trim: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Measure {
    #[default]
    Levenshtein,
    RougeL,
}

impl Spec for Similarity {
    const READS_EXPECTED: bool = true;

    fn build(self, _files: &Files<'_>) -> Result<Built, Vec<EntryDiagnostic>> {
        let check = match self {
            Self::Min(min) => SimilarityCheck {
                value: None,
                min,
                measure: Measure::default(),
                comparison: Comparison::default(),
            },
            Self::Map(map) => SimilarityCheck {
                value: map.value.map(Value::String),
                min: map.min,
                measure: map.measure,
                comparison: Comparison {
                    ignore_case: map.ignore_case,
                    trim: map.trim,
                    ..Comparison::default()
                },
            },
        };
        let needs_expected = check.value.is_none();
        Ok(Built::new(check).needing_expected(needs_expected))
    }
}

#[derive(Debug)]
struct SimilarityCheck {
    value: Option<Value>,
    min: f64,
    measure: Measure,
    comparison: Comparison,
}

impl Check for SimilarityCheck {
    fn finding(&self, subject: &Subject<'_>) -> Result<Finding, Finding> {
        let answer = text(subject)?;
        let expected = text_of(reference(self.value.as_ref(), subject.case)?);
        let answer = self.comparison.normalize(answer);
        let expected = self.comparison.normalize(&expected);
        let measured = match self.measure {
            Measure::Levenshtein => levenshtein(&answer, &expected, self.min),
            Measure::RougeL => rouge_l(&answer, &expected, self.min),
        };
        Ok(match measured {
            Measured::Exactly(score) => {
                let passed = score >= self.min - 1e-12;
                let relation = if passed { "at least" } else { "below" };
                let reason = format!("similarity {score:.3}, {relation} {}", self.min);
                finding(passed, &reason, json!({ "similarity": score }))
            }
            Measured::AtMost(bound) => {
                let reason = format!("similarity at most {bound:.3} by length alone, below {}", self.min);
                finding(false, &reason, json!({ "similarity_at_most": bound }))
            }
            Measured::TooLong => fail("the texts are too long to be compared"),
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Measured {
    /// The similarity.
    Exactly(f64),
    /// An upper bound below the minimum, which makes the exact similarity unnecessary.
    AtMost(f64),
    /// The texts are too long.
    TooLong,
}

fn levenshtein(left: &str, right: &str, min: f64) -> Measured {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let (short, long) = (left.len().min(right.len()), left.len().max(right.len()));
    if long == 0 {
        return Measured::Exactly(1.0);
    }
    let bound = short as f64 / long as f64;
    if bound < min - 1e-9 {
        return Measured::AtMost(bound);
    }
    // Common prefixes and suffixes do not change the distance.
    let (left, right) = without_common_ends(&left, &right);
    if left.len().saturating_mul(right.len()) > MAX_WORK {
        return Measured::TooLong;
    }
    let distance = strsim::generic_levenshtein(&Characters(left), &Characters(right));
    Measured::Exactly(1.0 - distance as f64 / long as f64)
}

/// A slice as the iterable that strsim requires.
struct Characters<'a>(&'a [char]);

impl<'a, 'b> IntoIterator for &'b Characters<'a> {
    type Item = char;
    type IntoIter = std::iter::Copied<std::slice::Iter<'b, char>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().copied()
    }
}

fn without_common_ends<'a, 'b, T: PartialEq>(mut left: &'a [T], mut right: &'b [T]) -> (&'a [T], &'b [T]) {
    while let ([a, left_rest @ ..], [b, right_rest @ ..]) = (left, right)
        && a == b
    {
        (left, right) = (left_rest, right_rest);
    }
    while let ([left_rest @ .., a], [right_rest @ .., b]) = (left, right)
        && a == b
    {
        (left, right) = (left_rest, right_rest);
    }
    (left, right)
}

fn rouge_l(left: &str, right: &str, min: f64) -> Measured {
    let folded =
        |text: &str| Comparison { ignore_case: true, ..Comparison::default() }.normalize(text).into_owned();
    let (left, right) = (folded(left), folded(right));
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut number = |word| {
        let next = numbers.len();
        *numbers.entry(word).or_insert(next)
    };
    let left: Vec<usize> = left.unicode_words().map(&mut number).collect();
    let right: Vec<usize> = right.unicode_words().map(&mut number).collect();
    let total = left.len() + right.len();
    if total == 0 {
        return Measured::Exactly(1.0);
    }
    let bound = 2.0 * left.len().min(right.len()) as f64 / total as f64;
    if bound < min - 1e-9 {
        return Measured::AtMost(bound);
    }
    let (left_middle, right_middle) = without_common_ends(&left, &right);
    if left_middle.len().saturating_mul(right_middle.len()) > MAX_WORK / 4 {
        return Measured::TooLong;
    }
    let ends = left.len() - left_middle.len();
    Measured::Exactly(2.0 * (ends + common_subsequence(left_middle, right_middle)) as f64 / total as f64)
}

/// Length of the longest common subsequence, by a shortest edit script.
fn common_subsequence(left: &[usize], right: &[usize]) -> usize {
    let common = |operation: &DiffOp| match operation {
        DiffOp::Equal { len, .. } => *len,
        DiffOp::Delete { .. } | DiffOp::Insert { .. } | DiffOp::Replace { .. } => 0,
    };
    edit_script::shortest(left, right).iter().map(common).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The textbook algorithm.
    fn table_lcs(left: &[usize], right: &[usize]) -> usize {
        let mut table = vec![vec![0; right.len() + 1]; left.len() + 1];
        for (i, a) in left.iter().enumerate() {
            for (j, b) in right.iter().enumerate() {
                table[i + 1][j + 1] =
                    if a == b { table[i][j] + 1 } else { table[i][j + 1].max(table[i + 1][j]) };
            }
        }
        table[left.len()][right.len()]
    }

    #[test]
    fn known_pairs_have_known_similarities() {
        assert_eq!(levenshtein("kitten", "sitting", 0.1), Measured::Exactly(1.0 - 3.0 / 7.0));
        assert_eq!(levenshtein("", "", 1.0), Measured::Exactly(1.0));
        assert_eq!(levenshtein("", "abc", 0.5), Measured::AtMost(0.0));
        assert_eq!(levenshtein("größe", "grösse", 0.1), Measured::Exactly(1.0 - 2.0 / 6.0));
        // Lin 2004, section 3.1: S2 and S3 against S1, both of four words.
        let reference = "police killed the gunman";
        assert_eq!(rouge_l("police kill the gunman", reference, 0.1), Measured::Exactly(0.75));
        assert_eq!(rouge_l("the gunman kill police", reference, 0.1), Measured::Exactly(0.5));
        assert_eq!(rouge_l("Police KILLED, the gunman!", reference, 0.1), Measured::Exactly(1.0));
        assert_eq!(rouge_l("", "…", 0.1), Measured::Exactly(1.0));
    }

    #[test]
    fn long_texts_are_rejected() {
        let (left, right) = ("ab".repeat(50_000), "ba".repeat(50_000));
        assert_eq!(levenshtein(&left, &format!("{right}x"), 0.5), Measured::TooLong);
        assert_eq!(levenshtein(&left, "ab", 0.5), Measured::AtMost(2.0 / 100_000.0));
        assert_eq!(levenshtein(&left, &left, 0.5), Measured::Exactly(1.0));
        let words = |first: &str, second: &str| format!("{first} {second} ").repeat(20_000);
        assert_eq!(rouge_l(&words("a", "b"), &format!("{}c", words("b", "a")), 0.5), Measured::TooLong);
    }

    proptest! {
        #[test]
        fn common_subsequence_is_longest(
            left in prop::collection::vec(0_usize..4, 0..40),
            right in prop::collection::vec(0_usize..4, 0..40),
        ) {
            prop_assert_eq!(common_subsequence(&left, &right), table_lcs(&left, &right));
        }

        #[test]
        fn levenshtein_equals_the_reference(left in "[abü]{0,12}", right in "[abü]{0,12}") {
            let Measured::Exactly(score) = levenshtein(&left, &right, 0.0) else { panic!("bounded at 0") };
            prop_assert!((score - strsim::normalized_levenshtein(&left, &right)).abs() < 1e-12);
        }
    }
}
