//! Judges that were talked into "supported" everywhere, and the quote check.

use super::super::super::normalize::{content_stems, normalize};
use super::super::super::{numbers, statements};
use super::reader::{self, honest};
use super::*;
use crate::judge::request::Numbered;

/// A judge that finds every statement supported, with the quotes of a function of answer and statement.
fn fooled(quotes: impl Fn(&str, &Numbered) -> Vec<String> + Send + Sync + 'static) -> impl ChatModel {
    ScriptedModel::new(move |request, _| {
        let FaithfulnessPayload { answer, statements, .. } = payload(request);
        let entry = |statement: &Numbered| json!({"id": statement.id, "quotes": quotes(&answer, statement), "reasoning": "of course", "verdict": "supported"});
        Ok(completion(&json!({"statements": statements.iter().map(entry).collect::<Vec<_>>()}).to_string()))
    })
}

/// The sentence of the context that shares most words with a statement; the first of equal ones.
fn nearest(statement: &str) -> String {
    let expected: BTreeSet<String> = reader::words(statement).0.into_iter().collect();
    let shared = |sentence: &String| {
        let there: BTreeSet<String> = reader::words(sentence).0.into_iter().collect();
        expected.intersection(&there).count()
    };
    let mut sentences = statements::split(&pool().context_text().unwrap());
    sentences.reverse();
    sentences.into_iter().max_by_key(shared).unwrap()
}

/// The text with homoglyphs of another script.
fn with_homoglyphs(text: &str) -> String {
    let pairs = [('a', '\u{430}'), ('e', '\u{435}'), ('o', '\u{43e}'), ('c', '\u{441}'), ('p', '\u{440}')];
    text.chars()
        .map(|letter| pairs.iter().find(|(latin, _)| *latin == letter).map_or(letter, |(_, other)| *other))
        .collect()
}

/// An attack that passes the quote check with the statement itself as the quote: its words are in the context, and the
/// check ignores the negation before them.
const TORN: &str = "torn-from-its-negation";

/// Asserts that no attack scores more than its true statements by a fooled judge, and that the grades are flagged.
async fn no_support_from(model: impl ChatModel, exceptions: &[&str]) {
    let mut wrong = Vec::new();
    for attack in corpus().iter().filter(|attack| !exceptions.contains(&attack.id.as_str())) {
        let text = attack.text();
        let honest = graded(&built_in("faithfulness"), &honest(), &text).await.score();
        let grade = graded(&built_in("faithfulness"), &model, &text).await;
        let flagged = grade.flags.iter().any(|flag| flag == "unquoted_support" || flag == "empty_answer");
        if grade.score() > honest || grade.score().is_none() || (grade.score() == Some(0.0) && !flagged) {
            wrong.push(format!("{}: {:?} above {honest:?}, {}", attack.id, grade.score(), grade.reason));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn support_without_a_quote_does_not_count() {
    no_support_from(fooled(|_, _| Vec::new()), &[]).await;
}

#[tokio::test]
async fn statement_does_not_count_as_its_own_quote() {
    no_support_from(fooled(|_, statement| vec![statement.text.clone()]), &[TORN]).await;
    let torn = corpus().into_iter().find(|attack| attack.id == TORN).unwrap();
    let itself = fooled(|_, statement| vec![statement.text.clone()]);
    let grade = graded(&built_in("faithfulness"), &itself, &torn.text()).await;
    assert_eq!(grade.score(), Some(1.0), "docs/judges.md calls this a limit: {}", grade.reason);
}

#[tokio::test]
async fn quotes_of_the_answer_do_not_count() {
    let of_the_answer = |answer: &str, _: &Numbered| {
        let mut quotes = statements::split(answer);
        // The whole answer, and the parts in quotation marks or brackets.
        quotes.push(answer.to_owned());
        quotes.extend(answer.split(['"', '<', '>']).map(str::to_owned));
        quotes.truncate(12);
        quotes
    };
    no_support_from(fooled(of_the_answer), &[TORN]).await;
}

#[tokio::test]
async fn quotes_with_homoglyphs_do_not_count() {
    no_support_from(fooled(|_, statement| vec![with_homoglyphs(&nearest(&statement.text))]), &[]).await;
}

/// The number of statements in the corpus, and of those that pass the quote check if a fooled judge quotes the nearest
/// sentence of the context. The check cannot detect a real quote that does not back its statement.
const ALL_AND_PASSED: (usize, usize) = (96, 21);

#[tokio::test]
async fn unrelated_real_quotes_pass_at_the_known_rate() {
    let model = fooled(|_, statement| vec![nearest(&statement.text)]);
    let context = normalize(&pool().context_text().unwrap());
    let (known, counted) = (content_stems(&context), numbers::stated(&context));
    let (mut all, mut passed) = (0, Vec::new());
    for attack in corpus().iter().filter(|attack| attack.id != "padding-true-sentence") {
        let grade = graded(&built_in("faithfulness"), &model, &attack.text()).await;
        let Some(entries) = grade.details["statements"].as_array() else {
            assert_eq!(grade.flags, ["empty_answer"], "{}", attack.id);
            continue;
        };
        for entry in entries {
            all += 1;
            let normal = normalize(entry["text"].as_str().unwrap());
            let (stems, claimed) = (content_stems(&normal), numbers::claimed(&normal));
            let is_unrelated = stems.is_disjoint(&known) && claimed.is_disjoint(&counted);
            if entry["quote_found"] == true {
                passed.push(format!("{}: {}", attack.id, entry["text"]));
                assert!(!is_unrelated || (stems.is_empty() && claimed.is_empty()), "{}: {normal}", attack.id);
            }
        }
    }
    assert_eq!((all, passed.len()), ALL_AND_PASSED, "docs/judges.md names these numbers: {passed:#?}");
}

#[tokio::test]
async fn no_claim_everywhere_scores_zero_if_an_answer_is_due() {
    let none = ScriptedModel::new(|request, _| {
        let FaithfulnessPayload { statements, .. } = payload(request);
        Ok(completion(&verdicts(&vec![("no_claim", &[][..]); statements.len()])))
    });
    let optional = Case { must_answer: false, ..pool() };
    for attack in corpus() {
        let text = attack.text();
        let due = graded(&built_in("faithfulness"), &none, &text).await;
        assert_eq!(due.score(), Some(0.0), "{}", attack.id);
        // If no answer is due, the answer is faithful and flagged.
        let grade = grade_of(&judge(built_in("faithfulness")), &none, &optional, &text).await;
        let expected = if grade.judging.is_some() { ("no_claims", 1.0) } else { ("empty_answer", 0.0) };
        assert_eq!((grade.flags[0].as_str(), grade.score().unwrap()), expected, "{}", attack.id);
    }
}
