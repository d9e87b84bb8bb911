//! A graded completion as a run keeps it: its numbers, and the location of its text.
//!
//! A run of a hundred thousand cases is decided from the numbers. The text of answers and grades is needed again for
//! the report, and may be spilled to a file until then.

use std::collections::{BTreeSet, hash_map::DefaultHasher};
use std::hash::{Hash, Hasher as _};
use std::sync::Arc;

use super::{Attempt, Completion, FaultKind, FirstAttempt, Grade, Judging, Outcome, Usage};

/// The numbers of a graded completion and the location of its text.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialSummary {
    /// Duration of the successful attempt in milliseconds.
    pub latency_ms: f64,
    /// Time to the first token of a stream in milliseconds; `None` without a stream.
    pub ttft_ms: Option<f64>,
    /// Tokens; `None` where the endpoint reported none.
    pub usage: Option<Usage>,
    /// Cost in US dollars as an application reported it; it takes precedence over prices.
    pub cost_usd: Option<f64>,
    /// The model that answered, by its own account.
    pub by: Arc<Responder>,
    /// Why the model stopped, where no vendor is known to use that name.
    pub unknown_end: Option<Arc<str>>,
    /// Time of caching in seconds since 1970 (UTC); `None` for a new completion.
    pub cached_at: Option<u64>,
    /// The model that the response named.
    pub model: Option<Arc<str>>,
    /// Whether the text came in the `refusal` field.
    pub refusal: bool,
    /// Whether a failed attempt may have hidden another answer.
    pub first_attempt: FirstAttempt,
    /// Length of the text in characters.
    pub characters: usize,
    /// Hash of the text, for comparison with other trials.
    pub text_hash: u64,
    /// The grades in scorer order; a scorer that does not apply to the case has none.
    pub grades: Box<[GradeFacts]>,
    /// The text.
    pub text: TextLocation,
}

/// The numbers of a grade.
#[derive(Debug, Clone, PartialEq)]
pub struct GradeFacts {
    /// The metric.
    pub scorer: Arc<str>,
    /// The score in 0..=1; `None` where it is missing.
    pub score: Option<f64>,
    /// The endpoint's fault that made the score missing.
    pub fault: Option<FaultKind>,
    /// Hash of a judge's verdict with its evidence, for comparison with other trials; 0 for checks.
    pub verdict_hash: u64,
    /// Whether a failed attempt of a judge may have hidden another reply.
    pub contested: bool,
    /// Peculiarities.
    pub flags: Box<[Arc<str>]>,
    /// The judgements in panel order, one for a single judge; empty for checks, but for the embeddings of one.
    pub judgements: Box<[Judgement]>,
}

impl GradeFacts {
    /// Whether a check gave it, and not a judge. The calls of a check are those of embeddings.
    pub fn is_check(&self) -> bool {
        self.scorer.starts_with("check.")
    }
}

/// The judgement of one judge.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The judge.
    pub by: Arc<JudgeIdentity>,
    /// The score.
    pub score: Option<f64>,
    /// Calls, including re-prompts after invalid replies.
    pub calls: u32,
    /// Calls with a cached reply.
    pub cached_calls: u32,
    /// Tokens of all calls.
    pub usage: Usage,
    /// Tokens of the calls that were not cached.
    pub fresh_usage: Usage,
}

/// The model that a response names, shared by many answers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Responder {
    /// The model.
    pub model: Option<Arc<str>>,
    /// The `system_fingerprint`.
    pub system_fingerprint: Option<Arc<str>>,
}

/// The judge of a judgement and its way of answering, shared by many judgements.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct JudgeIdentity {
    /// The requested model; `None` where there is only one judge.
    pub judge: Option<Arc<str>>,
    /// How structured output was requested.
    pub output_mode: Option<Arc<str>>,
    /// The model that the response named.
    pub model: Option<Arc<str>>,
    /// The `system_fingerprint` of the response.
    pub system_fingerprint: Option<Arc<str>>,
}

/// The location of a trial's text.
#[derive(Debug, Clone, PartialEq)]
pub enum TextLocation {
    /// In memory.
    InMemory(Box<TrialText>),
    /// In the spool of the run.
    Spilled(SpoolPlace),
}

/// A completion and its grades, in full.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialText {
    /// The completion.
    pub completion: Completion,
    /// Its grades, in scorer order.
    pub grades: Vec<Grade>,
}

