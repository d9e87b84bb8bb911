//! A trial as the page shows it: words and formatted numbers.

use serde::Serialize;
use serde_json::Value;

use super::untrusted_text::Sanitizer;
use crate::v1::{Fault, Grade, Judging, Price, Trial};
use crate::view::number;

/// Characters of an answer that are shown.
pub(super) const ANSWER: usize = 20_000;
/// Characters of a reason, a quote, a statement.
const WORDS: usize = 1000;
/// Entries of evidence of one judgement.
const ENTRIES: usize = 100;
/// Judgements of one grade.
const JUDGEMENTS: usize = 20;

/// A trial.
#[derive(Serialize)]
pub(super) struct TrialData {
    pub(super) role: &'static str,
    pub(super) repeat: u32,
    pub(super) output: Option<String>,
    /// Facts of the answer, label by label.
    pub(super) facts: Vec<(&'static str, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<FaultData>,
    pub(super) grades: Vec<GradeData>,
}

/// Why an answer or a grade is missing.
#[derive(Serialize)]
pub(super) struct FaultData {
    pub(super) kind: &'static str,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// A grade.
#[derive(Serialize)]
pub(super) struct GradeData {
    pub(super) scorer: String,
    pub(super) score: Option<f64>,
    pub(super) reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) missing: Option<FaultData>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) flags: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) judgements: Vec<JudgementData>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) details: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) took: Option<String>,
}

/// One judgement behind a grade; of a panel, or of several votes, there are more.
#[derive(Serialize)]
pub(super) struct JudgementData {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<String>,
    pub(super) entries: Vec<EntryData>,
}

/// What a judge says of one statement or item.
#[derive(Serialize)]
pub(super) struct EntryData {
    pub(super) text: String,
    pub(super) verdict: String,
    pub(super) reasoning: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) quotes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) problem: Option<String>,
}

/// The trial in words; `model` is its variant's, by which it is priced.
pub(super) fn trial(trial: &Trial, model: &str, prices: &[Price], sanitizer: &Sanitizer<'_>) -> TrialData {
    TrialData {
        role: trial.role.as_str(),
        repeat: trial.repeat,
        output: trial.output.as_deref().map(|text| sanitizer.clip(text, ANSWER)),
        facts: facts(trial, model, prices, sanitizer),
        error: trial.error.as_ref().map(|of| fault(of, sanitizer)),
        grades: trial.grades.iter().map(|of| grade(of, sanitizer)).collect(),
    }
}

fn facts(
    trial: &Trial,
    model: &str,
    prices: &[Price],
    sanitizer: &Sanitizer<'_>,
) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    let mut add = |label, text: Option<String>| facts.extend(text.map(|text| (label, text)));
    add("latency", trial.latency_ms.map(|latency| format!("{:.2} s", latency / 1000.0)));
    add("tokens", trial.usage.map(number::tokens));
    let price = prices.iter().find(|price| price.model == model);
    add(
        "cost",
        trial.usage.zip(price).map(|(tokens, price)| {
            let of = |tokens: u64, per_million: f64| tokens as f64 * per_million / 1e6;
            number::dollars(
                of(tokens.prompt_tokens, price.input_per_million)
                    + of(tokens.completion_tokens, price.output_per_million),
            )
        }),
    );
    add("stopped", trial.finish_reason.as_deref().map(|reason| sanitizer.clip(reason, 60)));
    add("refusal", trial.refusal.then(|| "yes".to_owned()));
    add("model", trial.model.as_deref().map(|model| sanitizer.clip(model, 120)));
    add("fingerprint", trial.system_fingerprint.as_deref().map(|text| sanitizer.clip(text, 120)));
    let at = trial.cached_at.as_deref().map_or_else(|| "yes".to_owned(), |at| sanitizer.clip(at, 40));
    add("from the cache", trial.cached.then_some(at));
    facts
}

