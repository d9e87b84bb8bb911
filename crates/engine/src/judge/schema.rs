//! JSON Schemas of the replies, for endpoints that generate along a schema.
//!
//! Property order is the order of generation, so evidence and reasoning stand before the verdict. Strict mode
//! wants every property required and no others. The ids asked for are an enumeration and the list has their
//! exact length, as far as the endpoint can; the program checks both again in `parse`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

/// The most ids that go into an enumeration: endpoints bound the size of all enumerations together.
const MAX_ENUMERATED: usize = 250;

/// Schemas by the name of the form, the number of ids and whether the list is bounded.
type Made = BTreeMap<(&'static str, usize, bool), Arc<Value>>;

/// A reply form: the name of its list and what an entry holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `{statements: [{id, quotes, reasoning, verdict}]}`
    Faithfulness,
    /// `{items: [{id, reasoning, verdict}]}`
    Checklist,
    /// `{statements: [{id, reasoning, verdict}]}`
    Correctness,
    /// `{ratings: [{id, reasoning, verdict}]}`
    Scale,
}

impl Form {
    /// Name of the schema.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Faithfulness => "faithfulness",
            Self::Checklist => "checklist",
            Self::Correctness => "correctness",
            Self::Scale => "scale",
        }
    }

    /// The only key of the reply.
    pub(super) fn list(self) -> &'static str {
        match self {
            Self::Faithfulness | Self::Correctness => "statements",
            Self::Checklist => "items",
            Self::Scale => "ratings",
        }
    }

    fn verdicts(self) -> &'static [&'static str] {
        match self {
            Self::Faithfulness => &["supported", "contradicted", "not_found", "no_claim"],
            Self::Checklist => &["yes", "no"],
            Self::Correctness => &["covered", "contradicted", "absent"],
            Self::Scale => &["0", "1", "2", "3", "4", "5"],
        }
    }

    /// [`Form::schema`], made once for each number of ids.
    pub(super) fn shared(self, asked: usize, lengths: bool) -> Arc<Value> {
        static MADE: Mutex<Made> = Mutex::new(BTreeMap::new());
        if asked > MAX_ENUMERATED {
            return Arc::new(self.schema(asked, lengths));
        }
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let schema = made.entry((self.name(), asked, lengths));
        Arc::clone(schema.or_insert_with(|| Arc::new(self.schema(asked, lengths))))
    }

    /// The schema of a reply on the ids 1 to `asked`; without `lengths` the list has no bounds.
    pub(super) fn schema(self, asked: usize, lengths: bool) -> Value {
        let id = if asked <= MAX_ENUMERATED {
            json!({"type": "integer", "enum": (1..=asked).collect::<Vec<_>>()})
        } else {
            json!({"type": "integer"})
        };
        let text = json!({"type": "string"});
        let verdict = json!({"type": "string", "enum": self.verdicts()});
        let entry = match self {
            Self::Faithfulness => json!({
                "type": "object",
                "properties": {
                    "id": id,
                    "quotes": {"type": "array", "items": text},
                    "reasoning": text,
                    "verdict": verdict,
                },
                "required": ["id", "quotes", "reasoning", "verdict"],
                "additionalProperties": false,
            }),
            Self::Checklist | Self::Correctness | Self::Scale => json!({
                "type": "object",
                "properties": {"id": id, "reasoning": text, "verdict": verdict},
                "required": ["id", "reasoning", "verdict"],
                "additionalProperties": false,
            }),
        };
        let list = if lengths {
            json!({"type": "array", "items": entry, "minItems": asked, "maxItems": asked})
        } else {
            json!({"type": "array", "items": entry})
        };
        json!({
            "type": "object",
            "properties": {self.list(): list},
            "required": [self.list()],
            "additionalProperties": false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::reply::{
        ChecklistReply, CorrectnessReply, Coverage, FaithfulnessReply, JudgedItem, JudgedRating,
        JudgedReference, JudgedStatement, Rating, ScaleReply, Support, YesNo,
    };
    use super::*;

    #[test]
    fn evidence_comes_before_the_verdict_in_the_bytes() {
        for form in [Form::Faithfulness, Form::Checklist, Form::Correctness, Form::Scale] {
            let text = form.schema(2, true).to_string();
            let reasoning = text.find("\"reasoning\":{").unwrap();
            let verdict = text.find("\"verdict\":{").unwrap();
            assert!(reasoning < verdict, "{text}");
            if form == Form::Faithfulness {
                assert!(text.find("\"quotes\":{").unwrap() < reasoning, "{text}");
            }
        }
    }

    #[test]
    fn the_reply_types_fit_the_schemas() {
        let statement =
            |id, verdict| JudgedStatement { id, quotes: vec!["q".into()], reasoning: "r".into(), verdict };
        let supports = [Support::Supported, Support::Contradicted, Support::NotFound, Support::NoClaim];
        let faithfulness =
            FaithfulnessReply { statements: (1..).zip(supports).map(|(i, v)| statement(i, v)).collect() };
        let item = |id, verdict| JudgedItem { id, reasoning: "r".into(), verdict };
        let checklist = ChecklistReply { items: vec![item(1, YesNo::Yes), item(2, YesNo::No)] };
        let reference = |id, verdict| JudgedReference { id, reasoning: "r".into(), verdict };
        let coverages = [Coverage::Covered, Coverage::Contradicted, Coverage::Absent];
        let correctness =
            CorrectnessReply { statements: (1..).zip(coverages).map(|(i, v)| reference(i, v)).collect() };
        let ratings = [Rating::Zero, Rating::One, Rating::Two, Rating::Three, Rating::Four, Rating::Five];
        for verdict in ratings {
            let rating = JudgedRating { id: 1, reasoning: "r".into(), verdict };
            let validator = jsonschema::validator_for(&Form::Scale.schema(1, true)).unwrap();
            assert!(validator.is_valid(&json!(ScaleReply { ratings: vec![rating] })));
        }
        for (form, asked, reply) in [
            (Form::Faithfulness, 4, json!(faithfulness)),
            (Form::Checklist, 2, json!(checklist)),
            (Form::Correctness, 3, json!(correctness)),
        ] {
            let validator = jsonschema::validator_for(&form.schema(asked, true)).unwrap();
            assert!(validator.is_valid(&reply), "{reply}");
        }
    }

    #[test]
    fn the_examples_in_the_prompts_fit_the_schemas() {
        for (form, prompt) in [
            (Form::Faithfulness, include_str!("prompts/faithfulness.md")),
            (Form::Checklist, include_str!("prompts/relevance.md")),
            (Form::Checklist, include_str!("prompts/rubric.md")),
            (Form::Correctness, include_str!("prompts/correctness.md")),
            (Form::Scale, include_str!("prompts/scale.md")),
        ] {
            let example = prompt.lines().find(|line| line.starts_with('{')).unwrap();
            let example: Value = serde_json::from_str(example).unwrap();
            let validator = jsonschema::validator_for(&form.schema(1, true)).unwrap();
            assert!(validator.is_valid(&example), "{example}");
            let other = example.to_string().replace("\"id\":1", "\"id\":2");
            assert!(!validator.is_valid(&serde_json::from_str(&other).unwrap()));
        }
    }
}
