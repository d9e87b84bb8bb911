use super::super::test_support::{asking, scripted, slow};
use super::*;
use promptgate_testing::{RecordedEvents, ScriptedModel, completion, request};

const RETRIABLE: [FaultKind; 6] = [
    FaultKind::RateLimited,
    FaultKind::Unavailable,
    FaultKind::Connection,
    FaultKind::Disconnected,
    FaultKind::InvalidAnswer,
    FaultKind::TooLarge,
];

const FINAL: [FaultKind; 13] = [
    FaultKind::MissingCredentials,
    FaultKind::Unauthorized,
    FaultKind::Forbidden,
    FaultKind::NotFound,
    FaultKind::QuotaSpent,
    FaultKind::Rejected,
    FaultKind::ContextLength,
    FaultKind::ContentFilter,
    FaultKind::Certificate,
    FaultKind::Redirected,
    FaultKind::Dead,
    FaultKind::BudgetSpent,
    FaultKind::Interrupted,
];

fn fault(kind: FaultKind) -> Fault {
    Fault::new(kind, "it broke")
}

struct Bench {
    model: Retrying,
    inner: Arc<ScriptedModel<'static>>,
    events: Arc<RecordedEvents>,
    stop: CancellationToken,
}

fn bench(script: Vec<Result<Completion, Fault>>) -> Bench {
    bench_with(Options::new("http://localhost"), script)
}

fn bench_with(options: Options, script: Vec<Result<Completion, Fault>>) -> Bench {
    let inner = scripted(script);
    let events = Arc::new(RecordedEvents::default());
    let stop = CancellationToken::new();
    let model = Retrying::new(Arc::clone(&inner) as _, &options, Arc::clone(&events) as _, stop.clone());
    Bench { model, inner, events, stop }
}

