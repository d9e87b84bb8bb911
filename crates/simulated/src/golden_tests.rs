//! The golden suite under the simulated model: each of its prompts shows its intended effect.
//!
//! The tests render prompts by plain replacement and compute scores by the judges' formulas, without the engine.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation;

use super::{Simulated, SimulatedOptions};
use promptgate_core::model::{ChatRequest, Message, MessageRole, ResponseFormat};
use promptgate_engine::judge::registry::faithfulness::{FaithfulnessPayload, Support};
use promptgate_engine::judge::registry::{ChecklistPayload, YesNo};
use promptgate_engine::judge::reply;
use promptgate_engine::judge::request::{Numbered, Payload};

const ITEMS: [&str; 4] = [
    "The answer addresses the question.",
    "The answer answers every part of the question.",
    "The answer stays on topic.",
    "The answer does not evade or refuse what it could answer.",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../golden/customer-support")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

fn cases() -> Vec<Value> {
    read("cases.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn prompt(name: &str) -> String {
    let text = read(&format!("prompts/{name}.md"));
    text.splitn(3, "---\n").nth(2).unwrap().to_owned()
}

fn context(case: &Value) -> String {
    let passages: Vec<&str> =
        case["context"].as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
    passages.join("\n\n")
}

fn request(messages: Vec<(MessageRole, String)>, response_format: Option<ResponseFormat>) -> ChatRequest {
    let messages = messages.into_iter().map(|(role, content)| Message::new(role, content)).collect();
    ChatRequest { messages, response_format, ..promptgate_testing::request() }
}

fn complete(simulated: &Simulated, prompt: &str, case: &Value, repeat: u32) -> String {
    let query = case["query"].as_str().unwrap();
    let system = prompt.replace("{{context}}", &context(case)).replace("{{query}}", query);
    let request = request(vec![(MessageRole::System, system), (MessageRole::User, query.to_owned())], None);
    simulated.answer(&request, repeat).text
}

fn judge<P: Payload>(simulated: &Simulated, payload: &P, repeat: u32) -> Vec<P::Entry> {
    let messages = vec![
        (MessageRole::System, "Judge.".to_owned()),
        (MessageRole::User, payload.wrap(&format!("b{repeat}"))),
    ];
    let completion = simulated.answer(&request(messages, Some(ResponseFormat::JsonObject)), repeat);
    reply::read(&completion.text, payload.entries()).unwrap()
}

fn numbered<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<Numbered> {
    (1..).zip(texts).map(|(id, text)| Numbered { id, text: text.trim().to_owned() }).collect()
}

fn faithfulness(simulated: &Simulated, case: &Value, answer: &str, repeat: u32) -> f64 {
    let payload = FaithfulnessPayload {
        question: case["query"].as_str().unwrap().to_owned(),
        context: context(case),
        answer: answer.to_owned(),
        statements: numbered(answer.unicode_sentences()),
    };
    let judged = judge(simulated, &payload, repeat);
    let count = |verdict| judged.iter().filter(|s| s.verdict == verdict).count();
    for statement in &judged {
        assert!(statement.quotes.iter().all(|quote| context(case).contains(quote.as_str())), "{statement:?}");
    }
    let claims = judged.len() - count(Support::NoClaim);
    match claims {
        0 if case["must_answer"] == true => 0.0,
        0 => 1.0,
        _ => count(Support::Supported) as f64 / claims as f64,
    }
}

fn relevance(simulated: &Simulated, case: &Value, answer: &str, repeat: u32) -> f64 {
    let payload = ChecklistPayload {
        question: case["query"].as_str().unwrap().to_owned(),
        answer: answer.to_owned(),
        items: numbered(ITEMS.into_iter()),
    };
    let judged = judge(simulated, &payload, repeat);
    judged.iter().filter(|item| item.verdict == YesNo::Yes).count() as f64 / ITEMS.len() as f64
}

struct ScoredAnswer {
    text: String,
    is_valid: bool,
    faithfulness: f64,
    relevance: f64,
}

/// The answers to one prompt by case id.
struct PromptScores {
    answers: BTreeMap<String, ScoredAnswer>,
}

impl PromptScores {
    fn of(prompt: &str, simulated: &Simulated, repeat: u32) -> Self {
        let schema =
            jsonschema::validator_for(&serde_json::from_str(&read("answer.schema.json")).unwrap()).unwrap();
        let answers = cases().into_iter().map(|case| {
            let text = complete(simulated, prompt, &case, repeat);
            let json: Option<Value> = serde_json::from_str(&text).ok();
            let is_valid = json.as_ref().is_some_and(|json| schema.is_valid(json));
            let answer = json.and_then(|json| json["answer"].as_str().map(str::to_owned));
            let score = |of: fn(&Simulated, &Value, &str, u32) -> f64| {
                answer.as_ref().map_or(0.0, |answer| of(simulated, &case, answer, repeat))
            };
            let (faithfulness, relevance) = (score(faithfulness), score(relevance));
            let scored = ScoredAnswer { text, is_valid, faithfulness, relevance };
            (case["id"].as_str().unwrap().to_owned(), scored)
        });
        Self { answers: answers.collect() }
    }

    fn noiseless(name: &str) -> Self {
        Self::of(&prompt(name), &Simulated::default(), 0)
    }

    fn mean(&self, of: impl Fn(&ScoredAnswer) -> f64) -> f64 {
        self.answers.values().map(of).sum::<f64>() / self.answers.len() as f64
    }

    fn faithfulness(&self) -> f64 {
        self.mean(|answer| answer.faithfulness)
    }

    fn relevance(&self) -> f64 {
        self.mean(|answer| answer.relevance)
    }

    fn valid(&self) -> f64 {
        self.mean(|answer| f64::from(answer.is_valid))
    }

    /// The ids of the cases that pass all criteria.
    fn passing(&self) -> Vec<&str> {
        let passes = |answer: &ScoredAnswer| {
            answer.is_valid && answer.faithfulness >= 0.75 && answer.relevance >= 0.80
        };
        self.answers.iter().filter(|(_, answer)| passes(answer)).map(|(id, _)| id.as_str()).collect()
    }

    /// The ids of the cases that pass with the baseline only.
    fn broken_since<'a>(&self, baseline: &'a Self) -> Vec<&'a str> {
        let passing = self.passing();
        baseline.passing().into_iter().filter(|id| !passing.contains(id)).collect()
    }
}

