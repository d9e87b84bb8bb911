//! Scorers outside of this process, such as commands.

use std::sync::Arc;

use futures::future::join_all;

use super::scorers::{Scorers, product_fault, untransformed, zero};
use promptgate_core::model::{Case, Completion, Fault, Grade, Outcome};
use promptgate_core::port::{Scored, Scorer, Subject};

/// A scorer outside of this process with its metric.
pub struct OutsideScorer {
    /// The metric: `check.sql-valid`.
    pub metric: String,
    /// The scorer; `None` where it is not started, so that it gives no grade.
    pub scorer: Option<Arc<dyn Scorer>>,
}

impl Scorers {
    /// Whether an outside scorer grades the metric, or embeddings decide it, so that a grade may be missing.
    pub(crate) fn is_outside(&self, metric: &str) -> bool {
        self.outside.iter().any(|outside| outside.metric == metric) || self.is_embedded(metric)
    }

    /// Grades by the outside scorers whose metrics `select` accepts. An invalid completion scores 0 without a request, as by
    /// every scorer; a fault leaves the grade missing.
    pub(crate) async fn score_outside(
        &self,
        case: &Case,
        completion: &Completion,
        select: impl Fn(&str) -> bool,
    ) -> Vec<Grade> {
        let started = self.outside.iter().filter(|outside| select(&outside.metric));
        let started = started.filter_map(|outside| Some((&*outside.metric, outside.scorer.as_ref()?)));
        if let Some(fault) = product_fault(completion).map(|fault| fault.of_turn(case, completion)) {
            return started.map(|(metric, _)| zero(metric, &fault)).collect();
        }
        if let Some(fault) = completion.transform_fault() {
            return started.map(|(metric, _)| untransformed(metric, fault)).collect();
        }
        let subject = Subject { case, completion, answer: Ok(&completion.text) };
        join_all(started.map(async |(metric, scorer)| grade(metric, scorer.score(&subject).await))).await
    }
}

fn grade(metric: &str, scored: Result<Scored, Fault>) -> Grade {
    match scored {
        Ok(Scored { score, reason, details }) => {
            Grade { details, ..Grade::unjudged(metric, Outcome::Score(score), reason) }
        }
        Err(fault) => {
            let reason = fault.message.clone();
            Grade::unjudged(metric, Outcome::Ungraded(Some(fault)), reason)
        }
    }
}
