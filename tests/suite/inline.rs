//! Prompts that are part of the configuration.

use serde_json::Value;

use crate::ci::{Origin, commands};
use crate::support::Folder;

/// The prompt of the small suite as a text in the configuration.
const TEXT: &str = "\
prompt:
  text: |
    Answer the question from the passages alone, in one sentence.

    {{context}}
";

/// The same as messages.
const MESSAGES: &str = "\
prompt:
  name: support
  version: 3
  messages:
    - role: system
      content: |
        Answer the question from the passages alone, in one sentence.

        {{context}}
    - {role: user, content: '{{query}}'}
";

fn inline(prompt: &str) -> Folder {
    let folder = Folder::small(3);
    folder.edit("promptgate.yaml", "prompt: prompt.md\n", prompt);
    folder
}

fn messages(report: &Value) -> Vec<(String, String)> {
    let messages = report["variants"]["candidate"]["messages"].as_array().expect("messages").iter();
    let text = |value: &Value| value.as_str().expect("a text").trim().to_owned();
    messages.map(|message| (text(&message["role"]), text(&message["content"]))).collect()
}

#[test]
fn text_in_the_configuration_is_the_prompt() {
    let file = Folder::small(3);
    file.promptgate(&["run", "--offline"]).expect_code(0);
    let folder = inline(TEXT);
    folder.promptgate(&["check"]).expect_code(0).says("small").says("promptgate.yaml");
    folder.promptgate(&["run", "--offline"]).expect_code(0).says("PASS");
    let report = folder.report();
    assert_eq!(messages(&report), messages(&file.report()));
    let prompt = &report["variants"]["candidate"]["prompt"];
    assert_eq!((&prompt["name"], &prompt["source"]), (&"small".into(), &"promptgate.yaml".into()));
    // Other keys of the configuration are no part of the prompt.
    folder.edit("promptgate.yaml", "{min: 0.5}", "{min: 0.6}");
    folder.promptgate(&["run", "--offline"]).expect_code(0);
    assert_eq!(&folder.report()["variants"]["candidate"]["prompt"], prompt);
    folder.edit("promptgate.yaml", "in one sentence.", "in one short sentence.");
    folder.promptgate(&["run", "--offline"]).expect_code(0);
    assert_ne!(folder.report()["variants"]["candidate"]["prompt"]["digest"], prompt["digest"]);
}

#[test]
fn messages_in_the_configuration_are_the_prompt() {
    let folder = inline(MESSAGES);
    folder.promptgate(&["run", "--offline"]).expect_code(0).says("PASS");
    let report = folder.report();
    assert_eq!(
        messages(&report),
        messages(&{
            let text = inline(TEXT);
            text.promptgate(&["run", "--offline"]).expect_code(0);
            text.report()
        })
    );
    let prompt = &report["variants"]["candidate"]["prompt"];
    assert_eq!((&prompt["name"], &prompt["version"]), (&"support".into(), &"3".into()));
}

#[test]
fn errors_of_a_prompt_have_their_place_in_the_configuration() {
    for (prompt, place, words) in [
        ("prompt: {text: ''}\n", "promptgate.yaml:4", "`prompt.text` must not be empty"),
        ("prompt: {text: '  '}\n", "promptgate.yaml:4", "the prompt is empty"),
        ("prompt: {text: a, messages: [{role: user, content: b}]}\n", "promptgate.yaml:4", "has both"),
        ("prompt: {name: a}\n", "promptgate.yaml:4", "neither `text` nor `messages`"),
        ("prompt: {file: a.md}\n", "promptgate.yaml:4", "unknown key `file`"),
        ("prompt:\n  text: |\n    Be brief.\n    {{contxt}}\n", "promptgate.yaml:6", "{{contxt}}"),
        (
            "prompt:\n  messages:\n    - {role: boss, content: '{{query}}'}\n",
            "promptgate.yaml:6",
            "unknown role: text \"boss\"",
        ),
    ] {
        let outcome = inline(prompt).promptgate(&["run", "--offline"]).expect_code(2);
        assert!(outcome.stderr.contains(place), "{prompt}: {}", outcome.stderr);
        outcome.says(words);
    }
}