#[test]
fn golden_suite_is_large_varied_and_well_formed() {
    let cases = cases();
    assert!(cases.len() >= 50, "{}", cases.len());
    let ids: std::collections::BTreeSet<&str> =
        cases.iter().map(|case| case["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), cases.len());
    let tagged = |tag: &str| {
        cases.iter().filter(|case| case["tags"].as_array().unwrap().contains(&tag.into())).count()
    };
    for tag in ["refunds", "shipping", "accounts", "billing", "outages", "unanswerable", "two-part"] {
        assert!(tagged(tag) >= 5, "{tag}: {}", tagged(tag));
    }
    assert!(cases.iter().filter(|case| case["must_pass"] == true).count() >= 4);
    for case in &cases {
        assert!(case["context"].as_array().unwrap().len() >= 2);
        let unanswerable = case["tags"].as_array().unwrap().contains(&"unanswerable".into());
        assert_eq!(case["must_answer"] == true, !unanswerable, "{}", case["id"]);
    }
}

#[test]
fn candidate_meets_its_thresholds_and_its_baseline() {
    let (candidate, baseline) = (PromptScores::noiseless("support"), PromptScores::noiseless("baseline"));
    assert!(candidate.faithfulness() >= 0.75 && candidate.relevance() >= 0.80);
    assert!(candidate.faithfulness() >= baseline.faithfulness());
    assert!(candidate.relevance() > baseline.relevance());
    assert!((candidate.valid() - 1.0).abs() < 1e-12 && (baseline.valid() - 1.0).abs() < 1e-12);
    assert!(candidate.broken_since(&baseline).is_empty(), "{:?}", candidate.broken_since(&baseline));
    assert!(!baseline.broken_since(&candidate).is_empty());
    let passing = candidate.passing();
    for case in cases().iter().filter(|case| case["must_pass"] == true) {
        assert!(passing.contains(&case["id"].as_str().unwrap()), "{}", case["id"]);
    }
}

#[test]
fn checks_of_single_cases_hold_for_candidate_and_baseline() {
    for name in ["support", "baseline", "quiet-regression"] {
        let outcome = PromptScores::noiseless(name);
        for case in cases() {
            for check in case["checks"].as_array().into_iter().flatten() {
                let answer = &outcome.answers[case["id"].as_str().unwrap()].text;
                assert!(
                    answer.contains(check["contains"].as_str().unwrap()),
                    "{name}: {}: {answer}",
                    case["id"]
                );
            }
        }
    }
}

#[test]
fn quiet_regression_passes_thresholds_but_loses_to_baseline() {
    let (quiet, baseline) =
        (PromptScores::noiseless("quiet-regression"), PromptScores::noiseless("baseline"));
    assert!(quiet.faithfulness() >= 0.75 && quiet.relevance() >= 0.80);
    assert!((quiet.valid() - 1.0).abs() < 1e-12);
    assert!(baseline.faithfulness() - quiet.faithfulness() >= 0.03, "{}", quiet.faithfulness());
    // More than `max_broken_cases`.
    let broken = quiet.broken_since(&baseline);
    assert!(broken.len() > 3, "{broken:?}");
    for id in broken {
        assert!(quiet.answers[id].faithfulness < 0.75, "{id} must break by faithfulness, not by format");
    }
}

#[test]
fn format_breakers_fail_by_the_schema_only() {
    let renamed = PromptScores::noiseless("format-breaker");
    assert!(renamed.valid().abs() < 1e-12);
    assert!(renamed.faithfulness() >= 0.75 && renamed.relevance() >= 0.80);
    let fenced = PromptScores::noiseless("fenced");
    assert!(fenced.valid().abs() < 1e-12);
    assert!(fenced.answers.values().all(|answer| answer.text.starts_with("```json\n{\"answer\":")));
}

#[test]
fn prompts_without_context_lose_faithfulness() {
    let names = ["baseline", "support", "quiet-regression", "format-breaker"];
    for name in names {
        let bare = PromptScores::of(&prompt(name).replace("{{context}}", ""), &Simulated::default(), 0);
        assert!(bare.faithfulness() < 0.5, "{name}: {}", bare.faithfulness());
    }
    let shipped = PromptScores::noiseless("no-context");
    assert!(shipped.faithfulness() < 0.5, "{}", shipped.faithfulness());
    // Without a fallback it answers from the text of the prompt.
    let talkative = PromptScores::of(
        "Answer the question in one sentence.\n{\"answer\": \"...\"}",
        &Simulated::default(),
        0,
    );
    assert!(talkative.faithfulness() < 0.2, "{}", talkative.faithfulness());
}

#[test]
fn noise_gives_variance_within_cases_around_a_similar_mean() {
    let noisy = Simulated::new(SimulatedOptions { seed: 3, noise: 0.1, ..SimulatedOptions::default() });
    let outcomes: Vec<PromptScores> =
        (0..3).map(|repeat| PromptScores::of(&prompt("support"), &noisy, repeat)).collect();
    let varied = outcomes[0]
        .answers
        .keys()
        .filter(|id| {
            let score =
                |scores: &PromptScores| scores.answers[*id].faithfulness + scores.answers[*id].relevance;
            outcomes.iter().any(|outcome| (score(outcome) - score(&outcomes[0])).abs() > 1e-9)
        })
        .count();
    assert!((5..50).contains(&varied), "{varied}");
    for outcome in &outcomes {
        assert!(outcome.faithfulness() > 0.8 && outcome.faithfulness() < 1.0, "{}", outcome.faithfulness());
    }
}

#[test]
fn equal_runs_are_equal_to_the_byte() {
    let options = SimulatedOptions { seed: 9, noise: 0.5, ..SimulatedOptions::default() };
    let run = || {
        let outcome = PromptScores::of(&prompt("support"), &Simulated::new(options), 1);
        outcome.answers.into_iter().map(|(id, answer)| (id, answer.text)).collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}
