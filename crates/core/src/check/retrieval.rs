//! `retrieval`: the passages that an application retrieved contain the sources that the case expects.
//!
//! - `hit`: 1 if a source is among the first `k` passages, otherwise 0.
//! - `mrr`: 1 divided by the rank of the first passage with a source, 0 without one; Voorhees 1999, "The TREC-8 Question
//!   Answering Track Report".
//! - `recall`: the share of the sources that are among the first `k` passages.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::model::Score;
use crate::port::{Check, Finding, Subject};

use super::comparison::Comparison;
use super::diagnostic::EntryDiagnostic;
use super::reason::{fail, graded, quoted};
use super::spec::{Built, Files, Spec};

/// Sources that a reason names, and ranks in the details.
const SHOWN: usize = 3;
const MAX_RANKS: usize = 50;

/// How well the passages of an answer contain the case's expected_sources.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retrieval {
    /// hit: a source is among the passages; mrr: 1 divided by the rank of the first; recall: the share of the sources.
    metric: Metric,
    /// How many of the first passages count. Default: all.
    k: Option<NonZeroUsize>,
    /// text: a passage contains the text of a source; id: it has the id, or is the id. Default: text.
    #[serde(default)]
    by: Match,
    /// answer: the passages that come with the answer; answer_or_case: those of the case where none come. Default: answer.
    #[serde(default)]
    passages: Passages,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Metric {
    Hit,
    Mrr,
    Recall,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Match {
    #[default]
    Text,
    Id,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Passages {
    #[default]
    Answer,
    AnswerOrCase,
}

impl Spec for Retrieval {
    fn build(self, _files: &Files<'_>) -> Result<Built, Vec<EntryDiagnostic>> {
        let k = self.k.map_or(usize::MAX, NonZeroUsize::get);
        Ok(Built::new(RetrievalCheck { metric: self.metric, k, by: self.by, passages: self.passages }))
    }
}

#[derive(Debug)]
struct RetrievalCheck {
    metric: Metric,
    k: usize,
    by: Match,
    passages: Passages,
}

/// A passage with its id, where it has one.
type Passage<'a> = (&'a str, Option<&'a str>);

impl Check for RetrievalCheck {
    fn needs_sources(&self) -> bool {
        true
    }

    fn finding(&self, subject: &Subject<'_>) -> Result<Finding, Finding> {
        let sources = &subject.case.expected_sources;
        if sources.is_empty() {
            return Err(fail("the case has no `expected_sources` to look for"));
        }
        let passages = self.passages(subject)?;
        let ranks = self.ranks(sources, &passages);
        let found: Vec<usize> = ranks.iter().copied().flatten().collect();
        let score = match self.metric {
            Metric::Hit => f64::from(u8::from(!found.is_empty())),
            Metric::Mrr => found.iter().min().map_or(0.0, |rank| 1.0 / *rank as f64),
            Metric::Recall => found.len() as f64 / sources.len() as f64,
        };
        let shown = sources.iter().zip(&ranks).take(MAX_RANKS);
        let ranks_shown: Vec<_> =
            shown.map(|(source, rank)| json!({"source": quoted(source), "rank": rank})).collect();
        let details = json!({"passages": passages.len(), "ranks": ranks_shown});
        let score = Score::new(score).ok_or_else(|| fail(format!("the score {score} is out of range")))?;
        Ok(graded(score, &self.reason(score, sources, &ranks, passages.len()), details))
    }
}

impl RetrievalCheck {
    /// The first `k` passages.
    fn passages<'a>(&self, subject: &Subject<'a>) -> Result<Vec<Passage<'a>>, Finding> {
        let completion = subject.completion;
        if let Some(texts) = &completion.contexts {
            let ids = completion.context_ids.iter().map(Option::as_deref).chain(std::iter::repeat(None));
            return Ok(texts.iter().map(String::as_str).zip(ids).take(self.k).collect());
        }
        match &subject.case.context {
            Some(context) if self.passages == Passages::AnswerOrCase => {
                Ok(context.iter().map(|text| (text.as_str(), None)).take(self.k).collect())
            }
            _ => Err(fail("no passages came with the answer; an application returns them as `contexts`")),
        }
    }

    /// The rank from 1 of the first passage with each source.
    fn ranks(&self, sources: &[String], passages: &[Passage<'_>]) -> Vec<Option<usize>> {
        let passages: Vec<String> = passages
            .iter()
            .map(|(text, id)| match self.by {
                Match::Text => normalized(text),
                Match::Id => normalized(id.unwrap_or(text)),
            })
            .collect();
        let rank = |source: &String| {
            let source = normalized(source);
            // A text without any visible character would be in every passage.
            let is_there = |passage: &String| match self.by {
                _ if source.is_empty() => false,
                Match::Text => passage.contains(&source),
                Match::Id => *passage == source,
            };
            passages.iter().position(is_there).map(|index| index + 1)
        };
        sources.iter().map(rank).collect()
    }

    fn reason(&self, score: Score, sources: &[String], ranks: &[Option<usize>], passages: usize) -> String {
        let name = match self.metric {
            Metric::Hit => "hit",
            Metric::Mrr => "reciprocal rank",
            Metric::Recall => "recall",
        };
        let missing: Vec<String> = sources
            .iter()
            .zip(ranks)
            .filter(|(_, rank)| rank.is_none())
            .map(|(source, _)| quoted(source))
            .collect();
        let found = sources.len() - missing.len();
        let mut reason = format!(
            "{name} {:.3}: {found} of {} sources in the first {passages} passages",
            score.get(),
            sources.len()
        );
        if !missing.is_empty() {
            reason += &format!(", without {}", missing[..missing.len().min(SHOWN)].join(", "));
        }
        if missing.len() > SHOWN {
            reason += &format!(" and {} more", missing.len() - SHOWN);
        }
        reason
    }
}

/// A text in the form in which passages are compared: white space as single spaces, typography as plain characters.
fn normalized(text: &str) -> String {
    let plain = Comparison::of_texts().normalize(text);
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Case, Completion};

    fn score(metric: Metric, k: usize, by: Match, sources: &[&str], passages: &[Passage<'_>]) -> f64 {
        let sources = sources.iter().map(|source| (*source).to_owned()).collect();
        let case = Case { expected_sources: sources, ..Case::default() };
        let completion = Completion {
            contexts: Some(passages.iter().map(|(text, _)| (*text).to_owned()).collect()),
            context_ids: passages.iter().map(|(_, id)| id.map(str::to_owned)).collect(),
            ..Completion::from_text("answer")
        };
        let subject = Subject { case: &case, completion: &completion, answer: Ok("answer") };
        let check = RetrievalCheck { metric, k, by, passages: Passages::Answer };
        check.grade(&subject).score().get()
    }

    #[test]
    fn scores_follow_the_ranks_of_the_sources() {
        let passages = [("one", Some("a")), ("two", Some("b")), ("three", None), ("four", Some("d"))];
        let of = |metric, k, sources: &[&str]| score(metric, k, Match::Id, sources, &passages);
        assert_eq!(of(Metric::Hit, 4, &["x", "d"]), 1.0);
        assert_eq!(of(Metric::Hit, 3, &["x", "d"]), 0.0);
        assert_eq!(of(Metric::Mrr, 9, &["d", "b"]), 0.5);
        assert_eq!(of(Metric::Mrr, 9, &["d"]), 0.25);
        assert_eq!(of(Metric::Mrr, 9, &["x"]), 0.0);
        assert_eq!(of(Metric::Recall, 9, &["a", "d", "x", "y"]), 0.5);
        assert_eq!(of(Metric::Recall, 1, &["a", "d", "x", "y"]), 0.25);
        // A passage without an id may be the id itself.
        assert_eq!(of(Metric::Recall, 9, &["three"]), 1.0);
    }

    #[test]
    fn ids_are_compared_as_a_whole_and_texts_within_passages() {
        let passages = [("Plan 12: refunds within\n30\u{a0}days.", Some("doc-12"))];
        let of = |by, source| score(Metric::Hit, 9, by, &[source], &passages);
        assert_eq!(of(Match::Id, "doc-12"), 1.0);
        assert_eq!(of(Match::Id, "doc-1"), 0.0);
        assert_eq!(of(Match::Id, "refunds"), 0.0);
        assert_eq!(of(Match::Text, "refunds within 30 days"), 1.0);
        assert_eq!(of(Match::Text, "refunds within 31 days"), 0.0);
        assert_eq!(of(Match::Text, "doc-12"), 0.0);
        assert_eq!(of(Match::Text, "\u{200b} "), 0.0);
    }

    #[test]
    fn no_passage_at_all_has_no_score_above_zero() {
        for metric in [Metric::Hit, Metric::Mrr, Metric::Recall] {
            assert_eq!(score(metric, 9, Match::Text, &["a"], &[]), 0.0);
            assert_eq!(score(metric, 9, Match::Text, &[], &[("a", None)]), 0.0);
        }
    }
}