#[test]
fn text_in_the_place_of_a_path_is_refused_with_the_key() {
    let outcome = inline("prompt: 'Answer {{query}}'\n").promptgate(&["check"]).expect_code(2);
    outcome.says("write `prompt: {text: …}`");
}

#[test]
fn dollar_signs_in_a_prompt_are_text() {
    let folder = inline("prompt: {text: 'Answer from {{context}}. Quote prices like ${PRICE}.'}\n");
    folder.promptgate(&["check"]).expect_code(0);
}

#[test]
fn released_prompt_has_to_be_a_file() {
    let folder = inline(TEXT);
    folder.append("promptgate.yaml", "release: {ledger: folder, name: team/support}\n");
    let outcome = folder.promptgate(&["check"]).expect_code(2);
    outcome.says("a prompt that is released must be a file").says("prompt: prompts/NAME.md");
}

#[test]
fn flags_name_files_in_its_place() {
    let folder = inline(TEXT);
    folder.promptgate(&["run", "--offline", "--candidate", "baseline.md"]).expect_code(0);
    assert_eq!(folder.report()["variants"]["candidate"]["prompt"]["source"], "baseline.md");
    folder.promptgate(&["run", "--offline", "--baseline", "file:prompt.md"]).expect_code(0);
    let report = folder.report();
    assert_eq!(report["variants"]["baseline"]["prompt"]["source"], "prompt.md");
    assert_eq!(report["variants"]["candidate"]["prompt"]["source"], "promptgate.yaml");
}

/// A repository whose only commit has this prompt.
fn committed(prompt: &str) -> Folder {
    let folder = inline(prompt);
    folder.edit("promptgate.yaml", "baseline: file:baseline.md\n", "");
    folder.git(&["init", "--quiet", "-b", "main"]);
    folder.write(".gitignore", "promptgate-report\n.promptgate\n");
    folder.git(&["add", "--all"]);
    folder.git(&["commit", "--quiet", "-m", "start"]);
    folder
}

#[test]
fn commits_have_the_prompt_of_their_own_configuration() {
    let folder = committed(TEXT);
    folder.edit("promptgate.yaml", "in one sentence", "in one short sentence");
    folder.promptgate(&["run", "--offline", "--baseline", "git:HEAD"]).expect_code(0);
    let report = folder.report();
    let variants = &report["variants"];
    assert_eq!(variants["baseline"]["prompt"]["source"], "git:HEAD:promptgate.yaml");
    assert_ne!(variants["baseline"]["prompt"]["digest"], variants["candidate"]["prompt"]["digest"]);
    folder
        .promptgate(&["run", "--offline", "--candidate", "git:HEAD", "--baseline", "git:HEAD"])
        .expect_code(0);
    assert_eq!(folder.report()["variants"]["candidate"]["prompt"], variants["baseline"]["prompt"]);
}

#[test]
fn prompt_that_moves_into_the_configuration_is_compared_with_its_file() {
    let folder = committed("prompt: prompt.md\n");
    folder.edit("promptgate.yaml", "prompt: prompt.md\n", TEXT);
    folder.promptgate(&["run", "--offline", "--baseline", "git:HEAD"]).expect_code(0);
    let variants = &folder.report()["variants"];
    assert_eq!(variants["baseline"]["prompt"]["source"], "git:HEAD:prompt.md");
    assert_eq!(variants["baseline"]["messages"], variants["candidate"]["messages"]);
}

#[test]
fn configuration_that_the_baseline_lacks_or_cannot_read_is_no_baseline() {
    let folder = committed("prompt: prompt.md\n");
    folder.git(&["mv", "promptgate.yaml", "elsewhere.yaml"]);
    folder.git(&["commit", "--quiet", "-m", "moved"]);
    folder.git(&["mv", "elsewhere.yaml", "promptgate.yaml"]);
    folder.edit("promptgate.yaml", "prompt: prompt.md\n", TEXT);
    let outcome = folder.promptgate(&["run", "--offline", "--baseline", "git:HEAD"]).expect_code(0);
    outcome.says("promptgate.yaml is not there at the baseline");
    assert!(folder.report()["variants"]["baseline"].is_null());
    let good = folder.read("promptgate.yaml");
    folder.append("promptgate.yaml", "no_such_key: 1\n");
    folder.git(&["add", "--all"]);
    folder.git(&["commit", "--quiet", "-m", "invalid"]);
    folder.write("promptgate.yaml", &good);
    let outcome = folder.promptgate(&["run", "--offline", "--baseline", "git:HEAD"]).expect_code(2);
    outcome.says("the baseline's prompt is in this configuration, which is not valid").says("no_such_key");
}

