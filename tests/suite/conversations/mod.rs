//! Cases with a history, with turns and with images.

mod images;
mod invalid;

use serde_json::{Value, json};

use crate::policy_from::commit;
use crate::support::{Folder, MockServer};

const CONFIGURATION: &str = "\
version: 1
name: chat
dataset: cases.jsonl
prompt: prompt.yaml
baseline: none
model: tiny
endpoint: {timeout: 5s, attempts: 2, max_wait: 2s}
gate: {repeats: 1, max_repeats: 1}
checks: [{length: {min_chars: 1}}]
";

const PROMPT: &str = "\
- {role: system, content: Use the passages.}
- {role: user, content: Is it warm?}
- {role: assistant, content: It is warm.}
- {role: user, content: 'Question: {{query}}'}
";

/// A suite with a chat prompt and these cases.
fn suite(cases: &[Value]) -> Folder {
    let folder = Folder::new();
    folder.write("promptgate.yaml", CONFIGURATION);
    folder.write("prompt.yaml", PROMPT);
    write_cases(&folder, cases);
    folder
}

fn write_cases(folder: &Folder, cases: &[Value]) {
    let rows: String = cases.iter().map(|case| format!("{case}\n")).collect();
    folder.write("cases.jsonl", &rows);
}

/// An application that answers with what it is given, and keeps every line in `lines.jsonl`.
const ECHO: &str = r#"import json, sys
for line in sys.stdin:
    case = json.loads(line)
    with open("lines.jsonl", "a") as lines:
        lines.write(line)
    if case["query"] == "Fail.":
        print(json.dumps({"id": case["id"], "error": "out of order"}), flush=True)
        continue
    said = [message["content"] for message in case["messages"]] + [case["query"]]
    reply = {"output": f"Heard {len(said)}: {case['query']}", "latency_ms": 100, "cost_usd": 0.25}
    reply["usage"] = {"prompt_tokens": 10, "completion_tokens": 2}
    print(json.dumps({"id": case["id"], **reply}), flush=True)
"#;

/// A suite with the application in place of a prompt.
fn application(cases: &[Value]) -> Folder {
    let folder = suite(cases);
    folder.edit(
        "promptgate.yaml",
        "prompt: prompt.yaml\n",
        "target: {command: [python3, echo.py], workers: 1}\n",
    );
    folder.write("echo.py", ECHO);
    folder
}

/// The lines that the application was given.
fn lines(folder: &Folder) -> Vec<Value> {
    folder.read("lines.jsonl").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn case<'a>(report: &'a Value, id: &str) -> &'a Value {
    let mut cases = report["cases"].as_array().expect("cases").iter();
    cases.find(|case| case["id"] == id).unwrap_or_else(|| panic!("no case {id}"))
}

/// Role and text of the messages that were sent for a case.
fn sent(report: &Value, id: &str) -> Vec<(String, String)> {
    let digests = case(report, id)["requests"]["candidate"].as_array().expect("digests").iter();
    let text = |message: &Value, key: &str| message[key].as_str().expect("a text").to_owned();
    let message = |digest: &Value| &report["messages"][digest.as_str().expect("a digest")];
    digests.map(message).map(|message| (text(message, "role"), text(message, "content"))).collect()
}

