//! Content that several renderings share: rows, sentences and formatted numbers, without markup.

mod case_rows;
pub(crate) mod concern;
mod criterion_rows;
pub(crate) mod effect;
mod headline;
pub(crate) mod judge_summary;
pub(crate) mod lengths;
pub(crate) mod looks;
mod metric_rows;
pub(crate) mod number;
pub(crate) mod policy_notice;
mod run_facts;
pub(crate) mod slices;

pub(crate) use case_rows::{CaseRow, changed, fails, tally, worst};
pub(crate) use criterion_rows::{Criteria, CriterionRow, criteria, criterion_row};
pub(crate) use headline::{Standing, is_let_through, nothing_measured, reasons, standing};
pub(crate) use metric_rows::{kind, metrics, not_excluded, smallest_drops, telling_metrics};
pub(crate) use run_facts::{NO_BASELINE, baseline_words, cached, cost, money, question, variant_name};
