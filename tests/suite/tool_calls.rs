//! Tool calls of answers: checked, judged, and a suite that forgets them.

use serde_json::{Value, json};

use crate::servers::{Server, is_judge, says, verdicts};
use crate::support::Folder;

/// An answer that calls `refund` with these arguments, without a text.
fn calls(arguments: &str) -> Value {
    let call =
        json!({"id": "c1", "type": "function", "function": {"name": "refund", "arguments": arguments}});
    let mut answer = says("");
    answer["choices"][0]["message"] = json!({"content": null, "tool_calls": [call]});
    answer["choices"][0]["finish_reason"] = json!("tool_calls");
    answer
}

/// A suite with checks in place of the judge's metrics.
fn suite(checks: &str) -> Folder {
    let folder = Folder::small(2).without_self_test();
    folder.edit("promptgate.yaml", "  - length: {min_chars: 1}\n", checks);
    folder
}

#[test]
fn calls_are_checked() {
    let schema = "{type: object, required: [order], properties: {order: {type: integer}}}";
    let checks = format!(
        "  - tool_called: {{name: refund, arguments: {schema}, times: 1}}\n  - no_tool_called: [delete_account]\n  \
         - tool_arguments: {{name: refund, path: order, equals: 7}}\n  - not: {{tool_called: [refund, refund]}}\n"
    );
    for (arguments, code, reason) in [
        ("{\"order\": 7}", 0, ""),
        ("{\"order\": 8}", 10, "argument \\\"order\\\" of \\\"refund\\\": expected 7, found 8"),
        ("{\"order\": \"7\"}", 10, "the arguments of \\\"refund\\\" do not match"),
        ("order 7", 10, "the arguments of \\\"refund\\\" are not JSON"),
    ] {
        let server = Server::start(move |_, _| (200, calls(arguments)));
        let folder = suite(&checks);
        folder.against(&server.base_url, &["run", "--no-judge"]).expect_code(code);
        let report = folder.report();
        assert_eq!(report["verdict"], if code == 0 { "pass" } else { "fail" }, "{arguments}");
        let trials = report["cases"][0]["trials"].to_string();
        assert!(trials.contains(reason), "{arguments}: {trials}");
    }
}

#[test]
fn text_about_a_call_is_no_call() {
    let server = Server::start(|_, _| (200, says("[tool call] refund({\"order\": 7})")));
    let folder = suite("  - tool_called: refund\n");
    folder.against(&server.base_url, &["run", "--no-judge"]).expect_code(10).says("check.tool_called");
}

#[test]
fn judges_read_calls_after_the_text() {
    let server = Server::start(|request, _| {
        if !is_judge(request) {
            return (200, calls("{\"order\": 7}"));
        }
        let data = request["messages"].to_string();
        assert!(data.contains("[tool call] refund({"), "{data}");
        (200, verdicts(request))
    });
    let folder = suite("  - tool_called: refund\n");
    folder.edit("promptgate.yaml", "  faithfulness: {min: 0.75}\n", "");
    folder.against(&server.base_url, &["run"]).expect_code(0);
    let report = folder.report();
    let grades = report["cases"][0]["trials"][0]["grades"].as_array().cloned().unwrap_or_default();
    let relevance = grades.iter().find(|grade| grade["scorer"] == "relevance");
    assert_eq!(relevance.map(|grade| grade["score"].clone()), Some(json!(1.0)), "{grades:?}");
}

#[test]
fn tools_without_a_check_are_named_once() {
    let folder = Folder::small(3);
    folder.edit(
        "promptgate.yaml",
        "parameters: {temperature: 0}",
        "parameters: {temperature: 0, tools: [{type: function, function: {name: refund}}]}",
    );
    let warning = "parameters.tools offers tools, but no check reads their calls";
    let outcome = folder.promptgate(&["check"]).expect_code(0).says(warning);
    assert_eq!(outcome.text().matches("no check reads").count(), 1, "{}", outcome.text());
    folder.edit("promptgate.yaml", "  - length: {min_chars: 1}", "  - no_tool_called: true");
    let outcome = folder.promptgate(&["check"]).expect_code(0);
    assert!(!outcome.text().contains("no check reads"), "{}", outcome.text());
}

#[test]
fn keys_of_other_tools_have_a_next_step() {
    for (key, help) in [
        ("icontains: refund", "write `contains: {all: [TEXT], ignore_case: true}`"),
        ("not-regex: refund", "write `not: {regex: …}`"),
        ("latency: 3000", "limits: {latency_p95: 5s}"),
    ] {
        let folder = suite(&format!("  - {key}\n"));
        folder.promptgate(&["check"]).expect_code(2).says(help);
        // The same in a row of the dataset.
        let folder = Folder::small(1);
        let (name, value) = key.split_once(": ").expect("a key");
        folder.append(
            "cases.jsonl",
            &format!("{{\"id\": \"x\", \"query\": \"q\", \"context\": \"c\", \"checks\": [{{\"{name}\": \"{value}\"}}]}}\n"),
        );
        folder.promptgate(&["check"]).expect_code(2).says(help);
    }
}
