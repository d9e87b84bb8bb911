//! The data model: datasets, variants, trials, grades, runs, analyses and verdicts.
//!
//! Plain data without I/O or decisions. `docs/concepts.md` explains the terms.

mod agreement;
mod analysis;
mod attempt;
mod call;
mod carried_by;
mod case;
mod chat;
mod dataset;
mod dataset_finding;
mod diagnostic;
mod fault;
mod finish;
mod grade;
mod judge;
mod matrix;
mod named;
mod origin;
mod policy;
mod price;
pub mod price_table;
mod protocol;
mod release;
mod request;
mod run;
mod served_model;
mod trial_summary;
mod variant;
mod verdict;

pub use agreement::{Agreement, Corrections, CutOff, Humans, Repeatability, SliceAgreement};
pub use analysis::{
    Analysis, CaseFacts, Cell, Contested, ContestedTrial, MetricKind, MetricScores, StoredBaseline,
    TrialPlace, VariantScores,
};
pub use attempt::{Attempt, FirstAttempt};
pub use call::{CallFacts, CallOrigin, CallReason};
pub use carried_by::{CarriedBy, TagDrop};
pub use case::{CRITERIA, Case, EVEN, Item, PREFERENCE};
pub use chat::{
    ChatRequest, Completion, Image, Message, MessageRole, Purpose, ResponseFormat, ToolCall, Transformed,
    Turn, Usage, with_tool_calls,
};
pub use dataset::{CaseChoice, Dataset, DatasetFacts, DatasetFormat, PartialDataset};
pub use dataset_finding::{CaseHistory, CaseSet, DatasetCode, DatasetFinding, FindingLevel};
pub use diagnostic::{Diagnostic, Diagnostics, Place};
pub use fault::{Fault, FaultKind};
pub use finish::FinishReason;
pub use grade::{CachedCalls, Grade, Judging, Opinion, Outcome, Score};
pub use judge::{CalibrationFacts, CorrectedMean, Expected, JudgeFacts, Judged, PlantedOutcome, SelfTest};
pub use matrix::Matrix;
pub(crate) use named::named;
pub use origin::{DatasetChanges, NamedCases, PolicyChange, PolicySource};
pub use policy::{Bound, Criterion, Policy, Requirement, Rule, Statistic};
pub use price::{Price, Prices};
pub use price_table::PriceDate;
pub use protocol::{Protocol, StreamMode};
pub use release::{LevelReason, PublishedVersion, ReleaseControls, ReleaseFacts, ReleaseGate, ReleaseLevel};
pub use request::{CaseRequests, MessageTexts, RequestLocation, RequestTexts};
pub use run::{CallTotals, Ended, EndedKind, RepeatCounts, Run, SESSION_SECONDS, Trial, TrialResult};
pub use served_model::is_same_model;
pub use trial_summary::{
    GradeFacts, Interner, JudgeIdentity, Judgement, Responder, SpoolPlace, TextLocation, TrialSummary,
    TrialText,
};
pub use variant::{Application, ApplicationFacts, PromptFacts, PromptMessage, Role, Variant, VariantFacts};
pub use verdict::{
    CaseStatus, CaseSummary, ContestedTotals, CriterionOutcome, CriterionVerdict, Decision,
    FirstAttemptsOutcome, Interval, LengthCorrelation, LookCriterion, LookOutcome, MetricSummary, Need,
    NextLook, PairCounts, Reason, ReasonCode, RefusalCounts, Refusals, Scope, Slice, ToSettle,
    VariantSummary, Verdict,
};
