//! Scorers outside of this process.

use std::sync::atomic::{AtomicU32, Ordering};

use futures::future::BoxFuture;

use super::*;
use crate::execute::OutsideScorer;
use promptgate_core::model::Score;
use promptgate_core::port::{Scored, Scorer, Subject};

/// A scorer whose first `faults` scores are missing.
struct Scripted {
    kind: FaultKind,
    faults: u32,
    requests: AtomicU32,
}

impl Scorer for Scripted {
    fn score<'a>(&'a self, _: &'a Subject<'a>) -> BoxFuture<'a, Result<Scored, Fault>> {
        Box::pin(async {
            if self.requests.fetch_add(1, Ordering::Relaxed) < self.faults {
                return Err(Fault::new(self.kind, "no score"));
            }
            let score = Score::new(0.5).expect("a score");
            Ok(Scored { score, reason: "half".to_owned(), details: Value::Null })
        })
    }
}

/// The result of three cases with a check, an outside scorer and a judge, and the numbers of requests.
async fn run(kind: FaultKind, faults: u32, answer: &'static str) -> (RoundResult, u32, usize) {
    let script = move |request: &ChatRequest, _| if is_judgement(request) { yes() } else { reply(answer) };
    let mut bench = bench(plan(3, "a {{query}}", None), &["tone"], script);
    bench.engine.concurrency = 1;
    let scorer = Arc::new(Scripted { kind, faults, requests: AtomicU32::new(0) });
    let metric = "check.valid".to_owned();
    bench.engine.scorers.outside = vec![OutsideScorer { metric, scorer: Some(Arc::clone(&scorer) as _) }];
    let (result, requests, _) = bench.run(1).await;
    (result, scorer.requests.load(Ordering::Relaxed), requests.len())
}

fn scores(result: &RoundResult) -> Vec<Option<f64>> {
    let of_metric = |trial| grades(trial).iter().find(|grade| grade.scorer == "check.valid").cloned();
    result.trials.iter().map(|trial| of_metric(trial).expect("a grade").score()).collect()
}

#[tokio::test(start_paused = true)]
async fn outside_score_stands_between_checks_and_judges() {
    let (result, scored, calls) = run(FaultKind::InvalidAnswer, 0, "fine").await;
    assert_eq!((scores(&result), scored, calls), (vec![Some(0.5); 3], 3, 6));
    let names: Vec<&str> = grades(&result.trials[0]).iter().map(|grade| grade.scorer.as_str()).collect();
    assert_eq!(names, ["check.length", "check.valid", "tone"]);
}

#[tokio::test(start_paused = true)]
async fn missing_outside_score_is_retried_once_without_a_new_answer() {
    let (result, scored, calls) = run(FaultKind::InvalidAnswer, 2, "fine").await;
    assert_eq!((scores(&result), scored, calls), (vec![Some(0.5); 3], 3 + 2, 6));
    // A fault of each answer does not end the run, also at its first one.
    let (result, scored, calls) = run(FaultKind::Timeout, 99, "fine").await;
    assert_eq!((scores(&result), scored, calls), (vec![None; 3], 6, 6));
    assert_eq!(result.ended, Ended::Completed);
}

#[tokio::test(start_paused = true)]
async fn scorer_that_cannot_start_ends_the_run() {
    let (result, scored, _) = run(FaultKind::Dead, 99, "fine").await;
    assert_eq!((stopped(&result), scored), (Some(FaultKind::Dead), 1));
}

#[tokio::test(start_paused = true)]
async fn empty_answer_scores_zero_without_a_request() {
    let (result, scored, _) = run(FaultKind::Timeout, 99, "").await;
    assert_eq!((scores(&result), scored), (vec![Some(0.0); 3], 0));
}
