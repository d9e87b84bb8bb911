//! Concurrent execution of a round.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::case_cost::CaseCostLimit;
use super::conversation;
use super::plan::{Plan, Slot};
use super::scorers::{Scorers, product_fault};
use super::state::{FinishedSlot, RoundState, SlotWork};
use promptgate_core::model::{
    CallFacts, CallReason, Completion, Ended, Fault, FaultKind, Grade, Interner, Outcome, Role, Score,
    TextLocation, Trial, TrialResult, TrialSummary, TrialText,
};
use promptgate_core::port::{ChatModel, EventSink, Spool};
use promptgate_core::transform::Transform;

/// Time that calls in flight get to finish after an interrupt.
const GRACE_PERIOD: Duration = Duration::from_secs(5);

/// Executes the rounds of one plan.
pub struct Engine {
    /// The plan.
    pub plan: Plan,
    /// The model or application that answers for the candidate, and for the baseline unless that has one of its own.
    pub model: Arc<dyn ChatModel>,
    /// The application that answers for the baseline; `None` where one model answers for both variants.
    pub baseline_model: Option<Arc<dyn ChatModel>>,
    /// The checks and judges.
    pub scorers: Scorers,
    /// The transformations of every answer before it is graded.
    pub transform: Transform,
    /// Maximum number of trials in flight. The port may have a lower limit.
    pub concurrency: usize,
    /// Metrics on which one candidate score of 0 makes the verdict fail; empty without `--fail-fast`.
    pub fail_fast: BTreeSet<String>,
    /// How much a case of the candidate may cost; `None` for no limit.
    pub case_cost: Option<CaseCostLimit>,
    /// Whether answers may come only from the cache, so that none can be asked again.
    pub cached_only: bool,
    /// The trials of a baseline that is not run, for judges that compare answers; empty without one.
    pub reused_baseline: Vec<Trial>,
    /// The spool for texts of trials; `None` keeps them in memory.
    pub spool: Option<Arc<dyn Spool>>,
    /// Interned names of scorers and judges.
    pub names: Mutex<Interner>,
    /// The sink of events.
    pub sink: Arc<dyn EventSink>,
    /// Cancelled by Ctrl-C; no new call is made after that.
    pub interrupted: CancellationToken,
    /// Cancelled when the run ends early, so that layers of the model stop waiting.
    pub stop: CancellationToken,
}

/// The work of one round.
#[derive(Debug, Default)]
pub struct Round {
    /// New completions.
    pub slots: Vec<Slot>,
    /// Metrics of the judges to call.
    pub judges: BTreeSet<String>,
    /// The trials of earlier rounds.
    pub earlier: Vec<Trial>,
}

/// The result of a round, including earlier rounds.
#[derive(Debug)]
pub struct RoundResult {
    /// The finished trials, in the order of the plan: case, repeat, candidate before baseline.
    pub trials: Vec<Trial>,
    /// The end of the round.
    pub ended: Ended,
}

impl Engine {
    /// Creates an engine with at most 16 trials in flight, texts in memory and no interrupts.
    pub fn new(plan: Plan, model: Arc<dyn ChatModel>, scorers: Scorers, sink: Arc<dyn EventSink>) -> Self {
        Self {
            plan,
            model,
            baseline_model: None,
            scorers,
            transform: Transform::default(),
            concurrency: 16,
            fail_fast: BTreeSet::new(),
            case_cost: None,
            cached_only: false,
            reused_baseline: Vec::new(),
            spool: None,
            names: Mutex::default(),
            sink,
            interrupted: CancellationToken::new(),
            stop: CancellationToken::new(),
        }
    }

    /// Executes a round. Retries missing results of earlier rounds at its start, and those of this round at its end.
    pub async fn execute(self: &Arc<Self>, round: Round) -> RoundResult {
        // A task on the same threads as the trials: otherwise every finished trial would cost a thread switch.
        let task = tokio::spawn(Arc::clone(self).run(round));
        task.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    }

    async fn run(self: Arc<Self>, round: Round) -> RoundResult {
        let Round { slots, judges, earlier } = round;
        let is_first = earlier.is_empty();
        let mut state = RoundState::new(&self, &slots, judges);
        let retries = state.resume(earlier);
        let new = slots.into_iter().map(|slot| SlotWork { slot, earlier: None, rival: None });
        let mut queue = retries.into_iter().chain(new);
        if is_first {
            self.probe(&mut queue, &mut state).await;
        }
        self.drain(&mut queue, &mut state).await;
        if state.ended.is_none() {
            let mut retries = state.take_retryable().into_iter();
            self.drain(&mut retries, &mut state).await;
        }
        for is_probed in [is_first, false] {
            if state.ended.is_some() {
                break;
            }
            let mut pairs = state.take_pairs().into_iter();
            if is_probed {
                self.probe(&mut pairs, &mut state).await;
            }
            self.drain(&mut pairs, &mut state).await;
        }
        state.finish()
    }

