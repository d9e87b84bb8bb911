//! The work that is left of a run, for the estimate of its time.

use std::time::{Duration, Instant};

/// Calls that are done and left, where one from the cache counts as much as one that was made: the share of each is
/// expected to stay.
#[derive(Debug, Default, Clone)]
pub(super) struct Work {
    /// When the first plan was made.
    started: Option<Instant>,
    self_test: usize,
    tested: usize,
    /// Calls of one trial: the completion and its judgements.
    per_trial: f64,
    trials_left: usize,
    /// Calls that are done.
    done: f64,
}

impl Work {
    /// Adds trials to those that are left; their calls are those of all further ones.
    pub(super) fn plan_trials(&mut self, completions: usize, judgements: usize) {
        self.started.get_or_insert_with(Instant::now);
        self.trials_left += completions;
        if completions > 0 {
            self.per_trial = (completions + judgements) as f64 / completions as f64;
        }
    }

    /// Plans the calls of the self-test, which come first.
    pub(super) fn plan_self_test(&mut self, calls: usize) {
        self.self_test = calls;
    }

    /// Counts a call, or an answer of the cache in its place, while the judge is tested.
    pub(super) fn end_call(&mut self) {
        if self.tested < self.self_test {
            self.tested += 1;
            self.done += 1.0;
        }
    }

    /// Counts a trial; the self-test is then over.
    pub(super) fn end_trial(&mut self) {
        self.tested = self.self_test;
        self.trials_left = self.trials_left.saturating_sub(1);
        self.done += self.per_trial;
    }

    /// The progress of the self-test, while it runs: `self-test 2/3`.
    pub(super) fn self_test(&self) -> Option<String> {
        (self.tested < self.self_test).then(|| format!("self-test {}/{}", self.tested, self.self_test))
    }

    /// The time that is left, once something is done.
    pub(super) fn left(&self) -> Option<Duration> {
        Some(self.started?.elapsed().mul_f64(self.ratio()?))
    }

    /// Calls that are left for each one that is done.
    fn ratio(&self) -> Option<f64> {
        let left = (self.self_test - self.tested) as f64 + self.trials_left as f64 * self.per_trial;
        (self.done > 0.0 && left > 0.0).then(|| left / self.done)
    }
}

#[cfg(test)]
mod tests {
    use super::Work;

    #[test]
    fn work_left_knows_self_test_judgements_and_looks() {
        let mut work = Work::default();
        work.plan_self_test(4);
        work.plan_trials(6, 12);
        assert_eq!(work.ratio(), None);
        work.end_call();
        work.end_call();
        assert_eq!(work.self_test().as_deref(), Some("self-test 2/4"));
        // Two calls are done; two of the self-test and three of each trial are left.
        assert_eq!(work.ratio(), Some(20.0 / 2.0));
        for _ in 0..4 {
            work.end_call();
        }
        assert_eq!(work.self_test(), None);
        for _ in 0..6 {
            work.end_trial();
        }
        assert_eq!(work.ratio(), None, "nothing is left");
        // A second look without one of the two judges.
        work.plan_trials(3, 3);
        assert_eq!(work.ratio(), Some(6.0 / 22.0));
        assert!(work.left().is_some());
    }

    #[test]
    fn answer_ends_the_self_test_that_took_fewer_calls() {
        let mut work = Work::default();
        work.plan_self_test(9);
        work.plan_trials(2, 0);
        work.end_trial();
        assert_eq!((work.self_test(), work.ratio()), (None, Some(1.0)));
    }
}
