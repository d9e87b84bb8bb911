//! Plain data that every room speaks of: datasets, variants, trials, grades, runs, analyses, verdicts.
//!
//! Nothing here reads a file, asks a model or decides anything. One word has one meaning; the words are
//! explained in `docs/concepts.md`.

mod analysis;
mod case;
mod chat;
mod dataset;
mod diagnostic;
mod fault;
mod grade;
mod judge;
mod matrix;
mod origin;
mod policy;
mod run;
mod trial_summary;
mod variant;
mod verdict;

pub use analysis::{Analysis, CaseFacts, Cell, MetricKind, MetricScores, VariantScores};
pub use case::{Case, Item};
pub use chat::{ChatRequest, Completion, FinishReason, Message, Purpose, ResponseFormat, Speaker, Usage};
pub use dataset::{Dataset, DatasetFacts};
pub use diagnostic::{Diagnostic, Diagnostics, Place};
pub use fault::{Fault, FaultKind};
pub use grade::{Grade, Judging, Opinion, Outcome, Score};
pub use judge::{CalibrationFacts, Expected, JudgeFacts, PlantedOutcome, SelfTest};
pub use matrix::Matrix;
pub use origin::{DatasetChanges, NamedCases, PolicyChange, PolicySource};
pub use policy::{Bound, Criterion, Policy, Requirement, Rule, Statistic};
pub use run::{Asked, CallTotals, Ended, Run, SESSION_SECONDS, Trial, TrialResult};
pub use trial_summary::{
    GradeFacts, Instrument, Judgement, Names, SpoolPlace, TextLocation, TrialSummary, TrialText,
};
pub use variant::{PromptFacts, Role, Variant, VariantFacts};
pub use verdict::{
    CaseChange, CaseStatus, CriterionOutcome, CriterionVerdict, Decision, Interval, Judged,
    LengthCorrelation, LookCriterion, LookOutcome, MetricSummary, Need, NextLook, Reason, ReasonCode, Scope,
    Slice, ToSettle, Verdict,
};
