//! An answer as a run keeps it: its numbers, and where its words are.
//!
//! A run of a hundred thousand cases is decided from numbers alone. What was said (the answer, reasons, evidence) is
//! needed again for the report, and may lie in a file until then.

use std::collections::{BTreeSet, hash_map::DefaultHasher};
use std::hash::{Hash as _, Hasher as _};
use std::sync::Arc;

use super::{Completion, FaultKind, Grade, Judging, Outcome, Usage};

/// A graded answer.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialSummary {
    /// The attempt that succeeded, in milliseconds.
    pub latency_ms: f64,
    /// Tokens; `None` where the endpoint did not say.
    pub usage: Option<Usage>,
    /// When it was cached, in seconds since 1970 (UTC), where it came from a cache.
    pub cached_at: Option<u64>,
    /// Length of the text in characters.
    pub characters: usize,
    /// A hash of the text: that of another text is another, as good as always.
    pub text_hash: u64,
    /// The grades in scorer order; a scorer that does not apply to the case has none.
    pub grades: Box<[GradeFacts]>,
    /// What was said.
    pub words: TextLocation,
}

/// The numbers of a grade.
#[derive(Debug, Clone, PartialEq)]
pub struct GradeFacts {
    /// The metric it counts for.
    pub scorer: Arc<str>,
    /// The score in 0..=1; `None` where it is missing.
    pub score: Option<f64>,
    /// The fault of the endpoint that kept it from coming.
    pub fault: Option<FaultKind>,
    /// Peculiarities.
    pub flags: Box<[Arc<str>]>,
    /// The judgements of the panel in its order, one where there is one judge; none for checks.
    pub judgements: Box<[Judgement]>,
}

/// What one judge of a panel brought to a grade.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// Who judged.
    pub by: Arc<Instrument>,
    /// Its score.
    pub score: Option<f64>,
    /// Calls, re-asks included.
    pub calls: u32,
    /// Those of them that came from a cache.
    pub cached_calls: u32,
    /// Tokens of all calls.
    pub usage: Usage,
    /// Tokens of the calls of this run.
    pub asked_usage: Usage,
}

/// Who judged, and how it answered: the same for many judgements.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instrument {
    /// Its model as asked for; `None` where it is the only one.
    pub judge: Option<Arc<str>>,
    /// How structured output was asked for.
    pub output_mode: Option<Arc<str>>,
    /// The model that answered, as it said.
    pub model: Option<Arc<str>>,
    /// `system_fingerprint`, as it said.
    pub system_fingerprint: Option<Arc<str>>,
}

/// What was said.
#[derive(Debug, Clone, PartialEq)]
pub enum TextLocation {
    /// In memory.
    InMemory(Box<TrialText>),
    /// In the spool of the run.
    Spilled(SpoolPlace),
}

/// An answer and its grades, in full.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialText {
    /// The answer.
    pub completion: Completion,
    /// Its grades, in scorer order.
    pub grades: Vec<Grade>,
}

/// A place in a spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpoolPlace {
    /// Bytes before it.
    pub offset: u64,
    /// Bytes of it.
    pub length: u32,
}

/// What stands on many grades, each in memory once.
#[derive(Debug, Default)]
pub struct Names {
    names: BTreeSet<Arc<str>>,
    instruments: BTreeSet<Arc<Instrument>>,
}

impl Names {
    fn name(&mut self, text: &str) -> Arc<str> {
        match self.names.get(text) {
            Some(name) => Arc::clone(name),
            None => {
                let name: Arc<str> = text.into();
                self.names.insert(Arc::clone(&name));
                name
            }
        }
    }

    fn maybe(&mut self, text: Option<&String>) -> Option<Arc<str>> {
        text.map(|text| self.name(text))
    }

    fn judgement(&mut self, judge: Option<&String>, score: Option<f64>, judging: &Judging) -> Judgement {
        let by = Instrument {
            judge: self.maybe(judge),
            output_mode: self.maybe(judging.output_mode.as_ref()),
            model: self.maybe(judging.model.as_ref()),
            system_fingerprint: self.maybe(judging.system_fingerprint.as_ref()),
        };
        Judgement {
            by: self.instrument(by),
            score,
            calls: judging.calls,
            cached_calls: judging.cached_calls,
            usage: judging.usage,
            asked_usage: judging.asked_usage(),
        }
    }

    fn instrument(&mut self, instrument: Instrument) -> Arc<Instrument> {
        match self.instruments.get(&instrument) {
            Some(known) => Arc::clone(known),
            None => {
                let known = Arc::new(instrument);
                self.instruments.insert(Arc::clone(&known));
                known
            }
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
            scorer: self.name(&grade.scorer),
            score: grade.score(),
            fault: match &grade.outcome {
                Outcome::Ungraded(Some(fault)) => Some(fault.kind),
                _ => None,
            },
            flags: grade.flags.iter().map(|flag| self.name(flag)).collect(),
            judgements: judgements.into(),
        }
    }
}

impl TrialSummary {
    /// The numbers of a graded answer, with its words in memory.
    pub fn new(completion: Completion, grades: Vec<Grade>, names: &mut Names) -> Self {
        let mut hasher = DefaultHasher::new();
        completion.text.hash(&mut hasher);
        Self {
            latency_ms: completion.latency_ms,
            usage: completion.usage,
            cached_at: completion.cached_at,
            characters: completion.text.chars().count(),
            text_hash: hasher.finish(),
            grades: grades.iter().map(|grade| names.grade(grade)).collect(),
            words: TextLocation::InMemory(Box::new(TrialText { completion, grades })),
        }
    }

    /// The grade of a scorer.
    pub fn grade(&self, scorer: &str) -> Option<&GradeFacts> {
        self.grades.iter().find(|grade| &*grade.scorer == scorer)
    }

    /// What was said, where it is in memory.
    pub fn here(&self) -> Option<&TrialText> {
        match &self.words {
            TextLocation::InMemory(spoken) => Some(spoken),
            TextLocation::Spilled(_) => None,
        }
    }
}
