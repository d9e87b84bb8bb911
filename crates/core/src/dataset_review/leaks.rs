//! Reference answers that a model is shown: in the question, in the prompt, or as the whole context.

use std::collections::{HashMap, HashSet};

use super::words::{Vocabulary, Word, contains};
use super::{CaseTexts, Reviewed, finding, percent};
use crate::model::{DatasetCode, DatasetFinding, FindingLevel};
use crate::template::Template;
use crate::text::{count, counted};

/// The shortest reference answer that is looked up in a question, in characters: a shorter one occurs by chance.
const MIN_ANSWER: usize = 3;
/// The shortest text that is looked up in the prompt, in words.
const MIN_IN_PROMPT: usize = 4;
/// The cases from which a property of most of them is taken for the task.
const MIN_OF_TASK: usize = 5;
/// Labels that are looked up in a question, to recognize one that lists them.
const MAX_LABELS: usize = 50;
/// The share of the words of an answer that a passage has to contain to support it.
const SUPPORTED: f64 = 0.5;
/// The shortest word that counts for that, in characters, unless it has a digit.
const MIN_WORD: usize = 4;

/// Leaks, and answers without support.
pub(super) fn findings(
    reviewed: &Reviewed<'_>,
    texts: &[CaseTexts],
    vocabulary: &mut Vocabulary,
) -> Vec<DatasetFinding> {
    let mut uses: HashMap<&[Word], usize> = HashMap::new();
    for text in texts.iter().filter(|text| !text.expected.is_empty()) {
        *uses.entry(&text.expected).or_default() += 1;
    }
    let mut findings: Vec<DatasetFinding> =
        in_questions(reviewed, texts, &uses, vocabulary).into_iter().collect();
    findings.extend(in_prompt(reviewed, texts, &uses, vocabulary));
    findings.extend(as_context(reviewed, texts));
    findings.extend(unsupported(reviewed, texts, vocabulary));
    findings
}

fn places(texts: &[CaseTexts], is_found: impl Fn(usize, &CaseTexts) -> bool) -> Vec<usize> {
    let found = texts.iter().enumerate().filter(|(place, text)| is_found(*place, text));
    found.map(|(place, _)| place).collect()
}

fn in_questions(
    reviewed: &Reviewed<'_>,
    texts: &[CaseTexts],
    uses: &HashMap<&[Word], usize>,
    vocabulary: &Vocabulary,
) -> Option<DatasetFinding> {
    let mut labels: Vec<&[Word]> =
        uses.iter().filter(|(_, uses)| **uses > 1).map(|(label, _)| *label).collect();
    labels.sort_unstable();
    // A question that lists several labels asks for a choice.
    let is_choice = |question: &[Word], answer: &[Word]| {
        labels.len() <= MAX_LABELS && labels.iter().any(|label| *label != answer && contains(question, label))
    };
    let is_long =
        |answer: &[Word]| answer.iter().map(|word| vocabulary.characters(*word)).sum::<usize>() >= MIN_ANSWER;
    let leaks = |text: &CaseTexts| {
        let answer = text.expected.as_slice();
        text.asked.iter().any(|question| contains(question, answer) && !is_choice(question, answer))
    };
    let answered = places(texts, |_, text| is_long(&text.expected) && !text.asked.is_empty());
    let found = places(texts, |_, text| is_long(&text.expected) && leaks(text));
    if found.is_empty() {
        return None;
    }
    let is_task = found.len() >= MIN_OF_TASK && found.len() * 2 > answered.len();
    let of = counted(answered.len() as u64, "case");
    let (level, message, help) = if is_task {
        (
            FindingLevel::Info,
            format!(
                "{} of {of} with a reference answer have it in their question",
                count(found.len() as u64)
            ),
            "nothing, if the task is to copy or extract; else ask without giving the answer away",
        )
    } else {
        (
            FindingLevel::Warning,
            format!("the question contains the reference answer in {} of {of}", count(found.len() as u64)),
            "ask without giving the answer away: a model that only repeats the question would pass",
        )
    };
    Some(finding(DatasetCode::AnswerInQuestion, level, message, help, reviewed.cases, found))
}

/// The literal texts of the prompt, with their sequences of [`MIN_IN_PROMPT`] words.
struct PromptTexts {
    texts: Vec<Vec<Word>>,
    sequences: HashSet<[Word; MIN_IN_PROMPT]>,
}

