//! The quote check: does a quote occur in the context, and does it bear on its statement?
//!
//! A judge that was talked into "supported" cannot make its quote occur in the context. What this does not see: a
//! quote that is real, shares words and numbers with the statement, and still does not back it.

mod search;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

use unicode_segmentation::UnicodeSegmentation;

use super::normalize::{content_stems, normalize, only_stop_words};
use super::numbers;

/// Words that make a quote long enough.
const MIN_WORDS: usize = 3;
/// Characters that make a quote long enough.
const MIN_CHARACTERS: usize = 15;
/// Quotes of one statement that are looked at.
const MAX_QUOTES: usize = 20;

/// A context, made ready for the search.
#[derive(Debug)]
pub(super) struct Context {
    normal: String,
    passages: usize,
    question: String,
}

/// Why the quotes do not back their statement, from the farthest to the nearest miss.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Problem {
    /// There is no quote.
    NoQuote,
    /// No quote occurs in the context.
    NotFound,
    /// The quotes that occur are too short to say anything.
    TooShort,
    /// The quotes that occur share no word with content and no number with the statement.
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
    /// Makes a context of that many passages ready, for an answer to this question.
    pub(super) fn new(text: &str, passages: usize, question: &str) -> Self {
        Self { normal: normalize(text), passages, question: normalize(question) }
    }

    /// Whether the quotes back the statement, as far as a program can tell: one of them occurs in the context, is
    /// long enough and shares a content word or number with the statement, and all numbers of the statement stand
    /// in quotes that occur. Words and numbers are taken from the context's own words, not from the quote.
    ///
    /// # Errors
    /// The nearest miss.
    pub(super) fn backs(&self, statement: &str, quotes: &[String]) -> Result<(), Problem> {
        let statement = self.without_citations(&normalize(statement));
        // What says nothing has nothing to be backed by.
        if !statement.contains(char::is_alphanumeric) {
            return Err(Problem::Unrelated);
        }
        let claimed = numbers::claimed(&statement);
        let stems = content_stems(&statement);
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
            let long_enough =
                quote.unicode_words().count() >= MIN_WORDS || quote.chars().count() >= MIN_CHARACTERS;
            if !long_enough {
                nearest = nearest.max(Problem::TooShort);
                continue;
            }
            let found = self.without_marker(found, &statement);
            let found_numbers = numbers::stated(found);
            let found_stems = content_stems(found);
            let related = if stems.is_empty() && claimed.is_empty() {
                // "Yes." and "They are not." speak of what the question speaks of.
                (only_stop_words(&statement) && !content_stems(&self.question).is_disjoint(&found_stems))
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
        if !backed {
            return Err(nearest);
        }
        let missing: Vec<String> = claimed.difference(&stated).cloned().collect();
        if missing.is_empty() { Ok(()) } else { Err(Problem::Numbers(missing)) }
    }

    /// Whether a statement, unless it is a question, has a number that is neither a reference to a passage nor
    /// one of the question's.
    pub(super) fn claims_a_number(&self, statement: &str) -> bool {
        let statement = self.without_citations(&normalize(statement));
        let asked = numbers::stated(&self.question);
        !statement.trim_end().ends_with('?') && !numbers::claimed(&statement).is_subset(&asked)
    }

    /// The statement without its references to passages, whose numbers claim nothing: `[2]` where there are two
    /// passages, `[kb-101]` or `(kb-101)` where the context has that name.
    fn without_citations(&self, statement: &str) -> String {
        let mut rest = statement;
        let mut kept = String::with_capacity(statement.len());
        while let Some(open) = rest.find(['[', '(']) {
            let (before, group) = rest.split_at(open);
            kept.push_str(before);
            let close = if group.starts_with('[') { ']' } else { ')' };
            match group.find(close) {
                Some(end) if self.is_citation(group.get(..end).unwrap_or_default()) => {
                    kept.push(' ');
                    rest = group.get(end + 1..).unwrap_or_default();
                }
                _ => {
                    kept.push(' ');
                    rest = group.get(1..).unwrap_or_default();
                }
            }
        }
        kept.push_str(rest);
        kept
    }

    /// The text found, without the name of its passage at the start, whose number says nothing of the matter; with
    /// it where the statement names the passage.
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

    /// Whether `group`, an opening bracket and what follows up to the closing one, only names passages.
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

/// A quote without the marks that a judge puts around it.
fn bare(quote: &str) -> &str {
    quote.trim_matches(|character: char| character.is_whitespace() || matches!(character, '"' | '\'' | '.'))
}
