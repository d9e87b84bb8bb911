//! Exact tests of two groups against published and computed values.

use super::{assert_near, stratum};
use crate::stats::*;

#[test]
fn exact_p_matches_published_examples() {
    // Penicillin and rabbits, five strata (Mantel 1963; Agresti 1990, pp. 231-237): R's mantelhaen.test gives a two-sided
    // exact p of .03994, twice the one-sided one. Treatment: injection after 1.5 hours.
    let rabbits = [
        stratum((0, 6), (0, 5)),
        stratum((3, 6), (0, 6)),
        stratum((6, 6), (2, 6)),
        stratum((5, 6), (6, 6)),
        stratum((2, 2), (5, 5)),
    ];
    assert_near(share_p_worse(&rabbits), 29.0 / 1452.0, 1e-12);
    assert_near(2.0 * share_p_worse(&rabbits), 0.03994, 5e-6);
    // The lady tasting tea (Fisher 1935).
    assert_near(share_p_worse(&[stratum((3, 4), (1, 4))]), 17.0 / 70.0, 1e-12);
    assert_near(share_p_worse(&[stratum((0, 4), (4, 4))]), 1.0, 1e-12);
}

#[test]
fn exact_p_of_large_strata_matches_rational_arithmetic() {
    // Sums of products of binomial coefficients as fractions of integers (Python).
    for (strata, expected) in [
        (&[stratum((1_862, 1_900), (93, 100))][..], 0.005_985_004_068_972_1),
        (&[stratum((1_862, 1_900), (93, 100)), stratum((147, 150), (46, 50))], 0.000_984_511_702_365_043_5),
        (&[stratum((17_100, 19_000), (860, 1_000))], 5.836_206_530_930_665_6e-5),
        (
            &[stratum((810, 900), (75, 100)), stratum((270, 300), (85, 100)), stratum((90, 100), (80, 100))],
            7.243_913_941_796_51e-6,
        ),
    ] {
        assert_near(share_p_worse(strata) / expected, 1.0, 1e-9);
    }
}

#[test]
fn exact_p_keeps_its_level_with_few_failures_in_a_small_share_of_units() {
    // 40 failures of 2,000 units, 100 of them treated. The failures of the treatment are skewed, and the normal test
    // finds "worse" four times as often as it should.
    let level = 0.0035;
    let chance = |failures: usize| {
        let fewer = if failures > 0 { hypergeometric_cdf(failures - 1, 100, 40, 2_000) } else { 0.0 };
        hypergeometric_cdf(failures, 100, 40, 2_000) - fewer
    };
    let (mut exact, mut normal) = (0.0, 0.0);
    for failures in 0..=40 {
        let rest = 40 - failures as u64;
        let strata = [stratum((1_900 - rest, 1_900), (100 - failures as u64, 100))];
        let z = share_test(&strata, 0.0).expect("units").z;
        exact += if share_p_worse(&strata) <= level { chance(failures) } else { 0.0 };
        normal += if normal_cdf(z) <= level { chance(failures) } else { 0.0 };
    }
    // By the same fractions.
    assert_near(exact, 0.003_020_819_801, 1e-9);
    assert_near(normal, 0.012_922_478_306, 1e-9);
}

#[test]
fn exact_p_turns_into_the_normal_one_with_many_units() {
    let strata =
        [stratum((900_000, 1_000_000), (89_700, 100_000)), stratum((450_000, 500_000), (449_300, 500_000))];
    let z = share_test(&strata, 0.0).expect("units").z;
    assert_near(share_p_worse(&strata), normal_cdf(z), 1e-15);
    // Below the limit, p is the normal one with the correction for continuity (Mantel and Haenszel 1959).
    let strata = [stratum((5_000, 10_000), (4_900, 9_990))];
    let test = share_test(&strata, 0.0).expect("units");
    let corrected = test.z + 0.5 / (test.standard_error * test.information);
    assert_near(share_p_worse(&strata), normal_cdf(corrected), 1e-5);
    let huge = [stratum((u64::MAX, u64::MAX), (u64::MAX / 2, u64::MAX))];
    assert_near(share_p_worse(&huge), 0.0, 1e-12);
}

#[test]
fn sample_ratio_p_is_the_exact_binomial() {
    // scipy 1.17: twice the smaller of binom.cdf and binom.sf.
    for (treatment, units, basis_points, expected) in [
        (60, 1_100, 500, 0.525_261_863_768_625_6),
        (30, 1_000, 500, 0.002_554_135_834_959_565_4),
        (3, 20, 500, 0.150_967_347_576_992_5),
        (0, 20, 500, 0.716_971_844_817_084_4),
        (5_200, 100_000, 500, 0.003_990_960_139_305_094),
        (500, 1_000, 5_000, 1.0),
        (7, 10, 5_000, 0.343_75),
    ] {
        assert_near(sample_ratio_p(units - treatment, treatment, basis_points), expected, 1e-9);
        assert_near(sample_ratio_p(treatment, units - treatment, 10_000 - basis_points), expected, 1e-9);
    }
    let found = sample_ratio_p(948_000, 52_000, 500);
    assert!((found / 7.648_998_324_206_253e-20 - 1.0).abs() < 1e-7, "{found}");
    assert_eq!(sample_ratio_p(0, 0, 500), 1.0);
    assert_eq!(sample_ratio_p(5, 0, 0), 1.0);
    assert_eq!(sample_ratio_p(5, 1, 0), 0.0);
    assert_eq!(sample_ratio_p(0, 5, 10_000), 1.0);
    assert_eq!(sample_ratio_p(1, 5, 12_000), 0.0);
    // Exact and chi-square meet at the limit of a billion units.
    let below = sample_ratio_p(950_010_000, 49_990_000, 500);
    let above = sample_ratio_p(950_010_000, 49_990_001, 500);
    assert_near(below, above, 1e-3);
    assert_eq!(sample_ratio_p(u64::MAX, u64::MAX, 500), 0.0);
}
