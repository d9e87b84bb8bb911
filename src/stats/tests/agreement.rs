//! Agreement, correction, power and boundaries against the oracle, and what no oracle needs to tell.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn categories(value: &Value) -> Vec<usize> {
    value.as_array().expect("a list").iter().map(count).collect()
}

#[test]
fn kappa_and_ac1_agree_with_the_oracle() {
    let oracle = &oracle()["cohen_kappa"];
    let (human, judge) = (categories(&oracle["human"]), categories(&oracle["judge"]));
    let kappa = cohen_kappa(&human, &judge).expect("two classes");
    close(kappa.mean, &oracle["kappa"]);
    close(kappa.standard_error, &oracle["se_FCE1969"]);
    close(agreement(&human, &judge).expect("pairs"), &oracle["agreement"]);
    close(gwet_ac1(&human, &judge, 2).expect("pairs"), &oracle["gwet_ac1"]);
    let counts = Confusion::count(human.iter().zip(&judge).map(|(human, judge)| (*human == 1, *judge == 1)));
    let Confusion { true_positives, false_positives, false_negatives, true_negatives } = counts;
    let found = [true_positives, false_positives, false_negatives, true_negatives];
    assert_eq!(found.to_vec(), categories(&oracle["TP,FP,FN,TN(judge vs human)"]));
}

#[test]
fn ordered_ratings_agree_with_the_oracle() {
    let oracle = &oracle()["cohen_kappa"]["ordinal"];
    let (first, second) = (numbers(&oracle["L1"]), numbers(&oracle["L2"]));
    let from_zero = |values: &[f64]| values.iter().map(|value| *value as usize - 1).collect::<Vec<_>>();
    let (one, other) = (from_zero(&first), from_zero(&second));
    close(cohen_kappa(&one, &other).expect("pairs").mean, &oracle["kappa_unweighted"]);
    let weighted = |weighting| weighted_kappa(&one, &other, weighting).expect("pairs");
    close(weighted(Weighting::Linear), &oracle["kappa_linear"]);
    close(weighted(Weighting::Quadratic), &oracle["kappa_quadratic"]);
    let pairs: Vec<(f64, f64)> = first.into_iter().zip(second).collect();
    close(spearman(&pairs).expect("varied"), &oracle["spearman"]);
    close(kendall_tau_b(&pairs).expect("varied"), &oracle["kendall_tau_b"]);
    close(correlation(&pairs).expect("varied"), &oracle["pearson"]);
}

#[test]
fn krippendorffs_example_has_the_published_alphas() {
    let oracle = &oracle()["krippendorff_canonical"];
    let row = |row: &Value| row.as_array().expect("a row").iter().map(Value::as_f64).collect::<Vec<_>>();
    let ratings: Vec<_> = oracle["coders_x_units"].as_array().expect("rows").iter().map(row).collect();
    let alpha = |level| krippendorff_alpha(&ratings, level).expect("varied");
    close(alpha(Level::Nominal), &oracle["nominal"]);
    close(alpha(Level::Ordinal), &oracle["ordinal"]);
    close(alpha(Level::Interval), &oracle["interval"]);
    close(alpha(Level::Ratio), &oracle["ratio"]);
}

#[test]
fn corrected_shares_and_means_agree_with_the_oracle() {
    for row in oracle()["rogan_gladen"].as_array().expect("rows") {
        let accuracy = Accuracy {
            sensitivity: number(&row["sens"]),
            positives: count(&row["m1_human_pass"]),
            specificity: number(&row["spec"]),
            negatives: count(&row["m0_human_fail"]),
        };
        let found =
            rogan_gladen(number(&row["p_judge"]), count(&row["n"]), accuracy, 0.025).expect("a judge");
        close(found.estimate, &row["theta"]);
        close(found.standard_error, &row["delta_se"]);
        close_bound(found.bounds.lower, &row["lang_reiczigel95"][0]);
        close_bound(found.bounds.upper, &row["lang_reiczigel95"][1]);
    }
    let ppi = &oracle()["ppi_mean"];
    let both: Vec<(f64, f64)> = numbers(&ppi["f_labeled"]).into_iter().zip(numbers(&ppi["y"])).collect();
    let found = prediction_powered_mean(&numbers(&ppi["f_unlabeled"]), &both, 0.025).expect("values");
    close(found.estimate, &ppi["theta"]);
    close(found.standard_error, &ppi["se(ddof=0)"]);
    close_bound(found.bounds.lower, &ppi["ci95"][0]);
    close_bound(found.bounds.upper, &ppi["ci95"][1]);
}

