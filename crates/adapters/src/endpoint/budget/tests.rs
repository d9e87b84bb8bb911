use futures::future::join_all;
use serde_json::json;

use super::super::test_support::{scripted, slow};
use super::*;
use promptgate_testing::{RecordedEvents, ScriptedModel, completion, request};

/// Maximum cost of `priced`: 4 bytes of text, 16 tokens for the message, 1,000 for the answer.
const MAX_COST: f64 = (20.0 * 10.0 + 1000.0 * 20.0) / 1e6;
/// Actual cost: 100 request tokens and 10 answer tokens.
const COST: f64 = (100.0 * 10.0 + 10.0 * 20.0) / 1e6;

fn priced() -> ChatRequest {
    let mut request = request();
    request.parameters.insert("max_completion_tokens".to_owned(), json!(1000));
    request
}

fn budget(ceilings: Ceilings) -> Arc<Budget> {
    let price = Price::new(10.0, 20.0);
    Arc::new(Budget::new(ceilings, Prices(vec![("m".to_owned(), price)])))
}

fn budgeted(inner: &Arc<ScriptedModel<'static>>, budget: &Arc<Budget>) -> (Budgeted, Arc<RecordedEvents>) {
    let events = Arc::new(RecordedEvents::default());
    let model = Budgeted::new(
        Arc::clone(inner) as _,
        Arc::clone(budget),
        Arc::clone(&events) as _,
        CancellationToken::new(),
    );
    (model, events)
}

#[tokio::test(start_paused = true)]
async fn calls_are_a_hard_limit() {
    let inner = slow([], Duration::from_millis(10));
    let budget = budget(Ceilings { calls: Some(7), ..Ceilings::default() });
    let (model, _) = budgeted(&inner, &budget);
    let request = request();
    let results = join_all((0..20).map(|_| model.complete(&request))).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 7);
    assert_eq!((inner.call_count(), budget.calls()), (7, 7));
    let fault = results.into_iter().find_map(Result::err).unwrap();
    assert_eq!(fault.kind, FaultKind::BudgetSpent);
    assert!(fault.message.contains('7') && fault.help.is_some());
}

