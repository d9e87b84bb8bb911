//! A judge that was tried and calibrated.

use promptgate_core::model::{CalibrationFacts, Expected, JudgeFacts, Judging, PlantedOutcome, SelfTest};

pub(super) fn judge() -> JudgeFacts {
    let digest = |part: &str| format!("sha256:{}", part.repeat(4));
    JudgeFacts {
        panel: vec!["gpt-4o".to_owned()],
        votes: 1,
        fingerprint: digest("77665544332211aa"),
        parts: [("models".to_owned(), "[\"gpt-4o\"]".to_owned()), ("votes".to_owned(), "1".to_owned())]
            .into(),
        by_metric: [("faithfulness".to_owned(), digest("8877665544332211"))].into(),
        self_test: Some(SelfTest {
            rows: vec![
                planted("a lone colon", Expected::Low, &[Some(0.0)], true),
                planted("a faithful paraphrase", Expected::High, &[Some(0.5), Some(1.0), Some(1.0)], true),
            ],
        }),
        calibration: Some(CalibrationFacts {
            file: "calibration.json".to_owned(),
            metric: "faithfulness".to_owned(),
            fingerprint: digest("8877665544332211"),
            answers: 200,
            true_positives: 122,
            false_positives: 17,
            false_negatives: 14,
            true_negatives: 47,
            kappa: Some(0.64),
            kappa_lower: Some(0.54),
            balanced_accuracy: Some(0.82),
            slope: Some(0.63),
            youden: Some(0.63),
        }),
    }
}

/// The outcome of a planted answer for faithfulness.
pub fn planted(name: &str, expected: Expected, scores: &[Option<f64>], passed: bool) -> PlantedOutcome {
    PlantedOutcome {
        planted: name.to_owned(),
        metric: "faithfulness".to_owned(),
        judge: "gpt-4o".to_owned(),
        expected,
        scores: scores.to_vec(),
        passed,
        reason: "1 of 2 statements backed by the context".to_owned(),
        judging: Judging { calls: 1, latency_ms: 900.5, ..Judging::default() },
    }
}
