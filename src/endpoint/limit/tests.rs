use std::time::Duration;

use futures::future::join_all;

use super::super::test_support::{Kept, Scripted, judgement, request};
use super::*;
use crate::model::FaultKind;

fn limited(inner: &Arc<Scripted>, max_concurrency: usize, stop: &CancellationToken) -> (Limited, Arc<Kept>) {
    let options = Options { max_concurrency, ..Options::new("http://localhost") };
    let events = Arc::new(Kept::default());
    let model = Limited::new(Arc::clone(inner) as _, &options, Arc::clone(&events) as _, stop.clone());
    (model, events)
}

#[tokio::test(start_paused = true)]
async fn no_more_than_allowed_are_in_flight_and_none_less() {
    let inner = Scripted::slow([], Duration::from_millis(100));
    let (model, events) = limited(&inner, 4, &CancellationToken::new());
    let start = Instant::now();
    let asked = request();
    for result in join_all((0..20).map(|_| model.complete(&asked))).await {
        result.unwrap();
    }
    assert_eq!(inner.peak(), 4);
    assert_eq!(start.elapsed().as_millis(), 500, "five full rounds");
    assert_eq!(events.count(|event| *event == Event::CallStarted), 20);
    assert_eq!(events.count(|event| *event == Event::CallEnded), 20);
}

#[tokio::test(start_paused = true)]
async fn no_concurrency_counts_as_one() {
    let inner = Scripted::slow([], Duration::from_millis(10));
    let (model, _) = limited(&inner, 0, &CancellationToken::new());
    let asked = request();
    join_all((0..3).map(|_| model.complete(&asked))).await;
    assert_eq!(inner.peak(), 1);
}

#[tokio::test(start_paused = true)]
async fn judgements_go_before_completions_that_wait() {
    let inner = Scripted::slow([], Duration::from_millis(10));
    let (model, _) = limited(&inner, 1, &CancellationToken::new());
    let requests = [request(), request(), request(), judgement(), judgement()];
    join_all(requests.iter().map(|request| model.complete(request))).await;
    let order: Vec<Purpose> = inner.seen().into_iter().map(|(purpose, _)| purpose).collect();
    let (c, j) = (Purpose::Completion, Purpose::Judgement);
    assert_eq!(order, [c, j, j, c, c]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_gives_up_leaves_its_slot_to_others() {
    let inner = Scripted::slow([], Duration::from_millis(100));
    let (model, events) = limited(&inner, 1, &CancellationToken::new());
    let asked = request();
    let brief = Duration::from_millis(50);
    let (first, given_up, last) = tokio::join!(
        model.complete(&asked),
        tokio::time::timeout(brief, model.complete(&asked)),
        model.complete(&asked)
    );
    assert!(first.is_ok() && given_up.is_err() && last.is_ok());
    // One dropped in flight frees its slot too, and its end is reported.
    assert!(tokio::time::timeout(brief, model.complete(&asked)).await.is_err());
    model.complete(&asked).await.unwrap();
    assert_eq!(inner.calls(), 4);
    assert_eq!(events.count(|event| *event == Event::CallStarted), 4);
    assert_eq!(events.count(|event| *event == Event::CallEnded), 4);
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_waiting_calls_and_lets_those_in_flight_finish() {
    let inner = Scripted::slow([], Duration::from_secs(1));
    let stop = CancellationToken::new();
    let (model, _) = limited(&inner, 2, &stop);
    let asked = request();
    let calls = join_all((0..5).map(|_| model.complete(&asked)));
    let (results, ()) = tokio::join!(calls, async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        stop.cancel();
    });
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 2);
    let interrupted = |result: &&Result<Completion, Fault>| {
        result.as_ref().is_err_and(|fault| fault.kind == FaultKind::Interrupted)
    };
    assert_eq!(results.iter().filter(interrupted).count(), 3);
    assert_eq!(inner.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_pace_holds_and_can_be_interrupted() {
    let inner = Scripted::new([]);
    let stop = CancellationToken::new();
    let options = Options { rpm: Some(60), ..Options::new("http://localhost") };
    let model = Limited::new(Arc::clone(&inner) as _, &options, Arc::new(Kept::default()), stop.clone());
    let asked = request();
    let start = Instant::now();
    for result in join_all((0..20).map(|_| model.complete(&asked))).await {
        result.unwrap();
    }
    // Five at once, then 56 a minute.
    let expected = 15.0 * 60.0 / 56.0;
    assert!((start.elapsed().as_secs_f64() - expected).abs() < 0.1, "{:?}", start.elapsed());
    stop.cancel();
    assert_eq!(model.complete(&asked).await.unwrap_err().kind, FaultKind::Interrupted);
}
