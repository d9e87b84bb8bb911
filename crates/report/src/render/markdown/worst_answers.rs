//! What was said in the worst cases, for whoever may read it all: both answers in blocks of code.

use serde::Serialize;

use crate::render::html::{Sanitizer, answers, reasons};
use crate::v1::{Report, Role};
use crate::view;

/// Characters of a reason.
const REASON: usize = 300;

/// A case and what was said in it.
#[derive(Serialize)]
pub(super) struct Answers {
    id: String,
    question: String,
    said: Vec<Side>,
    reasons: Vec<(String, String)>,
}

/// One side of it.
#[derive(Serialize)]
struct Side {
    who: &'static str,
    repeat: u32,
    text: String,
}

/// The first `most` of the worst cases, with at most `limit` characters of each answer.
pub(super) fn worst(report: &Report, most: usize, limit: usize, sanitizer: &Sanitizer<'_>) -> Vec<Answers> {
    let cases = view::worst(report).into_iter().map(|row| row.case).take(most);
    let of = |case| {
        let sides = answers(case, sanitizer).into_iter().map(|answer| Side {
            who: if answer.side == Role::Baseline.as_str() {
                "The baseline answered"
            } else {
                "Now it answers"
            },
            repeat: answer.repeat,
            text: match (&answer.text, &answer.error) {
                (Some(text), _) => sanitizer.clip(text, limit),
                (None, Some(error)) => sanitizer.clip(&format!("no answer: {error}"), limit),
                (None, None) => "no answer".to_owned(),
            },
        });
        (case, sides.collect())
    };
    cases
        .map(of)
        .map(|(case, sides): (&crate::v1::Case, Vec<Side>)| Answers {
            id: sanitizer.clip(&case.id, 60),
            question: sanitizer.clip(&case.query, limit),
            said: sides,
            reasons: reasons(case, sanitizer)
                .into_iter()
                .map(|(metric, reason)| (metric, sanitizer.clip(&reason, REASON.min(limit))))
                .collect(),
        })
        .collect()
}
