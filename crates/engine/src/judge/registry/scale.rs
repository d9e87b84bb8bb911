//! Anchored scales: one rating from 0 to 5, with a text that says what a rating means. The score is the rating over 5.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use promptgate_core::model::Case;

use crate::judge::conversation::{Conversation, Stop};
use crate::judge::kind::Spec;
use crate::judge::reply::{Form, Judged, Verdict};
use crate::judge::request::Payload;
use crate::judge::{Needs, ScoreResult, Scored, details};

/// A scale as configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Scale {
    /// The property that is rated: `how polite the answer is`.
    pub of: String,
    /// Ratings, in order, with their meaning; 0 and 5 are among them.
    pub anchors: Vec<(u8, String)>,
}

/// A rating: a name, not a free number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Rating {
    #[serde(rename = "0")]
    Zero,
    #[serde(rename = "1")]
    One,
    #[serde(rename = "2")]
    Two,
    #[serde(rename = "3")]
    Three,
    #[serde(rename = "4")]
    Four,
    #[serde(rename = "5")]
    Five,
}

impl Rating {
    /// Every rating, from 0 to 5.
    pub const ALL: [Self; 6] = [Self::Zero, Self::One, Self::Two, Self::Three, Self::Four, Self::Five];
}

impl Verdict for Rating {
    const FORM: Form =
        Form { name: "scale", list: "ratings", verdicts: &["0", "1", "2", "3", "4", "5"], quotes: false };
}

/// The meaning of a rating.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// From 0 to 5.
    pub rating: u8,
    /// Its meaning.
    pub text: String,
}

/// The data of one judgement on a scale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the prompt defines the fields")]
pub struct ScalePayload {
    pub question: String,
    pub answer: String,
    pub of: String,
    pub anchors: Vec<Anchor>,
}

impl Payload for ScalePayload {
    type Entry = Judged<Rating>;

    fn entries(&self) -> usize {
        1
    }
}

#[derive(Debug)]
pub(super) struct ScaleJudge(pub(super) Scale);

impl Spec for ScaleJudge {
    const NAME: &'static str = "scale";
    const PROMPT: &'static str = include_str!("../prompts/scale.md");
    const NEEDS: Needs = Needs::NOTHING;
    #[cfg(test)]
    const FINGERPRINT: &'static str = "714d6a9705849f36c97a96c78481bae671eecff917b27e591d889b4cde5fb7f9";

    type Payload = ScalePayload;

    fn for_self_test() -> Self {
        let anchors =
            [(0, "it answers no part of the question"), (5, "it answers every part of the question")];
        Self(Scale {
            of: "how much of the question is answered".to_owned(),
            anchors: anchors.map(|(rating, text)| (rating, text.to_owned())).into(),
        })
    }

    fn settings(&self) -> Value {
        json!(self.0)
    }

    fn payload(&self, case: &Case, answer: &str) -> Result<ScalePayload, Stop> {
        let anchor = |(rating, text): &(u8, String)| Anchor { rating: *rating, text: text.clone() };
        Ok(ScalePayload {
            question: case.query.clone(),
            answer: answer.to_owned(),
            of: self.0.of.clone(),
            anchors: self.0.anchors.iter().map(anchor).collect(),
        })
    }

    async fn score(&self, conversation: &mut Conversation<'_>, payload: &ScalePayload) -> ScoreResult {
        let judged: Vec<Judged<Rating>> = conversation.ask().await?;
        let Some(judged) = judged.first() else {
            return Err(Stop::Invalid("the reply has no rating".into()));
        };
        let rating = judged.verdict as u8;
        Ok(Scored {
            score: f64::from(rating) / 5.0,
            reason: format!("rated {rating} of 5"),
            details: details::list("ratings", vec![details::verdict(&payload.of, judged)]),
            flags: Vec::new(),
        })
    }
}
