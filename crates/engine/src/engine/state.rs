//! What has come back in a round, and what follows from it: when the run ends, and what is asked again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::execute::{Engine, Executed};
use super::plan::{Roles, Slot};
use promptgate_core::model::{
    Ended, Fault, FaultKind, Grade, GradeFacts, Outcome, Role, Trial, TrialResult, TrialText,
};
use promptgate_core::port::Event;

/// After so many judgements without a single valid one, of one metric or of all, the judge is taken for broken.
const USELESS_JUDGEMENTS: u32 = 10;

/// A finished slot.
pub(super) struct Graded {
    pub(super) slot: Slot,
    pub(super) result: TrialResult,
    /// The fault that kept it, or a judgement of it, from coming.
    pub(super) fault: Option<Fault>,
    /// The last judgement without a grade.
    pub(super) ungraded: Option<Box<Grade>>,
    /// Whether the verdict can only be fail now, under `--fail-fast`.
    pub(super) fails: bool,
}

impl Graded {
    /// A slot that was not asked for in this round.
    pub(super) fn as_it_was(slot: Slot, result: TrialResult) -> Self {
        Self { slot, result, fault: None, ungraded: None, fails: false }
    }
}

/// What is to be done for a slot: everything, or only the judgements that are missing.
pub(super) struct Work {
    pub(super) slot: Slot,
    pub(super) earlier: Option<TrialText>,
}

/// What has come back so far.
pub(super) struct State<'a> {
    engine: &'a Engine,
    /// The judges of this round.
    pub(super) judges: Arc<BTreeSet<String>>,
    /// Trials of earlier rounds that stay as they are.
    kept: Vec<Trial>,
    done: Vec<Graded>,
    /// What is being asked again, as it was: it stays so where the run ends before.
    waiting: BTreeMap<(usize, u32, Role), Graded>,
    pub(super) ended: Option<Ended>,
    /// Slots still to come, by case.
    left: Vec<u32>,
    /// What each judge has brought, by metric.
    tallies: BTreeMap<String, Tally>,
}

/// Judgements of one metric.
#[derive(Default)]
struct Tally {
    valid: u32,
    useless: u32,
}

impl<'a> State<'a> {
    pub(super) fn new(engine: &'a Engine, slots: &[Slot], judges: BTreeSet<String>) -> Self {
        let mut left = vec![0; engine.plan.dataset().cases.len()];
        for slot in slots {
            left[slot.case] += 1;
        }
        Self {
            engine,
            judges: Arc::new(judges),
            kept: Vec::new(),
            done: Vec::new(),
            waiting: BTreeMap::new(),
            ended: None,
            left,
            tallies: BTreeMap::new(),
        }
    }

    pub(super) fn take_joined(&mut self, joined: Result<Graded, tokio::task::JoinError>) {
        match joined {
            Ok(graded) => self.take(graded),
            // A panic in a scorer is a bug: let it surface as one.
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => {}
        }
    }

    pub(super) fn take(&mut self, graded: Graded) {
        let case = graded.slot.case;
        let missing = matches!(graded.result, TrialResult::Missing(_));
        self.left[case] = self.left[case].saturating_sub(1);
        self.engine.sink.emit(Event::TrialEnded {
            case: self.engine.plan.dataset().cases[case].id.clone(),
            missing,
            case_done: self.left[case] == 0,
        });
        if let Some(fault) = graded.fault.as_ref().filter(|fault| fault.kind.ends_run()) {
            self.end(Ended::Stopped(fault.clone()));
        }
        if let TrialResult::Completed(answered) = &graded.result {
            self.count_judgements(&answered.grades, graded.ungraded.as_deref());
        }
        if graded.fails {
            self.end(Ended::FailedFast);
        }
        self.waiting.remove(&place(graded.slot));
        self.done.push(graded);
    }

    /// Books what the judges brought; the run ends where one never gives a valid verdict.
    fn count_judgements(&mut self, grades: &[GradeFacts], last: Option<&Grade>) {
        for grade in grades.iter().filter(|grade| !grade.judgements.is_empty()) {
            let tally = match self.tallies.get_mut(&*grade.scorer) {
                Some(tally) => tally,
                None => self.tallies.entry(grade.scorer.to_string()).or_default(),
            };
            match (grade.score, grade.fault) {
                (Some(_), _) => tally.valid += 1,
                // It was not asked.
                (None, Some(FaultKind::NotCached)) => {}
                (None, _) => tally.useless += 1,
            }
        }
        let useless: u32 = self.tallies.values().map(|tally| tally.useless).sum();
        let (what, count) = if let Some((name, tally)) =
            self.tallies.iter().find(|(_, tally)| tally.valid == 0 && tally.useless >= USELESS_JUDGEMENTS)
        {
            (format!(" for {name}"), tally.useless)
        } else if useless >= USELESS_JUDGEMENTS && self.tallies.values().all(|tally| tally.valid == 0) {
            (String::new(), useless)
        } else {
            return;
        };
        let message = format!(
            "the judge gave no valid verdict{what} in its first {count} judgements: {}",
            last.map_or("", |grade| &grade.reason)
        );
        let fault = match last.map(|grade| &grade.outcome) {
            // What kept it from being asked knows the next step.
            Some(Outcome::Ungraded(Some(fault))) => Fault { message, ..fault.clone() },
            _ => Fault::new(FaultKind::InvalidAnswer, message).help(match last {
                Some(grade) if grade.reason.ends_with("finish_reason length") => {
                    "raise the token limit in `judge.parameters`"
                }
                _ => "choose a judge model that can follow a JSON schema",
            }),
        };
        self.end(Ended::Stopped(fault));
    }

