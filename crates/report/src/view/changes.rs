//! Changes from the baseline to the candidate, for all renderings: the prompt word by word, then model and parameters.
//!
//! [`changes`] is the whole; [`word_diff`] and [`abbreviated`] serve answers as well.

use serde::Serialize;

use super::{Sanitizer, request_changes};
use crate::v1::{Changes, MessageChange, Report, Segment, SegmentOp, Variant};
use crate::wire::release::diff::segments;

/// Words of equal text that are kept beside a change.
pub(crate) const CONTEXT_WORDS: usize = 8;

/// The mark of text that is left out.
const GAP: &str = " … ";

/// Differences between what the variants send.
#[derive(Debug, Serialize)]
pub(crate) struct ChangesView {
    /// Whether prompt, model and parameters are equal.
    pub(crate) equal: bool,
    /// Messages that differ.
    pub(crate) messages: Vec<MessageView>,
    /// Sentences on model and parameters: `temperature from 0 to 1.5`.
    pub(crate) request: Vec<String>,
    /// Whether the texts of the prompts are known; if not, `messages` is empty whatever changed.
    pub(crate) are_texts_known: bool,
}

/// A message that differs.
#[derive(Debug, Serialize)]
pub(crate) struct MessageView {
    /// The role of its author.
    pub(crate) role: String,
    /// Its number, from 1.
    pub(crate) number: usize,
    /// Which variants have it.
    pub(crate) change: MessageChange,
    /// Its text: changed words with some words around them.
    pub(crate) segments: Vec<Segment>,
}

/// The differences, with at most `limit` characters for each message; `None` without a baseline, and for reports of
/// earlier versions.
pub(crate) fn changes(report: &Report, limit: usize, sanitizer: &Sanitizer<'_>) -> Option<ChangesView> {
    let known = report.changes.as_ref()?;
    let baseline = report.variants.baseline.as_ref()?;
    let candidate = &report.variants.candidate;
    let are_texts_known = !baseline.messages.is_empty() && !candidate.messages.is_empty();
    // A secret could be torn apart by a difference of texts that are not redacted yet.
    let changes = Changes::of(&redacted(baseline, sanitizer), &redacted(candidate, sanitizer));
    let messages = changes.messages.into_iter().map(|message| MessageView {
        role: message.role,
        number: message.number,
        change: message.change,
        segments: abbreviated(message.segments, CONTEXT_WORDS, limit),
    });
    Some(ChangesView {
        equal: known.equal,
        messages: messages.collect(),
        request: request_changes(report),
        are_texts_known,
    })
}

fn redacted(variant: &Variant, sanitizer: &Sanitizer<'_>) -> Variant {
    let mut variant = variant.clone();
    for message in &mut variant.messages {
        message.content = sanitizer.clip(&message.content, usize::MAX);
    }
    variant
}

/// Compares two texts, which must be redacted: by lines, and within them by words.
pub(crate) fn word_diff(old: &str, new: &str) -> Vec<Segment> {
    segments(promptgate_core::text::word_diff(old, new))
}

/// Shortens equal text to `words` on each side of a change, and the whole to `limit` characters, with marks.
pub(crate) fn abbreviated(segments: Vec<Segment>, words: usize, limit: usize) -> Vec<Segment> {
    let last = segments.len().saturating_sub(1);
    let mut shown = Vec::with_capacity(segments.len());
    let mut left = limit;
    for (index, segment) in segments.into_iter().enumerate() {
        let text = match segment.op {
            SegmentOp::Equal if last > 0 => around(&segment.text, words, index > 0, index < last),
            _ => segment.text,
        };
        let length = text.chars().count();
        if length > left {
            let text = promptgate_core::text::neutral::clip(&text, left.max(1));
            shown.push(Segment { op: segment.op, text });
            break;
        }
        left -= length;
        shown.push(Segment { op: segment.op, text });
    }
    shown
}

