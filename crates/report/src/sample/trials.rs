//! Answers with their grades.

use serde_json::{Value, json};

use promptgate_core::model::{Completion, Grade, Judging, Outcome, Role, Score, Trial, TrialResult, Usage};

fn grade(scorer: &str, score: f64, judged: bool) -> Grade {
    Grade {
        scorer: scorer.to_owned(),
        outcome: Score::new(score).map_or(Outcome::Ungraded(None), Outcome::Score),
        reason: if score < 1.0 { "2 of 3 statements are backed by the context" } else { "as it should be" }
            .to_owned(),
        details: if judged { json!({"statements": 3, "supported": 2}) } else { Value::Null },
        flags: Vec::new(),
        judging: judged.then(|| Judging {
            calls: 1,
            usage: Usage { prompt_tokens: 620, completion_tokens: 140 },
            latency_ms: 1840.25,
            cached_calls: 0,
            cached_usage: Usage::default(),
            output_mode: Some("json_schema".to_owned()),
            model: Some("gpt-4o-2024-08-06".to_owned()),
            system_fingerprint: None,
        }),
        opinions: Vec::new(),
    }
}

pub(super) fn trial(case: usize, repeat: u32, role: Role) -> Trial {
    let lost = role == Role::Candidate && case == 1;
    // A third is not a decimal: reading and writing must keep every bit of it.
    let faithfulness = if lost { 1.0 / 3.0 } else { 14.0 / 15.0 };
    let completion = Completion {
        usage: Some(Usage { prompt_tokens: 410, completion_tokens: 88 }),
        latency_ms: 1000.0 + 1000.0 / 7.0 * f64::from(repeat) + case as f64,
        model: Some("gpt-4o-mini-2024-07-18".to_owned()),
        system_fingerprint: Some("fp_44709d6fcb".to_owned()),
        cached_at: (role == Role::Baseline).then_some(1_793_500_000),
        ..Completion::from_text(format!("Answer {case} of repeat {repeat}.\nYou have 30 days."))
    };
    let grades = vec![
        grade("check.json_schema", if lost { 0.0 } else { 1.0 }, false),
        grade("faithfulness", faithfulness, true),
        grade("relevance", 1.0, true),
    ];
    Trial { case, role, repeat, result: TrialResult::completed(completion, grades) }
}
