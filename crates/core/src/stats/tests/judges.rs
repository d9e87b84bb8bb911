//! Agreement and correction, in addition to the oracle.

use crate::stats::*;

/// The labels of both raters, from a table of counts.
fn labels(table: &[&[usize]]) -> (Vec<usize>, Vec<usize>) {
    let mut both = (Vec::new(), Vec::new());
    for (row, counts) in table.iter().enumerate() {
        for (column, count) in counts.iter().enumerate() {
            both.0.extend(vec![row; *count]);
            both.1.extend(vec![column; *count]);
        }
    }
    both
}

#[test]
fn kappa_standard_error_matches_published_example() {
    // The example of Fleiss, Cohen and Everitt (1969): 200 diagnoses, kappa 0.429, variance 0.002885.
    let (first, second) = labels(&[&[106, 10, 4], &[22, 28, 10], &[2, 12, 6]]);
    let found = cohen_kappa(&first, &second).expect("three classes");
    assert!((found.kappa - 0.429).abs() < 5e-4);
    assert!((found.standard_error.powi(2) - 0.002_885).abs() < 5e-7);
    let bounds = found.bounds(0.025);
    let reach = 1.959_963_984_540_054 * found.standard_error;
    assert!(bounds.lower.is_some_and(|lower| (lower - (found.kappa - reach)).abs() < 1e-12));
    assert!(bounds.upper.is_some_and(|upper| (upper - (found.kappa + reach)).abs() < 1e-12));
}

#[test]
fn ac1_stays_high_where_kappa_collapses() {
    // The example of Gwet (2008): 118 of 125 agree, kappa -0.0234, AC1 0.9408.
    let (first, second) = labels(&[&[118, 5], &[2, 0]]);
    assert!(cohen_kappa(&first, &second).is_some_and(|kappa| (kappa.kappa + 0.0234).abs() < 5e-5));
    assert!(gwet_ac1(&first, &second, 2).is_some_and(|ac1| (ac1 - 0.9408).abs() < 5e-5));
    // With a single label, AC1 exists but kappa does not.
    assert_eq!(cohen_kappa(&[true; 9], &[true; 9]), None);
    assert_eq!(gwet_ac1(&[true; 9], &[true; 9], 2), Some(1.0));
    assert_eq!(gwet_ac1(&first, &second, 1), None);
    assert_eq!(gwet_ac1(&[0, 1, 2], &[0, 1, 2], 2), None);
}

#[test]
fn kappa_without_agreement_is_minus_one() {
    let found = cohen_kappa(&[0, 1], &[1, 0]).expect("two classes");
    assert!((found.kappa + 1.0).abs() < 1e-12 && found.agreement == 0.0 && found.chance_agreement == 0.5);
    assert!(found.bounds(0.05).lower.is_some_and(|lower| lower >= -1.0));
}

#[test]
fn undefined_figures_are_none() {
    let (none, one): (&[f64], &[f64]) = (&[], &[1.0]);
    for (first, second) in [
        (none, none),
        (one, none),
        (&[1.0, 2.0], one),
        (&[1.0, f64::NAN], &[1.0, 2.0]),
        (&[1.0, 2.0], &[f64::INFINITY, 2.0]),
        (&[1.0, 1.0], &[1.0, 1.0]),
        (&[0.0, 0.0], &[-0.0, 0.0]),
    ] {
        for weighting in [Weighting::Linear, Weighting::Quadratic] {
            assert_eq!(weighted_kappa(first, second, weighting), None, "{first:?} {second:?}");
        }
        assert_eq!(spearman(first, second), None);
        assert_eq!(kendall_tau_b(first, second), None);
    }
    assert_eq!(weighted_kappa(&[f64::MAX, -f64::MAX], &[-f64::MAX, f64::MAX], Weighting::Linear), None);
    let many: Vec<f64> = (0..1_001).map(f64::from).collect();
    assert_eq!(weighted_kappa(&many, &many, Weighting::Linear), None);
    assert_eq!(percent_agreement::<bool>(&[], &[]), None);
    assert_eq!(percent_agreement(&[true], &[true, false]), None);
    assert_eq!(cohen_kappa::<bool>(&[], &[]), None);
    assert_eq!(cohen_kappa(&[true], &[true, false]), None);
    assert_eq!(gwet_ac1::<bool>(&[], &[], 2), None);
    assert_eq!(Confusion::from_labels(&[], &[]), None);
    assert_eq!(Confusion::from_labels(&[true], &[]), None);
    let empty = Confusion::default();
    assert_eq!((empty.sensitivity(), empty.specificity(), empty.balanced_accuracy()), (None, None, None));
    assert_eq!((empty.agreement(), empty.kappa()), (None, None));
    let passes = Confusion { true_positives: 3, ..empty };
    assert_eq!((passes.sensitivity(), passes.balanced_accuracy()), (Some(1.0), None));
}

