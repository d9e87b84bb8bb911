//! The mean corrected by labels: compared with `ppi_py`, and its properties.

use serde::Deserialize;

use crate::stats::*;

#[derive(Deserialize)]
struct Fixture {
    source: String,
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    human: Vec<f64>,
    judge: Vec<f64>,
    unlabeled: Vec<f64>,
    /// The lambda that `ppi_py` chooses.
    power_tuned: f64,
    at: Vec<At>,
}

#[derive(Deserialize)]
struct At {
    lam: f64,
    estimate: f64,
    /// Normal bounds, each one-sided at 0.05, from population variances.
    lower: f64,
    upper: f64,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("../../../../../tests/fixtures/ppi.json")).expect("a fixture")
}

fn close(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() < 1e-9, "{what}: {found}, expected {expected}");
}

fn judged(scores: &[f64]) -> Estimate {
    let noise = sample_variance(scores) / scores.len() as f64;
    Estimate {
        mean: mean(scores),
        standard_error: noise.sqrt(),
        degrees_of_freedom: scores.len() as f64 - 1.0,
    }
}

#[test]
fn corrected_mean_equals_ppi_py_at_every_lambda() {
    let fixture = fixture();
    assert!(fixture.source.starts_with("ppi_py 0.2.3"), "{}", fixture.source);
    let z = normal_quantile(0.95);
    for entry in fixture.entries {
        let labels = LabeledMoments::of(&entry.human, &entry.judge).expect("labels");
        // Population variances, as ppi_py takes them.
        let by_all = |variance: f64, count: usize| variance * (count as f64 - 1.0) / count as f64;
        let theirs = LabeledMoments {
            human_variance: by_all(labels.human_variance, labels.answers),
            judge_variance: by_all(labels.judge_variance, labels.answers),
            covariance: by_all(labels.covariance, labels.answers),
            ..labels
        };
        let ours = judged(&entry.unlabeled);
        let noise = by_all(ours.standard_error.powi(2), entry.unlabeled.len());
        let run = Estimate { standard_error: noise.sqrt(), ..ours };
        for at in &entry.at {
            let what = format!("{}, lambda {}", entry.name, at.lam);
            let found = corrected_mean(run, &theirs, at.lam, 0.0);
            close(found.mean, at.estimate, &what);
            close(found.mean - z * found.standard_error, at.lower, &what);
            close(found.mean + z * found.standard_error, at.upper, &what);
        }
        // ppi_py takes one variance of the judge's scores, that of all answers.
        let pooled = sample_variance(&[entry.judge.as_slice(), &entry.unlabeled].concat());
        let together = LabeledMoments { judge_variance: pooled, ..theirs };
        let lambda = together.lambda(Some(entry.unlabeled.len()));
        close(lambda, entry.power_tuned, &entry.name);
    }
}

#[test]
fn lambda_minimizes_the_standard_error() {
    for entry in fixture().entries {
        let labels = LabeledMoments::of(&entry.human, &entry.judge).expect("labels");
        let units = entry.unlabeled.len();
        // Answers with the spread of the labelled ones.
        let noise = labels.judge_variance / units as f64;
        let run = Estimate { standard_error: noise.sqrt(), ..judged(&entry.unlabeled) };
        let best = labels.lambda(Some(units));
        assert!(labels.lambda(None) >= best);
        let error = |lambda: f64| corrected_mean(run, &labels, lambda, 0.0).standard_error;
        for step in 0..=100 {
            let lambda = f64::from(step) / 100.0;
            assert!(error(best) <= error(lambda) + 1e-12, "{}: {best} against {lambda}", entry.name);
        }
    }
}

#[test]
fn labels_bring_an_error_that_the_answers_cannot_take_away() {
    let (human, judge) = ([1.0, 0.0, 1.0, 1.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0, 0.0, 1.0]);
    let labels = LabeledMoments::of(&human, &judge).expect("labels");
    let certain = Estimate { mean: 0.9, standard_error: 0.0, degrees_of_freedom: f64::INFINITY };
    let found = corrected_mean(certain, &labels, 1.0, 0.0);
    // One label of six is 1 lower: the mean error is 1/6, its sample variance 1/6.
    close(found.mean, 0.9 - 1.0 / 6.0, "mean");
    close(found.standard_error.powi(2), 1.0 / 36.0, "variance");
    close(found.degrees_of_freedom, 5.0, "degrees of freedom");
    // A judge that agrees on every label brings no error but the least.
    let perfect = LabeledMoments::of(&human, &human).expect("labels");
    assert_eq!(corrected_mean(certain, &perfect, 1.0, 0.0).standard_error, 0.0);
    close(corrected_mean(certain, &perfect, 1.0, 0.0475 / 6.0).standard_error.powi(2), 0.0475 / 6.0, "least");
    let unknown = Estimate { standard_error: f64::INFINITY, ..certain };
    assert!(corrected_mean(unknown, &labels, 1.0, 0.0).standard_error.is_infinite());
}

#[test]
fn impossible_moments_are_contradictions() {
    let labels = LabeledMoments::of(&[1.0, 0.0, 1.0], &[1.0, 0.5, 0.5]).expect("labels");
    assert_eq!(labels.contradiction(), None);
    assert_eq!(LabeledMoments::of(&[1.0, 0.0], &[1.0, 0.0]).and_then(|it| it.contradiction()), None);
    for wrong in [
        LabeledMoments { answers: 1, ..labels },
        LabeledMoments { human_mean: 1.5, ..labels },
        LabeledMoments { judge_variance: 0.6, ..labels },
        LabeledMoments { human_variance: -0.1, ..labels },
        LabeledMoments { human_mean: f64::NAN, ..labels },
        LabeledMoments { covariance: 0.9, ..labels },
        LabeledMoments { covariance: f64::NAN, ..labels },
    ] {
        assert!(wrong.contradiction().is_some(), "{wrong:?}");
    }
    for (human, judge) in [(&[1.0][..], &[1.0][..]), (&[1.0, 0.0], &[1.0]), (&[1.0, f64::NAN], &[1.0, 0.0])] {
        assert_eq!(LabeledMoments::of(human, judge), None);
    }
}
