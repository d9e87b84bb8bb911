//! The concurrent part: slots go out, graded trials come back, and the run ends when nothing more can come of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::grade::Scorers;
use super::plan::{Plan, Roles, Slot};
use crate::model::{
    Answered, Completion, Ended, Fault, FaultKind, Grade, GradeFacts, Names, Outcome, Role, Score, Spoken,
    Trial, TrialResult, Words,
};
use crate::port::{ChatModel, Event, EventSink, Spool};

/// What is in flight when the user interrupts gets this long to come back.
const GRACE: Duration = Duration::from_secs(5);
/// After so many judgements without a single valid one, of one metric or of all, the judge is taken for broken.
const USELESS_JUDGEMENTS: u32 = 10;

/// Carries out rounds of one plan.
pub struct Engine {
    /// What to ask.
    pub plan: Plan,
    /// The model behind both variants.
    pub model: Arc<dyn ChatModel>,
    /// What grades.
    pub scorers: Scorers,
    /// Trials under way at once; the endpoint's own limit lies behind the port.
    pub concurrency: usize,
    /// Metrics on which one candidate score of 0 makes the verdict fail; not empty under `--fail-fast` only.
    pub fail_fast: BTreeSet<String>,
    /// Takes what was said; `None` keeps it in memory.
    pub spool: Option<Arc<dyn Spool>>,
    /// Names of scorers and judges that answers share.
    pub names: Mutex<Names>,
    /// Takes events.
    pub sink: Arc<dyn EventSink>,
    /// Cancelled by Ctrl-C; then no new call is made.
    pub interrupted: CancellationToken,
    /// Cancelled when the run ends early for whatever reason; layers of the model stop waiting on it.
    pub stop: CancellationToken,
}

/// What to ask for in one round.
#[derive(Debug, Default)]
pub struct Round {
    /// New completions.
    pub slots: Vec<Slot>,
    /// Metrics of the judges to ask.
    pub judges: BTreeSet<String>,
    /// The trials of earlier rounds.
    pub earlier: Vec<Trial>,
}

/// What a round brought, with the trials of those before it.
#[derive(Debug)]
pub struct Executed {
    /// Trials that came to an end, in plan order: case, repeat, candidate before baseline.
    pub trials: Vec<Trial>,
    /// How it ended.
    pub ended: Ended,
}

/// A finished slot.
struct Graded {
    slot: Slot,
    result: TrialResult,
    /// The fault that kept it, or a judgement of it, from coming.
    fault: Option<Fault>,
    /// The last judgement without a grade.
    ungraded: Option<Box<Grade>>,
    /// Whether the verdict can only be fail now, under `--fail-fast`.
    fails: bool,
}

impl Graded {
    /// A slot that was not asked for in this round.
    fn as_it_was(slot: Slot, result: TrialResult) -> Self {
        Self { slot, result, fault: None, ungraded: None, fails: false }
    }
}

/// What is to be done for a slot: everything, or only the judgements that are missing.
struct Work {
    slot: Slot,
    earlier: Option<Spoken>,
}

impl Engine {
    /// Carries out a round; what is missing from earlier ones is asked again first, what came back missing in this
    /// one once more at the end.
    pub async fn execute(self: &Arc<Self>, round: Round) -> Executed {
        let Round { slots, judges, earlier } = round;
        let first = earlier.is_empty();
        let mut state = State::new(self, &slots, judges);
        let again = state.reopen(earlier);
        let mut queue = again.into_iter().chain(slots.into_iter().map(|slot| Work { slot, earlier: None }));
        if first {
            self.probe(&mut queue, &mut state).await;
        }
        self.drain(&mut queue, &mut state).await;
        if state.ended.is_none() {
            let mut again = state.take_missing().into_iter();
            self.drain(&mut again, &mut state).await;
        }
        state.finish()
    }