impl PromptTexts {
    fn new(reviewed: &Reviewed<'_>, vocabulary: &mut Vocabulary) -> Self {
        let templates = reviewed.prompt.iter().filter_map(|message| Template::parse(&message.content).ok());
        let texts: Vec<Vec<Word>> = templates
            .flat_map(|template| {
                template.literals().map(|literal| vocabulary.words(literal)).collect::<Vec<_>>()
            })
            .collect();
        let sequences = texts.iter().flat_map(|text| text.windows(MIN_IN_PROMPT));
        let sequences = sequences.filter_map(|sequence| sequence.try_into().ok()).collect();
        Self { texts, sequences }
    }

    fn contains(&self, part: &[Word]) -> bool {
        let first: Option<[Word; MIN_IN_PROMPT]> =
            part.get(..MIN_IN_PROMPT).and_then(|first| first.try_into().ok());
        first.is_some_and(|first| self.sequences.contains(&first))
            && self.texts.iter().any(|text| contains(text, part))
    }
}

fn in_prompt(
    reviewed: &Reviewed<'_>,
    texts: &[CaseTexts],
    uses: &HashMap<&[Word], usize>,
    vocabulary: &mut Vocabulary,
) -> Vec<DatasetFinding> {
    let prompt = PromptTexts::new(reviewed, vocabulary);
    let has_question = |text: &CaseTexts| text.questions.iter().any(|question| prompt.contains(question));
    // A text that several cases expect, such as a fixed refusal, is prescribed by the prompt.
    let is_own = |text: &CaseTexts| uses.get(text.expected.as_slice()) == Some(&1);
    let questions = places(texts, |_, text| has_question(text));
    let answers =
        places(texts, |_, text| is_own(text) && prompt.contains(&text.expected) && !has_question(text));
    let mut findings = Vec::new();
    if !questions.is_empty() {
        let message = format!(
            "the prompt contains the question of {}: an example that is also a case",
            counted(questions.len() as u64, "case")
        );
        let help =
            "use another example in the prompt, or remove the case: it tests whether the model can copy";
        findings.push(finding(
            DatasetCode::CaseInPrompt,
            FindingLevel::Warning,
            message,
            help,
            reviewed.cases,
            questions,
        ));
    }
    if !answers.is_empty() {
        let message =
            format!("the prompt contains the reference answer of {}", counted(answers.len() as u64, "case"));
        let help = "take the answer out of the prompt, unless it prescribes this wording";
        findings.push(finding(
            DatasetCode::AnswerInPrompt,
            FindingLevel::Warning,
            message,
            help,
            reviewed.cases,
            answers,
        ));
    }
    findings
}

fn as_context(reviewed: &Reviewed<'_>, texts: &[CaseTexts]) -> Option<DatasetFinding> {
    let found = places(texts, |_, text| !text.expected.is_empty() && text.passages.concat() == text.expected);
    if found.is_empty() {
        return None;
    }
    let message =
        format!("the context is the reference answer itself in {}", counted(found.len() as u64, "case"));
    let help = "write the context that production would have, with more than the answer: here there is nothing to find";
    Some(finding(DatasetCode::AnswerIsContext, FindingLevel::Warning, message, help, reviewed.cases, found))
}

/// Answers that no passage supports by its words. It is right for questions that the passages do not answer.
fn unsupported(
    reviewed: &Reviewed<'_>,
    texts: &[CaseTexts],
    vocabulary: &Vocabulary,
) -> Option<DatasetFinding> {
    let content = |text: &CaseTexts| -> HashSet<Word> {
        let counts = |word: &Word| vocabulary.has_digit(*word) || vocabulary.characters(*word) >= MIN_WORD;
        text.expected.iter().copied().filter(counts).collect()
    };
    let may_refuse = |place: usize| reviewed.cases.get(place).is_some_and(|case| case.may_refuse);
    let graded = places(texts, |place, text| {
        !text.passages.is_empty() && !may_refuse(place) && !content(text).is_empty()
    });
    let is_supported = |text: &CaseTexts| {
        let words = content(text);
        text.passages.iter().any(|passage| {
            let passage: HashSet<&Word> = passage.iter().collect();
            let found = words.iter().filter(|word| passage.contains(word)).count();
            found as f64 >= SUPPORTED * words.len() as f64
        })
    };
    let found: Vec<usize> = graded
        .iter()
        .copied()
        .filter(|place| texts.get(*place).is_some_and(|text| !is_supported(text)))
        .collect();
    if found.is_empty() {
        return None;
    }
    let message = format!(
        "no passage has half of the words of the reference answer in {} of {} with context ({})",
        count(found.len() as u64),
        counted(graded.len() as u64, "case"),
        percent(found.len(), graded.len())
    );
    let help = "nothing, for questions that the passages do not answer, and for answers in other words; else add the \
                passage that the answer is from";
    Some(finding(DatasetCode::UnsupportedAnswers, FindingLevel::Info, message, help, reviewed.cases, found))
}
