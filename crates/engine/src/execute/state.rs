//! The state of a round: finished slots, retries, and the end of the run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::case_cost::CaseCost;
use super::pairs::Rival;
use super::plan::{Roles, Slot};
use super::round::{Engine, RoundResult};
use promptgate_core::model::{
    CallFacts, CallOrigin, Ended, Fault, FaultKind, Grade, GradeFacts, Outcome, Role, Trial, TrialResult,
    TrialSummary,
};
use promptgate_core::port::Event;

/// Judgements of one metric, or of all metrics together, after which a judge without a valid verdict ends the run.
const MAX_INVALID_JUDGEMENTS: u32 = 10;

/// A finished slot.
pub(super) struct FinishedSlot {
    pub(super) slot: Slot,
    pub(super) result: TrialResult,
    /// The fault of its completion or of a judgement.
    pub(super) fault: Option<Fault>,
    /// The last judgement without a grade.
    pub(super) ungraded: Option<Box<Grade>>,
    /// Whether it makes the verdict fail, under `--fail-fast`.
    pub(super) fails_fast: bool,
    /// Whether its answer is of this round.
    pub(super) is_answer: bool,
    /// Whether its answer was compared with the baseline's, and nothing else.
    pub(super) is_pair: bool,
}

impl FinishedSlot {
    pub(super) fn new(slot: Slot, result: TrialResult) -> Self {
        Self {
            slot,
            result,
            fault: None,
            ungraded: None,
            fails_fast: false,
            is_answer: false,
            is_pair: false,
        }
    }
}

/// A slot to execute.
pub(super) struct SlotWork {
    pub(super) slot: Slot,
    /// The completion of an earlier attempt; then only missing judgements are requested.
    pub(super) earlier: Option<Box<TrialSummary>>,
    /// The answer to compare it with; then nothing else is done.
    pub(super) rival: Option<Rival>,
}

/// The state of a round.
pub(super) struct RoundState<'a> {
    pub(super) engine: &'a Engine,
    /// The judges of this round.
    pub(super) judges: Arc<BTreeSet<String>>,
    /// Trials of earlier rounds that are not retried.
    pub(super) unchanged: Vec<Trial>,
    pub(super) finished: Vec<FinishedSlot>,
    /// Earlier results of the slots that are being retried; they count if the run ends before the retry.
    retried: BTreeMap<(usize, u32, Role), FinishedSlot>,
    pub(super) ended: Option<Ended>,
    /// Number of unfinished slots by case.
    unfinished: Vec<u32>,
    /// Judgements by metric.
    tallies: BTreeMap<String, Tally>,
    /// The cost of the answers.
    cost: CaseCost,
}

/// Judgements of one metric.
#[derive(Default)]
struct Tally {
    valid: u32,
    invalid: u32,
}

impl<'a> RoundState<'a> {
    pub(super) fn new(engine: &'a Engine, slots: &[Slot], judges: BTreeSet<String>) -> Self {
        let mut unfinished = vec![0; engine.plan.dataset().cases.len()];
        for slot in slots {
            unfinished[slot.case] += 1;
        }
        Self {
            engine,
            judges: Arc::new(judges),
            unchanged: Vec::new(),
            finished: Vec::new(),
            retried: BTreeMap::new(),
            ended: None,
            unfinished,
            tallies: BTreeMap::new(),
            cost: CaseCost::new(engine.case_cost),
        }
    }

    pub(super) fn add_joined(&mut self, joined: Result<FinishedSlot, tokio::task::JoinError>) {
        match joined {
            Ok(slot) => self.add(slot),
            // A panic in a scorer is a bug and must surface as one.
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => {}
        }
    }