#[tokio::test(start_paused = true)]
async fn retriable_faults_are_retried_and_reported() {
    for kind in RETRIABLE {
        let bench = bench(vec![Err(fault(kind)), Err(fault(kind)), Ok(completion("late"))]);
        assert_eq!(bench.model.complete(&request()).await.unwrap().text, "late");
        assert_eq!(bench.inner.call_count(), 3, "{kind:?}");
        assert_eq!(bench.events.count(|event| matches!(event, Event::Retried { .. })), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn timed_out_request_is_sent_once_more() {
    let timeout = || Err(fault(FaultKind::Timeout));
    let saved = bench(vec![timeout(), Ok(completion("late"))]);
    assert_eq!(saved.model.complete(&request()).await.unwrap().text, "late");
    let lost = bench(vec![timeout(), timeout(), Ok(completion("later"))]);
    assert_eq!(lost.model.complete(&request()).await.unwrap_err().kind, FaultKind::Timeout);
    assert_eq!(lost.inner.call_count(), 2);
    // Other faults in between do not start the count again.
    let mixed = bench(vec![timeout(), Err(fault(FaultKind::Unavailable)), timeout(), Ok(completion("no"))]);
    mixed.model.complete(&request()).await.unwrap_err();
    assert_eq!(mixed.inner.call_count(), 3);
}

#[tokio::test(start_paused = true)]
async fn answer_lists_its_failed_attempts() {
    let attempt = |kind, status, ms| Attempt { kind, status, ms };
    let internal = Fault {
        attempts: vec![attempt(FaultKind::Unavailable, Some(500), 7)],
        ..fault(FaultKind::Unavailable)
    };
    let bench = bench(vec![Err(internal), Err(fault(FaultKind::Timeout)), Ok(completion("late"))]);
    let attempts = bench.model.complete(&request()).await.unwrap().attempts;
    let expected = [attempt(FaultKind::Unavailable, Some(500), 7), attempt(FaultKind::Timeout, None, 0)];
    assert_eq!(attempts, expected);
}

#[tokio::test(start_paused = true)]
async fn attempts_of_an_earlier_call_are_kept() {
    let mut script = vec![Err(fault(FaultKind::Unavailable)); 6];
    script.push(Ok(completion("another")));
    script.push(Ok(completion("late")));
    let bench = bench(script);
    let first = bench.model.complete(&request()).await.unwrap_err();
    assert_eq!(first.attempts.len(), 6);
    let other = ChatRequest { repeat: 1, ..request() };
    assert!(bench.model.complete(&other).await.unwrap().attempts.is_empty());
    assert_eq!(bench.model.complete(&request()).await.unwrap().attempts, first.attempts);
}

#[tokio::test(start_paused = true)]
async fn other_faults_are_final() {
    for kind in FINAL {
        let bench = bench(vec![Err(fault(kind))]);
        assert_eq!(bench.model.complete(&request()).await.unwrap_err(), fault(kind));
        assert_eq!(bench.inner.call_count(), 1, "{kind:?}");
        assert!(bench.events.all().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_are_bounded_and_reported() {
    let bench = bench(vec![Err(fault(FaultKind::Unavailable)); 20]);
    let fault = bench.model.complete(&request()).await.unwrap_err();
    assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Unavailable, "it broke (6 attempts)"));
    assert_eq!(bench.inner.call_count(), 6);
}

#[tokio::test(start_paused = true)]
async fn backoff_stays_below_its_doubling_limit() {
    let bench = bench(vec![Err(fault(FaultKind::Unavailable)); 20]);
    bench.model.complete(&request()).await.unwrap_err();
    let calls = bench.inner.calls();
    let limits = [500, 1000, 2000, 4000, 8000];
    for (pair, limit) in calls.windows(2).zip(limits) {
        // tokio's timer rounds up to a millisecond.
        assert!(pair[1].at - pair[0].at <= Duration::from_millis(limit + 1));
    }
}

#[test]
fn backoff_has_full_jitter() {
    let again = |attempts, draw| {
        let mut progress = Progress { tries: attempts, attempts, waited: Duration::ZERO };
        let wait = next_wait(&fault(FaultKind::Timeout), &mut progress, 100, Duration::from_secs(1000), draw);
        assert_eq!(progress.attempts, attempts + 1);
        wait
    };
    let wait = |seconds| Some(Duration::from_secs_f64(seconds));
    assert_eq!(again(0, 0.0), wait(0.0));
    assert_eq!(again(0, 0.5), wait(0.25));
    assert_eq!(again(3, 0.5), wait(2.0));
    assert_eq!(again(50, 0.5), wait(15.0));
}

#[tokio::test(start_paused = true)]
async fn a_requested_wait_costs_no_attempt() {
    let start = Instant::now();
    for kind in [FaultKind::RateLimited, FaultKind::Unavailable] {
        let bench = bench(vec![Err(asking(kind, Duration::from_secs(3))); 20]);
        bench.model.complete(&request()).await.unwrap();
        assert_eq!(bench.inner.call_count(), 21, "{kind:?}");
    }
    let elapsed = start.elapsed();
    assert!(elapsed >= Duration::from_secs(120) && elapsed <= Duration::from_secs(133), "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn requested_waits_end_at_the_maximum_wait() {
    let start = Instant::now();
    let bench = bench(vec![Err(asking(FaultKind::RateLimited, Duration::from_secs(3600))); 20]);
    let fault = bench.model.complete(&request()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::RateLimited);
    assert_eq!(bench.inner.call_count(), 3, "at most a minute each, two minutes in all");
    assert!(start.elapsed() <= Duration::from_secs(121));
}

#[tokio::test(start_paused = true)]
async fn tiny_requested_waits_do_not_retry_forever() {
    let bench = bench(vec![Err(asking(FaultKind::RateLimited, Duration::from_millis(1))); 500]);
    bench.model.complete(&request()).await.unwrap_err();
    let calls = bench.inner.call_count();
    assert!(calls > 6 && calls < 60, "no attempt is counted, but waits grow: {calls}");
}

#[test]
fn a_requested_wait_gets_a_small_jitter() {
    let wait = |requested, draw| {
        let fault = asking(FaultKind::RateLimited, Duration::from_secs_f64(requested));
        let mut progress = Progress::default();
        let wait = next_wait(&fault, &mut progress, 6, Duration::from_secs(1000), draw).unwrap();
        assert_eq!(progress.attempts, 0, "free");
        wait.as_secs_f64()
    };
    assert_eq!(wait(2.0, 0.0), 2.0);
    assert_eq!(wait(2.0, 0.5), 2.1);
    assert_eq!(wait(30.0, 0.5), 30.5);
    assert_eq!(wait(3600.0, 0.0), 60.0);
    assert_eq!(wait(0.2, 0.0), 0.2);
    assert_eq!(wait(0.2, 0.9), 0.45);
}

#[tokio::test(start_paused = true)]
async fn five_failed_connections_before_any_success_are_final() {
    let bench = bench(vec![Err(fault(FaultKind::Connection).help("start it")); 20]);
    let start = Instant::now();
    let fault = bench.model.complete(&request()).await.unwrap_err();
    assert_eq!((fault.kind, fault.help.as_deref()), (FaultKind::Dead, Some("start it")));
    assert!(fault.message.contains("it broke") && fault.message.contains('5'), "{fault}");
    assert_eq!(bench.inner.call_count(), 5);
    assert!(start.elapsed() < Duration::from_secs(8), "noticed within seconds");
    assert_eq!(bench.model.complete(&request()).await.unwrap_err().kind, FaultKind::Dead);
    assert_eq!(bench.inner.call_count(), 5, "a dead endpoint is not called again");
}

#[tokio::test(start_paused = true)]
async fn after_a_success_failed_connections_are_retriable() {
    let mut script = vec![Ok(completion("first"))];
    script.extend(vec![Err(fault(FaultKind::Connection)); 6]);
    let bench = bench(script);
    bench.model.complete(&request()).await.unwrap();
    assert_eq!(bench.model.complete(&request()).await.unwrap_err().kind, FaultKind::Connection);
    bench.model.complete(&request()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn ten_consecutive_failed_calls_are_final() {
    let options = Options { attempts: 1, ..Options::new("http://localhost") };
    let mut script = vec![Err(fault(FaultKind::Unavailable)); 9];
    script.push(Ok(completion("alive")));
    script.extend(vec![Err(fault(FaultKind::Unavailable)); 10]);
    let bench = bench_with(options, script);
    let mut kinds = Vec::new();
    for _ in 0..21 {
        kinds.push(bench.model.complete(&request()).await.err().map(|fault| fault.kind));
    }
    let mut expected = vec![Some(FaultKind::Unavailable); 9];
    expected.push(None);
    expected.extend(vec![Some(FaultKind::Unavailable); 9]);
    expected.extend([Some(FaultKind::Dead); 2]);
    assert_eq!(kinds, expected);
    assert_eq!(bench.inner.call_count(), 20);
}

#[tokio::test(start_paused = true)]
async fn rejected_requests_do_not_make_an_endpoint_dead() {
    let bench = bench(vec![Err(fault(FaultKind::ContextLength)); 30]);
    for _ in 0..30 {
        assert_eq!(bench.model.complete(&request()).await.unwrap_err().kind, FaultKind::ContextLength);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_a_wait_at_once() {
    let bench = bench(vec![Err(asking(FaultKind::RateLimited, Duration::from_secs(30))); 5]);
    let start = Instant::now();
    let stop = bench.stop.clone();
    let request = request();
    let (result, ()) = tokio::join!(bench.model.complete(&request), async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        stop.cancel();
    });
    assert_eq!(result.unwrap_err().kind, FaultKind::Interrupted);
    assert_eq!(start.elapsed().as_secs(), 2);
    assert_eq!(bench.model.complete(&request).await.unwrap_err().kind, FaultKind::Interrupted);
    assert_eq!(bench.inner.call_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn no_wait_exceeds_the_time_limit_of_the_budget() {
    let ceilings = super::super::Ceilings { time: Some(Duration::from_secs(10)), ..Default::default() };
    let budget = Arc::new(super::super::Budget::new(ceilings, Default::default()));
    let options = Options { budget: Some(budget), ..Options::new("http://localhost") };
    let bench = bench_with(options, vec![Err(asking(FaultKind::RateLimited, Duration::from_secs(30)))]);
    let start = Instant::now();
    assert_eq!(bench.model.complete(&request()).await.unwrap_err().kind, FaultKind::RateLimited);
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_dead_model_leaves_others_alive() {
    let options = Options { attempts: 1, ..Options::new("http://localhost") };
    let script = (0..40)
        .map(|turn| if turn % 2 == 0 { Ok(completion("alive")) } else { Err(fault(FaultKind::Unavailable)) });
    let bench = bench_with(options, script.collect());
    let dead = ChatRequest { model: "other".to_owned(), ..request() };
    for _ in 0..9 {
        bench.model.complete(&request()).await.unwrap();
        assert_eq!(bench.model.complete(&dead).await.unwrap_err().kind, FaultKind::Unavailable);
    }
    bench.model.complete(&request()).await.unwrap();
    // Successes of the other model do not reset the ten consecutive failures of this one.
    assert_eq!(bench.model.complete(&dead).await.unwrap_err().kind, FaultKind::Dead);
    assert_eq!(bench.inner.call_count(), 20);
}

#[tokio::test(start_paused = true)]
async fn the_total_time_of_a_call_is_bounded() {
    let options = Options {
        attempts: 2,
        timeout: Duration::from_secs(10),
        max_wait: Duration::from_secs(30),
        ..Options::new("http://localhost")
    };
    // Each try is slow and ends with a requested wait, which costs no attempt.
    let script = vec![Err(asking(FaultKind::RateLimited, Duration::from_secs(1))); 100];
    let inner = slow(script, Duration::from_secs(8));
    let events = Arc::new(RecordedEvents::default());
    let model = Retrying::new(Arc::clone(&inner) as _, &options, events, CancellationToken::new());
    let start = Instant::now();
    assert_eq!(model.complete(&request()).await.unwrap_err().kind, FaultKind::RateLimited);
    let elapsed = start.elapsed();
    // 8 s to the first fault, 50 s from there, and the try in flight at that time.
    assert!(elapsed >= Duration::from_secs(45) && elapsed <= Duration::from_secs(67), "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn reply_that_cannot_be_read_is_asked_once_more() {
    let unreadable = Fault { max_attempts: Some(2), ..fault(FaultKind::InvalidAnswer) };
    let bench = bench(vec![Err(unreadable); 6]);
    let fault = bench.model.complete(&request()).await.unwrap_err();
    assert!(fault.message.ends_with("(2 attempts)"), "{fault}");
    assert_eq!(bench.inner.call_count(), 2);
}
