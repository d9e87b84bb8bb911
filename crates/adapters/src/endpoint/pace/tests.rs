use proptest::prelude::*;
use serde_json::json;

use super::*;
use promptgate_testing::{completion, request};

proptest! {
    /// Holds for every limit, every arrival pattern and every half-open minute.
    #[test]
    fn no_minute_exceeds_the_limit(
        limit in 1_u32..400,
        gaps in prop::collection::vec(0_u64..3000, 1..600),
    ) {
        let start = Instant::now();
        let mut bucket = Bucket::new(f64::from(limit), start);
        let mut now = start;
        let mut starts: Vec<Duration> = Vec::new();
        for gap in gaps {
            now += Duration::from_millis(gap);
            let wait = bucket.take(1.0, now);
            starts.push(now + wait - start);
        }
        starts.sort();
        for (index, at) in starts.iter().enumerate() {
            // A microsecond of tolerance for rounding.
            let end = *at + Duration::from_secs(60) - Duration::from_micros(1);
            let window = starts.get(index..).unwrap().iter().take_while(|other| **other < end).count();
            prop_assert!(window <= limit as usize, "{window} calls in a minute, limit {limit}");
        }
    }
}

#[test]
fn a_bucket_allows_nine_tenths_of_its_limit() {
    for limit in [1.0, 10.0, 500.0, 1e6] {
        let start = Instant::now();
        let mut bucket = Bucket::new(limit, start);
        let mut last = Duration::ZERO;
        for _ in 0..200 {
            last = bucket.take(limit / 10.0_f64.max(10.0), start);
        }
        // 200 tenths are the limit of 20 minutes.
        assert!(last.as_secs_f64() / 60.0 <= 20.0 / 0.9 + 1.0, "{limit}: {last:?}");
    }
}

#[test]
fn more_units_than_the_capacity_still_pass() {
    let start = Instant::now();
    let mut bucket = Bucket::new(600.0, start);
    assert_eq!(bucket.take(6000.0, start), Duration::ZERO);
    let wait = bucket.take(1.0, start).as_secs_f64();
    assert!(wait > 500.0, "the debt comes first: {wait}");
}

#[tokio::test(start_paused = true)]
async fn an_unused_turn_is_returned() {
    let pace = Pace::new(Some(1), Some(100_000));
    let request = request();
    drop(pace.turn(&request));
    let mut turn = pace.turn(&request);
    assert!(!turn.must_wait());
    turn.start();
    drop(turn);
    assert!(pace.turn(&request).must_wait());
}

#[tokio::test(start_paused = true)]
async fn the_token_estimate_is_corrected_by_usage() {
    let pace = Pace::new(None, Some(12_000));
    let mut sized = request();
    sized.parameters.insert("max_tokens".to_owned(), json!(999));
    // A full bucket holds one call of the estimated 1,000 tokens; each call really uses 110.
    for _ in 0..9 {
        let mut turn = pace.turn(&sized);
        turn.start();
        turn.settle(&Ok(completion("short")));
    }
    let unsettled = pace.turn(&sized);
    assert!(unsettled.must_wait());
    drop(unsettled);
    let mut small = request();
    small.parameters.insert("max_completion_tokens".to_owned(), json!(1));
    assert!(!pace.turn(&small).must_wait(), "ten tokens are left of the thousand");
}

#[test]
fn without_limits_nothing_waits() {
    let pace = Pace::new(None, None);
    for _ in 0..10_000 {
        let mut turn = pace.turn(&request());
        assert!(!turn.must_wait());
        turn.start();
    }
}