#[test]
fn pull_request_that_edits_the_text_is_a_change_of_the_prompt() {
    let origin = Origin::new(|folder| folder.edit("promptgate.yaml", "prompt: prompt.md\n", TEXT));
    origin.change(|folder| {
        // A threshold in the same change does not count.
        folder.edit("promptgate.yaml", "relevance: {min: 0.5}", "relevance: {min: 0.1}");
        folder.edit(
            "promptgate.yaml",
            "    Answer the question from the passages alone, in one sentence.\n\n    {{context}}\n",
            "    Be kind.\n    Very kind.\n",
        );
    });
    let job = origin.pull_request();
    let outcome = job.offline().expect_code(10);
    let report = job.checkout.report();
    let variants = &report["variants"];
    assert_eq!(variants["baseline"]["prompt"]["commit"], origin.rev("main"));
    assert_eq!(variants["baseline"]["prompt"]["source"], "git:merge-base:promptgate.yaml");
    assert_eq!(variants["candidate"]["prompt"]["source"], "promptgate.yaml");
    assert_eq!(
        report["policy_source"]["changed"].as_array().expect("changes").len(),
        1,
        "{}",
        report["policy_source"]
    );
    let relevance = report["policy"]["criteria"].as_array().expect("criteria").iter();
    let relevance = relevance.filter(|criterion| criterion["id"] == "relevance.min");
    assert_eq!(relevance.map(|it| it["requirement"]["value"].clone()).collect::<Vec<_>>(), [0.5]);
    let said = commands(&outcome.text());
    let at = said.iter().find(|(name, ..)| name == "error").map(|(_, properties, _)| properties.clone());
    assert_eq!(
        at.as_deref(),
        Some("file=promptgate.yaml,line=6,endLine=7,title=promptgate%3A fail"),
        "{said:?}"
    );
    assert!(job.comment().contains("Very kind"), "{}", job.comment());
}

#[test]
fn pull_request_without_a_change_of_the_prompt_calls_nothing() {
    let origin = Origin::new(|folder| folder.edit("promptgate.yaml", "prompt: prompt.md\n", TEXT));
    origin.change(|folder| folder.append("promptgate.yaml", "# A comment\n"));
    let job = origin.pull_request();
    job.offline().expect_code(0);
    assert_eq!(job.output("verdict"), "unchanged");
}

#[test]
fn application_is_given_the_text() {
    let worker = "import json, sys\nfor line in sys.stdin:\n    print(json.dumps({'output': json.dumps(json.loads(line)['prompt'])}), flush=True)\n";
    let folder = Folder::new();
    folder.write("echo.py", worker);
    folder.write("cases.jsonl", "{\"query\": \"Why?\"}\n");
    folder.write(
        "promptgate.yaml",
        "version: 1\nname: echo\ndataset: cases.jsonl\ntarget: {command: [python3, echo.py]}\nbaseline: none\n\
         gate: {repeats: 1}\nprompt: {text: Be brief., version: 2}\nchecks: [{contains: '\"text\": \"Be brief.\"'}]\n",
    );
    folder.promptgate(&["run"]).expect_code(0);
    let output = folder.report()["cases"][0]["trials"][0]["output"].to_string();
    assert!(output.contains("\\\"version\\\": \\\"2\\\"") && !output.contains("path"), "{output}");
    folder.edit(
        "promptgate.yaml",
        "{text: Be brief., version: 2}",
        "{messages: [{role: user, content: Be brief.}]}",
    );
    folder.edit("promptgate.yaml", "'\"text\": \"Be brief.\"'", "Be brief.");
    folder.promptgate(&["run"]).expect_code(0);
}
