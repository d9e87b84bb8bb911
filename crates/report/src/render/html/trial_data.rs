//! Trials for the script of the page: text and formatted numbers.

use serde::Serialize;
use serde_json::Value;

use crate::v1::{Fault, Grade, Judging, Price, Trial};
use crate::view::{self, Sanitizer, number};
use promptgate_core::model::{Prices, Turn};

/// Characters of an answer.
pub(super) const MAX_ANSWER: usize = 20_000;
/// Characters of a reason, quote or statement.
const MAX_TEXT: usize = 1000;
/// Turns before an answer.
const MAX_TURNS: usize = 40;
/// Entries per judgement.
const MAX_ENTRIES: usize = 100;
/// Judgements per grade.
const MAX_JUDGEMENTS: usize = 20;

/// A trial.
#[derive(Serialize)]
pub(super) struct TrialData {
    pub(super) role: &'static str,
    pub(super) repeat: u32,
    pub(super) output: Option<String>,
    /// The turns before the answer: question and reply.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) turns: Vec<(String, String)>,
    /// The answer before `transform`; absent where that changed nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) raw: Option<String>,
    /// Labels and values.
    pub(super) facts: Vec<(&'static str, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<FaultData>,
    pub(super) grades: Vec<GradeData>,
}

/// The reason for a missing answer or grade.
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

/// One judgement of a grade; panels and votes have several.
#[derive(Serialize)]
pub(super) struct JudgementData {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<String>,
    pub(super) entries: Vec<EntryData>,
}

/// The verdict of a judge on one statement or item.
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

/// Returns the data of a trial; `model` is the model of its variant, for the price.
pub(super) fn trial_data(
    trial: &Trial,
    model: &str,
    prices: &[Price],
    sanitizer: &Sanitizer<'_>,
) -> TrialData {
    let transformed = trial.transformed.as_ref();
    TrialData {
        role: trial.role.as_str(),
        repeat: trial.repeat,
        output: trial.output.as_deref().map(|text| sanitizer.clip(text, MAX_ANSWER)),
        turns: trial.turns.iter().take(MAX_TURNS).map(|of| turn(of, sanitizer)).collect(),
        raw: transformed.and_then(|it| it.from.as_deref()).map(|text| sanitizer.clip(text, MAX_ANSWER)),
        facts: facts(trial, model, prices, sanitizer),
        error: trial.error.as_ref().map(|of| fault(of, sanitizer)),
        grades: trial.grades.iter().map(|of| grade(of, sanitizer)).collect(),
    }
}

fn turn(turn: &Turn, sanitizer: &Sanitizer<'_>) -> (String, String) {
    (sanitizer.clip(&turn.query, MAX_ANSWER), sanitizer.clip(&turn.reply.text(), MAX_ANSWER))
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
    let prices: Prices = prices.iter().map(|price| (price.model.clone(), price.per_token())).collect();
    let price = prices.of_answer(model, trial.model.as_deref());
    add("cost", trial.usage.zip(price).map(|(tokens, price)| number::dollars(price.cost(tokens))));
    add("stopped", trial.finish_reason.as_ref().map(|reason| sanitizer.clip(reason.as_str(), 60)));
    let calls: Vec<String> = trial.tool_calls.iter().map(|call| call.to_string()).collect();
    add("calls", (!calls.is_empty()).then(|| sanitizer.clip(&calls.join(", "), MAX_TEXT)));
    add("reasoning", trial.reasoning.as_deref().map(|text| sanitizer.clip(text, MAX_TEXT)));
    let transformed = trial.transformed.as_ref();
    let error =
        transformed.and_then(|it| it.error.as_deref().or(it.fault.as_ref().map(|fault| &*fault.message)));
    add("not transformed", error.map(|reason| sanitizer.clip(reason, MAX_TEXT)));
    add("refusal", trial.refusal.then(|| "yes".to_owned()));
    add("model", trial.model.as_deref().map(|model| sanitizer.clip(model, 120)));
    add("fingerprint", trial.system_fingerprint.as_deref().map(|text| sanitizer.clip(text, 120)));
    let at = trial.cached_at.as_deref().map_or_else(|| "yes".to_owned(), |at| sanitizer.clip(at, 40));
    add("from the cache", trial.cached.then_some(at));
    add("call", trial.call.map(|call| view::call_sentence(call).to_owned()).filter(|_| !trial.cached));
    facts
}

fn fault(fault: &Fault, sanitizer: &Sanitizer<'_>) -> FaultData {
    FaultData {
        kind: fault.kind.as_str(),
        message: sanitizer.clip(&fault.message, MAX_TEXT),
        help: fault.help.as_deref().map(|help| sanitizer.clip(help, MAX_TEXT)),
    }
}

fn grade(grade: &Grade, sanitizer: &Sanitizer<'_>) -> GradeData {
    let judgements = judgements(&grade.details, sanitizer);
    // Other details are shown as JSON where the score is missing or below 1.
    let show_details =
        judgements.is_empty() && !grade.details.is_null() && grade.score.is_none_or(|score| score < 1.0);
    let details = show_details.then(|| sanitizer.clip(&grade.details.to_string(), MAX_TEXT * 2));
    GradeData {
        scorer: sanitizer.clip(&grade.scorer, 120),
        score: grade.score,
        reason: sanitizer.clip(&grade.reason, MAX_TEXT),
        missing: grade.ungraded.as_ref().and_then(|of| of.fault.as_ref()).map(|of| fault(of, sanitizer)),
        flags: grade.flags.iter().take(MAX_ENTRIES).map(|flag| sanitizer.clip(flag, 120)).collect(),
        judgements,
        details,
        took: grade.judging.as_ref().map(|judging| judging_cost(judging, sanitizer)),
    }
}

fn judging_cost(judging: &Judging, sanitizer: &Sanitizer<'_>) -> String {
    let mut parts = Vec::from_iter(judging.model.as_deref().map(|model| sanitizer.clip(model, 120)));
    parts.push(number::counted(u64::from(judging.calls), "call"));
    parts.push(number::tokens(judging.usage));
    parts.push(format!("{:.2} s", judging.latency_ms / 1000.0));
    parts.extend(judging.cached.map(|cached| format!("{} of them from the cache", cached.calls)));
    parts.join(", ")
}

/// The judgements in the details of a grade.
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
            title: Some(sanitizer.clip(&title, MAX_TEXT)),
            entries: judgement.get("details").map_or_else(Vec::new, |details| entries(details, sanitizer)),
        }
    };
    several.iter().take(MAX_JUDGEMENTS).map(one).collect()
}

fn entries(details: &Value, sanitizer: &Sanitizer<'_>) -> Vec<EntryData> {
    let lists = ["statements", "items", "passages", "ratings", "orders"];
    let list = lists.iter().find_map(|name| details.get(name).and_then(Value::as_array));
    let entry = |value: &Value| {
        let text =
            |key| value.get(key).map_or_else(String::new, |value| sanitizer.clip(&plain(value), MAX_TEXT));
        let quotes = value.get("quotes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        EntryData {
            text: text("text"),
            verdict: text("verdict"),
            reasoning: text("reasoning"),
            quotes: quotes.iter().take(10).map(|quote| sanitizer.clip(&plain(quote), MAX_TEXT)).collect(),
            problem: value.get("problem").map(|value| sanitizer.clip(&plain(value), MAX_TEXT)),
        }
    };
    list.map_or_else(Vec::new, |list| {
        list.iter().filter(|value| value.is_object()).take(MAX_ENTRIES).map(entry).collect()
    })
}

/// A string without quotes, anything else as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
