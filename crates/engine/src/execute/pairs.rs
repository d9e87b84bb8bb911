//! Pairs: the candidate's answer and the baseline's to the same repeat of a case, for judges that compare them.
//!
//! A judge of pairs has to wait for both answers. So the pairs of a round are compared once its answers are there, and the
//! result is a grade of the candidate's trial. A pair with a new answer is compared again.

use std::collections::{BTreeSet, HashMap};

use super::plan::{Roles, Slot};
use super::round::{Engine, is_invalid_judgement, merge};
use super::state::{FinishedSlot, RoundState, SlotWork, may_recover, position};
use promptgate_core::model::{Role, TrialResult, TrialSummary, TrialText};

/// The baseline's side of a pair.
pub(super) enum Rival {
    /// The same answer: both variants share it.
    Shared,
    /// Its own answer.
    Answer(Box<TrialSummary>),
}

impl Engine {
    /// Compares the candidate's answer with the baseline's.
    pub(super) async fn compare(
        &self,
        slot: Slot,
        TrialText { completion, mut grades }: TrialText,
        rival: Rival,
        judges: &BTreeSet<String>,
    ) -> FinishedSlot {
        let rival = match rival {
            Rival::Shared => Some(completion.clone()),
            Rival::Answer(trial) => self.text_of(&trial).map(|text| text.completion),
        };
        let case = &self.plan.dataset().cases[slot.case];
        let repeat = self.plan.judge_repeat(slot);
        let compared = match &rival {
            Some(rival) => {
                let pair = [&completion, rival];
                self.scorers.compare(case, pair, repeat, |name| judges.contains(name)).await
            }
            // The spool cannot be read: the result is missing.
            None => Vec::new(),
        };
        let fault = compared.iter().find_map(|grade| self.fault(grade)).cloned();
        let ungraded = compared.iter().rev().find(|grade| is_invalid_judgement(grade)).cloned().map(Box::new);
        merge(&mut grades, compared);
        let result = self.completed(slot, completion, grades);
        FinishedSlot { fault, ungraded, is_pair: true, ..FinishedSlot::new(slot, result) }
    }
}

impl RoundState<'_> {
    /// Takes the pairs to compare: those with an answer of this round, and those whose result is missing and may come with
    /// another attempt.
    pub(super) fn take_pairs(&mut self) -> Vec<SlotWork> {
        let engine = self.engine;
        let metrics: Vec<String> =
            self.judges.iter().filter(|name| engine.scorers.is_pairwise(name)).cloned().collect();
        if metrics.is_empty() {
            return Vec::new();
        }
        let mut rivals: HashMap<(usize, u32), (bool, TrialSummary)> = HashMap::new();
        let mut add = |case, repeat, is_new, result: &TrialResult| {
            if let TrialResult::Completed(trial) = result {
                rivals.insert((case, repeat), (is_new, trial.clone()));
            }
        };
        let earlier = engine.reused_baseline.iter().chain(&self.unchanged);
        for trial in earlier.filter(|trial| trial.role == Role::Baseline) {
            add(trial.case, trial.repeat, false, &trial.result);
        }
        for finished in self.finished.iter().filter(|of| of.slot.roles == Roles::One(Role::Baseline)) {
            add(finished.slot.case, finished.slot.repeat, finished.is_answer, &finished.result);
        }
        let is_missing = |result: &TrialResult| match result {
            TrialResult::Missing(_) => false,
            TrialResult::Completed(trial) => metrics.iter().any(|metric| match trial.grade(metric) {
                Some(grade) => grade.score.is_none() && grade.fault.is_none_or(may_recover),
                None => true,
            }),
        };
        let is_completed = |result: &TrialResult| matches!(result, TrialResult::Completed(_));
        // Takes the rival of a pair that is to be compared.
        let mut rival = |slot: Slot, is_answer: bool, result: &TrialResult| match slot.roles {
            Roles::Both => is_missing(result).then_some(Rival::Shared),
            Roles::One(Role::Baseline) => None,
            Roles::One(Role::Candidate) => {
                let at = (slot.case, slot.repeat);
                let (is_new, _) = rivals.get(&at)?;
                let is_due = is_completed(result) && (is_answer || *is_new || is_missing(result));
                let (_, trial) = is_due.then(|| rivals.remove(&at))??;
                Some(Rival::Answer(Box::new(trial)))
            }
        };
        let mut due: Vec<(FinishedSlot, Rival)> = Vec::new();
        for mut finished in std::mem::take(&mut self.finished) {
            let rival = rival(finished.slot, finished.is_answer, &finished.result);
            finished.is_answer = false;
            match rival {
                Some(rival) => due.push((finished, rival)),
                None => self.finished.push(finished),
            }
        }
        for trial in std::mem::take(&mut self.unchanged) {
            let slot = Slot { case: trial.case, repeat: trial.repeat, roles: Roles::One(trial.role) };
            let shared = engine.plan.shared().get(trial.case).copied().unwrap_or_default();
            match rival(slot, false, &trial.result).filter(|_| !shared) {
                Some(rival) => due.push((FinishedSlot::new(slot, trial.result), rival)),
                None => self.unchanged.push(trial),
            }
        }
        let mut pairs: Vec<SlotWork> = due
            .into_iter()
            .map(|(finished, rival)| SlotWork { rival: Some(rival), ..self.retry(finished) })
            .collect();
        pairs.sort_by_key(|work| position(work.slot));
        pairs
    }
}
