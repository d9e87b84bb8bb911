//! The worst cases, open: question, answers with their difference, and the judge's reasons, as far as they are disclosed.

use minijinja::value::Serde;
use minijinja::{Value, context};

use super::Tier;
use crate::render::comment::Disclose;
use crate::v1::{Role, Segment, SegmentOp};
use crate::view::{self, CaseAnswer, Sanitizer, answers, failure_reasons, number};

/// Characters of a reason.
const MAX_REASON: usize = 300;

pub(super) fn worst_case(
    row: &view::CaseRow<'_>,
    tier: Tier,
    disclose: Disclose,
    sanitizer: &Sanitizer<'_>,
) -> Value {
    let case = row.case;
    let limit = tier.answer;
    let shown = if disclose == Disclose::Full { answers(case, sanitizer) } else { Vec::new() };
    let answers_equal = are_equal(&shown);
    let sides = shown.iter().filter(|answer| !answers_equal || answer.side == Role::Candidate.as_str());
    let side = |answer: &CaseAnswer| {
        context! {
            title => match (answers_equal, answer.side == Role::Baseline.as_str()) {
                (true, _) => "Answer",
                (false, true) => "Baseline answer",
                (false, false) => "Candidate answer",
            },
            repeat => answer.repeat,
            text => match (&answer.text, &answer.error) {
                (Some(text), _) => sanitizer.clip(&marked(&answer.segments, text), limit),
                (None, Some(error)) => sanitizer.clip(&format!("no answer: {error}"), limit),
                (None, None) => "no answer".to_owned(),
            },
        }
    };
    let text_limit = if disclose == Disclose::Full { limit } else { tier.text };
    let reason =
        |(metric, reason): (String, String)| (metric, sanitizer.clip(&reason, MAX_REASON.min(text_limit)));
    let failing: Vec<String> =
        case.failing.iter().take(3).map(|metric| sanitizer.clip(metric, tier.text.min(40))).collect();
    context! {
        id => sanitizer.clip(&case.id, tier.text.min(60)),
        status => row.label,
        baseline => row.baseline.clone(),
        candidate => row.candidate.clone(),
        has_difference => row.difference.is_some(),
        difference => row.difference.as_ref().map_or_else(String::new, |(metric, difference)| {
            format!("{} {}", number::minus(difference.clone()), sanitizer.clip(metric, tier.text.min(40)))
        }),
        failing_list => !failing.is_empty(),
        failing => failing.join(", "),
        query => sanitizer.clip(&case.query, tier.text),
        question => sanitizer.clip(&case.query, limit),
        answers => sides.map(side).collect::<Value>(),
        answers_equal,
        reasons => Serde(failure_reasons(case, sanitizer).into_iter().map(reason).collect::<Vec<_>>()),
    }
}

fn are_equal(answers: &[CaseAnswer]) -> bool {
    matches!(answers, [before, after] if before.text.is_some() && before.text == after.text)
}

/// Pieces of a text as `git diff --word-diff` writes them: `[-removed-]`, `{+added+}`. Where hardly anything is in common,
/// the marks would be in the way: `plain` then.
fn marked(segments: &[Segment], plain: &str) -> String {
    let letters = |segment: &Segment| segment.text.chars().filter(|c| c.is_alphanumeric()).count();
    let all: usize = segments.iter().map(letters).sum();
    let common: usize = segments.iter().filter(|segment| segment.op == SegmentOp::Equal).map(letters).sum();
    if common * 5 < all { plain.to_owned() } else { word_diff(segments) }
}

/// The pieces of a difference as `git diff --word-diff` writes them.
pub(super) fn word_diff(segments: &[Segment]) -> String {
    let piece = |segment: &Segment| match segment.op {
        SegmentOp::Equal => segment.text.clone(),
        SegmentOp::Removed => format!("[-{}-]", segment.text),
        SegmentOp::Added => format!("{{+{}+}}", segment.text),
    };
    segments.iter().map(piece).collect()
}
