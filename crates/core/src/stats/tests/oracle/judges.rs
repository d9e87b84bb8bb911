//! Agreement, and correction for the errors of a judge.

use serde_json::Value;

use super::{close, close_bound, close_bounds, count, counts, fields, number, numbers, rows};
use crate::stats::*;

/// The count behind a share.
fn part(share: f64, whole: usize) -> usize {
    let part = (share * whole as f64).round();
    assert!((part - share * whole as f64).abs() < 1e-6, "expected a count, found {share} of {whole}");
    part as usize
}

pub(super) fn rates(expected: &Value) {
    for row in rows(expected) {
        let (positives, negatives) = (count(&row["m1_human_pass"]), count(&row["m0_human_fail"]));
        let true_positives = part(number(&row["sens"]), positives);
        let true_negatives = part(number(&row["spec"]), negatives);
        let labelled = Confusion {
            true_positives,
            false_negatives: positives - true_positives,
            true_negatives,
            false_positives: negatives - true_negatives,
        };
        let found = rogan_gladen(number(&row["p_judge"]), count(&row["n"]), &labelled, 0.025);
        let found = found.expect("a judge better than chance");
        close(found.estimate, &row["theta"]);
        close(found.standard_error, &row["delta_se"]);
        close_bounds(found.bounds, &row["lang_reiczigel95"]);
    }
}

pub(super) fn means(expected: &Value) {
    let [unlabelled, judged, human] = ["f_unlabeled", "f_labeled", "y"].map(|name| numbers(&expected[name]));
    let found = ppi_mean(&unlabelled, &judged, &human, 0.025).expect("enough labels");
    close(found.estimate, &expected["theta"]);
    close(found.standard_error, &expected["se(ddof=0)"]);
    close_bounds(found.bounds, &expected["ci95"]);
}

pub(super) fn kappa(expected: &Value) {
    let [human, judge] = ["human", "judge"]
        .map(|name| -> Vec<bool> { counts(&expected[name]).into_iter().map(|label| label == 1).collect() });
    let found = cohen_kappa(&human, &judge).expect("two classes");
    close(found.kappa, &expected["kappa"]);
    close(found.standard_error, &expected["se_FCE1969"]);
    close(found.agreement, &expected["agreement"]);
    close_bound(percent_agreement(&human, &judge), &expected["agreement"]);
    close_bound(gwet_ac1(&human, &judge, 2), &expected["gwet_ac1"]);
    let cells = counts(&expected["TP,FP,FN,TN(judge vs human)"]);
    let confusion = Confusion::from_labels(&human, &judge).expect("labels");
    assert_eq!(
        confusion,
        Confusion {
            true_positives: cells[0],
            false_positives: cells[1],
            false_negatives: cells[2],
            true_negatives: cells[3],
        }
    );
    close_bound(confusion.agreement(), &expected["agreement"]);
    close_bound(confusion.kappa().map(|kappa| kappa.kappa), &expected["kappa"]);
    close_bound(confusion.kappa().map(|kappa| kappa.standard_error), &expected["se_FCE1969"]);

    let ordinal = &expected["ordinal"];
    let (first, second) = (numbers(&ordinal["L1"]), numbers(&ordinal["L2"]));
    let plain = cohen_kappa(&counts(&ordinal["L1"]), &counts(&ordinal["L2"]));
    close_bound(plain.map(|kappa| kappa.kappa), &ordinal["kappa_unweighted"]);
    for (weighting, name) in [(Weighting::Linear, "kappa_linear"), (Weighting::Quadratic, "kappa_quadratic")]
    {
        let found = weighted_kappa(&first, &second, weighting);
        close_bound(found.map(|kappa| kappa.kappa), &ordinal[name]);
    }
    close_bound(spearman(&first, &second), &ordinal["spearman"]);
    close_bound(kendall_tau_b(&first, &second), &ordinal["kendall_tau_b"]);
    let pairs: Vec<(f64, f64)> = first.into_iter().zip(second).collect();
    close_bound(correlation(&pairs), &ordinal["pearson"]);
}

pub(super) fn krippendorff(expected: &Value) {
    let raters = rows(&expected["coders_x_units"]);
    let answers = (0..rows(&raters[0]).len()).map(|answer| {
        let given = raters.iter().map(move |rater| &rater[answer]).filter(|rating| !rating.is_null());
        given.map(number).collect::<Vec<f64>>()
    });
    let answers: Repeated = answers.collect();
    for (level, name) in [
        (Level::Nominal, "nominal"),
        (Level::Ordinal, "ordinal"),
        (Level::Interval, "interval"),
        (Level::Ratio, "ratio"),
    ] {
        close_bound(krippendorff_alpha(&answers, level), &expected[name]);
    }
}

/// The oracle has shares of published labels; the number of answers gives the counts behind them.
pub(super) fn published_data(expected: &Value) {
    // A row without a share takes that of the other judges of the same labels.
    let rate = |labels: &str| number(&expected[format!("faithbench|{labels}|gpt_4o")]["human_rate"]);
    for (name, row) in fields(expected) {
        let Some(rest) = name.strip_prefix("faithbench|") else { continue };
        let (labels, _) = rest.split_once('|').expect("labels and a judge");
        let answers = count(&row["n"]);
        let human = if row["human_rate"].is_null() { rate(labels) } else { number(&row["human_rate"]) };
        let positives = part(human, answers);
        let true_positives = part(number(&row["sens"]), positives);
        let true_negatives = part(number(&row["spec"]), answers - positives);
        let confusion = Confusion {
            true_positives,
            false_negatives: positives - true_positives,
            true_negatives,
            false_positives: answers - positives - true_negatives,
        };
        close_bound(confusion.sensitivity(), &row["sens"]);
        close_bound(confusion.specificity(), &row["spec"]);
        close_bound(confusion.balanced_accuracy(), &row["balanced_acc"]);
        close_bound(confusion.kappa().map(|kappa| kappa.kappa), &row["kappa"]);
        if !row["judge_rate"].is_null() {
            let passed = (true_positives + confusion.false_positives) as f64;
            close(passed / confusion.total() as f64, &row["judge_rate"]);
            assert_eq!(answers + count(&row["missing"]), 750);
        }
    }
}