/// The words of an equal text that are next to a change before it or after it.
fn around(text: &str, words: usize, follows_change: bool, precedes_change: bool) -> String {
    let starts: Vec<usize> = word_starts(text).collect();
    let keep = words * (usize::from(follows_change) + usize::from(precedes_change));
    // A mark in the place of a few words would not make it shorter.
    if starts.len() <= keep + 2 {
        return text.to_owned();
    }
    let end_of_first = starts.get(words).copied().unwrap_or(text.len());
    let start_of_last = starts.len().checked_sub(words).and_then(|at| starts.get(at)).copied().unwrap_or(0);
    let first = if follows_change { text[..end_of_first].trim_end() } else { "" };
    let last = if precedes_change { &text[start_of_last..] } else { "" };
    format!("{first}{}{last}", if follows_change { GAP } else { GAP.trim_start() })
}

/// The byte positions where words start.
fn word_starts(text: &str) -> impl Iterator<Item = usize> {
    let mut is_space = true;
    text.char_indices().filter_map(move |(at, character)| {
        let starts = is_space && !character.is_whitespace();
        is_space = character.is_whitespace();
        starts.then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use crate::v1::PromptMessage;
    use promptgate_core::model::MessageRole;
    use promptgate_core::text::{Redactor, Secret};

    fn shown(segments: &[Segment]) -> String {
        let text = |segment: &Segment| match segment.op {
            SegmentOp::Equal => segment.text.clone(),
            SegmentOp::Removed => format!("[-{}-]", segment.text),
            SegmentOp::Added => format!("{{+{}+}}", segment.text),
        };
        segments.iter().map(text).collect()
    }

    fn numbers(from: u32, to: u32) -> String {
        (from..=to).map(|number| format!("w{number} ")).collect()
    }

    #[test]
    fn equal_text_is_cut_around_changes() {
        let old = format!("{}old {}gone {}", numbers(1, 20), numbers(21, 40), numbers(41, 60));
        let new = format!("{}new {}{}", numbers(1, 20), numbers(21, 40), numbers(41, 60));
        assert_eq!(
            shown(&abbreviated(word_diff(&old, &new), 2, 1000)),
            "… w19 w20 [-old-]{+new+} w21 w22 … w39 w40[- gone-] w41 w42 … "
        );
        // Short texts stay whole.
        assert_eq!(
            shown(&abbreviated(word_diff("one two three old", "one two three new"), 2, 1000)),
            "one two three [-old-]{+new+}"
        );
        assert_eq!(
            shown(&abbreviated(word_diff("same words here", "same words here"), 1, 1000)),
            "same words here"
        );
    }

    #[test]
    fn difference_is_cut_to_its_limit() {
        let cut = abbreviated(word_diff("a b c", &format!("a {}", "x".repeat(100))), 8, 20);
        let length: usize = cut.iter().map(|segment| segment.text.chars().count()).sum();
        assert!(length <= 20 && shown(&cut).contains('…'), "{cut:?}");
    }

    #[test]
    fn prompts_are_compared_after_redaction() {
        let mut report = fixtures::fail();
        let message = |content: &str| {
            vec![PromptMessage { role: MessageRole::System, content: content.to_owned(), omitted: 0 }]
        };
        report.variants.candidate.messages = message("Use sk-abcdef-new and be brief.");
        let baseline = report.variants.baseline.as_mut().unwrap();
        baseline.messages = message("Use sk-abcdef-old and be kind.");
        report.changes = Some(Changes::of(baseline, &report.variants.candidate));
        let secrets = ["sk-abcdef-new", "sk-abcdef-old"].map(|secret| Secret::new(secret.to_owned()));
        let redactor = Redactor::new(&secrets);
        let view = changes(&report, 1000, &Sanitizer::new(&redactor)).unwrap();
        assert!(!view.equal && view.are_texts_known);
        let [message] = view.messages.as_slice() else { panic!("{view:?}") };
        assert_eq!((message.role.as_str(), message.number), ("system", 1));
        assert_eq!(shown(&message.segments), "Use [redacted] and be [-kind-]{+brief+}.");
    }
}