    /// Sends single slots ahead until one brings an answer and every judge a verdict, so that nothing is fanned out
    /// to a dead endpoint or to a judge that never gives a valid reply.
    async fn probe(self: &Arc<Self>, queue: &mut impl Iterator<Item = Work>, state: &mut State<'_>) {
        while state.ended.is_none()
            && let Some(work) = queue.next()
        {
            let mut first = std::pin::pin!(Arc::clone(self).process(work, Arc::clone(&state.judges)));
            let graded = tokio::select! {
                graded = &mut first => graded,
                () = self.interrupted.cancelled() => {
                    state.end(Ended::Interrupted);
                    if let Ok(graded) = tokio::time::timeout(GRACE, first).await {
                        state.take(graded);
                    }
                    return;
                }
            };
            let fault = graded.fault.clone();
            let answered = matches!(graded.result, TrialResult::Answered(_));
            state.take(graded);
            match fault {
                // That row's own fault says nothing of the endpoint.
                Some(fault)
                    if matches!(
                        fault.kind,
                        FaultKind::ContextLength | FaultKind::ContentFilter | FaultKind::NotStored
                    ) =>
                {
                    if answered {
                        return;
                    }
                }
                Some(fault) => return state.end(Ended::Stopped(fault)),
                None if state.awaits_a_verdict() => {}
                None => return,
            }
        }
    }

    async fn drain(self: &Arc<Self>, queue: &mut impl Iterator<Item = Work>, state: &mut State<'_>) {
        let mut running = JoinSet::new();
        loop {
            while state.ended.is_none() && running.len() < self.concurrency {
                let Some(work) = queue.next() else { break };
                running.spawn(Arc::clone(self).process(work, Arc::clone(&state.judges)));
            }
            if state.ended.is_some() || running.is_empty() {
                break;
            }
            tokio::select! {
                Some(joined) = running.join_next() => state.take_joined(joined),
                () = self.interrupted.cancelled() => state.end(Ended::Interrupted),
            }
        }
        if let Some(ended) = &state.ended {
            // A failure that is certain needs nothing more; anything else paid for is worth a moment's wait.
            let grace = if *ended == Ended::FailedFast { Duration::ZERO } else { GRACE };
            let rest = async {
                while let Some(joined) = running.join_next().await {
                    state.take_joined(joined);
                }
            };
            if tokio::time::timeout(grace, rest).await.is_err() {
                running.shutdown().await;
            }
        }
    }

    async fn process(self: Arc<Self>, work: Work, judges: Arc<BTreeSet<String>>) -> Graded {
        let slot = work.slot;
        let case = &self.plan.dataset().cases[slot.case];
        let (completion, mut grades) = match work.earlier {
            Some(Spoken { completion, grades }) => (completion, grades),
            None => match self.complete(slot).await {
                Ok(completion) => {
                    let grades = self.scorers.check(slot.case, case, &completion);
                    (completion, grades)
                }
                Err(fault) => {
                    let result = TrialResult::Missing(fault.clone());
                    return Graded { fault: Some(fault), ..Graded::as_it_was(slot, result) };
                }
            },
        };
        let fails = self.fails_for_certain(slot, &grades);
        if !fails {
            let wanted = |name: &str| {
                judges.contains(name)
                    && grades.iter().all(|grade: &Grade| grade.scorer != name || grade.score().is_none())
            };
            let judged = self.scorers.judge(case, &completion, slot.repeat, wanted).await;
            for mut new in judged {
                match grades.iter_mut().find(|grade| grade.scorer == new.scorer) {
                    // In the place of what it replaces; what that took was paid for as well.
                    Some(earlier) => {
                        new.replace(earlier);
                        *earlier = new;
                    }
                    None => grades.push(new),
                }
            }
        }
        Graded {
            slot,
            fault: grades.iter().find_map(fault).cloned(),
            ungraded: grades.iter().rev().find(|grade| is_useless(grade)).cloned().map(Box::new),
            fails,
            result: self.answered(completion, grades),
        }
    }

    /// A graded answer, its words in the spool.
    fn answered(&self, completion: Completion, grades: Vec<Grade>) -> TrialResult {
        let mut answered = {
            let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
            Answered::new(completion, grades, &mut names)
        };
        // A spool that is full keeps nothing from being decided.
        let spool = self.spool.as_ref().zip(answered.here());
        if let Some(place) = spool.and_then(|(spool, spoken)| spool.put(spoken).ok()) {
            answered.words = Words::Spooled(place);
        }
        TrialResult::Answered(answered)
    }

    /// The words of an answer, from the spool if they are there.
    fn spoken(&self, answered: &Answered) -> Option<Spoken> {
        match (&answered.words, &self.spool) {
            (Words::Here(spoken), _) => Some((**spoken).clone()),
            (Words::Spooled(place), Some(spool)) => spool.get(*place).ok(),
            (Words::Spooled(_), None) => None,
        }
    }

