use std::time::Duration;

use futures::future::join_all;

use super::super::test_support::{asking, judgement, scripted, slow};
use super::*;
use promptgate_core::model::{FaultKind, Purpose};
use promptgate_testing::{RecordedEvents, ScriptedModel, completion, request};

fn limited(
    inner: &Arc<ScriptedModel<'static>>,
    max_concurrency: usize,
    stop: &CancellationToken,
) -> (Limited, Arc<RecordedEvents>) {
    let options = Options { max_concurrency, ..Options::new("http://localhost") };
    let events = Arc::new(RecordedEvents::default());
    let model = Limited::new(Arc::clone(inner) as _, &options, Arc::clone(&events) as _, stop.clone());
    (model, events)
}

#[tokio::test(start_paused = true)]
async fn all_slots_and_no_more_are_used() {
    let inner = slow([], Duration::from_millis(100));
    let (model, events) = limited(&inner, 4, &CancellationToken::new());
    let start = Instant::now();
    let request = request();
    for result in join_all((0..20).map(|_| model.complete(&request))).await {
        result.unwrap();
    }
    assert_eq!(inner.peak_in_flight(), 4);
    assert_eq!(start.elapsed().as_millis(), 500, "five full rounds");
    assert_eq!(events.count(|event| *event == Event::CallStarted), 20);
    assert_eq!(events.count(|event| *event == Event::CallEnded), 20);
}

#[tokio::test(start_paused = true)]
async fn a_concurrency_of_zero_counts_as_one() {
    let inner = slow([], Duration::from_millis(10));
    let (model, _) = limited(&inner, 0, &CancellationToken::new());
    let request = request();
    join_all((0..3).map(|_| model.complete(&request))).await;
    assert_eq!(inner.peak_in_flight(), 1);
}

