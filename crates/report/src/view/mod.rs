//! Content that several renderings share: rows, sentences and formatted numbers, without markup.

mod abbreviated;
mod calls;
mod case_answers;
mod case_rows;
pub(crate) mod changes;
pub(crate) mod concern;
mod context;
mod criterion_rows;
mod deciding;
mod failing_statements;
mod first_facts;
mod headline;
pub(crate) mod judge_summary;
pub(crate) mod lengths;
pub(crate) mod looks;
mod metric_rows;
pub(crate) mod number;
pub(crate) mod policy_notice;
mod release_line;
mod request_changes;
pub(crate) mod rollout;
mod run_facts;
pub(crate) mod slices;
pub(crate) mod suites;
mod time;
mod untrusted_text;
mod verdict_sentence;

pub(crate) use calls::call_sentence;
pub(crate) use case_answers::{CaseAnswer, answers, failure_reasons, shown_repeat, with_calls};
pub(crate) use case_rows::{CaseRow, changed, fails, legend, others, tally, worst};
pub(crate) use context::{PageLimits, shared_context};
pub(crate) use criterion_rows::{Criteria, CriterionRow, criteria, verdict_rank};
pub(crate) use failing_statements::{FailingStatement, failing_statements, is_lost, judge_entries};
pub(crate) use first_facts::page_notices;
pub(crate) use headline::{
    Headline, headline, is_non_blocking, nothing_measured, reasons, reasons_before_help,
};
pub(crate) use metric_rows::{
    informative_metrics, metric_kind, metric_row, smallest_drops, undetected_failure_rate,
};
pub(crate) use release_line::release_line;
pub(crate) use request_changes::{request_changes, request_changes_without_text};
pub(crate) use run_facts::{
    NO_BASELINE, baseline_note, cached, contested, cost, money, scope_question, variant_name, variant_names,
};
pub(crate) use time::minute;
pub(crate) use untrusted_text::Sanitizer;
pub(crate) use verdict_sentence::{further_reasons, is_infrastructure_failure, why};
