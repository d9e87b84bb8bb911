//! The quote check: a quote must occur in the context and be related to its statement.
//!
//! A judge that was talked into "supported" cannot make its quote occur in the context. The check does not detect a real
//! quote that shares words and numbers with the statement and still does not back it.

mod search;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

use unicode_segmentation::UnicodeSegmentation;

use super::normalize::{content_stems, normalize, only_stop_words};
use super::numbers;

/// Number of words that makes a quote long enough.
const MIN_WORDS: usize = 3;
/// Number of characters that makes a quote long enough.
const MIN_CHARACTERS: usize = 15;
/// Maximum number of checked quotes of one statement.
const MAX_QUOTES: usize = 20;

/// A context, prepared for the search.
#[derive(Debug)]
pub(super) struct Context {
    normal: String,
    passages: usize,
    question: String,
}

/// The reason why quotes do not back their statement, ordered from the farthest to the nearest miss.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Problem {
    NoQuote,
    NotFound,
    /// The quotes that occur are too short.
    TooShort,
    /// The quotes that occur share neither a content word nor a number with the statement.
    Unrelated,
    /// These numbers of the statement are in no quote that occurs.
    Numbers(Vec<String>),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoQuote => f.write_str("no quote is given"),
            Self::NotFound => f.write_str("no quote occurs in the context"),
            Self::TooShort => f.write_str("the quote is too short"),
            Self::Unrelated => f.write_str("the quote has nothing in common with the statement"),
            Self::Numbers(numbers) => {
                write!(f, "no quote has the number {}", numbers.join(", "))
            }
        }
    }
}

impl Context {
    /// Prepares a context with this number of passages, for an answer to this question.
    pub(super) fn new(text: &str, passages: usize, question: &str) -> Self {
        Self { normal: normalize(text), passages, question: normalize(question) }
    }

    /// Checks that the quotes back the statement: one of them occurs in the context, is long enough and shares a content
    /// word or number with the statement, and all numbers of the statement are in quotes that occur. Words and numbers
    /// are taken from the text found in the context, not from the quote.
    ///
    /// # Errors
    /// The nearest miss.
    pub(super) fn backs(&self, statement: &str, quotes: &[String]) -> Result<(), Problem> {
        let statement = self.without_citations(&normalize(statement));
        let stated = self.stated_by(&statement, quotes)?;
        let missing: Vec<String> = numbers::claimed(&statement).difference(&stated).cloned().collect();
        if missing.is_empty() { Ok(()) } else { Err(Problem::Numbers(missing)) }
    }

    /// Checks that one of the quotes occurs in the context, is long enough and shares a content word or number with a text,
    /// which may say more than the quotes.
    ///
    /// # Errors
    /// The nearest miss.
    pub(super) fn bears_on(&self, text: &str, quotes: &[String]) -> Result<(), Problem> {
        self.stated_by(&self.without_citations(&normalize(text)), quotes).map(drop)
    }

    /// The numbers in the quotes that occur in the context and are related to a normalized statement.
    fn stated_by(&self, statement: &str, quotes: &[String]) -> Result<BTreeSet<String>, Problem> {
        // A statement without words cannot be backed.
        if !statement.contains(char::is_alphanumeric) {
            return Err(Problem::Unrelated);
        }
        let claimed = numbers::claimed(statement);
        let stems = content_stems(statement);
        let mut nearest = Problem::NoQuote;
        let mut backed = false;
        let mut stated = BTreeSet::new();
        for quote in quotes.iter().take(MAX_QUOTES) {
            let quote = normalize(quote);
            let quote = bare(&quote);
            if quote.is_empty() {
                continue;
            }
            let Some(found) = search::find(&self.normal, quote) else {
                nearest = nearest.max(Problem::NotFound);
                continue;
            };
            if !is_long_enough(quote) {
                nearest = nearest.max(Problem::TooShort);
                continue;
            }
            let found = self.without_marker(found, statement);
            let found_numbers = numbers::stated(found);
            let found_stems = content_stems(found);
            let related = if stems.is_empty() && claimed.is_empty() {
                // "Yes." and "They are not." are about the topic of the question.
                (only_stop_words(statement) && !content_stems(&self.question).is_disjoint(&found_stems))
                    || statement.unicode_words().any(|word| found.unicode_words().any(|other| other == word))
            } else {
                !stems.is_disjoint(&found_stems) || !claimed.is_disjoint(&found_numbers)
            };
            if !related {
                nearest = nearest.max(Problem::Unrelated);
                continue;
            }
            backed = true;
            stated.extend(found_numbers);
        }
        if backed { Ok(stated) } else { Err(nearest) }
    }

