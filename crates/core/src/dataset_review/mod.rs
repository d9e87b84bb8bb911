//! The quality of a golden set: duplicates, leaks, cases that never discriminate, small tags, size and balance.
//!
//! Everything is computed from the cases, the prompt's templates and the results of saved reports, in time nearly linear in
//! their size. The same input gives the same findings.

mod duplicates;
mod history;
mod leaks;
mod shape;
mod similar;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeSet;

use crate::model::{Case, CaseSet, DatasetCode, DatasetFinding, FindingLevel, Message, MessageRole};
use crate::template;
pub use history::{History, MIN_REPORTS, TrialCounts};
use words::{Vocabulary, Word};

/// A dataset with what it is reviewed against.
#[derive(Debug, Clone, Copy)]
pub struct Reviewed<'a> {
    /// The cases.
    pub cases: &'a [Case],
    /// The places of cases that are equal apart from id, tags and group.
    pub equal: &'a [Vec<usize>],
    /// The messages of the candidate's prompt, as written.
    pub prompt: &'a [Message],
    /// The variables that the prompt uses; `None` where an application reads all of them.
    pub used: Option<&'a BTreeSet<String>>,
    /// The results in saved reports; `None` where no report was named.
    pub history: Option<&'a History>,
}

/// Returns the findings about a dataset, in the order of the codes.
pub fn review(reviewed: &Reviewed<'_>) -> Vec<DatasetFinding> {
    let mut vocabulary = Vocabulary::default();
    let texts: Vec<CaseTexts> =
        reviewed.cases.iter().map(|case| CaseTexts::new(case, reviewed.used, &mut vocabulary)).collect();
    let mut findings = duplicates::findings(reviewed, &texts, &vocabulary);
    findings.extend(leaks::findings(reviewed, &texts, &mut vocabulary));
    findings.extend(reviewed.history.into_iter().flat_map(|history| history.findings(reviewed.cases)));
    findings.extend(shape::findings(reviewed.cases));
    findings.sort_by_key(|finding| finding.code);
    findings
}

/// The words of a case.
#[derive(Debug, Default)]
struct CaseTexts {
    /// Everything that distinguishes its question: earlier messages, turns, question, images and the variables in use.
    input: Vec<Word>,
    /// The question and the texts among the variables in use, each on its own.
    questions: Vec<Vec<Word>>,
    /// The question: that of the last turn; without one, the variables in use that are not the context.
    asked: Vec<Vec<Word>>,
    /// The reference answer; empty where it is missing, or neither a text nor a number.
    expected: Vec<Word>,
    /// Each passage.
    passages: Vec<Vec<Word>>,
}

impl CaseTexts {
    fn new(case: &Case, used: Option<&BTreeSet<String>>, vocabulary: &mut Vocabulary) -> Self {
        let mut texts = Self::default();
        for message in &case.messages {
            let role = if message.role == MessageRole::User { "" } else { message.role.as_str() };
            vocabulary.read(role, &mut texts.input);
            vocabulary.read(&message.text(), &mut texts.input);
        }
        let query = std::slice::from_ref(&case.query);
        let questions = if case.turns.is_empty() { query } else { case.turns.as_slice() };
        for question in questions {
            let words = vocabulary.words(question);
            texts.input.extend(&words);
            texts.questions.push(words);
        }
        let last = texts.questions.last().filter(|words| !words.is_empty()).cloned();
        for image in &case.images {
            vocabulary.read(&image.describe(), &mut texts.input);
        }
        let is_used = |name: &String| {
            used.is_none_or(|used| used.contains(name) || used.contains(&format!("vars.{name}")))
        };
        let mut variables: Vec<_> = case.vars.iter().filter(|(name, _)| is_used(name)).collect();
        variables.sort_by_key(|(name, _)| *name);
        for (_, value) in variables {
            match value.as_str() {
                Some(text) => {
                    let words = vocabulary.words(text);
                    texts.input.extend(&words);
                    texts.questions.push(words);
                }
                None => vocabulary.read(&value.to_string(), &mut texts.input),
            }
        }
        let variables = texts.questions.split_off(questions.len());
        let context = template::variables(case).get("context").map(|context| vocabulary.words(&context));
        let is_question = |words: &&Vec<Word>| Some(*words) != context.as_ref() && !words.is_empty();
        texts.asked = match last {
            Some(last) => vec![last],
            None => variables.iter().filter(is_question).cloned().collect(),
        };
        texts.questions.extend(variables);
        texts.questions.retain(|words| !words.is_empty());
        if case.expected.as_ref().is_some_and(|value| value.is_string() || value.is_number()) {
            vocabulary.read(&case.expected_text().unwrap_or_default(), &mut texts.expected);
        }
        let passages = case.context.iter().flat_map(|passages| passages.iter());
        texts.passages = passages.map(|passage| vocabulary.words(passage)).collect();
        texts.passages.retain(|passage| !passage.is_empty());
        texts
    }
}

/// A finding about some cases, by their places.
fn finding(
    code: DatasetCode,
    level: FindingLevel,
    message: String,
    help: &str,
    cases: &[Case],
    places: impl IntoIterator<Item = usize>,
) -> DatasetFinding {
    let cases = ids(cases, places);
    DatasetFinding { code, level, message, help: help.to_owned(), cases, sets: Vec::new() }
}

/// A finding about cases that fall into sets.
fn finding_of_sets(
    code: DatasetCode,
    message: String,
    help: &str,
    cases: &[Case],
    sets: Vec<(Option<String>, Vec<usize>)>,
) -> DatasetFinding {
    let all: BTreeSet<usize> = sets.iter().flat_map(|(_, places)| places).copied().collect();
    let set = |(name, places)| CaseSet { name, cases: ids(cases, places) };
    let sets = sets.into_iter().map(set).collect();
    DatasetFinding { sets, ..finding(code, FindingLevel::Warning, message, help, cases, all) }
}

fn ids(cases: &[Case], places: impl IntoIterator<Item = usize>) -> Vec<String> {
    places.into_iter().filter_map(|place| cases.get(place)).map(|case| case.id.clone()).collect()
}

/// A share as a whole percentage.
fn percent(part: usize, of: usize) -> String {
    format!("{:.0} %", 100.0 * part as f64 / of.max(1) as f64)
}