#[test]
fn krippendorff_alpha_needs_two_different_ratings() {
    let alpha = |rows: &[&[f64]], level| {
        krippendorff_alpha(&rows.iter().map(|row| row.iter().copied()).collect(), level)
    };
    for level in [Level::Nominal, Level::Ordinal, Level::Interval, Level::Ratio] {
        assert_eq!(alpha(&[], level), None);
        assert_eq!(alpha(&[&[1.0], &[], &[2.0]], level), None);
        assert_eq!(alpha(&[&[1.0, 1.0], &[1.0, 1.0, 1.0]], level), None);
        assert_eq!(alpha(&[&[0.0, -0.0], &[0.0, 0.0]], level), None);
        assert_eq!(alpha(&[&[1.0, f64::NAN], &[1.0, 2.0]], level), None);
        assert_eq!(alpha(&[&[1.0, f64::INFINITY], &[1.0, 2.0]], level), None);
        // Answers with a single rating do not count.
        assert_eq!(alpha(&[&[1.0, 1.0], &[2.0, 2.0], &[9.0]], level), Some(1.0));
    }
    assert_eq!(alpha(&[&[-1.0, 1.0], &[2.0, 2.0]], Level::Ratio), None);
    assert_eq!(alpha(&[&[-f64::MAX, f64::MAX], &[2.0, 2.0]], Level::Interval), None);
}

#[test]
fn tied_values_share_the_middle_rank() {
    // Ranks 1.5 1.5 3 4 against 2 1 3 4.
    let found = spearman(&[1.0, 1.0, 2.0, 3.0], &[5.0, 4.0, 6.0, 7.0]).expect("ranks");
    assert!((found - 4.5 / (4.5_f64 * 5.0).sqrt()).abs() < 1e-12, "{found}");
    // 5 pairs in order, one tied on the left: 5 / sqrt(5 * 6).
    let tau = kendall_tau_b(&[1.0, 1.0, 2.0, 3.0], &[5.0, 4.0, 6.0, 7.0]).expect("pairs");
    assert!((tau - 5.0 / 30.0_f64.sqrt()).abs() < 1e-12, "{tau}");
}

#[test]
fn rogan_gladen_rejects_invalid_input_and_chance_judges() {
    let judge =
        Confusion { true_positives: 90, false_negatives: 10, true_negatives: 85, false_positives: 15 };
    assert!(rogan_gladen(0.8, 200, &judge, 0.025).is_some());
    for (share, answers, alpha) in
        [(f64::NAN, 200, 0.025), (1.1, 200, 0.025), (0.8, 0, 0.025), (0.8, 200, 0.5), (0.8, 200, f64::NAN)]
    {
        assert_eq!(rogan_gladen(share, answers, &judge, alpha), None);
    }
    let chance = Confusion { true_positives: 5, false_negatives: 5, true_negatives: 5, false_positives: 5 };
    assert_eq!(rogan_gladen(0.8, 200, &chance, 0.025), None);
    let single_class = Confusion { true_negatives: 0, false_positives: 0, ..judge };
    assert_eq!(rogan_gladen(0.8, 200, &single_class, 0.025), None);
    // Better than chance as counted, but not after the labels that the interval adds: estimate without bounds.
    let few = Confusion { true_positives: 1, false_negatives: 0, true_negatives: 10, false_positives: 90 };
    let found = rogan_gladen(0.9, 200, &few, 0.025).expect("an estimate");
    assert_eq!(found.bounds, Bounds::default());
    assert!(found.standard_error > 0.0);
    // A perfect judge needs no correction.
    let perfect =
        Confusion { true_positives: 50, true_negatives: 50, false_negatives: 0, false_positives: 0 };
    let found = rogan_gladen(0.7, 100, &perfect, 0.025).expect("an estimate");
    assert!((found.estimate - 0.7).abs() < 1e-12);
}

#[test]
fn ppi_mean_needs_two_scores_of_each_kind() {
    assert_eq!(ppi_mean(&[0.5], &[0.5, 0.6], &[1.0, 0.0], 0.025), None);
    assert_eq!(ppi_mean(&[0.5, 0.6], &[0.5], &[1.0], 0.025), None);
    assert_eq!(ppi_mean(&[0.5, 0.6], &[0.5, 0.6], &[1.0], 0.025), None);
    assert_eq!(ppi_mean(&[0.5, f64::NAN], &[0.5, 0.6], &[1.0, 0.0], 0.025), None);
    assert_eq!(ppi_mean(&[0.5, 0.6], &[0.5, 0.6], &[1.0, f64::INFINITY], 0.025), None);
    assert_eq!(ppi_mean(&[0.5, 0.6], &[0.5, 0.6], &[1.0, 0.0], 0.7), None);
    // Without noise the bounds equal the estimate.
    let still = ppi_mean(&[0.5, 0.5], &[0.25, 0.25], &[0.5, 0.5], 0.025).expect("enough");
    assert_eq!(still.bounds, Bounds { lower: Some(0.75), upper: Some(0.75) });
}
