use std::time::Duration;

use futures::future::join_all;

use super::super::test_support::{Kept, Scripted, asking, judgement, request};
use super::*;
use promptgate_core::model::FaultKind;

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

#[tokio::test(start_paused = true)]
async fn judgements_overtake_completions_that_wait_for_the_pace() {
    let inner = Scripted::new([]);
    let options = Options { rpm: Some(60), ..Options::new("http://localhost") };
    let model =
        Limited::new(Arc::clone(&inner) as _, &options, Arc::new(Kept::default()), CancellationToken::new());
    let mut requests = vec![request(); 10];
    requests.extend([judgement(), judgement()]);
    join_all(requests.iter().map(|request| model.complete(request))).await;
    let judged: Vec<usize> = inner
        .seen()
        .iter()
        .enumerate()
        .filter(|(_, (purpose, _))| *purpose == Purpose::Judgement)
        .map(|(place, _)| place)
        .collect();
    assert_eq!(judged, [6, 7], "five leave at once, one stands in the door");
}

/// A model of some width, and what it meets: answers, then refusals with a wait, then answers again.
fn meeting(refused: usize, wait: Duration, width: usize) -> (Arc<Scripted>, Limited, Arc<Kept>) {
    let script = (0..40 + refused).map(|call| match call {
        0..40 => Ok(super::super::test_support::answer("ok")),
        _ => Err(asking(FaultKind::RateLimited, wait)),
    });
    let inner = Scripted::slow(script, Duration::from_millis(100));
    let (model, events) = limited(&inner, width, &CancellationToken::new());
    (inner, model, events)
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_the_endpoint_asks_for_holds_all_calls() {
    let (inner, model, events) = meeting(1, Duration::from_secs(3), 8);
    let asked = request();
    let results = join_all((0..80).map(|_| model.complete(&asked))).await;
    assert_eq!(results.iter().filter(|result| result.is_err()).count(), 1);
    let seen = inner.seen();
    // 40 answers and the refusal, which came with those that left beside it; nobody else until the wait is over.
    let (before, after) = seen.split_at(48);
    let pause = after[0].1 - before[47].1;
    assert!(pause >= Duration::from_secs(3) && pause < Duration::from_millis(3200), "{pause:?}");
    let paced = |event: &Event| matches!(event, Event::RateLimitChanged { calls_per_second: Some(_), endpoint } if endpoint == "localhost");
    assert!(events.count(paced) >= 1);
}

#[tokio::test(start_paused = true)]
async fn judgements_and_completions_get_through_when_the_pace_begins_amid_them() {
    let (inner, model, _) = meeting(8, Duration::from_millis(10), 4);
    let requests: Vec<ChatRequest> =
        (0..200).map(|call| if call % 3 == 0 { judgement() } else { request() }).collect();
    let all = join_all(requests.iter().map(|request| model.complete(request)));
    let results = tokio::time::timeout(Duration::from_secs(600), all).await.unwrap();
    assert_eq!(results.len(), 200);
    assert_eq!(inner.peak(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_lets_nobody_in_is_given_up() {
    let script = vec![Err(asking(FaultKind::RateLimited, Duration::from_secs(3600))); 1000];
    let inner = Scripted::slow(script, Duration::from_millis(100));
    let (model, _) = limited(&inner, 16, &CancellationToken::new());
    let asked = request();
    let start = Instant::now();
    let ends = |call: usize| {
        let (model, asked) = (&model, &asked);
        async move { (call, model.complete(asked).await.unwrap_err().kind, start.elapsed()) }
    };
    let ended = join_all((0..40).map(ends)).await;
    assert!(ended[..16].iter().all(|(_, kind, _)| *kind == FaultKind::RateLimited));
    let (call, _, at) = ended.iter().find(|(_, kind, _)| *kind == FaultKind::Dead).unwrap();
    assert!(*call < 30 && *at >= Duration::from_secs(120) && *at < Duration::from_secs(125), "{call} {at:?}");
}
