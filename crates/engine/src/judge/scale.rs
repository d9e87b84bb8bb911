//! An anchored scale: one rating from 0 to 5, each number with what it means; the score is the rating over 5.

use serde::Serialize;
use serde_json::json;

use promptgate_core::model::Case;

use super::ask::{Conversation, Question, Stop};
use super::reply::JudgedRating;
use super::request::{Anchor, Payload};
use super::schema::Form;
use super::{Scored, details};

/// The judge's own part of the system message.
pub(super) const RUBRIC: &str = include_str!("prompts/scale.md");

/// What is rated, and what the ratings mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Scale {
    /// What is rated: `how polite the answer is`.
    pub of: String,
    /// Ratings, from 0 to 5 in order, with their meaning; 0 and 5 are among them.
    pub anchors: Vec<(u8, String)>,
}

/// What to ask.
pub(super) fn prepare(case: &Case, answer: &str, scale: &Scale) -> Question {
    let anchor = |(rating, text): &(u8, String)| Anchor { rating: *rating, text: text.clone() };
    Question {
        rubric: RUBRIC,
        form: Form::Scale,
        asked: 1,
        payload: Payload::Scale {
            question: case.query.clone(),
            answer: answer.to_owned(),
            of: scale.of.clone(),
            anchors: scale.anchors.iter().map(anchor).collect(),
        },
    }
}

/// Asks and scores.
///
/// # Errors
/// Why there is no score.
pub(super) async fn score(conversation: &mut Conversation<'_>, scale: &Scale) -> Result<Scored, Stop> {
    let judged: Vec<JudgedRating> = conversation.ask().await?;
    let Some(judged) = judged.first() else {
        return Err(Stop::Invalid("the reply holds no rating".into()));
    };
    let rating = judged.verdict.number();
    let entry = json!({
        "id": 1,
        "text": details::text(&scale.of),
        "reasoning": details::text(&judged.reasoning),
        "verdict": judged.verdict,
    });
    Ok(Scored {
        score: f64::from(rating) / 5.0,
        reason: format!("rated {rating} of 5"),
        details: details::list("ratings", vec![entry]),
        flags: Vec::new(),
    })
}