/// Judges on public labels: the counts behind the published shares give the published agreement.
#[test]
fn judges_on_real_labels_agree_with_the_oracle() {
    let mut seen = 0;
    for (name, row) in oracle()["real_data"].as_object().expect("judges") {
        // Some rows hold thresholded scores or rater panels, with other numbers.
        if row["human_rate"].is_null() || row["kappa"].is_null() {
            continue;
        }
        let (sensitivity, specificity) = (number(&row["sens"]), number(&row["spec"]));
        let pairs = number(&row["n"]);
        let positives = (pairs * number(&row["human_rate"])).round();
        let counts = Confusion {
            true_positives: (sensitivity * positives).round() as usize,
            false_negatives: ((1.0 - sensitivity) * positives).round() as usize,
            true_negatives: (specificity * (pairs - positives)).round() as usize,
            false_positives: ((1.0 - specificity) * (pairs - positives)).round() as usize,
        };
        assert_eq!(counts.total() as f64, pairs, "{name}");
        close(counts.sensitivity().expect("positives"), &row["sens"]);
        close(counts.specificity().expect("negatives"), &row["spec"]);
        close(counts.balanced_accuracy().expect("both"), &row["balanced_acc"]);
        let both = [
            (1, 1, counts.true_positives),
            (0, 1, counts.false_positives),
            (1, 0, counts.false_negatives),
            (0, 0, counts.true_negatives),
        ];
        let side = |pick: fn(&(usize, usize, usize)) -> usize| -> Vec<usize> {
            both.iter().flat_map(|cell| vec![pick(cell); cell.2]).collect()
        };
        let kappa = cohen_kappa(&side(|cell| cell.0), &side(|cell| cell.1)).expect("both classes");
        close(kappa.mean, &row["kappa"]);
        seen += 1;
    }
    assert!(seen > 5, "{seen}");
}

#[test]
fn exact_tests_of_counts_agree_with_the_oracle() {
    let all = oracle();
    for row in all["mcnemar"].as_array().expect("rows") {
        let (losses, gains) =
            (count(&row["n10_base_pass_cand_fail"]), count(&row["n01_base_fail_cand_pass"]));
        close(mcnemar_p_differs(losses, gains), &row["exact_two"]);
        close(mcnemar_mid_p(losses, gains), &row["midp_two"]);
    }
    let fisher = &all["fisher_exact_one_sided_broken_case"];
    for (repeats, key) in [(2, "2/2"), (3, "3/3"), (4, "4/4"), (5, "5/5")] {
        let key = format!("base {key} pass vs cand 0/{repeats} pass");
        close(fisher_p_fewer((repeats, repeats), (0, repeats)), &fisher[&key]);
        close(broken_case_p(repeats, repeats), &fisher[&key]);
    }
    close(fisher_p_fewer((5, 5), (1, 5)), &fisher["base 5/5 vs cand 1/5"]);
}

#[test]
fn the_t_tests_power_agrees_with_the_oracle() {
    let power = &oracle()["power"];
    for row in power["power_nct"].as_array().expect("rows") {
        let (sd, effect, alpha) =
            (number(&row["sd"]), number(&row["effect"]), number(&row["alpha_one_sided"]));
        close(power_of_t(count(&row["n"]), sd, effect, alpha).expect("cases"), &row["power"]);
    }
    for row in power["n_one_sided05_power80"].as_array().expect("rows") {
        let needed = cases_needed_exactly(number(&row["sd_d"]), number(&row["effect"]), 0.05);
        assert_eq!(needed, Some(count(&row["n_t_exact"])), "{row}");
    }
}

#[test]
fn boundaries_of_several_looks_agree_with_the_oracle() {
    let all = oracle();
    let sequential = &all["group_sequential_one_sided_0.05"];
    let each = |key: &str, check: &dyn Fn(usize, &Value)| {
        for (looks, expected) in sequential[key].as_object().expect("a table") {
            check(looks.parse().expect("looks"), expected);
        }
    };
    // The oracle integrated on a grid and is right to five digits; see the next test for the others.
    let near = |found: Option<f64>, expected: &Value| {
        let found = found.expect("in range");
        assert!((found - number(expected)).abs() < 5e-6, "found {found}, expected {expected}");
    };
    each("pocock_c", &|looks, expected| near(pocock_constant(looks, 0.05), expected));
    each("obrien_fleming_c(z_k=c*sqrt(K/k))", &|looks, expected| {
        near(obrien_fleming_constant(looks, 0.05), expected);
    });
    each("pocock_nominal_p", &|looks, expected| {
        near(pocock_constant(looks, 0.05).map(|constant| 1.0 - normal_cdf(constant)), expected);
    });
    // One look is the ordinary test.
    close(pocock_constant(1, 0.05).expect("in range"), &all["quantiles"]["norm_ppf"]["0.95"]);
    assert_eq!((pocock_constant(0, 0.05), obrien_fleming_constant(3, 0.7)), (None, None));
}