    /// Executes single slots until one has a completion and a verdict of every judge, so that a dead endpoint or a judge
    /// without valid replies does not get many calls at once.
    async fn probe(self: &Arc<Self>, queue: &mut impl Iterator<Item = SlotWork>, state: &mut RoundState<'_>) {
        while state.ended.is_none()
            && let Some(work) = queue.next()
        {
            let mut first = std::pin::pin!(Arc::clone(self).process(work, Arc::clone(&state.judges)));
            let finished = tokio::select! {
                finished = &mut first => finished,
                () = self.interrupted.cancelled() => {
                    state.end(Ended::Interrupted);
                    if let Ok(finished) = tokio::time::timeout(GRACE_PERIOD, first).await {
                        state.add(finished);
                    }
                    return;
                }
            };
            let fault = finished.fault.clone();
            let is_completed = matches!(finished.result, TrialResult::Completed(_));
            state.add(finished);
            match fault {
                // A fault of this case alone says nothing about the endpoint.
                Some(fault)
                    if matches!(
                        fault.kind,
                        FaultKind::ContextLength | FaultKind::ContentFilter | FaultKind::NotCached
                    ) =>
                {
                    if is_completed {
                        return;
                    }
                }
                Some(fault) => return state.end(Ended::Stopped(fault)),
                None if state.lacks_a_verdict() => {}
                None => return,
            }
        }
    }

