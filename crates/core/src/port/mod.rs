//! The few traits: places where two implementations exist and are chosen at run time.

use std::io;

use futures::future::BoxFuture;
use serde_json::Value;

use crate::model::{Case, ChatRequest, Completion, Fault, Purpose, SpoolPlace, TrialText};

/// A chat model: HTTP, simulated, or a layer around another one (cache, retry, limit, budget).
pub trait ChatModel: Send + Sync {
    /// Answers one request with one whole answer.
    ///
    /// # Errors
    /// A [`Fault`] where no whole answer came; cancelled by dropping the future.
    fn complete<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<Completion, Fault>>;

    /// Where judgements by this model are kept; `None` where they are not. Answers are kept by the model itself, but
    /// what a judge replied is worth keeping only once it has been read.
    fn memory(&self) -> Option<&dyn Memory> {
        None
    }
}

/// Keeps judgements by one model.
pub trait Memory: Send + Sync {
    /// What was kept under an identity. Waits while somebody else asks the same.
    ///
    /// # Errors
    /// A [`Fault`] where the memory cannot be read.
    fn recall<'a>(&'a self, identity: &'a str) -> BoxFuture<'a, Result<Recalled, Fault>>;

    /// Keeps the record of a judgement that `model` gave.
    fn keep(&self, identity: &str, model: &str, record: String);
}

/// What a memory holds of a judgement.
pub struct Recalled {
    /// The record, as it was kept.
    pub record: Option<String>,
    /// Where there is none: held until the judgement is kept or given up; others that want the same wait for it.
    pub claim: Option<Box<dyn Send + Sync>>,
}

/// Keeps what was said in a run out of memory until it is needed again.
pub trait Spool: Send + Sync {
    /// Takes an answer with its grades.
    ///
    /// # Errors
    /// It cannot be written.
    fn put(&self, spoken: &TrialText) -> io::Result<SpoolPlace>;

    /// Gives back what was put at a place.
    ///
    /// # Errors
    /// It cannot be read.
    fn get(&self, place: SpoolPlace) -> io::Result<TrialText>;
}

/// What a scorer looks at.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The case.
    pub case: &'a Case,
    /// The whole answer.
    pub completion: &'a Completion,
    /// What judges and text checks read: the `answer_field` of a JSON answer, else the whole text.
    /// `Err` holds why there is none (not JSON, field absent): a format violation, score 0.
    pub answer: Result<&'a str, &'a str>,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Whether the answer passes.
    pub passed: bool,
    /// One line: why.
    pub reason: String,
    /// Evidence, `Null` where the reason says it all.
    pub details: Value,
}

/// A deterministic check.
pub trait Check: std::fmt::Debug + Send + Sync {
    /// Grades one answer; pure.
    fn grade(&self, subject: &Subject<'_>) -> Finding;
}

/// Something that happened while a run was carried out.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The plan is made.
    Planned {
        /// Cases.
        cases: usize,
        /// Completions to ask for.
        completions: usize,
        /// Judgements to ask for, at most, without re-asks.
        judgements: usize,
    },
    /// The evidence so far leaves criteria undecided, so more repeats are asked for.
    LookTaken {
        /// Repeats so far.
        repeats: u32,
        /// Repeats of the next look.
        next: u32,
        /// Ids of what is undecided.
        undecided: Vec<String>,
    },
    /// A call left (after any waiting for its turn).
    CallStarted,
    /// A call came back, well or not.
    CallEnded,
    /// A call is tried again.
    Retried {
        /// Seconds until then.
        wait_seconds: f64,
        /// Why.
        reason: String,
    },
    /// The rate that an endpoint allows was learned, or has changed.
    Paced {
        /// Host and port of the endpoint.
        endpoint: String,
        /// Calls a second at most; `None`: no limit is known any more.
        calls_per_second: Option<f64>,
    },
    /// A trial is graded, or missing for good.
    TrialEnded {
        /// The case's id.
        case: String,
        /// Whether it is missing.
        missing: bool,
        /// Whether this was the last trial of its case.
        case_done: bool,
    },
    /// An answer or a judgement came from the cache.
    Recalled {
        /// What it is.
        purpose: Purpose,
        /// When it was cached, in seconds since 1970 (UTC).
        at: u64,
    },
    /// Money spent so far, in US dollars.
    Spent {
        /// US dollars.
        usd: f64,
    },
    /// A line of information, such as the cost estimate before the first call.
    Note {
        /// One sentence.
        message: String,
    },
    /// Something the user should know at once.
    Warning {
        /// One sentence.
        message: String,
    },
}

/// Takes events: progress bars, plain lines, nothing.
pub trait EventSink: Send + Sync {
    /// Takes one event; must not block.
    fn emit(&self, event: Event);
}

/// Takes events and drops them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl EventSink for Silent {
    fn emit(&self, _event: Event) {}
}
