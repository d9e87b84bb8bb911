//! What scores 0 without asking: an answer that is none.
//!
//! A lone ":" or "Thought process:" fools reference judges (the "one token" attack), so such answers never reach
//! one. Everything that holds a word beyond an opener is asked.

use unicode_segmentation::UnicodeSegmentation;

use promptgate_core::model::FinishReason;
use promptgate_core::port::Subject;

/// Words with which models open an answer and that say nothing by themselves; compared in lower case, without
/// punctuation. "Sure" and "certainly" are not among them: they can be the whole answer.
const OPENERS: [&str; 30] = [
    "thought process",
    "thought",
    "thoughts",
    "thinking",
    "think",
    "reasoning",
    "reasoning process",
    "answer",
    "the answer",
    "the answer is",
    "final answer",
    "the final answer is",
    "my answer",
    "solution",
    "the solution is",
    "response",
    "result",
    "output",
    "explanation",
    "analysis",
    "step 1",
    "lets solve this problem step by step",
    "let's solve this problem step by step",
    "let's think step by step",
    "lets think step by step",
    "step by step",
    "here is the answer",
    "here's the answer",
    "here is my answer",
    "assistant",
];

/// Why an answer scores 0 unasked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// One line.
    pub(super) reason: String,
    /// The flag of the grade.
    pub(super) flag: &'static str,
}

/// The answer to ask about.
///
/// # Errors
/// Why there is nothing to ask about.
pub(super) fn answer<'a>(subject: &Subject<'a>) -> Result<&'a str, Refusal> {
    let unfinished = matches!(
        subject.completion.finish_reason,
        FinishReason::Length | FinishReason::ContentFilter | FinishReason::ToolCalls
    );
    if unfinished {
        let reason =
            format!("the answer is not whole: finish_reason {}", subject.completion.finish_reason.as_str());
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
    // More words than any opener has need no look.
    let words: Vec<&str> = lower.unicode_words().take(10).collect();
    if words.is_empty() {
        return Some("the answer holds no word");
    }
    OPENERS.contains(&words.join(" ").as_str()).then_some("the answer is an opener without an answer")
}

#[cfg(test)]
mod tests {
    use super::emptiness;

    #[test]
    fn answers_that_are_none() {
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
    fn answers_that_are_short() {
        for text in ["30", "Yes.", "No", "Answer: 30 days", "14 Tage", "はい", "Certainly!", "€5"] {
            assert_eq!(emptiness(text), None, "{text:?}");
        }
    }
}
