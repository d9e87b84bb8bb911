//! Properties of any counts and moments.

use proptest::prelude::*;

use super::{share, stratum, z};
use crate::stats::two_sample::*;
use crate::stats::{fisher_p_worse, sample_ratio_p, share_p_worse};

fn strata() -> impl Strategy<Value = Vec<Stratum<Share>>> {
    let side = || (0..60_u64, 0..=60_u64).prop_map(|(x, n)| share(x.min(n), n));
    prop::collection::vec(
        (side(), side()).prop_map(|(control, treatment)| Stratum { control, treatment }),
        1..4,
    )
}

fn swapped<T: Copy>(strata: &[Stratum<T>]) -> Vec<Stratum<T>> {
    strata.iter().map(|stratum| Stratum { control: stratum.treatment, treatment: stratum.control }).collect()
}

proptest! {
    #[test]
    fn swapped_sides_negate_z(strata in strata()) {
        let (one, other) = (share_test(&strata, 0.0), share_test(&swapped(&strata), 0.0));
        prop_assert_eq!(one.is_some(), other.is_some());
        if let (Some(one), Some(other)) = (one, other) {
            prop_assert!((one.z + other.z).abs() < 1e-9);
            prop_assert!((one.information - other.information).abs() < 1e-9);
        }
        // Both tails contain the observed total.
        prop_assert!(share_p_worse(&strata) + share_p_worse(&swapped(&strata)) >= 1.0 - 1e-9);
    }

    #[test]
    fn one_stratum_is_fisher_and_equal_strata_add_up(
        nc in 1..80_u64, nt in 1..80_u64, c in 0..80_u64, t in 0..80_u64, margin in 0.0..0.5_f64,
    ) {
        let one = stratum((c.min(nc), nc), (t.min(nt), nt));
        let count = |count: u64| usize::try_from(count).expect("small");
        let fisher = fisher_p_worse(count(t.min(nt)), count(nt), count(c.min(nc)), count(nc));
        prop_assert!((share_p_worse(&[one]) - fisher).abs() < 1e-9);
        let (single, double) = (share_test(&[one], margin).expect("units"), share_test(&[one, one], margin).expect("units"));
        prop_assert!((double.z - single.z * 2_f64.sqrt()).abs() < 1e-9 * single.z.abs().max(1.0));
        prop_assert!((double.estimate - single.estimate).abs() < 1e-12);
        let pooled = (c.min(nc) + t.min(nt)) as f64 / (nc + nt) as f64;
        if margin == 0.0 && pooled > 0.0 && pooled < 1.0 {
            let variance = pooled * (1.0 - pooled) * (1.0 / nc as f64 + 1.0 / nt as f64);
            prop_assert!((single.z - single.estimate / variance.sqrt()).abs() < 1e-9);
        }
    }

    #[test]
    fn more_margin_and_more_successes_never_lower_z(
        nc in 1..2000_u64, nt in 1..2000_u64, c in 0.0..1.0_f64, t in 0.0..1.0_f64, margin in 0.0..0.4_f64, more in 0.001..0.3_f64,
    ) {
        let count = |share: f64, n: u64| ((share * n as f64) as u64).min(n);
        let (control, treatment) = ((count(c, nc), nc), (count(t, nt), nt));
        prop_assert!(z(control, treatment, margin + more) >= z(control, treatment, margin) - 1e-6);
        let better = ((treatment.0 + 1).min(nt), nt);
        prop_assert!(z(control, better, margin) >= z(control, treatment, margin) - 1e-6);
    }

    #[test]
    fn swapped_means_negate_z(
        numbers in prop::collection::vec((2..50_u64, -1.0..1.0_f64, 0.0..2.0_f64, 2..50_u64, -1.0..1.0_f64, 0.0..2.0_f64), 1..4),
    ) {
        let strata: Vec<Stratum<Moments>> = numbers.iter().map(|(nc, mc, vc, nt, mt, vt)| Stratum {
            control: Moments { n: *nc, mean: *mc, variance: *vc },
            treatment: Moments { n: *nt, mean: *mt, variance: *vt },
        }).collect();
        let (one, other) = (mean_test(&strata, 0.0).expect("numbers"), mean_test(&swapped(&strata), 0.0).expect("numbers"));
        prop_assert!((one.z + other.z).abs() < 1e-9);
        prop_assert!(one.z.abs() <= (one.estimate / one.standard_error).abs() + 1e-9, "few units weaken the evidence");
        let wider = mean_test(&strata, 0.5).expect("numbers");
        prop_assert!(wider.z >= one.z);
    }

    #[test]
    fn any_counts_give_finite_numbers(
        counts in prop::collection::vec((any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>()), 0..3),
        small in prop::collection::vec((0..9_u64, 0..9_u64, 0..9_u64, 0..9_u64), 0..3),
        margin in prop_oneof![any::<f64>(), 0.0..1.0_f64, Just(0.0)],
        basis_points in any::<u32>(),
    ) {
        let all: Vec<_> = counts.iter().chain(&small).map(|(c, nc, t, nt)| stratum((*c, *nc), (*t, *nt))).collect();
        let valid: Vec<_> = counts.iter().chain(&small)
            .map(|(c, nc, t, nt)| stratum(((*c).min(*nc), *nc), ((*t).min(*nt), *nt))).collect();
        for strata in [&all, &valid] {
            prop_assert!((0.0..=1.0).contains(&share_p_worse(strata)));
            if let Some(test) = share_test(strata, margin) {
                let numbers = [test.estimate, test.standard_error, test.z, test.information];
                prop_assert!(numbers.iter().all(|number| number.is_finite()), "{test:?}");
            }
        }
        for (c, nc, t, nt) in counts.iter().chain(&small) {
            prop_assert!((0.0..=1.0).contains(&sample_ratio_p(*c, *t, basis_points)));
            prop_assert!((0.0..=1.0).contains(&sample_ratio_p(*nc % 1000, *nt % 1000, basis_points % 10_001)));
        }
    }

    #[test]
    fn any_moments_give_finite_numbers(
        numbers in prop::collection::vec((any::<u64>(), any::<f64>(), any::<f64>(), 0..5_u64, any::<f64>(), prop_oneof![any::<f64>(), Just(0.0), 0.0..1e-300_f64]), 0..4),
        margin in prop_oneof![any::<f64>(), 0.0..1.0_f64],
    ) {
        let strata: Vec<Stratum<Moments>> = numbers.iter().map(|(nc, mc, vc, nt, mt, vt)| Stratum {
            control: Moments { n: *nc, mean: *mc, variance: vc.abs() },
            treatment: Moments { n: *nt, mean: *mt, variance: *vt },
        }).collect();
        if let Some(test) = mean_test(&strata, margin) {
            let numbers = [test.estimate, test.standard_error, test.z, test.information];
            prop_assert!(numbers.iter().all(|number| number.is_finite()), "{test:?}");
        }
    }
}
