//! The precheck: incomplete or empty answers score 0 without a call.
//!
//! A lone ":" or "Thought process:" fools judges with a reference (the "one token" attack), so such answers never reach
//! one. An answer with any word beyond an opener is judged.

use std::collections::HashSet;
use std::sync::LazyLock;

use unicode_segmentation::UnicodeSegmentation;

use promptgate_core::model::FinishReason;
use promptgate_core::port::Subject;
use promptgate_core::text::word_list;

/// Phrases that open an answer and mean nothing by themselves, in lower case without punctuation.
static OPENERS: LazyLock<HashSet<&str>> = LazyLock::new(|| word_list(include_str!("data/openers.txt")));

/// The reason why an answer scores 0 without a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) reason: String,
    /// Flag of the grade.
    pub(super) flag: &'static str,
}

/// Returns the answer to judge.
///
/// # Errors
/// The answer is incomplete, absent or empty.
pub(super) fn answer<'a>(subject: &Subject<'a>) -> Result<&'a str, Refusal> {
    let is_incomplete =
        matches!(subject.completion.finish_reason, FinishReason::Length | FinishReason::ContentFilter);
    if is_incomplete {
        let reason =
            format!("the answer is incomplete: finish_reason {}", subject.completion.finish_reason.as_str());
        return Err(Refusal { reason, flag: "unfinished_answer" });
    }
    let answer =
        subject.answer.map_err(|reason| Refusal { reason: reason.to_owned(), flag: "no_answer_text" })?;
    match emptiness(answer) {
        Some(reason) => Err(Refusal { reason: reason.to_owned(), flag: "empty_answer" }),
        None => Ok(answer),
    }
}

fn emptiness(answer: &str) -> Option<&'static str> {
    if answer.trim().is_empty() {
        return Some("the answer is empty");
    }
    let lower = answer.to_lowercase().replace('\u{2019}', "'");
    // No opener has more words.
    let words: Vec<&str> = lower.unicode_words().take(10).collect();
    if words.is_empty() {
        return Some("the answer has no words");
    }
    OPENERS.contains(words.join(" ").as_str()).then_some("the answer is an opener without an answer")
}

#[cfg(test)]
mod tests {
    use super::emptiness;

    #[test]
    fn empty_answers_are_rejected() {
        for text in [
            "",
            "  \n",
            ":",
            ".",
            " - ",
            "...",
            "。",
            "👍",
            "Thought process:",
            "**Answer:**",
            "answer",
            "# Solution\n",
            "Let’s solve this problem step by step.",
            "<think>",
            "Final answer :",
        ] {
            assert!(emptiness(text).is_some(), "{text:?}");
        }
    }

    #[test]
    fn short_answers_are_accepted() {
        for text in ["30", "Yes.", "No", "Answer: 30 days", "14 Tage", "はい", "Certainly!", "€5"] {
            assert_eq!(emptiness(text), None, "{text:?}");
        }
    }
}
