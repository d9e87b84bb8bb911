//! The worst cases, open: both answers with their difference, and what the judge says of them.

use minijinja::{Value, context};

use super::Tier;
use crate::v1::{Report, Segment, SegmentOp};
use crate::view::changes::{CONTEXT_WORDS, abbreviated};
use crate::view::{self, CaseAnswer, CaseRow, FailingStatement, Sanitizer, number};
use promptgate_core::text::neutral;

/// Returns the worst cases of the tier.
pub(super) fn open_cases(report: &Report, tier: Tier, sanitizer: &Sanitizer<'_>) -> Vec<Value> {
    view::worst(report).iter().take(tier.open).map(|row| open_case(row, tier, sanitizer)).collect()
}

fn open_case(row: &CaseRow<'_>, tier: Tier, sanitizer: &Sanitizer<'_>) -> Value {
    let answers = view::answers(row.case, sanitizer);
    let repeat = view::shown_repeat(row.case).unwrap_or_default();
    let reasons = view::failure_reasons(row.case, sanitizer);
    let statements = view::failing_statements(row.case, repeat, tier.text, sanitizer);
    let reasons = reasons.into_iter().map(|(scorer, reason)| {
        let statement = statements.iter().find(|statement| statement.scorer == scorer);
        context! { scorer, reason => sanitizer.clip(&reason, tier.text), statement => statement.map(said) }
    });
    context! {
        id => sanitizer.clip(&row.case.id, tier.text.min(60)),
        query => sanitizer.clip(&row.case.query, tier.text),
        status => row.label,
        baseline => row.baseline.clone(),
        candidate => row.candidate.clone(),
        difference => row.difference.as_ref().map(|(metric, difference)| {
            format!("{} {}", sanitizer.clip(metric, tier.text.min(40)), number::minus(difference.clone()))
        }),
        answers => answers.into_iter().map(|of| answer(of, tier.text, sanitizer)).collect::<Value>(),
        reasons => reasons.collect::<Value>(),
    }
}

fn said(statement: &FailingStatement) -> Value {
    let FailingStatement { text, verdict, quote, .. } = statement;
    context! { text, verdict, quote }
}

fn answer(answer: CaseAnswer, limit: usize, sanitizer: &Sanitizer<'_>) -> Value {
    let error = answer.error.as_ref().filter(|_| answer.text.is_none());
    let is_empty = answer.text.as_ref().is_some_and(|text| text.trim().is_empty());
    context! {
        side => answer.side,
        text => marked(abbreviated(answer.segments, CONTEXT_WORDS, limit)),
        missing => match error {
            Some(error) => Some(format!("no answer: {}", sanitizer.clip(error, limit))),
            None if is_empty => Some("an empty answer".to_owned()),
            None if answer.text.is_none() => Some("no answer".to_owned()),
            None => None,
        },
    }
}

/// Redacted segments as Markdown, with `del` and `ins` around what changed. Neutral text is one trimmed line, so spaces and
/// line breaks are added.
pub(super) fn marked(segments: Vec<Segment>) -> Value {
    let mut out = String::new();
    for segment in segments {
        let lines = segment.text.split('\n').filter(|line| !line.trim().is_empty());
        let text = lines.map(neutral::markdown).collect::<Vec<_>>().join("<br>");
        let starts_line = segment.text.trim_start_matches([' ', '\t']).starts_with('\n');
        if starts_line && !out.is_empty() && !out.ends_with("<br>") {
            out.push_str("<br>");
        } else if segment.text.starts_with(char::is_whitespace)
            && !out.ends_with(' ')
            && !out.ends_with("<br>")
        {
            out.push(' ');
        }
        out.push_str(&match segment.op {
            SegmentOp::Equal => text,
            _ if text.is_empty() => text,
            SegmentOp::Removed => format!("<del>{text}</del>"),
            SegmentOp::Added => format!("<ins>{text}</ins>"),
        });
        let ends_line = segment.text.trim_end_matches([' ', '\t']).ends_with('\n');
        if ends_line && !out.is_empty() && !out.ends_with("<br>") {
            out.push_str("<br>");
        } else if segment.text.ends_with(char::is_whitespace) && !out.ends_with(' ') && !out.ends_with("<br>")
        {
            out.push(' ');
        }
    }
    let out = out.strip_suffix("<br>").unwrap_or(&out);
    Value::from_safe_string(out.trim().to_owned())
}