/// Two looks by one integral: stay below at the first, then take a step that stays below too.
#[test]
fn two_looks_cross_as_often_as_direct_integration_says() {
    let constant = pocock_constant(2, 0.05).expect("in range");
    let density = |x: f64| (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let (from, steps) = (-10.0, 20_000_u32);
    let width = (constant - from) / f64::from(steps);
    let simpson = (0..=steps).map(|step| {
        let weight = match step {
            0 => 1.0,
            step if step == steps => 1.0,
            step => f64::from(2 + 2 * (step % 2)),
        };
        let sum = from + f64::from(step) * width;
        weight * density(sum) * normal_cdf(constant * 2.0_f64.sqrt() - sum)
    });
    let stayed = simpson.sum::<f64>() * width / 3.0;
    assert!((1.0 - stayed - 0.05).abs() < 1e-10, "{}", 1.0 - stayed);
}

/// The default looks spend no more than alpha: by adding up, and, since looks share data, in truth less.
#[test]
fn spending_in_proportion_to_repeats_stays_below_alpha() {
    let alphas = [0.00625, 0.00625, 0.0125, 0.025];
    // Steps of 3, 3, 6 and 12 repeats are those of a sum that is looked at after 1, 2, 4 and 8 equal steps.
    let far = 40.0;
    let mut boundaries = [far; 8];
    for (look, alpha) in [0, 1, 3, 7].into_iter().zip(alphas) {
        boundaries[look] = normal_quantile(1.0 - alpha);
    }
    let spent = crossing(&boundaries);
    assert!(spent < 0.05 && spent > 0.025, "{spent}");
}

/// Every part of the oracle is held against a function, or is left out for a reason.
#[test]
fn no_part_of_the_oracle_is_forgotten() {
    let left_out = [
        ("bootstrap_exact", "t intervals are used: the bootstrap covers worst at 30 cases and fewer"),
        ("concentration", "bounds without a model need many more cases than a suite has"),
    ];
    let tested = [
        "quantiles",
        "D1_paired",
        "degenerate",
        "stratified_permutation",
        "stratified_permutation_n1_k3",
        "noise_se",
        "noise_se_single_arm",
        "clustered_se",
        "mcnemar",
        "paired_prop_published_check",
        "paired_prop",
        "tango_zero_discordant_closed_form",
        "proportion",
        "fisher_exact_one_sided_broken_case",
        "power",
        "holm",
        "group_sequential_one_sided_0.05",
        "rogan_gladen",
        "ppi_mean",
        "cohen_kappa",
        "krippendorff_canonical",
        "real_data",
    ];
    let sources = concat!(include_str!("mod.rs"), include_str!("agreement.rs"));
    for key in oracle().as_object().expect("an object").keys() {
        let listed = tested.contains(&key.as_str()) || left_out.iter().any(|(name, _)| name == key);
        assert!(listed, "{key} is neither tested nor left out");
        if tested.contains(&key.as_str()) {
            assert!(sources.contains(&format!("[\"{key}\"]")), "no test reads {key}");
        }
    }
}

#[test]
fn what_cannot_be_told_is_none() {
    assert_eq!(cohen_kappa(&[], &[]), None);
    assert_eq!(cohen_kappa(&[0, 1], &[0]), None);
    assert_eq!(cohen_kappa(&[1, 1, 1], &[1, 1, 1]), None);
    assert_eq!(weighted_kappa(&[2, 2], &[2, 2], Weighting::Linear), None);
    assert_eq!(gwet_ac1(&[0, 3], &[0, 1], 2), None);
    assert_eq!(gwet_ac1(&[1, 1, 1], &[1, 1, 1], 2), Some(1.0));
    assert_eq!(cohen_kappa(&[usize::MAX - 1], &[0]), None);
    assert_eq!(krippendorff_alpha(&[], Level::Nominal), None);
    assert_eq!(krippendorff_alpha(&[vec![Some(1.0)], vec![None]], Level::Nominal), None);
    assert_eq!(krippendorff_alpha(&[vec![Some(f64::NAN)], vec![Some(1.0)]], Level::Interval), None);
    assert_eq!(spearman(&[(1.0, f64::NAN), (2.0, 1.0)]), None);
    assert_eq!(kendall_tau_b(&[(1.0, 2.0), (1.0, 3.0)]), None);
    assert_eq!(kendall_tau_b(&[]), None);
    assert_eq!(Confusion::default().balanced_accuracy(), None);
    let useless = Accuracy { sensitivity: 0.5, positives: 10, specificity: 0.5, negatives: 10 };
    assert_eq!(rogan_gladen(0.5, 10, useless, 0.05), None);
    assert_eq!(prediction_powered_mean(&[0.5], &[], 0.05), None);
    assert_eq!((power_of_t(1, 0.1, 0.1, 0.05), power_of_t(5, 0.0, 0.1, 0.05)), (None, None));
    assert_eq!(cases_needed_exactly(0.1, 0.0, 0.05), None);
    assert_eq!(noncentral_t_cdf(0.0, -1.0, 0.0), None);
}

#[test]
fn the_noncentral_t_is_the_central_one_at_0() {
    for (x, degrees_of_freedom) in [(-2.5, 11.0), (0.3, 4.0), (1.7, 29.0), (2.0, 1.0), (0.4, 400.0)] {
        let found = noncentral_t_cdf(x, degrees_of_freedom, 0.0).expect("in range");
        assert!((found - student_t_cdf(x, degrees_of_freedom)).abs() < 1e-9, "{x} {degrees_of_freedom}");
    }
}

proptest! {
    #[test]
    fn agreement_does_not_depend_on_who_is_first_nor_on_order(
        pairs in prop::collection::vec((0..4_usize, 0..4_usize), 2..40),
        shift in 0..40_usize,
    ) {
        let (one, other): (Vec<usize>, Vec<usize>) = pairs.iter().copied().unzip();
        let mut turned = pairs.clone();
        turned.rotate_left(shift % pairs.len());
        let (turned_one, turned_other): (Vec<usize>, Vec<usize>) = turned.into_iter().unzip();
        let near = |found: Option<f64>, expected: Option<f64>| match (found, expected) {
            (Some(found), Some(expected)) => (found - expected).abs() < 1e-9,
            (found, expected) => found == expected,
        };
        let kappa = |a: &[usize], b: &[usize]| cohen_kappa(a, b).map(|kappa| kappa.mean);
        prop_assert!(near(kappa(&one, &other), kappa(&other, &one)));
        prop_assert!(near(kappa(&one, &other), kappa(&turned_one, &turned_other)));
        prop_assert!(near(gwet_ac1(&one, &other, 4), gwet_ac1(&turned_other, &turned_one, 4)));
        for found in [kappa(&one, &other), gwet_ac1(&one, &other, 4)].into_iter().flatten() {
            prop_assert!(found <= 1.0 + 1e-9 && found.is_finite());
        }
        let ratings = |a: &[usize], b: &[usize]| {
            let row = |values: &[usize]| values.iter().map(|value| Some(*value as f64)).collect::<Vec<_>>();
            vec![row(a), row(b)]
        };
        for level in [Level::Nominal, Level::Ordinal, Level::Interval] {
            let found = krippendorff_alpha(&ratings(&one, &other), level);
            prop_assert!(near(found, krippendorff_alpha(&ratings(&turned_other, &turned_one), level)));
            prop_assert!(found.is_none_or(|alpha| alpha <= 1.0 + 1e-9 && alpha.is_finite()));
        }
    }

    #[test]
    fn raters_who_agree_on_everything_have_agreement_1(values in prop::collection::vec(0..4_usize, 2..40)) {
        prop_assume!(values.iter().any(|value| *value != values[0]));
        let kappa = cohen_kappa(&values, &values).expect("varied");
        prop_assert!((kappa.mean - 1.0).abs() < 1e-12 && kappa.standard_error < 1e-6);
        prop_assert!((gwet_ac1(&values, &values, 4).expect("pairs") - 1.0).abs() < 1e-12);
        let row: Vec<Option<f64>> = values.iter().map(|value| Some(*value as f64)).collect();
        prop_assert!((krippendorff_alpha(&[row.clone(), row], Level::Ordinal).expect("varied") - 1.0).abs() < 1e-12);
    }

    #[test]
    fn rank_correlations_keep_their_range_and_ignore_the_scale(
        pairs in prop::collection::vec((-5..5_i32, -5..5_i32), 2..40),
    ) {
        let plain: Vec<(f64, f64)> = pairs.iter().map(|(a, b)| (f64::from(*a), f64::from(*b))).collect();
        let stretched: Vec<(f64, f64)> = plain.iter().map(|(a, b)| (a.exp(), 3.0 * b + 1.0)).collect();
        let turned: Vec<(f64, f64)> = plain.iter().map(|(a, b)| (*a, -b)).collect();
        for measure in [spearman, kendall_tau_b] {
            let Some(found) = measure(&plain) else { continue };
            prop_assert!((-1.0 - 1e-9..=1.0 + 1e-9).contains(&found));
            prop_assert!((measure(&stretched).expect("varied") - found).abs() < 1e-9);
            prop_assert!((measure(&turned).expect("varied") + found).abs() < 1e-9);
        }
        // Tau by its definition, pair by pair.
        if let Some(found) = kendall_tau_b(&plain) {
            let (mut balance, mut first, mut second) = (0.0, 0.0, 0.0);
            for (index, one) in plain.iter().enumerate() {
                for other in &plain[..index] {
                    let (a, b) = ((one.0 - other.0).signum(), (one.1 - other.1).signum());
                    let sign = |same: bool, sign: f64| if same { 0.0 } else { sign };
                    let (a, b) = (sign(one.0 == other.0, a), sign(one.1 == other.1, b));
                    balance += a * b;
                    first += a * a;
                    second += b * b;
                }
            }
            prop_assert!((found - balance / (first * second).sqrt()).abs() < 1e-9);
        }
    }

    #[test]
    fn corrected_intervals_hold_the_share_and_widen(
        judged in 0.05..0.95_f64, trials in 10..500_usize, sensitivity in 0.7..1.0_f64, specificity in 0.7..1.0_f64,
        labels in 10..200_usize,
    ) {
        let accuracy = Accuracy { sensitivity, positives: labels, specificity, negatives: labels };
        let bounds = |alpha| {
            let bounds = rogan_gladen(judged, trials, accuracy, alpha).expect("a judge").bounds;
            (bounds.lower.expect("a bound"), bounds.upper.expect("a bound"))
        };
        let (wide, narrow) = (bounds(0.005), bounds(0.1));
        prop_assert!(wide.0 <= narrow.0 + 0.02 && narrow.0 <= narrow.1 && narrow.1 <= wide.1 + 0.02);
        prop_assert!((0.0..=1.0).contains(&wide.0) && (0.0..=1.0).contains(&wide.1));
        // A perfect judge needs no correction.
        let perfect = Accuracy { sensitivity: 1.0, specificity: 1.0, ..accuracy };
        prop_assert!((rogan_gladen(judged, trials, perfect, 0.05).expect("a judge").estimate - judged).abs() < 1e-12);
    }

    #[test]
    fn power_rises_with_cases_and_with_the_drop(cases in 3..200_usize, sd in 0.05..0.5_f64, delta in 0.01..0.2_f64) {
        let power = |cases, delta| power_of_t(cases, sd, delta, 0.05).expect("cases");
        let here = power(cases, delta);
        prop_assert!((0.05 - 1e-9..=1.0).contains(&here), "{}", here);
        prop_assert!(power(cases + 1, delta) >= here - 1e-9);
        prop_assert!(power(cases, delta * 1.1) >= here - 1e-9);
    }

    #[test]
    fn exact_tests_stay_in_range(
        passed in 0..12_usize, failed in 0..12_usize, other_passed in 0..12_usize, other_failed in 0..12_usize,
    ) {
        let p = fisher_p_fewer((passed, passed + failed), (other_passed, other_passed + other_failed));
        prop_assert!((0.0..=1.0).contains(&p));
        let fewer = fisher_p_fewer((passed + 1, passed + failed + 1), (other_passed, other_passed + other_failed));
        prop_assert!(fewer <= p + 1e-9);
        let (two, mid) = (mcnemar_p_differs(passed, failed), mcnemar_mid_p(passed, failed));
        prop_assert!((0.0..=1.0).contains(&two) && (0.0..=1.0).contains(&mid) && mid <= two + 1e-12);
        prop_assert!((mcnemar_mid_p(passed, failed) - mcnemar_mid_p(failed, passed)).abs() < 1e-12);
    }
}
