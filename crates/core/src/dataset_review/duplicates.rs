//! Questions that are asked more than once, and those with different reference answers.

use std::collections::{BTreeMap, HashMap};

use super::similar::{self, Joined, SIMILAR};
use super::words::{Vocabulary, Word};
use super::{CaseTexts, Reviewed, finding_of_sets};
use crate::model::{Case, DatasetCode, DatasetFinding};
use crate::text::{count, counted};

/// Equal rows, almost equal questions and conflicting answers.
pub(super) fn findings(
    reviewed: &Reviewed<'_>,
    texts: &[CaseTexts],
    vocabulary: &Vocabulary,
) -> Vec<DatasetFinding> {
    let cases = reviewed.cases;
    let unnamed = |sets: Vec<Vec<usize>>| sets.into_iter().map(|set| (None, set)).collect();
    let mut findings = Vec::new();
    if !reviewed.equal.is_empty() {
        let message = format!(
            "{} {} equal apart from id, tags and group",
            of_sets(reviewed.equal, "set of rows", "sets of rows"),
            verb(reviewed.equal)
        );
        let help = "remove all but one of each set: the others are paid for, and add no evidence";
        findings.push(finding_of_sets(
            DatasetCode::EqualRows,
            message,
            help,
            cases,
            unnamed(reviewed.equal.to_vec()),
        ));
    }
    let contexts = Contexts::new(texts);
    let conflicting = conflicts(texts, &contexts);
    let similar = similar_sets(reviewed, texts, &contexts, vocabulary);
    if !similar.is_empty() {
        let message = format!(
            "{} {} almost equal over the same context: equal but for case, punctuation and spaces, or at least {:.0} % of \
             the words are the same",
            of_sets(&similar, "set of questions", "sets of questions"),
            verb(&similar),
            SIMILAR * 100.0
        );
        let help =
            "keep the best of each set, or give its cases the same `group`, so that they count as dependent";
        findings.push(finding_of_sets(DatasetCode::SimilarQuestions, message, help, cases, unnamed(similar)));
    }
    if !conflicting.is_empty() {
        let message = format!(
            "{} {} asked more than once over the same context, with different reference answers",
            of_sets(&conflicting, "question", "questions"),
            verb(&conflicting)
        );
        let help = "decide which answer is right: no prompt can satisfy all of them";
        findings.push(finding_of_sets(
            DatasetCode::ConflictingAnswers,
            message,
            help,
            cases,
            unnamed(conflicting),
        ));
    }
    findings
}

/// `2 sets of rows (5 cases)`.
fn of_sets(sets: &[Vec<usize>], one: &str, several: &str) -> String {
    let cases: usize = sets.iter().map(Vec::len).sum();
    let noun = if sets.len() == 1 { one } else { several };
    format!("{} {noun} ({})", count(sets.len() as u64), counted(cases as u64, "case"))
}

/// `is` or `are`.
fn verb(sets: &[Vec<usize>]) -> &'static str {
    if sets.len() == 1 { "is" } else { "are" }
}

/// The passages of each case, as sorted numbers; equal passages have the same number.
struct Contexts(Vec<Vec<usize>>);

impl Contexts {
    fn new(texts: &[CaseTexts]) -> Self {
        let mut numbers: HashMap<&[Word], usize> = HashMap::new();
        let contexts = texts.iter().map(|text| {
            let mut own: Vec<usize> = text
                .passages
                .iter()
                .map(|passage| {
                    let next = numbers.len();
                    *numbers.entry(passage.as_slice()).or_insert(next)
                })
                .collect();
            own.sort_unstable();
            own.dedup();
            own
        });
        Self(contexts.collect())
    }

    fn of(&self, place: usize) -> &[usize] {
        self.0.get(place).map_or(&[], Vec::as_slice)
    }
}

