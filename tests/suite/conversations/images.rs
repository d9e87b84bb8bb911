//! Images of cases and prompts: files, addresses, and the commit that they are from.

use serde_json::{Value, json};

use super::{application, case, lines, suite};
use crate::policy_from::{change_of, commit, run};
use crate::support::{Folder, KEY, MockServer, finish};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\none";
const OTHER_PNG: &[u8] = b"\x89PNG\r\n\x1a\ntwo";
const GIF: &[u8] = b"GIF89a";

pub(super) fn write(folder: &Folder, name: &str, bytes: &[u8]) {
    let path = folder.path().join(name);
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    std::fs::write(path, bytes).expect("a file");
}

pub(super) fn with_image(part: Value) -> Value {
    json!({"id": "a", "messages": [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, part]}]})
}

#[test]
fn file_beside_the_dataset_is_sent_as_data() {
    let folder = application(&[
        with_image(json!({"image": "shots/one.png"})),
        json!({"id": "b", "messages": [
            {"role": "user", "content": [{"image": "shots/one.png"}]}, {"role": "assistant", "content": "A shot."}],
            "query": "And now?"}),
    ]);
    let cases = folder.read("cases.jsonl");
    folder.write("data/cases.jsonl", &cases);
    folder.edit("promptgate.yaml", "dataset: cases.jsonl", "dataset: data/cases.jsonl");
    write(&folder, "data/shots/one.png", PNG);
    folder.promptgate(&["run", "--offline"]).expect_code(0);
    let lines = lines(&folder);
    let of = |id: &str| lines.iter().find(|line| line["id"] == id).expect("a line");
    assert_eq!(of("a")["images"], json!(["data:image/png;base64,iVBORw0KGgpvbmU="]));
    let part = &of("b")["messages"][0]["content"][0];
    assert_eq!(part["image_url"]["url"], "data:image/png;base64,iVBORw0KGgpvbmU=");
    let digest = folder.report()["dataset"]["digest"].clone();
    write(&folder, "data/shots/one.png", OTHER_PNG);
    folder.promptgate(&["run", "--offline"]).expect_code(0);
    assert_ne!(folder.report()["dataset"]["digest"], digest, "an image is part of the dataset");
}

#[test]
fn images_and_tools_go_through_every_protocol() {
    let history = json!([
        {"role": "user", "content": [{"type": "text", "text": "Look:"}, {"image": "a.png"},
            {"type": "image_url", "image_url": {"url": "https://a.example/x.png"}}]},
        {"role": "assistant", "tool_calls": [{"id": "c1", "name": "find", "arguments": {"a": 1}},
            {"id": "c2", "name": "find", "arguments": {"a": 2}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "one"},
        {"role": "tool", "tool_call_id": "c2", "content": "two"},
    ]);
    for (protocol, key, base_url) in [
        ("openai", "OPENAI_API_KEY", "OPENAI_BASE_URL"),
        ("anthropic", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"),
        ("gemini", "GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL"),
    ] {
        let server = MockServer::start(&[]);
        let folder = suite(&[json!({"id": "a", "messages": history, "turns": ["Who?", "Why?"]})]);
        folder.edit("promptgate.yaml", "endpoint: {", &format!("endpoint: {{protocol: {protocol}, "));
        write(&folder, "a.png", PNG);
        let mut command = folder.command(&["run"]);
        command.env(key, KEY).env(base_url, &server.base_url);
        finish(command).expect_code(0);
        let report = folder.report();
        let tokens = case(&report, "a")["trials"][0]["usage"]["prompt_tokens"].as_u64().expect("tokens");
        assert!(tokens > 4 * 256, "{protocol}: two images in two turns: {tokens}");
        let text = folder.read("promptgate-report/report.json");
        assert!(text.contains("image/png sha256:") && !text.contains("base64"), "{protocol}");
    }
}

#[test]
fn image_of_a_prompt_is_from_the_commit_of_the_prompt() {
    let folder = suite(&[json!({"id": "a", "query": "What is it?"})]);
    folder.write(
        "prompts/look.yaml",
        "- {role: system, content: It is a lamp.}\n\
         - role: user\n  content: [{type: text, text: 'Look: {{query}}'}, {image: ../shots/one.png}]\n",
    );
    folder.edit("promptgate.yaml", "prompt: prompt.yaml", "prompt: prompts/look.yaml");
    folder.edit("promptgate.yaml", "baseline: none", "baseline: git:main");
    write(&folder, "shots/one.png", PNG);
    folder.git(&["init", "--quiet", "-b", "main"]);
    commit(&folder, "first");
    folder.promptgate(&["run", "--offline"]).expect_code(0).says("candidate and baseline are equal");
    write(&folder, "shots/one.png", OTHER_PNG);
    folder.promptgate(&["run", "--offline"]).expect_code(0);
    let report = folder.report();
    let variants = &report["variants"];
    assert_ne!(variants["candidate"]["prompt"]["digest"], variants["baseline"]["prompt"]["digest"]);
    let shown =
        |variant: &str| variants[variant]["messages"][1]["content"].as_str().expect("a text").to_owned();
    assert!(shown("candidate").contains("[image image/png sha256:"), "{}", shown("candidate"));
    assert_ne!(shown("candidate"), shown("baseline"));
}

#[test]
fn image_outside_of_the_repository_is_refused_under_a_policy() {
    let folder = change_of(|folder| {
        std::fs::remove_file(folder.path().join("cases.jsonl")).expect("the cases");
        folder.write("suite/.keep", "");
        folder.write("cases.jsonl", &format!("{}\n", with_image(json!({"image": "one.gif"}))));
        folder.edit(
            "promptgate.yaml",
            "metrics:\n  faithfulness: {min: 0.75}\n  relevance: {min: 0.5}\n",
            "",
        );
        folder.edit("promptgate.yaml", "judge: {model: tiny-judge}\n", "");
        folder.write("prompt.md", "Look at the image.\n");
        write(folder, "one.gif", GIF);
    });
    folder.append("prompt.md", "Be brief.\n");
    folder.write("cases.jsonl", &format!("{}\n", with_image(json!({"image": "../one.gif"}))));
    commit(&folder, "change");
    run(&folder).expect_code(2).says("the image `../one.gif`").says("outside the repository");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("one.gif", folder.path().join("link.gif")).expect("a link");
        folder.write("cases.jsonl", &format!("{}\n", with_image(json!({"image": "link.gif"}))));
        commit(&folder, "link");
        run(&folder).expect_code(2).says("the image `link.gif`").says("is a symbolic link");
    }
}

#[test]
fn prompt_with_an_image_is_not_published() {
    let folder = suite(&[json!({"id": "a", "query": "What is it?"})]);
    folder.append("promptgate.yaml", "release: {name: look, ledger: {path: ledger}}\n");
    folder.write(
        "prompt.yaml",
        "- {role: system, content: It is a lamp.}\n- role: user\n  content: [{type: text, text: '{{query}}'}, \
         {type: image_url, image_url: {url: 'https://a.example/x.png'}}]\n",
    );
    folder.promptgate(&["run", "--offline"]).expect_code(0);
    let publish = ["publish", "--report", "promptgate-report/report.json", "--allow-simulated"];
    folder.promptgate(&publish).expect_code(2).says("prompt.yaml:3").says("registries take text alone");
}