    /// Whether a statement that is not a question has a number that neither refers to a passage nor comes from the
    /// question.
    pub(super) fn claims_a_number(&self, statement: &str) -> bool {
        let statement = self.without_citations(&normalize(statement));
        let from_question = numbers::stated(&self.question);
        !statement.trim_end().ends_with('?') && !numbers::claimed(&statement).is_subset(&from_question)
    }

    /// Removes references to passages from a statement, since their numbers are not claims: `[2]` if there are two
    /// passages, `[kb-101]` or `(kb-101)` if the context has that name.
    fn without_citations(&self, statement: &str) -> String {
        let mut rest = statement;
        let mut result = String::with_capacity(statement.len());
        while let Some(open) = rest.find(['[', '(']) {
            let (before, group) = rest.split_at(open);
            result.push_str(before);
            let close = if group.starts_with('[') { ']' } else { ')' };
            match group.find(close) {
                Some(end) if self.is_citation(group.get(..end).unwrap_or_default()) => {
                    result.push(' ');
                    rest = group.get(end + 1..).unwrap_or_default();
                }
                _ => {
                    result.push(' ');
                    rest = group.get(1..).unwrap_or_default();
                }
            }
        }
        result.push_str(rest);
        result
    }

    /// Removes the name of the passage at the start of the text found, since its number is not content. Keeps it if the
    /// statement names the passage.
    fn without_marker<'t>(&self, found: &'t str, statement: &str) -> &'t str {
        found
            .split_once(']')
            .filter(|(group, _)| {
                let name = group.get(1..).unwrap_or_default();
                let named = name.starts_with(char::is_alphabetic) && statement.contains(name);
                group.starts_with('[') && self.is_citation(group) && !named
            })
            .map_or(found, |(_, rest)| rest)
    }

    /// Whether `group`, the text from an opening bracket up to the closing one, only names passages.
    fn is_citation(&self, group: &str) -> bool {
        let square = group.starts_with('[');
        let inner = group.get(1..).unwrap_or_default();
        inner.len() <= 60
            && inner.split([',', ';']).map(str::trim).all(|name| {
                if name.is_empty() || name.contains(' ') {
                    false
                } else if name.chars().all(|character| character.is_ascii_digit()) {
                    square
                        && (name.parse::<usize>().is_ok_and(|number| (1..=self.passages).contains(&number))
                            || self.normal.contains(&format!("[{name}]")))
                } else {
                    name.starts_with(char::is_alphabetic) && search::find(&self.normal, name).is_some()
                }
            })
    }
}

fn is_long_enough(quote: &str) -> bool {
    quote.unicode_words().count() >= MIN_WORDS || quote.chars().count() >= MIN_CHARACTERS
}

/// Checks that the quotes show a difference between two answers: one of them occurs in exactly one of the answers, and is
/// long enough or the whole answer.
///
/// # Errors
/// The reason, in words for the judge.
pub(super) fn tell_apart(answers: [&str; 2], quotes: &[String]) -> Result<(), &'static str> {
    let answers = answers.map(normalize);
    let mut nearest = 0;
    for quote in quotes.iter().take(MAX_QUOTES) {
        let quote = normalize(quote);
        let quote = bare(&quote);
        let has = |answer: &String| {
            let is_whole = !quote.is_empty() && bare(answer) == quote;
            is_whole || (is_long_enough(quote) && search::find(answer, quote).is_some())
        };
        match answers.iter().filter(|answer| has(answer)).count() {
            1 => return Ok(()),
            2 => nearest = nearest.max(3),
            _ if answers.iter().any(|answer| search::find(answer, quote).is_some()) => {
                nearest = nearest.max(2)
            }
            _ => nearest = nearest.max(1),
        }
    }
    Err(match nearest {
        0 => "no quote is given",
        1 => "no quote occurs in an answer",
        2 => "the quote is too short",
        _ => "the quote occurs in both answers, so it does not decide",
    })
}

/// Removes quotation marks and full stops around a quote.
fn bare(quote: &str) -> &str {
    quote.trim_matches(|character: char| character.is_whitespace() || matches!(character, '"' | '\'' | '.'))
}