    /// Whether some judge has replied, but never with a valid verdict.
    pub(super) fn awaits_a_verdict(&self) -> bool {
        self.tallies.values().any(|tally| tally.valid == 0)
    }

    /// The first reason to end stays: what follows from stopping is no reason.
    pub(super) fn end(&mut self, ended: Ended) {
        if self.ended.is_none() {
            self.ended = Some(ended);
            self.engine.stop.cancel();
        }
    }

    /// Sets earlier trials aside, but for those that lack something which may come when asked again.
    pub(super) fn reopen(&mut self, earlier: Vec<Trial>) -> Vec<Work> {
        let mut again = Vec::new();
        for trial in earlier {
            let shared = self.engine.plan.shared().get(trial.case).copied().unwrap_or_default();
            if !self.may_come(&trial.result) {
                self.kept.push(trial);
            } else if !shared || trial.role == Role::Candidate {
                let roles = if shared { Roles::Both } else { Roles::One(trial.role) };
                let slot = Slot { case: trial.case, repeat: trial.repeat, roles };
                again.push(self.ask_again(Graded::as_it_was(slot, trial.result)));
            }
        }
        again
    }

    /// Takes out what is missing and may come when asked again.
    pub(super) fn take_missing(&mut self) -> Vec<Work> {
        let (missing, done): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.done).into_iter().partition(|graded| self.may_come(&graded.result));
        self.done = done;
        let mut again: Vec<Work> = missing.into_iter().map(|graded| self.ask_again(graded)).collect();
        again.sort_by_key(|work| place(work.slot));
        again
    }

    /// Whether something is missing that this round asks for and that may come when asked again.
    fn may_come(&self, result: &TrialResult) -> bool {
        match result {
            TrialResult::Missing(fault) => may_recover(fault.kind),
            TrialResult::Completed(answered) => answered
                .grades
                .iter()
                .filter(|grade| self.judges.contains(&*grade.scorer))
                .any(|grade| grade.score.is_none() && grade.fault.is_none_or(may_recover)),
        }
    }

    fn ask_again(&mut self, graded: Graded) -> Work {
        let slot = graded.slot;
        self.left[slot.case] += 1;
        let earlier = match &graded.result {
            TrialResult::Missing(_) => None,
            TrialResult::Completed(answered) => self.engine.spoken(answered),
        };
        self.waiting.insert(place(slot), graded);
        Work { slot, earlier }
    }

    pub(super) fn finish(self) -> Executed {
        let mut trials: Vec<Trial> = self
            .done
            .into_iter()
            .chain(self.waiting.into_values())
            .flat_map(|graded| {
                let Slot { case, repeat, roles } = graded.slot;
                roles.all().iter().map(move |&role| Trial {
                    case,
                    role,
                    repeat,
                    result: graded.result.clone(),
                })
            })
            .chain(self.kept)
            .collect();
        trials.sort_by_key(|trial| (trial.case, trial.repeat, trial.role));
        let ended = self.ended.or_else(|| not_cached(&trials).map(Ended::Stopped));
        Executed { trials, ended: ended.unwrap_or(Ended::Completed) }
    }
}

/// What a run of cached answers alone lacks, if it lacks something.
fn not_cached(trials: &[Trial]) -> Option<Fault> {
    let lacks = |fault: FaultKind| fault == FaultKind::NotCached;
    let (mut answers, mut judgements) = (0_u64, 0_u64);
    for trial in trials {
        match &trial.result {
            TrialResult::Missing(fault) => answers += u64::from(lacks(fault.kind)),
            TrialResult::Completed(answered) => {
                let missing = |grade: &&GradeFacts| grade.fault.is_some_and(lacks);
                judgements += answered.grades.iter().filter(missing).count() as u64;
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
    Some(fault.help("run without --cached-only to ask for them"))
}

/// A slot's place in the order of the plan.
fn place(slot: Slot) -> (usize, u32, Role) {
    (slot.case, slot.repeat, slot.roles.sender())
}

/// Whether asking again can help: not where the request itself is refused.
fn may_recover(fault: FaultKind) -> bool {
    !fault.ends_run()
        && !matches!(
            fault,
            FaultKind::ContextLength | FaultKind::ContentFilter | FaultKind::Rejected | FaultKind::NotCached
        )
}
