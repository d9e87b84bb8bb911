//! Traits with several implementations that are chosen at run time.

use std::io;

use futures::future::BoxFuture;
use serde_json::Value;

use crate::model::{
    CallReason, Case, ChatRequest, Completion, Fault, Purpose, Role, Score, SpoolPlace, TrialText,
};

/// A chat model: HTTP, simulated, or a layer around another model (cache, retry, rate limit, budget).
pub trait ChatModel: Send + Sync {
    /// Requests one completion. Dropping the future cancels the request.
    ///
    /// # Errors
    /// A [`Fault`] instead of a complete response.
    fn complete<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<Completion, Fault>>;

    /// Returns the cache of judgements by this model; `None` without one. Completions are cached by the model itself,
    /// but a judge's reply is worth caching only after it was parsed.
    fn judgement_cache(&self) -> Option<&dyn JudgementCache> {
        None
    }
}

/// A cache of judgements by one model.
pub trait JudgementCache: Send + Sync {
    /// Looks up a judgement by its identity. Waits while another task computes the same judgement.
    ///
    /// # Errors
    /// A [`Fault`] where the cache cannot be read.
    fn get<'a>(&'a self, identity: &'a str) -> BoxFuture<'a, Result<CachedJudgement, Fault>>;

    /// Stores the record of a judgement by `model`.
    fn put(&self, identity: &str, model: &str, record: String);
}

/// The result of a lookup in a [`JudgementCache`].
pub struct CachedJudgement {
    /// The stored record.
    pub record: Option<String>,
    /// For a miss, why.
    pub miss: Option<CallReason>,
    /// For a miss, a claim to hold until the judgement is stored or abandoned; other tasks wait for it.
    pub claim: Option<Box<dyn Send + Sync>>,
}

/// Spills the text of trials to disk until it is needed again.
pub trait Spool: Send + Sync {
    /// Writes a completion with its grades, as the trial of a case.
    ///
    /// # Errors
    /// The write fails.
    fn put(&self, case: &str, role: Role, repeat: u32, text: &TrialText) -> io::Result<SpoolPlace>;

    /// Reads what was written at a place.
    ///
    /// # Errors
    /// The read fails.
    fn get(&self, place: SpoolPlace) -> io::Result<TrialText>;
}

/// The input of a scorer.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The case.
    pub case: &'a Case,
    /// The completion.
    pub completion: &'a Completion,
    /// Input of judges and text checks: the `answer_field` of a JSON answer, or the whole text. `Err` holds the reason
    /// why the field is missing (invalid JSON, no such field): a format violation with score 0.
    pub answer: Result<&'a str, &'a str>,
}

/// The result of a check.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Whether the answer passes.
    pub passed: bool,
    /// The score of a graded check, which passes with 1; `None` where passing is the score.
    pub score: Option<Score>,
    /// The reason in one line.
    pub reason: String,
    /// Evidence; `Null` where the reason is sufficient.
    pub details: Value,
}

impl Finding {
    /// The score: that of a graded check, otherwise 1 for a pass and 0 for a failure.
    pub fn score(&self) -> Score {
        self.score.unwrap_or_else(|| self.passed.into())
    }
}

/// A deterministic check.
pub trait Check: std::fmt::Debug + Send + Sync {
    /// Grades one answer without side effects.
    ///
    /// # Errors
    /// The finding of an answer that cannot be read, so that a check can use `?` on its way.
    fn finding(&self, subject: &Subject<'_>) -> Result<Finding, Finding>;

    /// Whether it looks for the case's `expected_sources`.
    fn needs_sources(&self) -> bool {
        false
    }

    /// Whether embeddings decide it: [`Check::embedded_texts`] and then [`Check::embedded_finding`] take the place of
    /// [`Check::finding`].
    fn needs_embeddings(&self) -> bool {
        false
    }

    /// The texts whose embeddings decide: the answer's first, then the one it is compared with.
    ///
    /// # Errors
    /// The finding of an answer that cannot be read.
    fn embedded_texts(&self, subject: &Subject<'_>) -> Result<[String; 2], Finding> {
        Err(self.grade(subject))
    }

    /// The finding by the embeddings of these texts, in their order.
    ///
    /// # Errors
    /// The embeddings cannot be compared. That says nothing about the answer, which is then ungraded.
    fn embedded_finding(&self, _embeddings: [&[f64]; 2]) -> Result<Finding, String> {
        Err("this check compares no embeddings".to_owned())
    }

    /// Returns the finding, however the check came to it.
    fn grade(&self, subject: &Subject<'_>) -> Finding {
        self.finding(subject).unwrap_or_else(|finding| finding)
    }
}

/// The score of an outside scorer.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// The score.
    pub score: Score,
    /// The reason in one line; may be empty.
    pub reason: String,
    /// Evidence; `Null` where there is none.
    pub details: Value,
}

/// A scorer outside of this process, such as a command.
pub trait Scorer: Send + Sync {
    /// Scores one answer. Dropping the future cancels the request.
    ///
    /// # Errors
    /// A [`Fault`] in place of a score; the answer is then ungraded.
    fn score<'a>(&'a self, subject: &'a Subject<'a>) -> BoxFuture<'a, Result<Scored, Fault>>;
}

/// An event during a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The plan is complete.
    Planned {
        /// Number of cases.
        cases: usize,
        /// Number of completions.
        completions: usize,
        /// Maximum number of judgements, without re-prompts.
        judgements: usize,
    },
    /// The judge is tested before the first completion.
    SelfTestPlanned {
        /// Number of calls.
        calls: usize,
    },
    /// Criteria are undecided after a look, so more repeats follow.
    LookTaken {
        /// Repeats so far.
        repeats: u32,
        /// Repeats of the next look.
        next: u32,
        /// Ids of undecided criteria.
        undecided: Vec<String>,
    },
    /// A call was sent, after any queueing.
    CallStarted,
    /// A call succeeded or failed.
    CallEnded,
    /// A call will be retried.
    Retried {
        /// Delay in seconds.
        wait_seconds: f64,
        /// Reason of the retry.
        reason: String,
    },
    /// The observed rate limit of an endpoint is new or has changed.
    RateLimitChanged {
        /// Host and port of the endpoint.
        endpoint: String,
        /// Maximum calls per second; `None` where the limit no longer applies.
        calls_per_second: Option<f64>,
    },
    /// A trial is graded, or missing for good.
    TrialEnded {
        /// The case's id.
        case: String,
        /// Whether the trial is missing.
        missing: bool,
        /// Whether this was the last trial of its case.
        case_done: bool,
    },
    /// A completion or a judgement came from the cache.
    CacheHit {
        /// Completion or judgement.
        purpose: Purpose,
        /// Time of caching in seconds since 1970 (UTC).
        at: u64,
    },
    /// Cost so far.
    Spent {
        /// US dollars.
        usd: f64,
    },
    /// A line of information, such as the cost estimate before the first call.
    Note {
        /// One sentence.
        message: String,
    },
    /// A warning for the user.
    Warning {
        /// One sentence.
        message: String,
    },
}

/// A receiver of events, such as a progress bar.
pub trait EventSink: Send + Sync {
    /// Receives one event; must not block.
    fn emit(&self, event: Event);
}

/// Discards all events.
#[derive(Debug, Clone, Copy, Default)]
pub struct NullSink;

impl EventSink for NullSink {
    fn emit(&self, _event: Event) {}
}