/// Cases with equal questions and contexts whose reference answers differ.
fn conflicts(texts: &[CaseTexts], contexts: &Contexts) -> Vec<Vec<usize>> {
    let mut asked: HashMap<(&[Word], &[usize]), Vec<usize>> = HashMap::new();
    for (place, text) in texts.iter().enumerate() {
        if !text.input.is_empty() && !text.expected.is_empty() {
            asked.entry((&text.input, contexts.of(place))).or_default().push(place);
        }
    }
    let expected = |place: &usize| texts.get(*place).map(|text| &text.expected);
    let differ = |set: &Vec<usize>| set.iter().any(|place| expected(place) != set.first().and_then(expected));
    let mut sets: Vec<Vec<usize>> = asked.into_values().filter(differ).collect();
    sets.sort();
    sets
}

/// Cases with almost equal questions over contexts that share a passage.
fn similar_sets(
    reviewed: &Reviewed<'_>,
    texts: &[CaseTexts],
    contexts: &Contexts,
    vocabulary: &Vocabulary,
) -> Vec<Vec<usize>> {
    let mut joined = Joined::new(texts.len());
    let mut seen: HashMap<(&[Word], Option<usize>), usize> = HashMap::new();
    for (place, text) in texts.iter().enumerate().filter(|(_, text)| !text.input.is_empty()) {
        let passages = contexts.of(place);
        let mut join = |passage| {
            let first = *seen.entry((text.input.as_slice(), passage)).or_insert(place);
            joined.join(first, place);
        };
        if passages.is_empty() {
            join(None);
        }
        passages.iter().for_each(|passage| join(Some(*passage)));
    }
    // One case of each set of equal questions is compared with those of other sets.
    let distinct: Vec<usize> = (0..texts.len()).filter(|place| joined.first(*place) == *place).collect();
    let words: Vec<Vec<Word>> = distinct
        .iter()
        .map(|place| {
            let mut words = texts.get(*place).map(|text| text.input.clone()).unwrap_or_default();
            words.sort_unstable();
            words.dedup();
            words
        })
        .collect();
    let numbers: Vec<Vec<Word>> = words
        .iter()
        .map(|set| set.iter().copied().filter(|word| vocabulary.has_digit(*word)).collect())
        .collect();
    // Other numbers make another question.
    let accepts = |one: usize, other: usize| {
        let place = |index: usize| distinct.get(index).copied().unwrap_or_default();
        share_a_passage(contexts.of(place(one)), contexts.of(place(other)))
            && numbers.get(one) == numbers.get(other)
    };
    let mut found = Vec::new();
    similar::pairs(&words, accepts, |one, other| found.push((one, other)));
    for (one, other) in found {
        if let (Some(one), Some(other)) = (distinct.get(one), distinct.get(other)) {
            joined.join(*one, *other);
        }
    }
    let is_equal: BTreeMap<usize, usize> = reviewed
        .equal
        .iter()
        .flat_map(|set| set.iter().map(|place| (*place, set.first().copied().unwrap_or(*place))))
        .collect();
    let mut sets = joined.sets();
    sets.retain(|set| {
        let first = set.first().map(|place| is_equal.get(place).copied().unwrap_or(*place));
        let are_equal_rows =
            set.iter().all(|place| Some(is_equal.get(place).copied().unwrap_or(*place)) == first);
        !are_equal_rows && !is_grouped(set, reviewed.cases)
    });
    sets
}

fn share_a_passage(one: &[usize], other: &[usize]) -> bool {
    (one.is_empty() && other.is_empty()) || one.iter().any(|passage| other.binary_search(passage).is_ok())
}

/// Whether all cases are of one group or conversation, and so known to be alike.
fn is_grouped(set: &[usize], cases: &[Case]) -> bool {
    let group =
        |place: &usize| cases.get(*place).and_then(|case| case.group.as_ref().or(case.turn_of.as_ref()));
    let first = set.first().and_then(group);
    first.is_some() && set.iter().all(|place| group(place) == first)
}