/// A fault in words.
fn fault(fault: &Fault, sanitizer: &Sanitizer<'_>) -> FaultData {
    FaultData {
        kind: fault.kind.as_str(),
        message: sanitizer.clip(&fault.message, WORDS),
        help: fault.help.as_deref().map(|help| sanitizer.clip(help, WORDS)),
    }
}

fn grade(grade: &Grade, sanitizer: &Sanitizer<'_>) -> GradeData {
    let judgements = judgements(&grade.details, sanitizer);
    // What a judge wrote is shown entry by entry; anything else as it is, where there is something to explain.
    let explains =
        judgements.is_empty() && !grade.details.is_null() && grade.score.is_none_or(|score| score < 1.0);
    let details = explains.then(|| sanitizer.clip(&grade.details.to_string(), WORDS * 2));
    GradeData {
        scorer: sanitizer.clip(&grade.scorer, 120),
        score: grade.score,
        reason: sanitizer.clip(&grade.reason, WORDS),
        missing: grade.ungraded.as_ref().and_then(|of| of.fault.as_ref()).map(|of| fault(of, sanitizer)),
        flags: grade.flags.iter().take(ENTRIES).map(|flag| sanitizer.clip(flag, 120)).collect(),
        judgements,
        details,
        took: grade.judging.as_ref().map(|judging| took(judging, sanitizer)),
    }
}

fn took(judging: &Judging, sanitizer: &Sanitizer<'_>) -> String {
    let mut parts = Vec::from_iter(judging.model.as_deref().map(|model| sanitizer.clip(model, 120)));
    parts.push(number::counted(u64::from(judging.calls), "call"));
    parts.push(number::tokens(judging.usage));
    parts.extend(judging.latency_ms.map(|latency| format!("{:.2} s", latency / 1000.0)));
    parts.extend(judging.cached.map(|cached| format!("{} of them from the cache", cached.calls)));
    parts.join(", ")
}

/// What is behind a grade, of one judgement or of several.
fn judgements(details: &Value, sanitizer: &Sanitizer<'_>) -> Vec<JudgementData> {
    let Some(several) = details.get("judgements").and_then(Value::as_array) else {
        let entries = entries(details, sanitizer);
        return if entries.is_empty() { Vec::new() } else { vec![JudgementData { title: None, entries }] };
    };
    let one = |judgement: &Value| {
        let text = |key| judgement.get(key).and_then(Value::as_str).unwrap_or_default();
        let vote = judgement.get("vote").and_then(Value::as_u64);
        let vote = vote.map_or_else(String::new, |vote| format!(", vote {vote}"));
        let score = judgement.get("score").and_then(Value::as_f64);
        let score = score.map_or_else(|| "no score".to_owned(), |score| format!("{score:.3}"));
        let title = format!("{}{vote}: {score}, {}", text("judge"), text("reason"));
        JudgementData {
            title: Some(sanitizer.clip(&title, WORDS)),
            entries: judgement.get("details").map_or_else(Vec::new, |details| entries(details, sanitizer)),
        }
    };
    several.iter().take(JUDGEMENTS).map(one).collect()
}

fn entries(details: &Value, sanitizer: &Sanitizer<'_>) -> Vec<EntryData> {
    let lists = ["statements", "items", "ratings"];
    let list = lists.iter().find_map(|name| details.get(name).and_then(Value::as_array));
    let entry = |value: &Value| {
        let text =
            |key| value.get(key).map_or_else(String::new, |found| sanitizer.clip(&plain(found), WORDS));
        let quotes = value.get("quotes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        EntryData {
            text: text("text"),
            verdict: text("verdict"),
            reasoning: text("reasoning"),
            quotes: quotes.iter().take(10).map(|quote| sanitizer.clip(&plain(quote), WORDS)).collect(),
            problem: value.get("problem").map(|found| sanitizer.clip(&plain(found), WORDS)),
        }
    };
    list.map_or_else(Vec::new, |list| {
        list.iter().filter(|value| value.is_object()).take(ENTRIES).map(entry).collect()
    })
}

/// A text as it is, anything else as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