    pub(super) fn add(&mut self, finished: FinishedSlot) {
        let case = finished.slot.case;
        let missing = matches!(finished.result, TrialResult::Missing(_));
        self.unfinished[case] = self.unfinished[case].saturating_sub(1);
        // The trials of a pair have ended before.
        if !finished.is_pair {
            self.engine.sink.emit(Event::TrialEnded {
                case: self.engine.plan.dataset().cases[case].id.clone(),
                missing,
                case_done: self.unfinished[case] == 0,
            });
        }
        if let Some(fault) = finished.fault.as_ref().filter(|fault| fault.kind.ends_run()) {
            self.end(Ended::Stopped(fault.clone()));
        }
        if let TrialResult::Completed(trial) = &finished.result {
            if !finished.is_pair
                && let Some(fault) = self.cost.count(finished.slot.roles, trial.usage)
            {
                self.end(Ended::Stopped(fault));
            }
            let scorers = &self.engine.scorers;
            let graded = trial.grades.iter().filter(|of| scorers.is_pairwise(&of.scorer) == finished.is_pair);
            let graded: Vec<&GradeFacts> = graded.collect();
            self.count_judgements(&graded, finished.ungraded.as_deref());
        }
        if finished.fails_fast {
            self.end(Ended::FailedFast);
        }
        self.retried.remove(&position(finished.slot));
        self.finished.push(finished);
    }

    /// Counts judgements. Ends the run if a judge has given only invalid verdicts.
    fn count_judgements(&mut self, grades: &[&GradeFacts], last_ungraded: Option<&Grade>) {
        for grade in grades.iter().filter(|grade| !grade.judgements.is_empty() && !grade.is_check()) {
            let tally = match self.tallies.get_mut(&*grade.scorer) {
                Some(tally) => tally,
                None => self.tallies.entry(grade.scorer.to_string()).or_default(),
            };
            match (grade.score, grade.fault) {
                (Some(_), _) => tally.valid += 1,
                // The judge was not called.
                (None, Some(FaultKind::NotCached)) => {}
                (None, _) => tally.invalid += 1,
            }
        }
        let invalid: u32 = self.tallies.values().map(|tally| tally.invalid).sum();
        let (metric, count) = if let Some((name, tally)) =
            self.tallies.iter().find(|(_, tally)| tally.valid == 0 && tally.invalid >= MAX_INVALID_JUDGEMENTS)
        {
            (format!(" for {name}"), tally.invalid)
        } else if invalid >= MAX_INVALID_JUDGEMENTS && self.tallies.values().all(|tally| tally.valid == 0) {
            (String::new(), invalid)
        } else {
            return;
        };
        let message = format!(
            "the judge gave no valid verdict{metric} in its first {count} judgements: {}",
            last_ungraded.map_or("", |grade| &grade.reason)
        );
        let fault = match last_ungraded.map(|grade| &grade.outcome) {
            // The fault of a call comes with its own help.
            Some(Outcome::Ungraded(Some(fault))) => Fault { message, ..fault.clone() },
            _ => Fault::new(FaultKind::InvalidAnswer, message).help(match last_ungraded {
                Some(grade) if grade.reason.ends_with("finish_reason length") => {
                    "raise the token limit in `judge.parameters`"
                }
                _ => "choose a judge model that can follow a JSON schema",
            }),
        };
        self.end(Ended::Stopped(fault));
    }

    /// Whether a judge has given only invalid verdicts so far.
    pub(super) fn lacks_a_verdict(&self) -> bool {
        self.tallies.values().any(|tally| tally.valid == 0)
    }

    /// Ends the run. Only the first reason counts; later ones are its consequences.
    pub(super) fn end(&mut self, ended: Ended) {
        if self.ended.is_none() {
            self.ended = Some(ended);
            self.engine.stop.cancel();
        }
    }

    /// Takes the trials of earlier rounds, and returns those to retry.
    pub(super) fn resume(&mut self, earlier: Vec<Trial>) -> Vec<SlotWork> {
        let mut retries = Vec::new();
        for trial in earlier {
            let shared = self.engine.plan.shared().get(trial.case).copied().unwrap_or_default();
            if !self.is_retryable(&trial.result) {
                self.unchanged.push(trial);
            } else if !shared || trial.role == Role::Candidate {
                let roles = if shared { Roles::Both } else { Roles::One(trial.role) };
                let slot = Slot { case: trial.case, repeat: trial.repeat, roles };
                retries.push(self.retry(FinishedSlot::new(slot, trial.result)));
            }
        }
        retries
    }

