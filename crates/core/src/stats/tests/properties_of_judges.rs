//! Properties of any labels.

use proptest::prelude::*;

use crate::stats::*;

/// Labels of two raters, from 0 to 3.
fn labels() -> impl Strategy<Value = Vec<(u32, u32)>> {
    prop::collection::vec((0..4_u32, 0..4_u32), 0..30)
}

fn scores(labels: &[u32]) -> Vec<f64> {
    labels.iter().map(|label| f64::from(*label)).collect()
}

/// All agreement figures of two raters.
fn figures(first: &[u32], second: &[u32]) -> Vec<Option<f64>> {
    let (left, right) = (scores(first), scores(second));
    let answers: Repeated = left.iter().zip(&right).map(|(a, b)| [*a, *b]).collect();
    let kappas = [
        cohen_kappa(first, second),
        weighted_kappa(&left, &right, Weighting::Linear),
        weighted_kappa(&left, &right, Weighting::Quadratic),
    ];
    let mut figures: Vec<Option<f64>> = kappas.iter().map(|kappa| kappa.map(|kappa| kappa.kappa)).collect();
    figures.extend(kappas.iter().map(|kappa| kappa.map(|kappa| kappa.standard_error)));
    figures.extend([percent_agreement(first, second), gwet_ac1(first, second, 4)]);
    figures.extend([spearman(&left, &right), kendall_tau_b(&left, &right)]);
    let levels = [Level::Nominal, Level::Ordinal, Level::Interval, Level::Ratio];
    figures.extend(levels.map(|level| krippendorff_alpha(&answers, level)));
    figures
}

/// Agreement figures that do not depend on label names.
fn nominal(first: &[u32], second: &[u32]) -> Vec<Option<f64>> {
    let figures = figures(first, second);
    [0, 3, 6, 7, 10].map(|index| figures[index]).to_vec()
}

fn same(left: &[Option<f64>], right: &[Option<f64>]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).all(|pair| match pair {
            (Some(a), Some(b)) => (a - b).abs() < 1e-9,
            (None, None) => true,
            _ => false,
        })
}

