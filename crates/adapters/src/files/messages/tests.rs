use serde_json::json;

use super::*;

fn parsed(items: Value) -> Vec<Message> {
    let (messages, problems) = parse(items.as_array().unwrap());
    assert_eq!(problems, []);
    messages.into_iter().map(|(_, message)| message).collect()
}

#[test]
fn messages_of_a_log_are_read() {
    let messages = parsed(json!([
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Look:"}, {"image": "a.png"},
            {"type": "image_url", "image_url": {"url": "https://a.example/x.png", "detail": "low"}},
            {"type": "text", "text": "What is it?"}]},
        {"role": "assistant", "content": null, "refusal": null, "annotations": [], "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "find", "arguments": "{\"a\":1}"}},
            {"id": "c2", "name": "find", "arguments": {"b": 2}}]},
        {"role": "tool", "tool_call_id": "c2", "content": "two"},
        {"role": "tool", "tool_call_id": "c1", "name": "find", "content": ""},
    ]));
    assert_eq!(messages[1].content, "Look:\n\nWhat is it?");
    let urls: Vec<&str> = messages[1].images.iter().map(|image| image.url.as_str()).collect();
    assert_eq!(urls, ["a.png", "https://a.example/x.png"]);
    let calls: Vec<String> = messages[2].tool_calls.iter().map(ToString::to_string).collect();
    assert_eq!(calls, ["find({\"a\":1})", "find({\"b\":2})"]);
    assert_eq!(messages[3].tool_call_id.as_deref(), Some("c2"));
}

#[test]
fn errors_name_place_and_way_out() {
    let call = json!({"id": "c1", "name": "find"});
    for (message, at, part) in [
        (json!(3), "/0", "must be a map"),
        (json!({"role": "bot", "content": "a"}), "/0/role", "unknown role"),
        (json!({"content": "a"}), "/0/role", "has no `role`"),
        (json!({"role": "user", "content": " "}), "/0/content", "must be text or a list of parts"),
        (
            json!({"role": "user", "content": [{"type": "input_audio"}]}),
            "/0/content/0",
            "unknown type of a part",
        ),
        (json!({"role": "user", "content": ["a"]}), "/0/content/0", "must be a map"),
        (json!({"role": "user", "content": [{"type": "text"}]}), "/0/content/0", "no `text`"),
        (json!({"role": "user", "content": [{"type": "image_url"}]}), "/0/content/0", "no `image_url.url`"),
        (json!({"role": "user", "content": [{"image": "a.svg"}]}), "/0/content/0", "SVG"),
        (json!({"role": "system", "content": [{"image": "a.png"}]}), "/0/content/0", "text alone"),
        (json!({"role": "tool", "content": "a"}), "/0", "no `tool_call_id`"),
        (json!({"role": "user", "content": "a", "tool_call_id": "c"}), "/0/tool_call_id", "outside"),
        (json!({"role": "user", "content": "a", "tool_calls": [call]}), "/0/tool_calls", "outside"),
        (json!({"role": "assistant", "tool_calls": [{"id": "c"}]}), "/0/tool_calls/0", "needs a `name`"),
        (json!({"role": "assistant", "tool_calls": "find"}), "/0/tool_calls", "must be a list"),
        (json!({"role": "user", "content": "a", "nme": "b"}), "/0/nme", "unknown key `nme`"),
        (json!({"role": "tool", "content": "a", "tool_call_id": "x"}), "/0/tool_call_id", "no tool call"),
        (json!({"role": "assistant", "tool_calls": [call]}), "/0", "has no result"),
    ] {
        let (_, problems) = parse(std::slice::from_ref(&message));
        assert!(
            problems.iter().any(|problem| problem.at == at && problem.message.contains(part)),
            "{message}: {problems:?}"
        );
        assert!(problems.iter().all(|problem| !problem.help.is_empty() && problem.number() == 1));
    }
}