    async fn complete(&self, slot: Slot) -> Result<Completion, Fault> {
        let request = self
            .plan
            .request(slot)
            .map_err(|mistake| Fault::new(FaultKind::Rejected, mistake.to_string()))?;
        self.model.complete(&request).await
    }

    /// Whether a check that every trial must pass failed, under `--fail-fast`.
    fn fails_for_certain(&self, slot: Slot, grades: &[Grade]) -> bool {
        slot.roles.all().contains(&Role::Candidate)
            && grades.iter().any(|grade| {
                grade.outcome == Outcome::Score(Score::ZERO) && self.fail_fast.contains(&grade.scorer)
            })
    }
}

/// What has come back so far.
struct State<'a> {
    engine: &'a Engine,
    /// The judges of this round.
    judges: Arc<BTreeSet<String>>,
    /// Trials of earlier rounds that stay as they are.
    kept: Vec<Trial>,
    done: Vec<Graded>,
    /// What is being asked again, as it was: it stays so where the run ends before.
    waiting: BTreeMap<(usize, u32, Role), Graded>,
    ended: Option<Ended>,
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
    fn new(engine: &'a Engine, slots: &[Slot], judges: BTreeSet<String>) -> Self {
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

    fn take_joined(&mut self, joined: Result<Graded, tokio::task::JoinError>) {
        match joined {
            Ok(graded) => self.take(graded),
            // A panic in a scorer is a bug: let it surface as one.
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => {}
        }
    }

    fn take(&mut self, graded: Graded) {
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
        if let TrialResult::Answered(answered) = &graded.result {
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
                (None, Some(FaultKind::NotStored)) => {}
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
    fn awaits_a_verdict(&self) -> bool {
        self.tallies.values().any(|tally| tally.valid == 0)
    }

    /// The first reason to end stays: what follows from stopping is no reason.
    fn end(&mut self, ended: Ended) {
        if self.ended.is_none() {
            self.ended = Some(ended);
            self.engine.stop.cancel();
        }
    }

    /// Sets earlier trials aside, but for those that lack something which may come when asked again.
    fn reopen(&mut self, earlier: Vec<Trial>) -> Vec<Work> {
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
    fn take_missing(&mut self) -> Vec<Work> {
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
            TrialResult::Answered(answered) => answered
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
            TrialResult::Answered(answered) => self.engine.spoken(answered),
        };
        self.waiting.insert(place(slot), graded);
        Work { slot, earlier }
    }

    fn finish(self) -> Executed {
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
        let ended = self.ended.or_else(|| not_stored(&trials).map(Ended::Stopped));
        Executed { trials, ended: ended.unwrap_or(Ended::Completed) }
    }
}

/// What a run of stored answers alone lacks, if it lacks something.
fn not_stored(trials: &[Trial]) -> Option<Fault> {
    let lacks = |fault: FaultKind| fault == FaultKind::NotStored;
    let (mut answers, mut judgements) = (0_u64, 0_u64);
    for trial in trials {
        match &trial.result {
            TrialResult::Missing(fault) => answers += u64::from(lacks(fault.kind)),
            TrialResult::Answered(answered) => {
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
    let fault = Fault::new(FaultKind::NotStored, format!("not in the store: {missing}"));
    Some(fault.help("run without --stored-only to ask for them"))
}

/// A slot's place in the order of the plan.
fn place(slot: Slot) -> (usize, u32, Role) {
    (slot.case, slot.repeat, slot.roles.sender())
}

/// The fault that kept a judgement from coming.
fn fault(grade: &Grade) -> Option<&Fault> {
    match &grade.outcome {
        Outcome::Ungraded(Some(fault)) => Some(fault),
        _ => None,
    }
}

/// Whether a judge was asked, and gave no valid verdict.
fn is_useless(grade: &Grade) -> bool {
    grade.judging.is_some() && grade.score().is_none()
}

/// Whether asking again can help: not where the request itself is refused.
fn may_recover(fault: FaultKind) -> bool {
    !fault.ends_run()
        && !matches!(
            fault,
            FaultKind::ContextLength | FaultKind::ContentFilter | FaultKind::Rejected | FaultKind::NotStored
        )
}