#[tokio::test(start_paused = true)]
async fn judgements_precede_waiting_completions() {
    let inner = slow([], Duration::from_millis(10));
    let (model, _) = limited(&inner, 1, &CancellationToken::new());
    let requests = [request(), request(), request(), judgement(), judgement()];
    join_all(requests.iter().map(|request| model.complete(request))).await;
    let order: Vec<Purpose> = inner.calls().iter().map(|call| call.request.purpose).collect();
    let (c, j) = (Purpose::Completion, Purpose::Judgement);
    assert_eq!(order, [c, j, j, c, c]);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_call_releases_its_slot() {
    let inner = slow([], Duration::from_millis(100));
    let (model, events) = limited(&inner, 1, &CancellationToken::new());
    let request = request();
    let brief = Duration::from_millis(50);
    let (first, cancelled, last) = tokio::join!(
        model.complete(&request),
        tokio::time::timeout(brief, model.complete(&request)),
        model.complete(&request)
    );
    assert!(first.is_ok() && cancelled.is_err() && last.is_ok());
    // A call dropped in flight releases its slot too, and its end is reported.
    assert!(tokio::time::timeout(brief, model.complete(&request)).await.is_err());
    model.complete(&request).await.unwrap();
    assert_eq!(inner.call_count(), 4);
    assert_eq!(events.count(|event| *event == Event::CallStarted), 4);
    assert_eq!(events.count(|event| *event == Event::CallEnded), 4);
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_waiting_calls_but_not_calls_in_flight() {
    let inner = slow([], Duration::from_secs(1));
    let stop = CancellationToken::new();
    let (model, _) = limited(&inner, 2, &stop);
    let request = request();
    let calls = join_all((0..5).map(|_| model.complete(&request)));
    let (results, ()) = tokio::join!(calls, async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        stop.cancel();
    });
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 2);
    let interrupted = |result: &&Result<Completion, Fault>| {
        result.as_ref().is_err_and(|fault| fault.kind == FaultKind::Interrupted)
    };
    assert_eq!(results.iter().filter(interrupted).count(), 3);
    assert_eq!(inner.call_count(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_pace_is_kept_and_can_be_interrupted() {
    let inner = scripted([]);
    let stop = CancellationToken::new();
    let options = Options { rpm: Some(60), ..Options::new("http://localhost") };
    let model =
        Limited::new(Arc::clone(&inner) as _, &options, Arc::new(RecordedEvents::default()), stop.clone());
    let request = request();
    let start = Instant::now();
    for result in join_all((0..20).map(|_| model.complete(&request))).await {
        result.unwrap();
    }
    // Five at once, then 56 per minute.
    let expected = 15.0 * 60.0 / 56.0;
    assert!((start.elapsed().as_secs_f64() - expected).abs() < 0.1, "{:?}", start.elapsed());
    stop.cancel();
    assert_eq!(model.complete(&request).await.unwrap_err().kind, FaultKind::Interrupted);
}

#[tokio::test(start_paused = true)]
async fn judgements_overtake_completions_waiting_for_the_pace() {
    let inner = scripted([]);
    let options = Options { rpm: Some(60), ..Options::new("http://localhost") };
    let model = Limited::new(
        Arc::clone(&inner) as _,
        &options,
        Arc::new(RecordedEvents::default()),
        CancellationToken::new(),
    );
    let mut requests = vec![request(); 10];
    requests.extend([judgement(), judgement()]);
    join_all(requests.iter().map(|request| model.complete(request))).await;
    let judged: Vec<usize> = inner
        .calls()
        .iter()
        .enumerate()
        .filter(|(_, call)| call.request.purpose == Purpose::Judgement)
        .map(|(place, _)| place)
        .collect();
    assert_eq!(judged, [6, 7], "five start at once, one is in the gate");
}

/// Returns a limited model whose endpoint answers 40 calls, refuses some with a wait, then answers again.
fn refusing_amid(
    refused: usize,
    wait: Duration,
    max_concurrency: usize,
) -> (Arc<ScriptedModel<'static>>, Limited, Arc<RecordedEvents>) {
    let script = (0..40 + refused).map(|call| match call {
        0..40 => Ok(completion("ok")),
        _ => Err(asking(FaultKind::RateLimited, wait)),
    });
    let inner = slow(script, Duration::from_millis(100));
    let (model, events) = limited(&inner, max_concurrency, &CancellationToken::new());
    (inner, model, events)
}

#[tokio::test(start_paused = true)]
async fn a_requested_wait_pauses_all_calls() {
    let (inner, model, events) = refusing_amid(1, Duration::from_secs(3), 8);
    let request = request();
    let results = join_all((0..80).map(|_| model.complete(&request))).await;
    assert_eq!(results.iter().filter(|result| result.is_err()).count(), 1);
    let calls = inner.calls();
    // 40 answers and the batch with the refusal; no other call until the wait is over.
    let (before, after) = calls.split_at(48);
    let pause = after[0].at - before[47].at;
    assert!(pause >= Duration::from_secs(3) && pause < Duration::from_millis(3200), "{pause:?}");
    let paced = |event: &Event| matches!(event, Event::RateLimitChanged { calls_per_second: Some(_), endpoint } if endpoint == "localhost");
    assert!(events.count(paced) >= 1);
}

#[tokio::test(start_paused = true)]
async fn calls_of_both_kinds_finish_when_pacing_starts_midway() {
    let (inner, model, _) = refusing_amid(8, Duration::from_millis(10), 4);
    let requests: Vec<ChatRequest> =
        (0..200).map(|call| if call % 3 == 0 { judgement() } else { request() }).collect();
    let all = join_all(requests.iter().map(|request| model.complete(request)));
    let results = tokio::time::timeout(Duration::from_secs(600), all).await.unwrap();
    assert_eq!(results.len(), 200);
    assert_eq!(inner.peak_in_flight(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_refuses_all_calls_is_given_up() {
    let script = vec![Err(asking(FaultKind::RateLimited, Duration::from_secs(3600))); 1000];
    let inner = slow(script, Duration::from_millis(100));
    let (model, _) = limited(&inner, 16, &CancellationToken::new());
    let request = request();
    let start = Instant::now();
    let ends = |call: usize| {
        let (model, request) = (&model, &request);
        async move { (call, model.complete(request).await.unwrap_err().kind, start.elapsed()) }
    };
    let ended = join_all((0..40).map(ends)).await;
    assert!(ended[..16].iter().all(|(_, kind, _)| *kind == FaultKind::RateLimited));
    let (call, _, at) = ended.iter().find(|(_, kind, _)| *kind == FaultKind::Dead).unwrap();
    assert!(*call < 30 && *at >= Duration::from_secs(120) && *at < Duration::from_secs(125), "{call} {at:?}");
}
