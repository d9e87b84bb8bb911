//! Which name is the question, which the passages and which the reference answer.

use promptgate_core::template::{aliases, names_a_reference};

/// Names of questions besides those of other tools, the likeliest first.
const ASKED: [&str; 9] = [
    "user_question",
    "customer_question",
    "user_message",
    "customer_message",
    "user_text",
    "message",
    "request",
    "ask",
    "utterance",
];
/// Names of messages that belong to one kind of prompt.
const RECEIVED: [&str; 10] =
    ["ticket", "email", "mail", "review", "comment", "feedback", "complaint", "conversation", "chat", "post"];
/// Names of texts that a prompt works on, which nobody would send as a message of their own.
const TEXTS: [&str; 4] = ["document", "transcript", "article", "topic"];
/// Names that mean a question elsewhere, and beside another text say what it is about.
const HEADINGS: [&str; 3] = ["title", "doc", "statement"];
/// Names of decisions, whose values are labels.
const DECISIONS: [&str; 11] = [
    "decision",
    "verdict",
    "outcome",
    "route",
    "routing",
    "queue",
    "severity",
    "urgency",
    "priority",
    "action",
    "department",
];
const PASSAGES: [&str; 11] = [
    "context",
    "sources",
    "knowledge",
    "search_results",
    "docs",
    "chunks",
    "evidence",
    "excerpts",
    "passage",
    "excerpt",
    "snippets",
];
const REFERENCES: [&str; 9] =
    ["expected", "label", "category", "class", "intent", "sentiment", "output", "completion", "response"];

/// A name as it is compared: in lower case, with `_` between words.
pub(super) fn plain(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_").to_lowercase()
}

fn first<'n>(names: &[&'n str], known: &[&str], others: &[&str]) -> Option<&'n str> {
    let known = known.iter().chain(others);
    known.filter_map(|word| names.iter().find(|name| plain(name) == **word)).copied().next()
}

/// The name that is likely the passages.
pub(super) fn passages<'n>(names: &[&'n str]) -> Option<&'n str> {
    first(names, &PASSAGES, aliases("context")).filter(|name| plain(name) != "content")
}

/// The name that means a question in any dataset: `question`, `input`, …
pub(super) fn general_question<'n>(names: &[&'n str]) -> Option<&'n str> {
    first(names, &["query"], aliases("query"))
}

/// The name that is likely the question.
pub(super) fn question<'n>(names: &[&'n str]) -> Option<&'n str> {
    message(names).or_else(|| general_question(names)).or_else(|| first(names, &TEXTS, &[]))
}

/// The name that is a question to any prompt: `question`, `input`, `message`, …
pub(super) fn asks<'n>(names: &[&'n str]) -> Option<&'n str> {
    let ends = |name: &&&str| {
        ["_question", "_query", "_message", "_request"].iter().any(|end| plain(name).ends_with(end))
    };
    general_question(names).or_else(|| first(names, &ASKED, &[])).or_else(|| names.iter().find(ends).copied())
}

/// The name that a user writes: a question, a message, a ticket.
pub(super) fn message<'n>(names: &[&'n str]) -> Option<&'n str> {
    let written: Vec<&str> =
        names.iter().filter(|name| !HEADINGS.contains(&plain(name).as_str())).copied().collect();
    asks(&written).or_else(|| first(&written, &RECEIVED, &[]))
}

/// Whether values of this name are decisions.
pub(super) fn is_decision(name: &str) -> bool {
    DECISIONS.contains(&plain(name).as_str())
}

/// The name that is likely the reference answer.
pub(super) fn reference<'n>(names: &[&'n str]) -> Option<&'n str> {
    // `__expected` of promptfoo is an assertion.
    let names: Vec<&str> = names.iter().filter(|name| !name.starts_with("__")).copied().collect();
    first(&names, &REFERENCES, aliases("expected"))
        .or_else(|| names.iter().find(|name| names_a_reference(name)).copied())
}

/// The placeholder that is the question of a prompt: the likeliest name, else the last that is not the passages. `None` where
/// the question is not part of the prompt.
pub(super) fn asked(placeholders: &[String]) -> Option<&str> {
    let names: Vec<&str> = placeholders.iter().map(String::as_str).filter(|name| *name != "id").collect();
    let passages = passages(&names);
    let others: Vec<&str> = names.into_iter().filter(|name| Some(*name) != passages).collect();
    question(&others).or_else(|| others.last().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_found_by_name() {
        assert_eq!(question(&["Customer Name", "User-Question"]), Some("User-Question"));
        assert_eq!(passages(&["tone", "retrieved_contexts"]), Some("retrieved_contexts"));
        assert_eq!(reference(&["text", "label"]), Some("label"));
        assert_eq!(reference(&["question", "__expected1"]), None);
        assert_eq!(passages(&["customer_name", "passage"]), Some("passage"));
        assert_eq!((question(&["tone"]), passages(&["tone"]), reference(&["tone"])), (None, None, None));
    }

    #[test]
    fn asked_placeholder_is_a_question_or_the_last() {
        let asked = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            asked(&names).map(str::to_owned)
        };
        assert_eq!(asked(&["topic", "question"]).as_deref(), Some("question"));
        assert_eq!(asked(&["question", "tone"]).as_deref(), Some("question"));
        assert_eq!(asked(&["name", "product"]).as_deref(), Some("product"));
        assert_eq!(asked(&["context"]), None);
        assert_eq!(asked(&["id", "passages"]), None);
        assert_eq!(asked(&[]), None);
    }
}
