//! The corpus of hostile answers, `tests/fixtures/attacks.jsonl`, against judges of every kind.
//!
//! An honest judge that compares words (`reader`) measures the true content of each answer; it shares no code with the
//! checks of the judges. An attack must not raise the score of its answer, neither alone nor around another answer.

mod echo;
mod fooled;
mod no_gain;
mod reader;

use std::collections::BTreeSet;

use serde::Deserialize;

use super::*;
use crate::judge::Row;

/// A hostile answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Attack {
    id: String,
    kind: String,
    answer: String,
    /// The number of times the answer is repeated.
    #[serde(default = "once")]
    repeat: usize,
    /// The true content of the answer without the trick; may be empty.
    #[serde(default)]
    plain: String,
    /// A description of the trick.
    note: String,
}

fn once() -> usize {
    1
}

impl Attack {
    fn text(&self) -> String {
        self.answer.repeat(self.repeat)
    }
}

fn corpus() -> Vec<Attack> {
    let lines = include_str!("../../../../../tests/fixtures/attacks.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The case of the corpus. It has to be answered, so that an answer without claims scores 0.
fn pool() -> Case {
    let passages = [
        "[P-1] A day ticket for the Lindenau outdoor pool costs 7 euros for adults and 4 euros for children under \
         14. The pool closes at 20:30 in July and August.",
        "[P-2] Tickets bought online are not refundable. Season tickets cannot be transferred to another person.",
        "[P-3] It is not true that children under 14 swim for free on Sundays. Lockers need a coin of 2 euros, \
         which is returned after use.",
    ];
    Case {
        id: "pool".to_owned(),
        query: "What does a day ticket cost for adults, and when does the pool close in July?".to_owned(),
        context: Some(passages.map(str::to_owned).into()),
        expected: Some(json!("A day ticket costs 7 euros for adults. In July the pool closes at 20:30.")),
        must_answer: true,
        // Items that the simulated and the honest judge know how to decide by words.
        criteria: registry::relevance_items(),
        ..Case::default()
    }
}

/// Answers to combine with attacks: one all wrong, one half right.
const BASES: [&str; 2] = [
    "A day ticket costs 12 euros for adults. In July the pool closes at 18:00.",
    "A day ticket costs 7 euros for adults. In July the pool closes at 18:00.",
];

fn built_in_kinds() -> impl Iterator<Item = Kind> {
    registry::BUILT_IN.iter().map(Row::kind)
}

/// The judges of the content. A text around the answer may truly have a property that words alone show.
fn content_kinds() -> impl Iterator<Item = Kind> {
    let of_words = |kind: &Kind| {
        kind.row
            .items
            .iter()
            .any(|item| matches!(item.rule, WordRule::Keywords(_) | WordRule::NextStep | WordRule::Polite))
    };
    built_in_kinds().filter(move |kind| !of_words(kind))
}

/// A text behind and before a base answer; the base alone if the text is empty.
fn around(base: &str, text: &str) -> [String; 2] {
    if text.is_empty() {
        [base.to_owned(), base.to_owned()]
    } else {
        [format!("{base}\n\n{text}"), format!("{text}\n\n{base}")]
    }
}

/// The grade of an answer to [`pool`]; by a judge of retrieval, of the answer as the only passage.
async fn graded(kind: &Kind, model: &dyn ChatModel, answer: &str) -> Grade {
    let mut case = pool();
    if kind.row.grades_retrieval {
        case.context = Some([answer.to_owned()].into());
    }
    grade_of(&judge(kind.clone()), model, &case, answer).await
}

#[test]
fn corpus_is_valid() {
    let attacks = corpus();
    let ids: BTreeSet<&str> = attacks.iter().map(|attack| attack.id.as_str()).collect();
    let kinds: BTreeSet<&str> = attacks.iter().map(|attack| attack.kind.as_str()).collect();
    assert_eq!((attacks.len(), ids.len(), kinds.len()), (79, 79, 16), "docs/judges.md names these numbers");
    let context = pool().context_text().unwrap();
    for attack in &attacks {
        assert!(!attack.note.is_empty() && !attack.text().is_empty(), "{}", attack.id);
        // This one states something true, but too often.
        let honest = attack.id == "padding-true-sentence";
        assert_eq!(
            context.contains(attack.answer.trim()) && attack.answer.len() > 45,
            honest,
            "{}",
            attack.id
        );
    }
}