/// A byte range in a spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpoolPlace {
    /// Start of the range.
    pub offset: u64,
    /// Number of bytes.
    pub length: u32,
}

/// Strings and judges that many grades share, each in memory once.
#[derive(Debug, Default)]
pub struct Interner {
    strings: BTreeSet<Arc<str>>,
    judges: BTreeSet<Arc<JudgeIdentity>>,
    responders: BTreeSet<Arc<Responder>>,
}

impl Interner {
    fn string(&mut self, text: &str) -> Arc<str> {
        shared(&mut self.strings, text, || text.into())
    }

    fn optional(&mut self, text: Option<&String>) -> Option<Arc<str>> {
        text.map(|text| self.string(text))
    }

    fn responder(&mut self, completion: &Completion) -> Arc<Responder> {
        let responder = Responder {
            model: self.optional(completion.model.as_ref()),
            system_fingerprint: self.optional(completion.system_fingerprint.as_ref()),
        };
        shared(&mut self.responders, &responder, || Arc::new(responder.clone()))
    }

    fn judgement(&mut self, judge: Option<&String>, score: Option<f64>, judging: &Judging) -> Judgement {
        let identity = JudgeIdentity {
            judge: self.optional(judge),
            output_mode: self.optional(judging.output_mode.as_ref()),
            model: self.optional(judging.model.as_ref()),
            system_fingerprint: self.optional(judging.system_fingerprint.as_ref()),
        };
        Judgement {
            by: shared(&mut self.judges, &identity, || Arc::new(identity.clone())),
            score,
            calls: judging.calls,
            cached_calls: judging.cached_calls(),
            usage: judging.usage,
            fresh_usage: judging.fresh_usage(),
        }
    }

    fn grade(&mut self, grade: &Grade) -> GradeFacts {
        let judgements = match (&*grade.opinions, &grade.judging) {
            ([], Some(judging)) => vec![self.judgement(None, grade.score(), judging)],
            (opinions, _) => opinions
                .iter()
                .map(|opinion| self.judgement(Some(&opinion.judge), opinion.score, &opinion.judging))
                .collect(),
        };
        GradeFacts {
            scorer: self.string(&grade.scorer),
            score: grade.score(),
            fault: match &grade.outcome {
                Outcome::Ungraded(Some(fault)) => Some(fault.kind),
                _ => None,
            },
            verdict_hash: grade.judging.as_ref().map_or(0, |_| hash(&(&grade.reason, &grade.details))),
            contested: grade
                .judging
                .as_ref()
                .is_some_and(|judging| judging.attempts.iter().any(Attempt::is_contested)),
            flags: grade.flags.iter().map(|flag| self.string(flag)).collect(),
            judgements: judgements.into(),
        }
    }
}

/// Returns the known copy of a value, or makes one.
fn shared<T: Ord + ?Sized>(known: &mut BTreeSet<Arc<T>>, value: &T, make: impl FnOnce() -> Arc<T>) -> Arc<T> {
    if let Some(copy) = known.get(value) {
        return Arc::clone(copy);
    }
    let copy = make();
    known.insert(Arc::clone(&copy));
    copy
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl TrialSummary {
    /// Summarizes a graded completion and keeps its text in memory.
    pub fn new(completion: Completion, grades: Vec<Grade>, interner: &mut Interner) -> Self {
        Self {
            latency_ms: completion.latency_ms,
            ttft_ms: completion.ttft_ms,
            usage: completion.usage,
            cost_usd: completion.reported_cost(),
            by: interner.responder(&completion),
            unknown_end: completion.finish_reason.unknown().map(|name| interner.string(name)),
            cached_at: completion.cached_at,
            model: interner.optional(completion.model.as_ref()),
            refusal: completion.refusal,
            first_attempt: FirstAttempt::of(&completion.attempts),
            characters: completion.text.chars().count(),
            text_hash: hash(&completion.text),
            grades: grades.iter().map(|grade| interner.grade(grade)).collect(),
            text: TextLocation::InMemory(Box::new(TrialText { completion, grades })),
        }
    }

    /// Returns the grade of a scorer.
    pub fn grade(&self, scorer: &str) -> Option<&GradeFacts> {
        self.grades.iter().find(|grade| &*grade.scorer == scorer)
    }

    /// Returns the text if it is in memory.
    pub fn in_memory(&self) -> Option<&TrialText> {
        match &self.text {
            TextLocation::InMemory(text) => Some(text),
            TextLocation::Spilled(_) => None,
        }
    }
}
