//! Looks, exact tests and draws, in addition to the oracle.

use crate::stats::*;

#[track_caller]
fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "found {found}, expected {expected}");
}

#[test]
fn alpha_is_spent_in_proportion_to_repeats() {
    assert_eq!(spend(&[3, 6, 12, 24], 0.05), Some(vec![0.00625, 0.00625, 0.0125, 0.025]));
    assert_eq!(spend(&[5], 0.05), Some(vec![0.05]));
    assert_eq!(spend(&[], 0.05), None);
    assert_eq!(spend(&[0, 3], 0.05), None);
    assert_eq!(spend(&[3, 3], 0.05), None);
    assert_eq!(spend(&[3, 6], f64::NAN), None);
    assert_eq!(spend(&[3, 6], 0.0), None);
}

/// The fifteen p of Benjamini and Hochberg (1995), section 3.2, of which their procedure rejects four at 0.05.
#[test]
fn benjamini_hochberg_rejects_as_published() {
    let p = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719,
        0.6528, 0.7590, 1.0,
    ];
    let adjusted = benjamini_hochberg(&p);
    assert_eq!(adjusted.iter().filter(|p| **p <= 0.05).count(), 4);
    assert!((adjusted[0] - 0.0015).abs() < 1e-12 && (adjusted[3] - 0.035_625).abs() < 1e-12, "{adjusted:?}");
    let backwards: Vec<f64> = p.iter().rev().copied().collect();
    assert!(benjamini_hochberg(&backwards).iter().rev().eq(&adjusted));
    assert_eq!(benjamini_hochberg(&[f64::NAN, 0.01]), [1.0, 0.02]);
    assert!(benjamini_hochberg(&[]).is_empty());
}

#[test]
fn holm_counts_nan_as_one() {
    assert_eq!(holm(&[f64::NAN]), [1.0]);
    assert_eq!(holm(&[0.01, f64::NAN]), [0.02, 1.0]);
    assert!(holm(&[]).is_empty());
}

#[test]
fn fisher_matches_published_example() {
    // The lady tasting tea: 3 of 4 cups right, p 17/70 (Fisher 1935).
    assert_near(fisher_p_worse(1, 4, 3, 4), 17.0 / 70.0);
    assert_eq!(fisher_p_worse(0, 0, 3, 4), 1.0);
    assert_eq!(fisher_p_worse(3, 4, 0, 0), 1.0);
    assert_eq!(fisher_p_worse(9, 4, 9, 4), 1.0, "passes are capped at trials");
    assert_eq!(broken_case_p(3, 0), 1.0);
    assert_near(broken_case_p(2, 3), 0.1);
    assert!(hypergeometric_cdf(1, 5, 2, 4).is_nan());
}

#[test]
fn draws_are_the_same_on_every_machine() {
    // Recorded values: a change of the generator would change verdicts of the same answers.
    let ours: Repeated = (0..7).map(|i| [0.2, 0.4, f64::from(i) / 10.0]).collect();
    let theirs: Repeated = (0..7).map(|i| [0.3, 0.6, f64::from(i) / 10.0 + 0.1]).collect();
    let within = within_cases(&ours, &theirs, &[], 0.0, 7).expect("few scores").p;
    assert_eq!((within * 50_001.0).round(), 339.0);
    let units: Vec<f64> = (0..20).map(|i| f64::from(i % 7) - 3.5 - f64::from(i) / 100.0).collect();
    let flipped = sign_flip(&units, units.len(), 7).expect("few units").p;
    assert_eq!((flipped * 50_001.0).round(), 2697.0);
}
