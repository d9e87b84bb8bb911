//! Properties of any numbers.

use proptest::prelude::*;

use super::grid_p;
use crate::stats::describe::sum;
use crate::stats::*;

fn scores(repeats: usize) -> impl Strategy<Value = (Vec<Vec<f64>>, Vec<Vec<f64>>)> {
    let row = move || prop::collection::vec((0..=20_u32).prop_map(|score| f64::from(score) / 20.0), repeats);
    let cases = 1..5_usize;
    cases.prop_flat_map(move |cases| {
        (prop::collection::vec(row(), cases), prop::collection::vec(row(), cases))
    })
}

proptest! {
    #[test]
    fn permutation_p_is_a_share_and_tails_overlap((ours, theirs) in scores(3)) {
        let (ours, theirs): (Repeated, Repeated) = (ours.into_iter().collect(), theirs.into_iter().collect());
        let lower = within_cases(&ours, &theirs, &[], 0.0, 1).expect("small").p;
        let upper = within_cases(&theirs, &ours, &[], 0.0, 1).expect("small").p;
        prop_assert!(lower > 0.0 && lower <= 1.0);
        // Both tails contain the observed arrangement.
        prop_assert!(lower + upper >= 1.0 - 1e-12);
        prop_assert!((lower - grid_p(&ours, &theirs, 20.0)).abs() < 1e-12);
    }

    #[test]
    fn higher_candidate_score_never_lowers_p(
        (ours, theirs) in scores(2), at in 0..8_usize, by in 0..20_u32,
    ) {
        let mut raised = ours.clone();
        let case = at % ours.len();
        raised[case][at % 2] += f64::from(by) / 20.0;
        let repeated = |rows: &[Vec<f64>]| rows.iter().cloned().collect::<Repeated>();
        let theirs = repeated(&theirs);
        let within = |rows: &[Vec<f64>]| within_cases(&repeated(rows), &theirs, &[], 0.0, 1).expect("small").p;
        prop_assert!(within(&raised) >= within(&ours) - 1e-12);
        let flip = |rows: &[Vec<f64>]| {
            let units: Vec<f64> =
                repeated(rows).row_means().iter().zip(theirs.row_means()).map(|(a, b)| a - b).collect();
            sign_flip(&units, units.len(), 1).expect("small").p
        };
        prop_assert!(flip(&raised) >= flip(&ours) - 1e-12);
    }

    #[test]
    fn estimates_ignore_case_order((ours, theirs) in scores(2)) {
        let forward: (Repeated, Repeated) = (ours.iter().cloned().collect(), theirs.iter().cloned().collect());
        let backward: (Repeated, Repeated) =
            (ours.into_iter().rev().collect(), theirs.into_iter().rev().collect());
        let (a, b) = (suite_contrast(&forward.0, &forward.1, &[], 1.0), suite_contrast(&backward.0, &backward.1, &[], 1.0));
        prop_assert!((a.mean - b.mean).abs() < 1e-12);
        prop_assert!((a.standard_error - b.standard_error).abs() < 1e-12);
    }

    #[test]
    fn bounds_contain_estimate_and_widen_with_confidence(successes in 0..=40_usize, more in 1..=40_usize) {
        let trials = successes + more;
        let share = successes as f64 / trials as f64;
        for interval in [wilson as fn(usize, usize, f64) -> Bounds, clopper_pearson] {
            let (wide, narrow) = (interval(successes, trials, 0.01), interval(successes, trials, 0.05));
            prop_assert!(wide.lower <= narrow.lower && narrow.upper <= wide.upper);
            prop_assert!(narrow.lower.is_some_and(|lower| (0.0..=share + 1e-12).contains(&lower)));
            prop_assert!(narrow.upper.is_some_and(|upper| (share - 1e-12..=1.0).contains(&upper)));
        }
    }

    #[test]
    fn tango_bounds_fall_with_losses_within_minus_one_to_one(cases in 1..60_usize, a in 0..30_usize, b in 0..30_usize) {
        let (losses, gains) = (a.min(cases), b.min(cases - a.min(cases)));
        let bounds = tango(cases, losses, gains, 0.05);
        let difference = (gains as f64 - losses as f64) / cases as f64;
        prop_assert!(bounds.lower.is_some_and(|lower| (-1.0..=difference + 1e-9).contains(&lower)));
        prop_assert!(bounds.upper.is_some_and(|upper| (difference - 1e-9..=1.0).contains(&upper)));
        if losses + gains < cases {
            prop_assert!(tango(cases, losses + 1, gains, 0.05).lower <= bounds.lower.map(|lower| lower + 1e-9));
        }
    }

    #[test]
    fn holm_never_lowers_p_and_keeps_order(p in prop::collection::vec(0.0..=1.0_f64, 0..12)) {
        let adjusted = holm(&p);
        for (index, value) in adjusted.iter().enumerate() {
            prop_assert!(*value >= p[index] && *value <= 1.0);
            for other in 0..p.len() {
                prop_assert!(p[index] > p[other] || adjusted[index] <= adjusted[other]);
            }
        }
    }

    #[test]
    fn sum_is_compensated(values in prop::collection::vec(-1.0..1.0_f64, 0..50)) {
        let mut spread = vec![1e16];
        spread.extend(&values);
        spread.push(-1e16);
        prop_assert!((sum(spread) - sum(values)).abs() < 1e-9);
    }

    #[test]
    fn holm_is_at_most_bonferroni_and_ignores_order(p in prop::collection::vec(0.0..=1.0_f64, 1..12)) {
        let adjusted = holm(&p);
        for (raw, adjusted) in p.iter().zip(&adjusted) {
            prop_assert!(*adjusted <= (raw * p.len() as f64).min(1.0) + 1e-12);
        }
        let backwards: Vec<f64> = p.iter().rev().copied().collect();
        prop_assert!(holm(&backwards).iter().rev().zip(&adjusted).all(|(a, b)| a == b));
    }

    #[test]
    fn exact_p_is_a_share_and_rises_with_passes(passes in 0..60_usize, their_passes in 0..60_usize) {
        // One more pass of the candidate never lowers p.
        let trials = 60;
        let fisher = fisher_p_worse(passes, trials, their_passes, trials);
        prop_assert!(fisher > 0.0 && fisher <= 1.0);
        prop_assert!(fisher_p_worse(passes + 1, trials, their_passes, trials) >= fisher - 1e-9);
        // Both tails contain the observed table.
        prop_assert!(fisher + fisher_p_worse(their_passes, trials, passes, trials) >= 1.0 - 1e-9);
    }

    #[test]
    fn spent_alpha_adds_up(steps in prop::collection::vec(1..20_usize, 1..6), alpha in 0.001..0.5_f64) {
        let repeats: Vec<usize> = steps.iter().scan(0, |total, step| { *total += step; Some(*total) }).collect();
        let shares = spend(&repeats, alpha).expect("rising");
        prop_assert!((shares.iter().sum::<f64>() - alpha).abs() < 1e-12);
        prop_assert!(shares.iter().all(|share| *share > 0.0));
    }

    #[test]
    fn t_bounds_widen_with_confidence((ours, theirs) in scores(3), alpha in 0.001..0.2_f64) {
        let estimate =
            suite_contrast(&ours.into_iter().collect(), &theirs.into_iter().collect(), &[], 1.0);
        let (narrow, wide) = (t_bounds(estimate, alpha), t_bounds(estimate, alpha / 2.0));
        prop_assert!(wide.lower <= narrow.lower && narrow.upper <= wide.upper);
        prop_assert!(narrow.lower <= Some(estimate.mean) && narrow.upper >= Some(estimate.mean));
    }
}