proptest! {
    #[test]
    fn agreement_ignores_answer_and_rater_order(pairs in labels(), turn in 0..30_usize) {
        let (first, second): (Vec<u32>, Vec<u32>) = pairs.iter().copied().unzip();
        let all = figures(&first, &second);
        prop_assert!(same(&all, &figures(&second, &first)));
        let mut turned = pairs;
        turned.reverse();
        let middle = turn.min(turned.len());
        turned.rotate_left(middle);
        let (first, second): (Vec<u32>, Vec<u32>) = turned.into_iter().unzip();
        prop_assert!(same(&all, &figures(&first, &second)));
    }

    #[test]
    fn agreement_ignores_label_names_or_scale_direction(pairs in labels()) {
        let (first, second): (Vec<u32>, Vec<u32>) = pairs.into_iter().unzip();
        let renamed = |labels: &[u32]| labels.iter().map(|label| [2, 0, 3, 1][*label as usize]).collect::<Vec<u32>>();
        prop_assert!(same(&nominal(&first, &second), &nominal(&renamed(&first), &renamed(&second))));
        // Reversing the scale changes nothing but the ratio level, which has a true zero.
        let turned = |labels: &[u32]| labels.iter().map(|label| 3 - label).collect::<Vec<u32>>();
        let (forth, back) = (figures(&first, &second), figures(&turned(&first), &turned(&second)));
        prop_assert!(same(&forth[..13], &back[..13]));
    }

    #[test]
    fn agreement_is_at_most_one_and_one_if_perfect(pairs in labels()) {
        let (first, second): (Vec<u32>, Vec<u32>) = pairs.into_iter().unzip();
        for (index, figure) in figures(&first, &second).into_iter().enumerate() {
            if let Some(figure) = figure {
                prop_assert!(figure.is_finite());
                prop_assert!((3..6).contains(&index) || figure <= 1.0 + 1e-12, "{index}: {figure}");
                // Only alpha may be below -1, with few answers.
                prop_assert!(index >= 10 || figure >= -1.0 - 1e-12, "{index}: {figure}");
            }
        }
        for (index, figure) in figures(&first, &first).into_iter().enumerate() {
            let perfect = if (3..6).contains(&index) { 0.0 } else { 1.0 };
            prop_assert!(figure.is_none_or(|figure| (figure - perfect).abs() < 1e-9), "{index}: {figure:?}");
        }
        if first.iter().any(|label| *label != first[0]) {
            prop_assert!(figures(&first, &first).iter().all(Option::is_some));
        }
    }

    #[test]
    fn kappa_bounds_contain_it_and_widen(pairs in labels(), alpha in 0.001..0.2_f64) {
        let (first, second): (Vec<u32>, Vec<u32>) = pairs.into_iter().unzip();
        if let Some(kappa) = cohen_kappa(&first, &second) {
            let (narrow, wide) = (kappa.bounds(alpha), kappa.bounds(alpha / 2.0));
            prop_assert!(narrow.lower.is_some_and(|lower| -1.0 <= lower && lower <= kappa.kappa));
            prop_assert!(narrow.upper.is_some_and(|upper| kappa.kappa <= upper && upper <= 1.0 + 1e-12));
            prop_assert!(wide.lower <= narrow.lower && narrow.upper <= wide.upper);
        }
    }

    #[test]
    fn confusion_matches_label_agreement(pairs in prop::collection::vec((any::<bool>(), any::<bool>()), 1..30)) {
        let (human, judge): (Vec<bool>, Vec<bool>) = pairs.into_iter().unzip();
        let confusion = Confusion::from_labels(&human, &judge).expect("labels");
        prop_assert_eq!(confusion.total(), human.len());
        prop_assert_eq!(confusion.agreement(), percent_agreement(&human, &judge));
        let (direct, counted) = (cohen_kappa(&human, &judge), confusion.kappa());
        prop_assert!(same(&[direct.map(|k| k.kappa)], &[counted.map(|k| k.kappa)]));
        prop_assert!(same(&[direct.map(|k| k.standard_error)], &[counted.map(|k| k.standard_error)]));
    }

    #[test]
    fn corrected_share_rises_with_judge_pass_rate(
        hits in 0..40_usize, misses in 0..40_usize, rejections in 0..40_usize, slips in 0..40_usize,
        share in 0.0..=1.0_f64, answers in 1..500_usize, alpha in 0.001..0.2_f64,
    ) {
        let labelled = Confusion {
            true_positives: hits, false_negatives: misses, true_negatives: rejections, false_positives: slips,
        };
        if let Some(found) = rogan_gladen(share, answers, &labelled, alpha) {
            prop_assert!((0.0..=1.0).contains(&found.estimate) && found.standard_error >= 0.0);
            let higher = rogan_gladen(f64::midpoint(share, 1.0), answers, &labelled, alpha).expect("valid input");
            prop_assert!(higher.estimate >= found.estimate - 1e-12);
            if let Bounds { lower: Some(lower), upper: Some(upper) } = found.bounds {
                prop_assert!(0.0 <= lower && lower <= upper && upper <= 1.0);
            } else {
                prop_assert_eq!(found.bounds, Bounds::default());
            }
        }
    }

    #[test]
    fn ppi_mean_is_in_its_bounds_and_ignores_constant_bias(
        unlabelled in prop::collection::vec(0.0..=1.0_f64, 2..20),
        labelled in prop::collection::vec((0.0..=1.0_f64, 0.0..=1.0_f64), 2..20),
        alpha in 0.001..0.2_f64,
    ) {
        let (judged, human): (Vec<f64>, Vec<f64>) = labelled.into_iter().unzip();
        let found = ppi_mean(&unlabelled, &judged, &human, alpha).expect("enough");
        prop_assert!(found.bounds.lower.is_some_and(|lower| lower <= found.estimate));
        prop_assert!(found.bounds.upper.is_some_and(|upper| upper >= found.estimate));
        // A constant bias of the judge changes nothing.
        let biased = |scores: &[f64]| scores.iter().map(|score| score + 0.25).collect::<Vec<f64>>();
        let moved = ppi_mean(&biased(&unlabelled), &biased(&judged), &human, alpha).expect("enough");
        prop_assert!((moved.estimate - found.estimate).abs() < 1e-9);
        prop_assert!((moved.standard_error - found.standard_error).abs() < 1e-9);
    }
}