    /// Returns the finished slots to retry.
    pub(super) fn take_retryable(&mut self) -> Vec<SlotWork> {
        let (retryable, finished): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.finished).into_iter().partition(|slot| self.is_retryable(&slot.result));
        self.finished = finished;
        let mut retries: Vec<SlotWork> = retryable.into_iter().map(|slot| self.retry(slot)).collect();
        retries.sort_by_key(|work| position(work.slot));
        retries
    }

    /// Whether a retry may yield a completion or grade that is missing in this round.
    fn is_retryable(&self, result: &TrialResult) -> bool {
        match result {
            // The attempts at a reply that cannot be read are used up.
            TrialResult::Missing(fault) => may_recover(fault.kind) && fault.max_attempts.is_none(),
            TrialResult::Completed(trial) => trial
                .grades
                .iter()
                .filter(|grade| {
                    let scorers = &self.engine.scorers;
                    (self.judges.contains(&*grade.scorer) && !scorers.is_pairwise(&grade.scorer))
                        || scorers.is_outside(&grade.scorer)
                        || scorers.transformer.is_some()
                })
                .any(|grade| grade.score.is_none() && grade.fault.is_none_or(may_recover)),
        }
    }

    pub(super) fn retry(&mut self, finished: FinishedSlot) -> SlotWork {
        let slot = finished.slot;
        self.unfinished[slot.case] += 1;
        let earlier = match &finished.result {
            TrialResult::Missing(_) => None,
            TrialResult::Completed(trial) => Some(Box::new(trial.clone())),
        };
        self.retried.insert(position(slot), finished);
        SlotWork { slot, earlier, rival: None }
    }

    pub(super) fn finish(self) -> RoundResult {
        let mut trials: Vec<Trial> = self
            .finished
            .into_iter()
            .chain(self.retried.into_values())
            .flat_map(|finished| {
                let Slot { case, repeat, roles } = finished.slot;
                roles.all().iter().map(move |&role| {
                    let mut result = finished.result.clone();
                    if role != roles.sender() {
                        result.set_call(CallFacts::spared(CallOrigin::Shared));
                    }
                    Trial { case, role, repeat, result }
                })
            })
            .chain(self.unchanged)
            .collect();
        trials.sort_by_key(|trial| (trial.case, trial.repeat, trial.role));
        let ended = self.ended.or_else(|| not_cached(&trials).map(Ended::Stopped));
        RoundResult { trials, ended: ended.unwrap_or(Ended::Completed) }
    }
}

/// The fault of a `--cached-only` run whose cache lacks answers or judgements.
fn not_cached(trials: &[Trial]) -> Option<Fault> {
    let is_cache_miss = |fault: FaultKind| fault == FaultKind::NotCached;
    let (mut answers, mut judgements) = (0_u64, 0_u64);
    for trial in trials {
        match &trial.result {
            TrialResult::Missing(fault) => answers += u64::from(is_cache_miss(fault.kind)),
            TrialResult::Completed(trial) => {
                let missing = |grade: &&GradeFacts| grade.fault.is_some_and(is_cache_miss);
                judgements += trial.grades.iter().filter(missing).count() as u64;
            }
        }
    }
    let missing = match (answers, judgements) {
        (0, 0) => return None,
        (answers, 0) => format!("{answers} of {} answers", trials.len()),
        (0, judgements) => format!("{judgements} judgements"),
        (answers, judgements) => format!("{answers} of {} answers and {judgements} judgements", trials.len()),
    };
    let fault = Fault::new(FaultKind::NotCached, format!("not in the cache: {missing}"));
    Some(fault.help("run without --cached-only to request them"))
}

/// The sort key of a slot in the order of the plan.
pub(super) fn position(slot: Slot) -> (usize, u32, Role) {
    (slot.case, slot.repeat, slot.roles.sender())
}

/// Whether a retry can succeed; not if the request itself was refused.
pub(super) fn may_recover(fault: FaultKind) -> bool {
    !fault.ends_run()
        && !matches!(
            fault,
            FaultKind::ContextLength | FaultKind::ContentFilter | FaultKind::Rejected | FaultKind::NotCached
        )
}
