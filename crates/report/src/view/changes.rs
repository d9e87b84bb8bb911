//! Changes from the baseline to the candidate, for all renderings: the prompt word by word, then model and parameters.
//!
//! [`changes`] is the whole; [`word_diff`] and [`abbreviated`] serve answers as well.

use serde::Serialize;

pub(crate) use super::abbreviated::{CONTEXT_WORDS, Shortened, abbreviated};
use super::{Sanitizer, request_changes};
use crate::v1::{ChangedMessage, Changes, MessageChange, Report, Segment, SegmentOp, Variant};
use crate::wire::release::diff::segments;

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
    /// A sentence on the changes that `segments` leave out; `None` if there are none.
    pub(crate) left_out: Option<String>,
    /// Whether nothing but white space differs.
    pub(crate) only_white_space: bool,
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
    let messages = changes.messages.into_iter().map(|message| {
        let only_white_space = differs_by_white_space(&message);
        let Shortened { segments, left_out } = abbreviated(message.segments, CONTEXT_WORDS, limit);
        let (role, number, change) = (message.role, message.number, message.change);
        MessageView { role, number, change, segments, left_out, only_white_space }
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

/// Whether a message differs in nothing but white space.
fn differs_by_white_space(message: &ChangedMessage) -> bool {
    let text = |without: SegmentOp| -> String {
        let kept = message.segments.iter().filter(|segment| segment.op != without);
        kept.flat_map(|segment| segment.text.chars()).filter(|character| !character.is_whitespace()).collect()
    };
    message.change == MessageChange::Changed && text(SegmentOp::Added) == text(SegmentOp::Removed)
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

    #[test]
    fn change_of_white_space_alone_is_known() {
        let view = |old: &str, new: &str| {
            let mut report = fixtures::fail();
            let message = |content: &str| {
                vec![PromptMessage { role: MessageRole::System, content: content.to_owned(), omitted: 0 }]
            };
            report.variants.candidate.messages = message(new);
            report.variants.baseline.as_mut().unwrap().messages = message(old);
            let redactor = Redactor::new(&[]);
            changes(&report, 1000, &Sanitizer::new(&redactor)).unwrap().messages[0].only_white_space
        };
        assert!(view("a b", "a  b") && view("a b\n", "a b") && view("a\nb", "a b"));
        assert!(!view("a b", "a c") && !view("a b", "a b c"));
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
