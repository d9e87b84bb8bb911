//! llama.cpp's server with a tiny model of random weights: the text is meaningless, the protocol is real.

use serde_json::Value;

use crate::llama_server::{LlamaServer, trials};
use crate::prepared::ExpectText as _;
use crate::support::Folder;

/// A suite with a temperature above 0, where the model would repeat a word endlessly.
fn small(cases: usize) -> Folder {
    let folder = Folder::small(cases).without_self_test();
    folder.edit(
        "promptgate.yaml",
        "parameters: {temperature: 0}",
        "parameters: {temperature: 0.8, seed: 7, max_tokens: 40}",
    );
    folder.edit("promptgate.yaml", "timeout: 5s", "timeout: 60s");
    folder.edit(
        "promptgate.yaml",
        "{model: tiny-judge,",
        "{model: tiny-judge, parameters: {temperature: 0.8, max_tokens: 400},",
    );
    folder
}

#[test]
fn answers_have_usage_and_finish_reasons() {
    let Some(llama) = LlamaServer::tiny() else { return };
    let folder = small(8);
    // More concurrent calls than the server has slots; the others are queued there.
    let outcome =
        folder.against(&llama.base_url, &["run", "--no-judge", "--repeats", "2", "--concurrency", "8"]);
    // A truncated answer fails its check.
    assert!([0, 10, 11].contains(&outcome.code), "{}", outcome.text());
    let report = folder.report();
    let trials = trials(&report);
    assert_eq!(trials.len(), 8 * 2 * 2);
    for trial in &trials {
        assert!(trial["usage"]["prompt_tokens"].as_u64() > Some(20), "{trial}");
        assert!(trial["usage"]["completion_tokens"].as_u64() > Some(0), "{trial}");
        assert!(["stop", "length"].contains(&trial["finish_reason"].as_str().unwrap_or_default()), "{trial}");
    }
    for reason in ["stop", "length"] {
        assert!(trials.iter().any(|trial| trial["finish_reason"] == reason), "no trial finished by {reason}");
    }
}

#[test]
fn schema_bound_judge_gives_readable_verdicts() {
    let Some(llama) = LlamaServer::tiny() else { return };
    let folder = small(3);
    let outcome = folder.against(&llama.base_url, &["run", "--repeats", "1"]);
    // Verdicts are random: any decision is accepted except an incomplete one.
    assert!([0, 10, 11].contains(&outcome.code), "{}", outcome.text());
    let report = folder.report();
    let grades: Vec<&Value> = trials(&report)
        .into_iter()
        .flat_map(|trial| trial["grades"].as_array().expect("grades"))
        .filter(|grade| grade["scorer"] == "relevance")
        .collect();
    assert_eq!(grades.len(), 3 * 2);
    assert!(grades.iter().any(|grade| grade["score"].is_number()), "{grades:?}");
}

#[test]
fn wrong_key_ends_the_run_with_the_servers_message() {
    let Some(llama) = LlamaServer::tiny() else { return };
    let folder = small(3);
    let mut command = folder.command(&["run", "--repeats", "1"]);
    command.env("OPENAI_BASE_URL", &llama.base_url).env("OPENAI_API_KEY", "sk-of-another-user");
    crate::support::finish(command)
        .expect_code(12)
        .expect_text("401 Unauthorized: Invalid API Key")
        .expect_text("check the key");
}

#[test]
fn overlong_context_costs_its_case_alone() {
    let Some(llama) = LlamaServer::tiny() else { return };
    let folder = small(3);
    let context = "Plan 9 gives 19 days for a refund. ".repeat(2_000);
    folder.append(
        "cases.jsonl",
        &format!("{{\"id\": \"long\", \"query\": \"How many days?\", \"context\": \"{context}\"}}\n"),
    );
    // The result depends on chance: fail by a truncated answer, or incomplete by a missing one.
    let outcome = folder.against(&llama.base_url, &["run", "--no-judge", "--repeats", "1"]);
    assert!([10, 12].contains(&outcome.code), "{}", outcome.text());
    let report = folder.report();
    let missing: Vec<&Value> =
        trials(&report).into_iter().filter(|trial| trial["error"].is_object()).collect();
    assert_eq!(missing.len(), 2, "{missing:?}");
    for trial in missing {
        assert_eq!(trial["error"]["kind"], "context_length", "{trial}");
        assert!(
            trial["error"]["message"].as_str().is_some_and(|message| message.contains("400 Bad Request")),
            "{trial}"
        );
    }
}