#[test]
fn history_comes_before_the_last_message_of_the_user() {
    let history = json!([
        {"role": "user", "content": "Where is {{order}}?"},
        {"role": "assistant", "content": null, "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "find", "arguments": "{\"order\": 7}"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "on its way"},
        {"role": "assistant", "content": "Parcel 7 is on its way."},
    ]);
    let mut log = history.as_array().expect("a list").clone();
    log.push(json!({"role": "user", "content": [{"type": "text", "text": "Which parcel?"}]}));
    let folder = suite(&[
        json!({"id": "query", "messages": history, "query": "Which parcel?"}),
        json!({"id": "log", "messages": log}),
        json!({"id": "plain", "query": "Which parcel?"}),
    ]);
    folder.promptgate(&["run", "--offline"]).expect_code(0);
    let report = folder.report();
    let expected = [
        ("system", "Use the passages."),
        ("user", "Is it warm?"),
        ("assistant", "It is warm."),
        ("user", "Where is {{order}}?"),
        ("assistant", ""),
        ("tool", "on its way"),
        ("assistant", "Parcel 7 is on its way."),
        ("user", "Question: Which parcel?"),
    ]
    .map(|(role, text)| (role.to_owned(), text.to_owned()));
    assert_eq!(sent(&report, "query"), expected);
    assert_eq!(sent(&report, "log"), expected);
    assert_eq!(sent(&report, "plain").len(), 4);
    assert_eq!(case(&report, "log")["query"], "Which parcel?");
    let answer = case(&report, "query")["trials"][0]["output"].as_str().expect("an answer");
    assert!(answer.contains("Parcel 7"), "the history is a source: {answer}");
    let shown = folder.promptgate(&["case", "query"]).expect_code(0);
    shown.says("tool message").says("[tool call] find({\"order\": 7})");
}

#[test]
fn prompt_without_a_user_message_is_followed_by_history_and_question() {
    let folder = suite(&[json!({"id": "a", "turns": ["Hi.", "Is it warm?"]})]);
    folder.write("prompt.yaml", "- {role: system, content: It is warm.}\n");
    folder.promptgate(&["run", "--offline"]).expect_code(0);
    let report = folder.report();
    let roles: Vec<String> = sent(&report, "a").into_iter().map(|(role, _)| role).collect();
    assert_eq!(roles, ["system", "user"]);
    assert_eq!(case(&report, "a")["trials"][0]["turns"][0]["query"], "Hi.");
}

#[test]
fn turns_are_one_trial_whose_sums_are_those_of_all() {
    let server = MockServer::start(&[]);
    let folder = suite(&[
        json!({"id": "a", "turns": ["It is warm in Rome.", "And in Oslo?", "Where is it warm?"]}),
        json!({"id": "b", "query": "Is it warm?"}),
    ]);
    let planned = folder.promptgate(&["plan", "--format", "json"]).expect_code(0);
    let planned: Value = serde_json::from_str(&planned.stdout).expect("JSON");
    assert_eq!(planned["lowest"]["answers"], 4);
    folder.promptgate(&["check"]).expect_code(0).says("2 answers in 4 calls, one for each turn");
    folder.against(&server.base_url, &["run"]).expect_code(0).says("4 calls");
    let report = folder.report();
    let trial = &case(&report, "a")["trials"][0];
    let turns = trial["turns"].as_array().expect("turns");
    assert_eq!(turns.len(), 2);
    assert_eq!(turns[1]["query"], "And in Oslo?");
    assert_eq!(turns[1]["reply"]["role"], "assistant");
    let tokens =
        |id: &str| case(&report, id)["trials"][0]["usage"]["prompt_tokens"].as_u64().expect("tokens");
    assert!(tokens("a") > 3 * tokens("b"), "{} and {}", tokens("a"), tokens("b"));
    assert!(case(&report, "b")["trials"][0].get("turns").is_none());
    // Every request is cached: nothing is called again.
    folder.against(&server.base_url, &["run", "--cached-only"]).expect_code(0).says("0 calls");
    let again = folder.report();
    assert_eq!(case(&again, "a")["trials"][0]["turns"], trial["turns"]);
    assert_eq!(case(&again, "a")["trials"][0]["usage"], trial["usage"]);
    assert_eq!(case(&again, "a")["trials"][0]["cached"], true);
    folder
        .promptgate(&["case", "a"])
        .expect_code(0)
        .says("earlier turns of the candidate")
        .says("And in Oslo?");
    let page = folder.read("promptgate-report/report.html");
    assert!(page.contains("\"turns\":[[\"It is warm in Rome.\""), "no turns in the page");
}

#[test]
fn application_is_asked_once_for_each_turn() {
    let history = json!([{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}]);
    let folder = application(&[
        json!({"id": "a", "messages": history, "turns": ["One.", "Two."]}),
        json!({"id": "b", "query": "Three."}),
    ]);
    folder.promptgate(&["run", "--offline"]).expect_code(0);
    let lines = lines(&folder);
    let of_a: Vec<&Value> = lines.iter().filter(|line| line["id"] == "a").collect();
    assert_eq!(of_a.len(), 2);
    assert_eq!((&of_a[0]["query"], &of_a[0]["messages"]), (&json!("One."), &history));
    let mut second = history.as_array().expect("a list").clone();
    second.push(json!({"role": "user", "content": "One."}));
    second.push(json!({"role": "assistant", "content": "Heard 3: One."}));
    assert_eq!((&of_a[1]["query"], &of_a[1]["messages"]), (&json!("Two."), &json!(second)));
    folder.promptgate(&["case", "a"]).expect_code(0).says("user message").says("Hello").says("Heard 3: One.");
    let of_b = lines.iter().find(|line| line["id"] == "b").expect("a line");
    assert_eq!(of_b["messages"], json!([]));
    let report = folder.report();
    let trial = &case(&report, "a")["trials"][0];
    assert_eq!(trial["output"], "Heard 5: Two.");
    assert_eq!((&trial["latency_ms"], &trial["cost_usd"]), (&json!(200.0), &json!(0.5)));
    assert_eq!(trial["usage"], json!({"prompt_tokens": 20, "completion_tokens": 4}));
}

#[test]
fn fault_of_an_earlier_turn_is_that_of_the_trial() {
    let folder = application(&[
        json!({"id": "a", "turns": ["One.", "Fail.", "Three."]}),
        json!({"id": "b", "query": "One."}),
    ]);
    folder.promptgate(&["run", "--offline"]).expect_code(12);
    let report = folder.report();
    let trial = &case(&report, "a")["trials"][0];
    let message = trial["error"]["message"].as_str().expect("an error");
    assert!(message.starts_with("turn 2 of 3: ") && message.contains("out of order"), "{message}");
    assert!(lines(&folder).iter().all(|line| line["query"] != "Three."));
}

#[test]
fn each_turn_is_graded_as_a_case_of_its_own() {
    let folder = application(&[
        json!({"id": "a", "turns": ["One.", "Two.", "Three."], "checks": [{"contains": "Heard 5"}], "tags": ["t"]}),
        json!({"id": "b", "query": "Four."}),
    ]);
    folder.edit("promptgate.yaml", "dataset: cases.jsonl", "dataset: {path: cases.jsonl, grade_turns: each}");
    // Answers of an application are cached in a repository, by its inputs.
    folder.edit("promptgate.yaml", "workers: 1}", "workers: 1, inputs: [echo.py]}");
    folder.git(&["init", "--quiet"]);
    commit(&folder, "first");
    folder.promptgate(&["check"]).expect_code(0).says("4 answers");
    folder.promptgate(&["run"]).expect_code(0);
    let report = folder.report();
    let ids: Vec<&str> =
        report["cases"].as_array().expect("cases").iter().filter_map(|case| case["id"].as_str()).collect();
    assert_eq!(ids, ["a/1", "a/2", "a/3", "b"]);
    assert_eq!(case(&report, "a/2")["group"], "a");
    assert_eq!(case(&report, "a/2")["trials"][0]["output"], "Heard 3: Two.");
    let grades = |id: &str| case(&report, id)["trials"][0]["grades"].as_array().expect("grades").len();
    assert_eq!((grades("a/1"), grades("a/3")), (1, 2));
    // With the cache, no turn is asked twice.
    assert_eq!(lines(&folder).len(), 4);
}

#[test]
fn judges_see_the_conversation() {
    let folder = Folder::small(2);
    folder.append(
        "cases.jsonl",
        "{\"id\": \"chat\", \"turns\": [\"Hello.\", \"How many days does plan 1 give for a refund?\"], \"context\": \"Plan 1 \
         gives 11 days for a refund of the full price.\"}\n",
    );
    let server = MockServer::start(&[]);
    folder.against(&server.base_url, &["run"]).expect_code(0);
    let report = folder.report();
    let grades = case(&report, "chat")["trials"][0]["grades"].as_array().expect("grades");
    assert_eq!(grades.len(), 3);
    assert!(
        grades.iter().all(|grade| grade["score"].as_f64().is_some_and(|score| score > 0.5)),
        "{grades:?}"
    );
}

#[test]
fn recorded_answer_is_that_to_the_last_turn() {
    let folder = suite(&[json!({"id": "a", "turns": ["One.", "Two."]})]);
    folder.edit("promptgate.yaml", "prompt: prompt.yaml\n", "target: {answers: answers.jsonl}\n");
    folder.write("answers.jsonl", "{\"id\": \"a\", \"output\": \"Two it is.\", \"latency_ms\": 5}\n");
    folder.promptgate(&["run", "--offline"]).expect_code(0);
    let report = folder.report();
    let trial = &case(&report, "a")["trials"][0];
    assert_eq!((&trial["output"], &trial["latency_ms"]), (&json!("Two it is."), &json!(5.0)));
    assert_eq!(trial["turns"], json!([{"query": "One.", "reply": {"role": "assistant", "content": ""}}]));
}
