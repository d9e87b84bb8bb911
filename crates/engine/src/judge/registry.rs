//! The table of judges: one file and one row each. Everything that lists judges reads it.

mod checklist;
pub mod context_precision;
pub mod context_recall;
pub mod correctness;
pub mod criteria;
pub mod faithfulness;
pub mod preference;
mod quoted;
pub mod ready;
pub mod relevance;
pub mod rubric;
pub mod scale;

pub use checklist::{ChecklistPayload, FixedItem, WordRule, YesNo};
pub use quoted::{Quoted, QuotedVerdict};

use promptgate_core::model::Item;

use super::kind::{Kind, Row};
use scale::Scale;

/// The built-in judges of single answers, in the order of the documentation. Their names are metrics of the configuration.
pub const BUILT_IN: &[Row] = &[
    Row::of::<faithfulness::Faithfulness>(),
    Row::of::<relevance::Relevance>(),
    Row::of::<correctness::Correctness>(),
    Row::of::<context_recall::ContextRecall>(),
    Row::of::<context_precision::ContextPrecision>(),
    Row::of::<criteria::Criteria>(),
];

/// The built-in judge of pairs: it compares the answers of both variants.
pub const PAIRWISE: Row = Row::of::<preference::Preference>();

/// Returns the built-in judge of that name.
pub fn built_in(name: &str) -> Option<Kind> {
    BUILT_IN.iter().chain([&PAIRWISE]).find(|row| row.name() == name).map(Row::kind)
}

/// Names of the built-in judges.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().chain([&PAIRWISE]).map(Row::name)
}

/// Creates the judge of pairs with what makes an answer better.
pub fn preference(criteria: Vec<String>) -> Kind {
    Kind::new(preference::Preference { criteria })
}

/// Returns the rule for an item of a built-in judge or a ready rubric; `None` for any other text.
pub fn word_rule(item: &str) -> Option<WordRule> {
    let of_rubrics = ready::ALL.into_iter().flat_map(ready::ReadyRubric::fixed);
    BUILT_IN
        .iter()
        .flat_map(|row| row.items)
        .chain(of_rubrics)
        .find(|fixed| fixed.text == item)
        .map(|fixed| fixed.rule)
}

/// Creates the judge of a metric with a list of yes/no items.
pub fn rubric(items: Vec<Item>) -> Kind {
    Kind::new(rubric::Rubric { items })
}

/// Creates the judge of a metric with a scale from 0 to 5.
pub fn scale(scale: Scale) -> Kind {
    Kind::new(scale::ScaleJudge(scale))
}

/// The fixed items of the relevance judge.
#[cfg(test)]
pub(super) fn relevance_items() -> Vec<Item> {
    relevance::items()
}

/// Every kind of judge, with the questions of the self-test.
#[cfg(test)]
pub(super) fn all() -> Vec<Kind> {
    let configured = [Row::of::<rubric::Rubric>(), Row::of::<scale::ScaleJudge>()];
    BUILT_IN.iter().chain(&configured).map(Row::kind).collect()
}
