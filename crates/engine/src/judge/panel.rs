//! The models behind a judge, and how their judgements become one grade.
//!
//! A judge has one member or more, and each gives as many votes. The score is the mean over the members of the mean
//! of their votes. One judgement that is missing leaves the whole grade missing: a mean over whichever judgements
//! happen to exist would not be the mean that other answers get.

use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};

use promptgate_core::model::{Grade, Judging, Opinion, Outcome, Score};

use super::dialect::Dialect;

/// A model that judges: what it is asked with, and how its endpoint wants to be asked. One member may serve several
/// judges, so that what its endpoint refuses is learned once.
#[derive(Debug)]
pub struct Member {
    pub(super) model: String,
    pub(super) parameters: Map<String, Value>,
    /// How the endpoint wants to be asked, as learned from its refusals.
    dialect: Mutex<Dialect>,
}

impl Member {
    /// A model by its name. The parameters are sent as they are, until refused.
    pub fn new(model: String, parameters: Map<String, Value>) -> Self {
        Self { model, parameters, dialect: Mutex::default() }
    }

    /// The model's name.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// How to ask now.
    pub(super) fn dialect(&self) -> Dialect {
        self.dialect.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Learns from the refusal of a request sent in `sent`; whether it is worth asking in another way.
    pub(super) fn adapt(&self, sent: &Dialect, message: &str) -> bool {
        let Some(refusal) = sent.refusal(message, &self.parameters) else {
            return false;
        };
        self.dialect.lock().unwrap_or_else(PoisonError::into_inner).drop_feature(refusal);
        true
    }
}

/// One grade of several judgements: for each member its model's name and the grades it gave, one per vote.
pub(super) fn combine(scorer: &str, opinions: Vec<(String, Vec<Grade>)>) -> Grade {
    let mut judging = Judging::default();
    let (mut flags, mut details, mut kept, mut said) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut missing = None;
    for (model, votes) in opinions {
        let mut took = Judging::default();
        let score = mean(votes.iter().map(Grade::score));
        for (vote, grade) in (1_u32..).zip(votes) {
            if let Some(one) = &grade.judging {
                took.add(one);
                (took.output_mode, took.model) = (one.output_mode.clone(), one.model.clone());
                took.system_fingerprint.clone_from(&one.system_fingerprint);
            }
            for flag in grade.flags {
                if !flags.contains(&flag) {
                    flags.push(flag);
                }
            }
            details.push(json!({
                "judge": model,
                "vote": vote,
                "score": grade.outcome.score(),
                "reason": grade.reason,
                "details": grade.details,
            }));
            if missing.is_none() && matches!(grade.outcome, Outcome::Ungraded(_)) {
                missing = Some((grade.outcome, format!("{model}: {}", grade.reason)));
            }
        }
        if let Some(score) = score {
            said.push(format!("{model} {score:.2}"));
        }
        judging.add(&took);
        judging.output_mode = judging.output_mode.or_else(|| took.output_mode.clone());
        kept.push(Opinion { judge: model, score, judging: took });
    }
    let (outcome, reason) =
        match (missing, mean(kept.iter().map(|opinion| opinion.score)).and_then(Score::new)) {
            (Some(missing), _) => missing,
            (None, Some(score)) => {
                (Outcome::Score(score), format!("mean of {} judgements: {}", details.len(), said.join(", ")))
            }
            (None, None) => (Outcome::Ungraded(None), "nothing was judged".to_owned()),
        };
    Grade {
        scorer: scorer.to_owned(),
        outcome,
        reason,
        details: json!({"judgements": details}),
        flags,
        judging: Some(judging),
        opinions: kept,
    }
}

/// The mean of scores in 0..=1; `None` where one is missing, or there are none.
fn mean(scores: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let scores: Vec<f64> = scores.collect::<Option<_>>()?;
    let sum: f64 = scores.iter().sum();
    // A mean of scores cannot leave their range but by rounding.
    (!scores.is_empty()).then(|| (sum / scores.len() as f64).clamp(0.0, 1.0))
}
