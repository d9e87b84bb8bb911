//! The worst cases, open: both answers with their difference, and what the judge says of them.

use minijinja::{Value, context};

use super::Tier;
use crate::v1::{Report, Segment, SegmentOp};
use crate::view::changes::{CONTEXT_WORDS, Shortened, abbreviated};
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
    let Shortened { segments, left_out } = abbreviated(answer.segments, CONTEXT_WORDS, limit);
    let only_start = answer.more.map(|more| format!("{more} more characters are not compared"));
    let left_out: Vec<String> = left_out.into_iter().chain(only_start).collect();
    context! {
        side => answer.side,
        text => marked(segments),
        left_out => (!left_out.is_empty()).then(|| left_out.join("; ")),
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
    let mut before = String::new();
    for segment in joined(segments) {
        if neutral::is_active_together(&before, &segment.text) {
            out.push(neutral::BREAK);
        }
        push_marked(&segment, &mut out);
        before.push_str(&segment.text);
    }
    let out = out.strip_suffix("<br>").unwrap_or(&out);
    Value::from_safe_string(out.trim().to_owned())
}

/// The segments without empty ones, and neighbours of one kind as one: text that is neutralized in parts may become a link
/// as a whole.
fn joined(segments: Vec<Segment>) -> Vec<Segment> {
    let mut joined: Vec<Segment> = Vec::new();
    for segment in segments.into_iter().filter(|segment| !segment.text.is_empty()) {
        match joined.last_mut().filter(|last| last.op == segment.op) {
            Some(last) => last.text.push_str(&segment.text),
            None => joined.push(segment),
        }
    }
    joined
}

fn push_marked(segment: &Segment, out: &mut String) {
    let lines = segment.text.split('\n').filter(|line| !line.trim().is_empty());
    let text = lines.map(neutral::markdown).collect::<Vec<_>>().join("<br>");
    let starts_line = segment.text.trim_start_matches([' ', '\t']).starts_with('\n');
    let ends_line = segment.text.trim_end_matches([' ', '\t']).ends_with('\n');
    push_space(starts_line, segment.text.starts_with(char::is_whitespace), out);
    out.push_str(&match segment.op {
        SegmentOp::Equal => text,
        _ if text.is_empty() => text,
        SegmentOp::Removed => format!("<del>{text}</del>"),
        SegmentOp::Added => format!("<ins>{text}</ins>"),
    });
    push_space(ends_line, segment.text.ends_with(char::is_whitespace), out);
}

/// Adds a line break or a space, unless there is one.
fn push_space(is_line: bool, is_blank: bool, out: &mut String) {
    if is_line && !out.is_empty() && !out.ends_with("<br>") {
        out.push_str("<br>");
    } else if is_blank && !out.ends_with(' ') && !out.ends_with("<br>") {
        out.push(' ');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::view::changes::word_diff;
    use promptgate_testing::forge::{self, hostile};

    /// Both answers as a comment shows them: each without what only the other has.
    fn sides(baseline: &str, candidate: &str, limit: usize) -> [String; 2] {
        [SegmentOp::Added, SegmentOp::Removed].map(|other| {
            let all = word_diff(baseline, candidate);
            let own: Vec<Segment> = all.into_iter().filter(|segment| segment.op != other).collect();
            marked(abbreviated(own, CONTEXT_WORDS, limit).segments).to_string()
        })
    }

    fn active(markdown: &str) -> Vec<String> {
        forge::read(&format!("| side | {markdown} |\n|:--|:--|\n| a | {markdown} |\n"), None).active
    }

    #[test]
    fn link_that_a_difference_makes_is_inert() {
        let [baseline, candidate] =
            sides("https: foo //evil.example/phish", "https://evil.example/phish", 300);
        assert_eq!(active(&baseline), Vec::<String>::new(), "{baseline}");
        assert_eq!(active(&candidate), Vec::<String>::new(), "{candidate}");
        assert!(candidate.contains("evil.example/phish"), "{candidate}");
        for (old, new) in [
            ("https: x //evil.example", "https://evil.example"),
            ("www x .evil.example", "www.evil.example"),
            ("see #", "see #1"),
            ("a @ b octocat", "a @octocat"),
            ("GH x -1", "GH-1"),
            ("abcd x ef01", "abcdef01"),
            ("https:old", "https://new.example"),
            ("w w x w.evil.example", "w x w x w.evil.example"),
        ] {
            for side in sides(old, new, 300) {
                assert_eq!(active(&side), Vec::<String>::new(), "{old:?} {new:?}: {side:?}");
            }
        }
    }

    #[test]
    fn empty_and_neighbouring_segments_are_one_text() {
        let equal = |text: &str| Segment { op: SegmentOp::Equal, text: text.to_owned() };
        let removed = |text: &str| Segment { op: SegmentOp::Removed, text: text.to_owned() };
        let parts = vec![equal("https:"), removed(""), equal("//evil.example"), removed("x"), removed("y")];
        assert_eq!(marked(parts).to_string(), "https:\u{200B}//evil.example<del>xy</del>");
    }

    /// Words that become active where a difference puts them beside each other.
    fn tokens() -> impl Strategy<Value = String> {
        let token = prop::sample::select(vec![
            "https",
            ":",
            "//",
            "://",
            "evil.example",
            "www",
            ".",
            "@",
            "octocat",
            "#",
            "1",
            "GH",
            "-",
            "abcd",
            "ef01",
            "mailto",
            "a@b.example",
            " ",
            "\n",
            "|",
            "<",
            "!",
            "[x]",
            "(http:",
            "word",
            "\u{200B}",
            "`",
        ]);
        prop::collection::vec(token, 0..12).prop_map(|tokens| tokens.concat())
    }

    proptest! {
        #[test]
        fn differences_of_hostile_answers_are_inert(
            old in prop_oneof![tokens(), hostile()],
            new in prop_oneof![tokens(), hostile()],
            limit in prop_oneof![Just(300_usize), 5_usize..60],
        ) {
            for side in sides(&old, &new, limit) {
                prop_assert_eq!(active(&side), Vec::<String>::new(), "{:?}", side);
            }
            let both = marked(abbreviated(word_diff(&old, &new), CONTEXT_WORDS, limit).segments).to_string();
            prop_assert_eq!(active(&both), Vec::<String>::new(), "{:?}", both);
        }
    }
}
