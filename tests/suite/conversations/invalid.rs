//! Conversations that are refused, each with its place and the way out.

use serde_json::{Value, json};

use super::images::{with_image, write};
use super::{suite, write_cases};
use crate::support::Folder;

/// A row with these messages and a question.
fn with(messages: Value) -> Value {
    json!({"id": "a", "messages": messages, "query": "Why?"})
}

fn refused(folder: &Folder, words: &[&str]) {
    let outcome = folder.promptgate(&["check"]).expect_code(2);
    words.iter().fold(outcome, |outcome, words| outcome.says(words));
}

#[test]
fn invalid_rows_are_refused_with_place_and_way_out() {
    let folder = suite(&[]);
    for (row, words) in [
        (with(json!([{"role": "bot", "content": "a"}])), ["item 1: unknown role", "assistant and tool"]),
        (with(json!("Hello")), ["`messages` must be a list", "write `messages: [{role: user"]),
        (with(json!({"role": "user"})), ["`messages` must be a list", "write `messages: [{role: user"]),
        (
            with(json!([{"role": "tool", "content": "a"}])),
            ["item 1: a message of the role tool has no `tool_call_id`", "write the id"],
        ),
        (
            with(
                json!([{"role": "user", "content": "a"}, {"role": "tool", "tool_call_id": "x", "content": "a"}]),
            ),
            ["item 2: no tool call before this result", "give the call that `id`"],
        ),
        (
            with(json!([{"role": "system", "content": [{"image": "a.png"}]}])),
            ["item 1: an image in a message of the role system", "a message of the user"],
        ),
        (
            with(
                json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://a.example/a.png"}}]}]),
            ),
            ["must be an https: address", "{image: shots/checkout.png}"],
        ),
        (
            with(json!([{"role": "user", "content": [{"image": "a.svg"}]}])),
            ["`a.svg` is an SVG image", "convert it"],
        ),
        (json!({"id": "a", "turns": []}), ["`turns` is empty", "write the lines of the user"]),
        (json!({"id": "a", "turns": ["Hi", " "]}), ["`turns` item 2 is empty", "remove it"]),
        (json!({"id": "a", "turns": 3}), ["`turns` must be a list of texts", "vars.turns"]),
        (
            json!({"id": "a", "turns": ["Hi"], "query": "Why?"}),
            ["both `query` and `turns`", "the last of the `turns`"],
        ),
        (
            json!({"id": "a", "query": [{"role": "user", "content": "Why?"}]}),
            ["`query` must be text", "under `messages`"],
        ),
    ] {
        write_cases(&folder, &[row]);
        refused(&folder, &["cases.jsonl:1", words[0], words[1]]);
    }
}

#[test]
fn images_that_cannot_be_sent_are_refused() {
    let folder = suite(&[with_image(json!({"image": "one.png"}))]);
    refused(
        &folder,
        &["cases.jsonl:1", "the image `one.png`: file not found", "relative to the file that names it"],
    );
    write(&folder, "one.png", b"\x89PNG\r\n\x1a\n");
    folder.promptgate(&["check"]).expect_code(0);
    let file = std::fs::File::create(folder.path().join("one.png")).expect("a file");
    file.set_len((5 << 20) + 1).expect("a long file");
    refused(&folder, &["the image `one.png`: is larger than 5 MiB", "reduce its size"]);
    write(&folder, "one.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>");
    refused(&folder, &["the image `one.png`: is an SVG image", "convert it"]);
    write(&folder, "one.png", b"%PDF-1.7");
    refused(&folder, &["the image `one.png`: is a PDF document", "PNG, JPEG, GIF and WebP"]);
}

#[test]
fn invalid_prompts_are_refused_with_their_lines() {
    let folder = suite(&[json!({"id": "a", "query": "Why?"})]);
    let image = "- {role: system, content: Look.}\n- role: user\n  content: [{type: text, text: '{{query}}'}, {image: gone.png}]\n";
    folder.write("prompt.yaml", image);
    refused(&folder, &["prompt.yaml:3", "the image `gone.png`: file not found"]);
    folder.write("prompt.yaml", "- {role: tool, content: x}\n- {role: user, content: '{{query}}'}\n");
    refused(&folder, &["prompt.yaml:1", "has no `tool_call_id`"]);
    folder.write("prompt.yaml", "- {role: system, content: [{image: a.png}]}\n");
    refused(&folder, &["prompt.yaml:1", "text alone"]);
    folder.write("prompt.yaml", "- {role: function, content: x}\n");
    refused(&folder, &["prompt.yaml:1", "unknown role"]);
}

#[test]
fn turn_whose_id_is_taken_is_refused() {
    let folder = suite(&[json!({"id": "a", "turns": ["Hi", "Why?"]}), json!({"id": "a/2", "query": "Why?"})]);
    folder.promptgate(&["check"]).expect_code(0);
    folder.edit("promptgate.yaml", "dataset: cases.jsonl", "dataset: {path: cases.jsonl, grade_turns: each}");
    refused(&folder, &["cases.jsonl:1", "turn 2 of case `a` has the id of another case, `a/2`"]);
    folder.edit("promptgate.yaml", "grade_turns: each", "grade_turns: all");
    refused(&folder, &["grade_turns"]);
}

#[test]
fn turns_that_a_prompt_cannot_ask_are_refused() {
    let folder = suite(&[json!({"id": "a", "turns": ["Hi", "Why?"]})]);
    folder.write("prompt.yaml", "- {role: user, content: Hello.}\n");
    refused(
        &folder,
        &["prompt.yaml", "the turns of case `a` are not asked", "in its last message of the user"],
    );
    folder.write("prompt.yaml", "- {role: user, content: '{{query}}'}\n");
    folder.append("promptgate.yaml", "parameters: {tools: [{type: function, function: {name: find}}]}\n");
    folder.promptgate(&["check"]).expect_code(0).says("tools that an earlier turn calls are not run");
}
