use proptest::prelude::*;
use serde_json::json;

use super::*;
use promptgate_testing::{completion, request};

proptest! {
    /// Whatever the limit and however calls arrive, no half-open minute sees more than the limit.
    #[test]
    fn no_minute_sees_more_than_the_limit(
        limit in 1_u32..400,
        gaps in prop::collection::vec(0_u64..3000, 1..600),
    ) {
        let start = Instant::now();
        let mut bucket = Bucket::new(f64::from(limit), start);
        let mut now = start;
        let mut left: Vec<Duration> = Vec::new();
        for gap in gaps {
            now += Duration::from_millis(gap);
            let wait = bucket.take(1.0, now);
            left.push(now + wait - start);
        }
        left.sort();
        for (index, at) in left.iter().enumerate() {
            // A microsecond for the rounding of durations.
            let end = *at + Duration::from_secs(60) - Duration::from_micros(1);
            let window = left.get(index..).unwrap().iter().take_while(|other| **other < end).count();
            prop_assert!(window <= limit as usize, "{window} calls in a minute, limit {limit}");
        }
    }
}

#[test]
fn a_bucket_is_used_to_nine_tenths_of_its_limit() {
    for limit in [1.0, 10.0, 500.0, 1e6] {
        let start = Instant::now();
        let mut bucket = Bucket::new(limit, start);
        let mut last = Duration::ZERO;
        for _ in 0..200 {
            last = bucket.take(limit / 10.0_f64.max(10.0), start);
        }
        // 200 tenths are 20 minutes' worth.
        assert!(last.as_secs_f64() / 60.0 <= 20.0 / 0.9 + 1.0, "{limit}: {last:?}");
    }
}

#[test]
fn more_than_a_bucket_holds_still_passes() {
    let start = Instant::now();
    let mut bucket = Bucket::new(600.0, start);
    assert_eq!(bucket.take(6000.0, start), Duration::ZERO);
    let wait = bucket.take(1.0, start).as_secs_f64();
    assert!(wait > 500.0, "the debt is paid first: {wait}");
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_was_not_used_is_given_back() {
    let pace = Pace::new(Some(1), Some(100_000));
    let asked = request();
    drop(pace.turn(&asked));
    let mut turn = pace.turn(&asked);
    assert!(!turn.must_wait());
    turn.leave();
    drop(turn);
    assert!(pace.turn(&asked).must_wait());
}

#[tokio::test(start_paused = true)]
async fn the_estimate_of_tokens_is_corrected_by_usage() {
    let pace = Pace::new(None, Some(12_000));
    let mut asked = request();
    asked.parameters.insert("max_tokens".to_owned(), json!(999));
    // Estimated at 1,000 tokens a call, of which a full bucket has one; each really takes 110.
    for _ in 0..9 {
        let mut turn = pace.turn(&asked);
        turn.leave();
        turn.settle(&Ok(completion("short")));
    }
    let unsettled = pace.turn(&asked);
    assert!(unsettled.must_wait());
    drop(unsettled);
    let mut asked = request();
    asked.parameters.insert("max_completion_tokens".to_owned(), json!(1));
    assert!(!pace.turn(&asked).must_wait(), "ten tokens are left of the thousand");
}

#[test]
fn no_limit_never_waits() {
    let pace = Pace::new(None, None);
    for _ in 0..10_000 {
        let mut turn = pace.turn(&request());
        assert!(!turn.must_wait());
        turn.leave();
    }
}