#[tokio::test(start_paused = true)]
async fn the_maximum_cost_of_calls_in_flight_is_reserved() {
    let inner = slow([], Duration::from_millis(10));
    // Room for two maximum costs at a time, and for eight actual costs beside one maximum.
    let usd = MAX_COST * 2.0 + COST / 2.0;
    let budget = budget(Ceilings { usd: Some(usd), ..Ceilings::default() });
    let (model, events) = budgeted(&inner, &budget);
    let request = priced();
    let results = join_all((0..40).map(|_| model.complete(&request))).await;
    assert_eq!(inner.peak_in_flight(), 2, "the others waited");
    let made = results.iter().filter(|result| result.is_ok()).count();
    let expected = ((usd - MAX_COST) / COST).floor() as usize + 1;
    assert_eq!(made, expected);
    assert!(budget.spent_usd() <= usd);
    assert!((budget.spent_usd() - made as f64 * COST).abs() < 1e-12);
    assert_eq!(events.count(|event| matches!(event, Event::Spent { .. })), made);
    assert!(results.into_iter().filter_map(Result::err).all(|fault| fault.kind == FaultKind::BudgetSpent));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_may_have_been_charged_counts_in_full() {
    let faults =
        [(FaultKind::Timeout, MAX_COST), (FaultKind::RateLimited, 0.0), (FaultKind::InvalidAnswer, MAX_COST)];
    for (kind, expected) in faults {
        let inner = scripted([Err(Fault::new(kind, "broke"))]);
        let budget = budget(Ceilings { usd: Some(1.0), ..Ceilings::default() });
        budgeted(&inner, &budget).0.complete(&priced()).await.unwrap_err();
        assert!((budget.spent_usd() - expected).abs() < 1e-12, "{kind:?}");
    }
    let mut silent = completion("no usage");
    silent.usage = None;
    let inner = scripted([Ok(silent)]);
    let budget = budget(Ceilings::default());
    budgeted(&inner, &budget).0.complete(&priced()).await.unwrap();
    assert!((budget.spent_usd() - MAX_COST).abs() < 1e-12);
}

#[tokio::test(start_paused = true)]
async fn a_call_cancelled_in_flight_counts_in_full() {
    let inner = slow([], Duration::from_secs(5));
    let budget = budget(Ceilings { usd: Some(1.0), ..Ceilings::default() });
    let (model, _) = budgeted(&inner, &budget);
    let cut = tokio::time::timeout(Duration::from_secs(1), model.complete(&priced())).await;
    assert!(cut.is_err());
    assert!((budget.spent_usd() - MAX_COST).abs() < 1e-12);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_never_sent_costs_nothing() {
    let inner = scripted([Err(interrupted())]);
    let budget = budget(Ceilings { calls: Some(1), usd: Some(1.0), time: None });
    let (model, _) = budgeted(&inner, &budget);
    model.complete(&priced()).await.unwrap_err();
    assert_eq!((budget.calls(), budget.spent_usd()), (0, 0.0));
}

#[tokio::test(start_paused = true)]
async fn a_money_limit_requires_a_price() {
    let inner = scripted([]);
    let budget = Arc::new(Budget::new(Ceilings { usd: Some(1.0), ..Ceilings::default() }, Prices::default()));
    let fault = budgeted(&inner, &budget).0.complete(&request()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::BudgetSpent);
    assert!(fault.message.contains("`m`"));
    assert_eq!(inner.call_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn after_the_time_limit_calls_end() {
    let inner = slow([], Duration::from_secs(12));
    let budget = budget(Ceilings { time: Some(Duration::from_secs(10)), ..Ceilings::default() });
    let (model, _) = budgeted(&inner, &budget);
    let start = Instant::now();
    // Within the grace period.
    model.complete(&request()).await.unwrap();
    assert_eq!(model.complete(&request()).await.unwrap_err().kind, FaultKind::BudgetSpent);
    assert_eq!((inner.call_count(), start.elapsed().as_secs()), (1, 12));

    let inner = slow([], Duration::from_secs(60));
    let budget = self::budget(Ceilings { time: Some(Duration::from_secs(10)), ..Ceilings::default() });
    let start = Instant::now();
    let fault = budgeted(&inner, &budget).0.complete(&request()).await.unwrap_err();
    assert_eq!((fault.kind, start.elapsed().as_secs()), (FaultKind::BudgetSpent, 15));
}

#[tokio::test(start_paused = true)]
async fn waiting_for_room_ends_with_a_stop() {
    let inner = slow([], Duration::from_secs(5));
    let budget = budget(Ceilings { usd: Some(MAX_COST * 1.5), ..Ceilings::default() });
    let stop = CancellationToken::new();
    let model = Budgeted::new(
        Arc::clone(&inner) as _,
        Arc::clone(&budget),
        Arc::new(RecordedEvents::default()),
        stop.clone(),
    );
    let request = priced();
    let (first, second, ()) = tokio::join!(model.complete(&request), model.complete(&request), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        stop.cancel();
    });
    assert!(first.is_ok());
    assert_eq!(second.unwrap_err().kind, FaultKind::Interrupted);
}

/// An answer of an application at this cost.
fn costing(cost_usd: Option<f64>) -> promptgate_testing::Reply {
    Ok(Completion { cost_usd, ..Completion::from_text("ok") })
}

#[tokio::test(start_paused = true)]
async fn reported_cost_takes_precedence_over_the_price() {
    let inner = scripted([costing(Some(0.25)), costing(Some(f64::NAN)), costing(Some(-1.0))]);
    let budget = budget(Ceilings::default());
    let (model, _) = budgeted(&inner, &budget);
    model.complete(&priced()).await.unwrap();
    assert!((budget.spent_usd() - 0.25).abs() < 1e-12);
    // Not costs, and there is no usage: the maximum counts.
    for _ in 0..2 {
        model.complete(&priced()).await.unwrap();
    }
    assert!((budget.spent_usd() - 0.25 - 2.0 * MAX_COST).abs() < 1e-12);
}

#[tokio::test(start_paused = true)]
async fn application_without_a_price_is_held_to_what_it_reported() {
    let asked = ChatRequest { input: Some(Arc::new(serde_json::json!({"id": "a"}))), ..request() };
    let usd =
        |usd| Arc::new(Budget::new(Ceilings { usd: Some(usd), ..Ceilings::default() }, Prices::default()));
    let inner = scripted([costing(Some(0.6)), costing(Some(0.6))]);
    let budget = usd(1.0);
    let (model, _) = budgeted(&inner, &budget);
    model.complete(&asked).await.unwrap();
    assert_eq!(model.complete(&asked).await.unwrap_err().kind, FaultKind::BudgetSpent);
    assert_eq!((inner.call_count(), budget.spent_usd()), (1, 0.6));

    let inner = scripted([costing(None)]);
    let fault = budgeted(&inner, &usd(1.0)).0.complete(&asked).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::BudgetSpent);
    assert!(fault.message.contains("`cost_usd`"), "{fault}");
}
