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
fn exact_p_turns_into_the_normal_one_with_many_units() {
    let strata =
        [stratum((900_000, 1_000_000), (89_700, 100_000)), stratum((450_000, 500_000), (449_300, 500_000))];
    let z = share_test(&strata, 0.0).expect("units").z;
    assert_near(share_p_worse(&strata), normal_cdf(z), 1e-15);
    // Just below the limit of totals, p is the normal one with the correction for continuity (Mantel and Haenszel 1959).
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
