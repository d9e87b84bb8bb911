//! The concurrent part: slots go out, graded trials come back, and the run ends when nothing more can come of it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::grade::Scorers;
use super::plan::{Plan, Slot};
use super::state::{Graded, State, Work};
use promptgate_core::model::{
    Completion, Ended, Fault, FaultKind, Grade, Interner, Outcome, Role, Score, TextLocation, Trial,
    TrialResult, TrialSummary, TrialText,
};
use promptgate_core::port::{ChatModel, EventSink, Spool};

/// What is in flight when the user interrupts gets this long to come back.
const GRACE: Duration = Duration::from_secs(5);

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
    pub names: Mutex<Interner>,
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

impl Engine {
    /// An engine with 16 trials at once, all evidence gathered in memory, that nothing interrupts.
    pub fn new(plan: Plan, model: Arc<dyn ChatModel>, scorers: Scorers, sink: Arc<dyn EventSink>) -> Self {
        Self {
            plan,
            model,
            scorers,
            concurrency: 16,
            fail_fast: BTreeSet::new(),
            spool: None,
            names: Mutex::default(),
            sink,
            interrupted: CancellationToken::new(),
            stop: CancellationToken::new(),
        }
    }

    /// Carries out a round; what is missing from earlier ones is asked again first, what came back missing in this
    /// one once more at the end.
    pub async fn execute(self: &Arc<Self>, round: Round) -> Executed {
        // As a task among those it gathers: on a thread of its own, each trial that ends would cost a switch.
        let gathering = tokio::spawn(Arc::clone(self).gather(round));
        gathering.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    }

    async fn gather(self: Arc<Self>, round: Round) -> Executed {
        let Round { slots, judges, earlier } = round;
        let first = earlier.is_empty();
        let mut state = State::new(&self, &slots, judges);
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
            let answered = matches!(graded.result, TrialResult::Completed(_));
            state.take(graded);
            match fault {
                // That row's own fault says nothing of the endpoint.
                Some(fault)
                    if matches!(
                        fault.kind,
                        FaultKind::ContextLength | FaultKind::ContentFilter | FaultKind::NotCached
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
            Some(TrialText { completion, grades }) => (completion, grades),
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
            let judged = self.scorers.judge(case, &completion, self.plan.judged_as(slot), wanted).await;
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
            TrialSummary::new(completion, grades, &mut names)
        };
        // A spool that is full keeps nothing from being decided.
        let spool = self.spool.as_ref().zip(answered.in_memory());
        if let Some(place) = spool.and_then(|(spool, spoken)| spool.put(spoken).ok()) {
            answered.text = TextLocation::Spilled(place);
        }
        TrialResult::Completed(answered)
    }

    /// The words of an answer, from the spool if they are there.
    pub(super) fn spoken(&self, answered: &TrialSummary) -> Option<TrialText> {
        match (&answered.text, &self.spool) {
            (TextLocation::InMemory(spoken), _) => Some((**spoken).clone()),
            (TextLocation::Spilled(place), Some(spool)) => spool.get(*place).ok(),
            (TextLocation::Spilled(_), None) => None,
        }
    }

    async fn complete(&self, slot: Slot) -> Result<Completion, Fault> {
        let request = self
            .plan
            .request(slot)
            .map_err(|diagnostic| Fault::new(FaultKind::Rejected, diagnostic.to_string()))?;
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
