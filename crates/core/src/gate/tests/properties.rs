//! Properties of any run.

use proptest::prelude::*;

use super::builders::{analysis, completed, criterion, metric, minimum, not_worse, policy};
use crate::gate::{Bound, Policy, Requirement, Statistic};
use crate::model::{CriterionVerdict, Scope, Verdict};

type Rows = Vec<Vec<f64>>;

fn rows(gaps: bool) -> impl Strategy<Value = (Rows, Rows)> {
    let score = move || {
        prop_oneof![
            12 => (0..=10_u32).prop_map(|score| f64::from(score) / 10.0),
            u32::from(gaps) => Just(f64::NAN),
        ]
    };
    (1..4_usize, 1..4_usize).prop_flat_map(move |(cases, repeats)| {
        let side = prop::collection::vec(prop::collection::vec(score(), repeats), cases);
        (side.clone(), side)
    })
}

fn all_requirements() -> Policy {
    let limit = |statistic, bound| criterion("limit", "m", Requirement::Limit { statistic, bound });
    policy(vec![
        minimum("m", 0.6),
        not_worse("m", 0.0),
        not_worse("m", 0.1),
        criterion("check", "m", Requirement::EveryTrial),
        criterion("case.c0", "", Requirement::MustPass { case: 0, strict: false }),
        criterion("broken_cases", "", Requirement::BrokenCases { max: 0 }),
        limit(Statistic::Mean, Bound::MaxIncrease(0.2)),
        limit(Statistic::P95, Bound::MaxIncrease(0.2)),
        limit(Statistic::P50, Bound::Absolute(0.5)),
    ])
}

/// Ranks verdicts from worse to better; incomplete counts as undecided.
fn rank(verdict: CriterionVerdict) -> usize {
    match verdict {
        CriterionVerdict::Fail => 0,
        CriterionVerdict::Inconclusive | CriterionVerdict::Incomplete => 1,
        CriterionVerdict::Pass => 2,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_run_is_decided_with_valid_numbers((ours, theirs) in rows(true), population: bool) {
        let run = analysis(vec![metric("m", &ours, Some(&theirs))]);
        let scope = if population { Scope::Population } else { Scope::Suite };
        let policy = Policy { scope, ..all_requirements() };
        let decision = completed(&run, &policy);
        prop_assert_eq!(&decision, &completed(&run, &policy), "pure");
        for outcome in &decision.criteria {
            for number in [outcome.estimate, outcome.lower, outcome.upper, outcome.p].into_iter().flatten() {
                prop_assert!(number.is_finite(), "{:?}", outcome);
            }
            prop_assert!(outcome.p.is_none_or(|p| (0.0..=1.0).contains(&p)));
            if let (Some(lower), Some(estimate), Some(upper)) = (outcome.lower, outcome.estimate, outcome.upper) {
                prop_assert!(lower <= estimate + 1e-9 && estimate <= upper + 1e-9, "{:?}", outcome);
            }
            prop_assert!(outcome.explanation.ends_with('.'));
            prop_assert!(!outcome.explanation.contains("NaN") && !outcome.explanation.contains("inf"));
        }
        prop_assert_eq!(decision.verdict == Verdict::Pass, decision.reasons.is_empty());
    }

    #[test]
    fn estimates_ignore_case_order((ours, theirs) in rows(false)) {
        let forward = completed(&analysis(vec![metric("m", &ours, Some(&theirs))]), &all_requirements());
        let backward: (Rows, Rows) = (ours.into_iter().rev().collect(), theirs.into_iter().rev().collect());
        let backward = completed(&analysis(vec![metric("m", &backward.0, Some(&backward.1))]), &all_requirements());
        for (a, b) in forward.criteria.iter().zip(&backward.criteria).filter(|(a, _)| a.kind != "case") {
            for (a, b) in [(a.estimate, b.estimate), (a.lower, b.lower), (a.upper, b.upper)] {
                prop_assert_eq!(a.is_some(), b.is_some());
                prop_assert!((a.unwrap_or(0.0) - b.unwrap_or(0.0)).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn equal_scores_are_never_a_regression((ours, _) in rows(false)) {
        let run = analysis(vec![metric("m", &ours, Some(&ours))]);
        let decision = completed(&run, &policy(vec![not_worse("m", 0.0)]));
        prop_assert_ne!(decision.verdict, Verdict::Fail);
    }

    #[test]
    fn higher_minimum_is_never_easier((ours, _) in rows(false), low in 0..=10_u32, more in 0..=10_u32) {
        let run = analysis(vec![metric("m", &ours, None)]);
        let at = |tenths: u32| {
            let minimum = minimum("m", (f64::from(tenths) / 10.0).min(1.0));
            rank(completed(&run, &policy(vec![minimum])).criteria[0].verdict)
        };
        prop_assert!(at(low + more) <= at(low));
    }

    #[test]
    fn larger_tolerance_is_never_harder((ours, theirs) in rows(false), low in 0..=5_u32, more in 0..=5_u32) {
        let run = analysis(vec![metric("m", &ours, Some(&theirs))]);
        let at = |tenths: u32| {
            rank(completed(&run, &policy(vec![not_worse("m", f64::from(tenths) / 10.0)])).criteria[0].verdict)
        };
        prop_assert!(at(low + more) >= at(low));
    }

    #[test]
    fn literal_verdict_with_a_gap_holds_for_any_value(
        (ours, theirs) in rows(false), case in 0..4_usize, filled in 0..=10_u32, ours_too: bool,
    ) {
        let (mut open, mut whole) = ((ours.clone(), theirs.clone()), (ours, theirs));
        let case = case % open.0.len();
        let (gap, value) = if ours_too { (&mut open.0, &mut whole.0) } else { (&mut open.1, &mut whole.1) };
        gap[case][0] = f64::NAN;
        value[case][0] = f64::from(filled) / 10.0;
        let decide = |(ours, theirs): (Rows, Rows)| {
            let run = analysis(vec![metric("m", &ours, Some(&theirs))]);
            completed(&run, &Policy { max_missing: 1.0, ..all_requirements() })
        };
        let (open, whole) = (decide(open), decide(whole));
        // Verdicts on means of noisy scores hold at both ends, but may be inconclusive in between.
        for (open, whole) in open.criteria.iter().zip(&whole.criteria).filter(|(open, _)| open.method == "literal") {
            if open.verdict != CriterionVerdict::Incomplete && open.verdict != CriterionVerdict::Inconclusive
                && whole.method == "literal"
            {
                prop_assert_eq!(open.verdict, whole.verdict, "{:?}", open);
            }
        }
    }
}