    async fn drain(self: &Arc<Self>, queue: &mut impl Iterator<Item = SlotWork>, state: &mut RoundState<'_>) {
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
                Some(joined) = running.join_next() => state.add_joined(joined),
                () = self.interrupted.cancelled() => state.end(Ended::Interrupted),
            }
        }
        if let Some(ended) = &state.ended {
            // A certain failure needs no more results; otherwise, calls in flight are paid for and worth a short wait.
            let grace = if *ended == Ended::FailedFast { Duration::ZERO } else { GRACE_PERIOD };
            let rest = async {
                while let Some(joined) = running.join_next().await {
                    state.add_joined(joined);
                }
            };
            if tokio::time::timeout(grace, rest).await.is_err() {
                running.shutdown().await;
            }
        }
    }

    async fn process(self: Arc<Self>, work: SlotWork, judges: Arc<BTreeSet<String>>) -> FinishedSlot {
        let slot = work.slot;
        let case = &self.plan.dataset().cases[slot.case];
        let earlier = work.earlier.as_deref().and_then(|trial| self.text_of(trial));
        if let Some(rival) = work.rival {
            return match (earlier, work.earlier) {
                (Some(text), _) => self.compare(slot, text, rival, &judges).await,
                // The spool cannot be read: the result is missing.
                (None, Some(trial)) => {
                    FinishedSlot { is_pair: true, ..FinishedSlot::new(slot, TrialResult::Completed(*trial)) }
                }
                (None, None) => {
                    let fault = Fault::new(FaultKind::Rejected, "a comparison without an answer");
                    FinishedSlot { is_pair: true, ..FinishedSlot::new(slot, TrialResult::Missing(fault)) }
                }
            };
        }
        let is_answer = earlier.as_ref().is_none_or(|text| text.completion.transform_fault().is_some());
        let (completion, mut grades) = match earlier {
            Some(TrialText { completion, .. }) if completion.transform_fault().is_some() => {
                let completion = self.scorers.transform(case, completion).await;
                let grades = self.scorers.check(slot.case, case, &completion);
                (completion, grades)
            }
            Some(TrialText { completion, grades }) => (completion, grades),
            None => match self.complete(slot).await {
                Ok(completion) => {
                    let grades = self.scorers.check(slot.case, case, &completion);
                    (completion, grades)
                }
                Err(fault) => {
                    let result = TrialResult::Missing(fault.clone());
                    return FinishedSlot { fault: Some(fault), is_answer, ..FinishedSlot::new(slot, result) };
                }
            },
        };
        let is_ungraded = |grades: &[Grade], name: &str| {
            grades.iter().all(|grade| grade.scorer != name || grade.score().is_none())
        };
        let missing = |name: &str| is_ungraded(&grades, name);
        let embedded = self.scorers.check_embedded(slot.case, case, &completion, missing).await;
        merge(&mut grades, embedded);
        let scored = self.scorers.score_outside(case, &completion, |name| is_ungraded(&grades, name)).await;
        merge(&mut grades, scored);
        let fails_fast = self.fails_fast(slot, &grades);
        if !fails_fast {
            let is_missing = |name: &str| judges.contains(name) && is_ungraded(&grades, name);
            let judged =
                self.scorers.judge(case, &completion, self.plan.judge_repeat(slot), is_missing).await;
            merge(&mut grades, judged);
        }
        // A failed transformation is that of one answer, unless nothing can go on.
        let ends = |fault: &&Fault| completion.transform_fault().is_none() || fault.kind.ends_run();
        FinishedSlot {
            slot,
            fault: grades.iter().find_map(|grade| self.fault(grade)).filter(ends).cloned(),
            ungraded: grades.iter().rev().find(|grade| is_invalid_judgement(grade)).cloned().map(Box::new),
            fails_fast,
            is_answer,
            is_pair: false,
            result: self.completed(slot, completion, grades),
        }
    }

    /// The result of a completed trial, with its text in the spool. Variants that share a slot share the text.
    pub(super) fn completed(&self, slot: Slot, completion: Completion, grades: Vec<Grade>) -> TrialResult {
        let mut trial = {
            let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
            TrialSummary::new(completion, grades, &mut names)
        };
        // A failed write, as on a full disk, leaves the text in memory.
        let spool = self.spool.as_ref().zip(trial.in_memory());
        let case = &self.plan.dataset().cases[slot.case].id;
        let put = |(spool, text): (&Arc<dyn Spool>, &TrialText)| {
            spool.put(case, slot.roles.sender(), slot.repeat, text).ok()
        };
        if let Some(place) = spool.and_then(put) {
            trial.text = TextLocation::Spilled(place);
        }
        TrialResult::Completed(trial)
    }

    /// The text of a trial, from memory or from the spool.
    pub(super) fn text_of(&self, trial: &TrialSummary) -> Option<TrialText> {
        match (&trial.text, &self.spool) {
            (TextLocation::InMemory(text), _) => Some((**text).clone()),
            (TextLocation::Spilled(place), Some(spool)) => spool.get(*place).ok(),
            (TextLocation::Spilled(_), None) => None,
        }
    }

    /// Asks the questions of a slot, one after the other. An earlier answer that is cut off, filtered or empty ends the
    /// conversation and is graded.
    async fn complete(&self, slot: Slot) -> Result<Completion, Fault> {
        let case = &self.plan.dataset().cases[slot.case];
        let questions = self.plan.questions(slot);
        let (mut turns, mut earlier) = (Vec::new(), Vec::new());
        loop {
            let request = self
                .plan
                .request(slot, &turns)
                .map_err(|diagnostic| Fault::new(FaultKind::Rejected, diagnostic.to_string()))?;
            let answered = self.model_of(slot).complete(&request).await;
            let mut completion =
                answered.map_err(|fault| conversation::fault(fault, turns.len(), questions, &earlier))?;
            // A model without a cache says nothing of it.
            completion.call.get_or_insert(CallFacts::made(CallReason::NoCache));
            if let Some(query) = case.turns.get(turns.len()).filter(|_| turns.len() + 1 < questions) {
                let reply = match self.transform.strip_reasoning {
                    true => completion.clone().strip_reasoning(),
                    false => completion.clone(),
                };
                if product_fault(&reply).is_none() {
                    turns.push(conversation::turn(query, &reply));
                    earlier.push(completion);
                    continue;
                }
            }
            if questions == 1 {
                turns = conversation::recorded_turns(case);
            }
            let last = self.scorers.transform(case, self.transform.apply(completion)).await;
            return Ok(conversation::joined(last, turns, &earlier));
        }
    }

    fn model_of(&self, slot: Slot) -> &dyn ChatModel {
        match (slot.roles.sender(), &self.baseline_model) {
            (Role::Baseline, Some(model)) => model.as_ref(),
            _ => self.model.as_ref(),
        }
    }

    /// The fault of a judgement, or of an outside scorer that cannot go on. Another fault of an outside scorer is that of one
    /// answer and says nothing about the next.
    pub(super) fn fault<'a>(&self, grade: &'a Grade) -> Option<&'a Fault> {
        match &grade.outcome {
            Outcome::Ungraded(Some(fault)) if fault.kind.ends_run() => Some(fault),
            Outcome::Ungraded(Some(fault)) if !self.scorers.is_outside(&grade.scorer) => Some(fault),
            _ => None,
        }
    }

    /// Whether a check that every trial must pass has failed, under `--fail-fast`.
    fn fails_fast(&self, slot: Slot, grades: &[Grade]) -> bool {
        slot.roles.all().contains(&Role::Candidate)
            && grades.iter().any(|grade| {
                grade.outcome == Outcome::Score(Score::ZERO) && self.fail_fast.contains(&grade.scorer)
            })
    }
}

/// Adds new grades. One that replaces an earlier grade includes its cost.
pub(super) fn merge(grades: &mut Vec<Grade>, new: Vec<Grade>) {
    for mut new in new {
        match grades.iter_mut().find(|grade| grade.scorer == new.scorer) {
            Some(earlier) => {
                new.replace(earlier);
                *earlier = new;
            }
            None => grades.push(new),
        }
    }
}

/// Whether a judge was called and gave no valid verdict.
pub(super) fn is_invalid_judgement(grade: &Grade) -> bool {
    grade.judging.is_some() && grade.score().is_none() && !grade.scorer.starts_with("check.")
}
