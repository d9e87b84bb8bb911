//! The panel of a judge, and the combination of its judgements into one grade.
//!
//! All members give the same number of votes. The score is the mean over the members of the mean of their votes. One
//! missing judgement makes the grade missing, since the mean of the others would not be comparable between answers.

use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};

use promptgate_core::model::{Completion, Fault, Grade, Judging, Opinion, Outcome, Score};

use super::dialect::Dialect;

/// A model of a panel with its parameters and the dialect of its endpoint. Judges share their members, so that refused
/// features are learned once.
#[derive(Debug)]
pub struct Member {
    pub(super) model: String,
    pub(super) parameters: Map<String, Value>,
    dialect: Mutex<Dialect>,
}

impl Member {
    /// Creates a member. The parameters are sent as they are, until refused.
    pub fn new(model: String, parameters: Map<String, Value>) -> Self {
        Self { model, parameters, dialect: Mutex::default() }
    }

    /// The name of the model.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The current dialect.
    pub(super) fn dialect(&self) -> Dialect {
        self.dialect.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers the reply to a request in the dialect `sent`.
    pub(super) fn accept(&self, sent: &Dialect, completion: &Completion) {
        if sent.learns_from(&completion.finish_reason) {
            let mut dialect = self.dialect.lock().unwrap_or_else(PoisonError::into_inner);
            dialect.accept(sent.output_mode, &completion.finish_reason);
        }
    }

    /// Takes over what an earlier session learned, so that its replies carry the same flags.
    pub(super) fn recall(&self, refused: &[String]) {
        if !refused.is_empty() {
            self.dialect.lock().unwrap_or_else(PoisonError::into_inner).recall(refused);
        }
    }

    /// Adapts the dialect to the refusal of a request in the dialect `sent`. Returns whether a retry makes sense.
    pub(super) fn adapt(&self, sent: &Dialect, fault: &Fault) -> bool {
        let mut dialect = self.dialect.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(refusal) = sent.informed_by(&dialect).refusal(fault, &self.parameters) else {
            return false;
        };
        dialect.drop_feature(refusal);
        true
    }
}

/// Combines judgements into one grade. For each member, `opinions` has the name of its model and one grade per vote.
pub(super) fn combine(scorer: &str, opinions: Vec<(String, Vec<Grade>)>) -> Grade {
    let mut judging = Judging::default();
    let (mut flags, mut details, mut combined, mut means) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut missing = None;
    for (model, votes) in opinions {
        let mut member_judging = Judging::default();
        let score = mean(votes.iter().map(Grade::score));
        for (vote, grade) in (1_u32..).zip(votes) {
            if let Some(one) = &grade.judging {
                member_judging.add(one);
                member_judging.output_mode.clone_from(&one.output_mode);
                member_judging.model.clone_from(&one.model);
                member_judging.system_fingerprint.clone_from(&one.system_fingerprint);
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
            means.push(format!("{model} {score:.2}"));
        }
        judging.add(&member_judging);
        judging.output_mode = judging.output_mode.or_else(|| member_judging.output_mode.clone());
        combined.push(Opinion { judge: model, score, judging: member_judging });
    }
    let (outcome, reason) =
        match (missing, mean(combined.iter().map(|opinion| opinion.score)).and_then(Score::new)) {
            (Some(missing), _) => missing,
            (None, Some(score)) => {
                (Outcome::Score(score), format!("mean of {} judgements: {}", details.len(), means.join(", ")))
            }
            (None, None) => (Outcome::Ungraded(None), "there is no judgement".to_owned()),
        };
    Grade {
        scorer: scorer.to_owned(),
        outcome,
        reason,
        details: json!({"judgements": details}),
        flags,
        judging: Some(judging),
        opinions: combined,
    }
}

/// The mean of scores in 0..=1; `None` if one is missing or there are none.
fn mean(scores: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let scores: Vec<f64> = scores.collect::<Option<_>>()?;
    let sum: f64 = scores.iter().sum();
    // Rounding may move the mean out of the range.
    (!scores.is_empty()).then(|| (sum / scores.len() as f64).clamp(0.0, 1.0))
}
