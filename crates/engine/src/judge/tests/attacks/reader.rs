//! An honest judge that compares words.
//!
//! A sentence backs a statement if it contains all content words of it in the same order, including numbers, and has the
//! same number of negations. It parses words with its own code, so that an error in the code under test is visible.

use unicode_segmentation::UnicodeSegmentation;

use super::super::super::statements::split;
use super::*;

/// Longer words without content; short words are ignored.
const WITHOUT_CONTENT: [&str; 12] =
    ["that", "this", "with", "have", "from", "into", "when", "does", "what", "they", "which", "there"];
const NEGATIVE: [&str; 7] = ["not", "no", "never", "cannot", "hardly", "without", "nobody"];

/// The content words in order, without the s of plurals, and the number of negations.
pub(super) fn words(text: &str) -> (Vec<String>, usize) {
    let lower = text.to_lowercase();
    let negations = lower.unicode_words().filter(|word| NEGATIVE.contains(word)).count();
    let content = |word: &&str| {
        let long = word.chars().count() > 3 || !word.is_ascii();
        (long && !WITHOUT_CONTENT.contains(word)) || word.contains(|character: char| character.is_numeric())
    };
    let words =
        lower.unicode_words().filter(content).map(|word| word.trim_end_matches('s').to_owned()).collect();
    (words, negations)
}

/// Whether a sentence backs a statement.
fn backs(sentence: &str, statement: &str) -> bool {
    let (expected, negations) = words(statement);
    let (there, others) = words(sentence);
    let mut there = there.iter();
    !expected.is_empty()
        && negations == others
        && expected.iter().all(|word| there.any(|other| other == word))
}

fn is_about(topic: &[String], statement: &str) -> bool {
    let shared: BTreeSet<String> =
        words(statement).0.into_iter().filter(|word| topic.contains(word)).collect();
    shared.len() >= 2 && !statement.ends_with('?')
}

/// The reply of the honest judge to a payload.
pub(super) fn reply(payload: &UntypedPayload) -> String {
    if let Some(FaithfulnessPayload { context, statements, .. }) = payload.typed() {
        let sentences = split(&context);
        let entries = statements.iter().map(|statement| {
            let found = sentences.iter().find(|sentence| backs(sentence, &statement.text));
            let verdict = if found.is_some() { "supported" } else { "not_found" };
            let quotes: Vec<&String> = found.into_iter().collect();
            json!({"id": statement.id, "quotes": quotes, "reasoning": "compared word by word", "verdict": verdict})
        });
        json!({"statements": entries.collect::<Vec<_>>()}).to_string()
    } else if let Some(ChecklistPayload { question, answer, items }) = payload.typed() {
        let statements = split(&answer);
        let topic = words(&question).0;
        let some = |topic: &[String]| statements.iter().any(|statement| is_about(topic, statement));
        let every_part = question.split(", and ").all(|part| some(&words(part).0));
        let on_topic = statements.iter().all(|statement| is_about(&topic, statement));
        let fulfilled = |item: &Numbered| match registry::word_rule(&item.text).unwrap() {
            WordRule::Addressed | WordRule::NoEvasion => some(&topic),
            WordRule::EveryPart => every_part,
            WordRule::OnTopic => on_topic,
            WordRule::Polite | WordRule::NoneOf(_) => true,
            WordRule::NextStep => false,
            WordRule::Keywords(text) => some(&words(text).0),
        };
        let verdicts = items.iter().map(|item| if fulfilled(item) { "yes" } else { "no" });
        list("items", &verdicts.collect::<Vec<_>>())
    } else if let Some(CorrectnessPayload { answer, statements, .. }) = payload.typed() {
        let sentences = split(&answer);
        let covered = |statement: &str| sentences.iter().any(|sentence| backs(sentence, statement));
        let verdicts: Vec<&str> = statements
            .iter()
            .map(|statement| if covered(&statement.text) { "covered" } else { "absent" })
            .collect();
        list("statements", &verdicts)
    } else if let Some(ContextRecallPayload { context, statements, .. }) = payload.typed() {
        let passages = split(&context);
        let entries = statements.iter().map(|statement| {
            let found = passages.iter().find(|sentence| backs(sentence, &statement.text));
            with_quote(statement.id, found, ["supported", "missing"])
        });
        json!({"statements": entries.collect::<Vec<_>>()}).to_string()
    } else if let Some(ContextPrecisionPayload { reference, passages, .. }) = payload.typed() {
        let reference = split(&reference);
        let entries = passages.iter().map(|passage| {
            let sentences = split(&passage.text);
            let helps = |sentence: &&String| reference.iter().any(|part| backs(sentence, part));
            with_quote(passage.id, sentences.iter().find(helps), ["useful", "not_useful"])
        });
        json!({"passages": entries.collect::<Vec<_>>()}).to_string()
    } else {
        panic!("no rules for the task {}", payload.task())
    }
}

fn with_quote(id: u32, quote: Option<&String>, [yes, no]: [&str; 2]) -> Value {
    let verdict = if quote.is_some() { yes } else { no };
    let quotes: Vec<&String> = quote.into_iter().collect();
    json!({"id": id, "quotes": quotes, "reasoning": "compared word by word", "verdict": verdict})
}

/// The honest judge.
pub(super) fn honest() -> impl ChatModel {
    ScriptedModel::new(|request, _| Ok(completion(&reply(&untyped(request)))))
}

#[tokio::test]
async fn honest_judge_separates_right_from_wrong() {
    let model = honest();
    let context = pool().context.unwrap().join(" ");
    let right = "A day ticket costs 7 euros for adults. The pool closes at 20:30 in July.";
    for (answer, scores) in [
        (right, [1.0, 1.0, 0.5]),
        (&context, [1.0, 0.75, 0.5]),
        (BASES[0], [0.0, 1.0, 0.0]),
        (BASES[1], [0.5, 1.0, 0.5]),
        ("Ask somebody else.", [0.0, 0.0, 0.0]),
    ] {
        for (kind, score) in ["faithfulness", "relevance", "correctness"].map(built_in).iter().zip(scores) {
            assert_eq!(graded(kind, &model, answer).await.score(), Some(score), "{kind:?} {answer}");
        }
    }
}
