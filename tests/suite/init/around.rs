//! `init` is about the prompts that a folder has: each suite checks and runs at once.

use promptgate_core::document::Document;
use serde_json::Value;

use crate::support::{Folder, Outcome, repository};

/// A folder with these files.
pub(super) fn folder(files: &[(&str, &str)]) -> Folder {
    let folder = Folder::new();
    for (name, text) in files {
        folder.write(name, text);
    }
    folder
}

/// Runs `init`, then `check` and `run --offline`, whose report is about this prompt; the output of `init`.
#[track_caller]
pub(super) fn works(folder: &Folder, arguments: &[&str], prompt: &str) -> Outcome {
    let outcome = folder.promptgate(&[&["init"][..], arguments].concat()).expect_code(0);
    folder.promptgate(&["check"]).expect_code(0);
    folder.promptgate(&["run", "--offline"]).expect_code(0);
    let report = folder.report();
    assert_eq!(report["variants"]["candidate"]["prompt"]["source"], prompt, "{}", report["variants"]);
    outcome
}

/// The configuration of a folder, as the published schema reads it.
#[track_caller]
fn valid(folder: &Folder, name: &str) -> Value {
    let text = folder.read(name);
    let line = text.lines().next().expect("a first line");
    let schema = line.strip_prefix("# yaml-language-server: $schema=").expect("the line of the schema");
    let path = folder.path().join(name).parent().expect("a folder").join(schema);
    let schema: Value = serde_json::from_slice(&std::fs::read(path).expect("the schema")).expect("JSON");
    let document = yaml(&text);
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}\n{text}");
    document
}

fn yaml(text: &str) -> Value {
    Document::yaml("promptgate.yaml", text).expect("YAML").into_value()
}

#[test]
fn lone_text_without_dataset_gets_drafts() {
    let folder = folder(&[("helper.txt", "You help gardeners. Answer in one sentence.\n")]);
    let outcome = works(&folder, &[], "helper.txt");
    let outcome =
        outcome.says("found prompt helper.txt (no placeholders)").says("3 draft cases in cases.jsonl");
    assert!(outcome.stdout.lines().all(|line| line.chars().count() <= 80), "{}", outcome.stdout);
    assert_eq!(folder.read("helper.txt"), "You help gardeners. Answer in one sentence.\n");
    assert!(!folder.path().join(".gitignore").exists() && !folder.path().join(".github").exists());
    valid(&folder, "promptgate.yaml");
}

#[test]
fn dataset_is_mapped_to_the_placeholders() {
    let folder = folder(&[
        ("prompts/support.md", "Answer from the passages.\n\n{{passages}}\n"),
        (
            "qa.csv",
            "id,question,context,answer\n1,How long is a repair?,A repair takes three days.,Three days.\n",
        ),
        ("package.csv", "name,size\nx,1\n"),
        ("README.md", "# Shop\n\nWrite {{name}}.\n"),
    ]);
    let outcome = works(&folder, &["--yes"], "prompts/support.md");
    outcome.says("question ▸ query").says("task rag: the prompt inserts {{passages}}");
    let configuration = valid(&folder, "promptgate.yaml");
    assert_eq!(configuration["dataset"]["path"], "qa.csv");
    assert_eq!(configuration["dataset"]["fields"]["vars.passages"], "context");
    assert_eq!(configuration["dataset"]["fields"]["expected"], "answer");
    assert!(configuration["metrics"]["correctness"].is_object(), "{configuration}");
    assert!(!folder.path().join("cases.jsonl").exists());
}

#[test]
fn chats_get_suites() {
    let json = r#"[{"role": "system", "content": "Be brief about {{topic}}."}, {"role": "user", "content": "{{question}}"}]"#;
    works(&folder(&[("chat.json", json)]), &[], "chat.json");
    let yaml = "messages:\n  - {role: system, content: You help.}\n  - {role: user, content: \"{{text}}\"}\n";
    works(&folder(&[("data/chat.yaml", yaml)]), &[], "data/chat.yaml");
    let prompty = "---\nname: Basic\n---\nsystem:\nYou are kind.\n\nuser:\n{{question}}\n";
    works(&folder(&[("basic.prompty", prompty)]), &[], "basic.prompty");
    let github = "name: Sum\nmodel: openai/gpt-4o-mini\nmessages:\n  - {role: user, content: \"Summarize {{input}}\"}\n";
    let folder = folder(&[("sum.prompt.yml", github)]);
    works(&folder, &[], "sum.prompt.yml");
    assert!(folder.read("promptgate.yaml").contains("models.github.ai"));
}

#[test]
fn suites_of_other_tools_are_imported() {
    let github = "name: Sum\nmodel: openai/gpt-4o-mini\nmessages:\n  - {role: user, content: \"Say {{input}}\"}\ntestData:\n  - \
                  {input: hello}\n";
    let github = folder(&[("sum.prompt.yml", github)]);
    let outcome = github.promptgate(&["init"]).expect_code(0);
    outcome.says("a GitHub prompt: importing it, as with --from").says("imported a GitHub prompt: 1 case");
    github.promptgate(&["check"]).expect_code(0);
    let promptfoo = "prompts: [\"Say {{x}}\"]\nproviders: [openai:gpt-4o-mini]\ntests:\n  - vars: {x: hello}\n    assert: \
                     [{type: contains, value: hello}]\n";
    let promptfoo =
        folder(&[("promptfooconfig.yaml", promptfoo), ("other_prompt.txt", "Answer {{question}}.")]);
    promptfoo
        .promptgate(&["init"])
        .expect_code(0)
        .says("imported a promptfoo configuration: 1 case, 1 assertion");
    promptfoo.promptgate(&["check"]).expect_code(0);
}

#[test]
fn application_with_a_prompt_below_is_found() {
    let folder = folder(&[
        ("app/main.py", "print('{{x}}')\n"),
        ("app/prompts/system.txt", "Answer from this: {{context}}\n"),
        ("app/prompts/README.md", "# How we write prompts\n"),
        ("requirements.txt", "requests\nflask\nopenai\n"),
        ("node_modules/x/prompt.md", "Not {{mine}}.\n"),
        (
            "tests/golden.json",
            r#"[{"question": "How long is it?", "contexts": ["It is three meters long."], "ground_truth": "3 m"}]"#,
        ),
        ("package.json", r#"{"name": "app"}"#),
    ]);
    let outcome = works(&folder, &[], "app/prompts/system.txt");
    outcome
        .says("1 case in tests/golden.json (json, read as Ragas")
        .says("suite app: app/prompts/system.txt");
}

#[test]
fn several_prompts_need_a_choice() {
    let folder = folder(&[
        ("prompts/a.md", "Answer {{question}}.\n"),
        ("prompts/it's b.md", "Explain {{topic}}.\n"),
        ("notes.txt", "Some notes of mine.\n"),
    ]);
    let outcome = folder.promptgate(&["init"]).expect_code(2);
    assert!(outcome.stdout.contains("\n  promptgate init --prompt prompts/a.md\n"), "{}", outcome.stdout);
    assert!(
        outcome.stdout.contains("\n  promptgate init --prompt 'prompts/it'\\''s b.md'\n"),
        "{}",
        outcome.stdout
    );
    assert!(!outcome.stdout.contains("notes.txt"), "{}", outcome.stdout);
    outcome.says("--prompt all").says("nothing was written");
    assert!(!folder.path().join("promptgate.yaml").exists());
    works(&folder, &["--prompt", "prompts/it's b.md"], "prompts/it's b.md");
}

#[test]
fn monorepo_gets_a_list_of_suites() {
    let folder = folder(&[
        ("services/a/prompts/main.md", "Answer {{question}}.\n"),
        ("services/b/prompts/main.md", "Explain {{topic}} to {{reader}}.\n"),
        ("services/c/prompt.txt", "Be kind.\n"),
        ("prompts/triage.txt", "Classify the ticket {{ticket}} as billing or other.\n"),
        ("prompts/triage.csv", "ticket,label\nbill one,billing\nwhat,other\nbill two,billing\nhm,other\n"),
        ("prompts/rag.txt", "Answer {{question}} from {{context}}.\n"),
    ]);
    let outcome = folder.promptgate(&["init", "--prompt", "all"]).expect_code(0);
    let outcome =
        outcome.says("task classify: `expected` has 2 labels").says("suite b: services/b/prompts/main.md");
    outcome.says("the simulated model cannot classify");
    let list = valid(&folder, "promptgate.yaml");
    assert_eq!(list["suites"].as_array().map(Vec::len), Some(5), "{list}");
    for path in ["suites/triage", "suites/rag", "services/a/prompts", "services/b/prompts", "services/c"] {
        valid(&folder, &format!("{path}/promptgate.yaml"));
    }
    folder.promptgate(&["check"]).expect_code(0);
    // The labels are beyond the simulated model; the suites without them pass.
    folder.promptgate(&["run", "--offline"]).expect_code(10);
    let suites: Value =
        serde_json::from_str(&folder.read("promptgate-report/suites.json")).expect("suites.json is JSON");
    let verdicts: Vec<&str> = suites["suites"]
        .as_array()
        .expect("suites")
        .iter()
        .filter_map(|suite| suite["verdict"].as_str())
        .collect();
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == "pass").count(), 4, "{verdicts:?}");
}

#[test]
fn pattern_and_folder_choose_prompts() {
    let files = [
        ("p/a.md", "Answer {{question}}.\n"),
        ("p/b.md", "Explain {{topic}}.\n"),
        ("c_prompt.md", "Be kind.\n"),
    ];
    let both = folder(&files);
    both.promptgate(&["init", "--prompt", "p/*.md"]).expect_code(0);
    assert!(
        both.path().join("suites/a/promptgate.yaml").exists()
            && both.path().join("suites/b/promptgate.yaml").exists()
    );
    let elsewhere = folder(&files);
    elsewhere.promptgate(&["init", "gate/a", "--prompt", "p/a.md"]).expect_code(0);
    assert!(elsewhere.read("gate/a/promptgate.yaml").contains("../../p/a.md"));
    elsewhere.promptgate(&["run", "gate/a", "--offline"]).expect_code(0);
    let none = folder(&files);
    none.promptgate(&["init", "--prompt", "q/*.md"]).expect_code(2).says("no prompt matches").says("p/a.md");
    none.promptgate(&["init", "--prompt", "none.md"]).expect_code(2).says("file not found");
}

#[test]
fn named_dataset_has_to_fit() {
    let folder = folder(&[
        ("prompt.md", "Explain {{topic}} to {{reader}}.\n"),
        ("cases.csv", "topic\nrain\n"),
        ("empty.csv", ""),
    ]);
    let refused = |arguments: &[&str]| folder.promptgate(&[&["init"][..], arguments].concat()).expect_code(2);
    refused(&["--dataset", "cases.csv"])
        .says("does not fit prompt.md: it has no value for {{reader}}")
        .says("columns are topic");
    refused(&["--dataset", "empty.csv"]).says("no rows");
    refused(&["--dataset", "none.csv"]).says("file not found");
    assert!(!folder.path().join("promptgate.yaml").exists());
    // Without the flag, the reason is a note.
    folder.promptgate(&["init"]).expect_code(0).says("cases.csv does not fit prompt.md").says("draft cases");
}

#[test]
fn task_chooses_checks_and_metrics() {
    for (task, words) in [
        ("rag", "faithfulness: {}"),
        ("classify", "# - one_of: "),
        ("extract", "# - is_json: true"),
        ("chat", "relevance: {}"),
        ("agent", "# - tool_called: "),
    ] {
        let folder = folder(&[("prompt.md", "You help gardeners. Answer {{question}} in one sentence.\n")]);
        works(&folder, &["--task", task], "prompt.md").says(&format!("task {task}: as asked"));
        let text = folder.read("promptgate.yaml");
        assert!(text.contains(words), "{task}: {text}");
    }
    let folder = folder(&[("prompt.md", "Answer {{question}}.\n"), ("cases.csv", "question\nWhy?\n")]);
    folder
        .promptgate(&["init", "--task", "rag"])
        .expect_code(2)
        .says("--task rag needs passages")
        .says("cases.csv");
}

#[test]
fn models_of_other_vendors_are_configured() {
    for (model, words) in [
        ("claude-sonnet-4-5", "protocol: anthropic, api_key_env: ANTHROPIC_API_KEY"),
        ("gemini-2.5-flash", "protocol: gemini, api_key_env: GEMINI_API_KEY"),
        ("gpt-5", "parameters: {max_completion_tokens: 1000}"),
        ("llama-of-mine", "budget: {calls: 2000}"),
    ] {
        let folder = folder(&[("prompt.md", "You help gardeners. Answer in one sentence.\n")]);
        works(&folder, &["--model", model], "prompt.md");
        assert!(
            folder.read("promptgate.yaml").contains(words),
            "{model}: {}",
            folder.read("promptgate.yaml")
        );
    }
    let own = folder(&[("prompt.md", "---\nmodel: gpt-4.1\n---\nYou help gardeners.\n")]);
    works(&own, &[], "prompt.md");
    assert!(own.read("promptgate.yaml").contains("# model: as the prompt file says"));
}

#[test]
fn single_braces_are_named_and_left() {
    let text = "Answer kindly.\nThe question is {question}.\n";
    let folder = folder(&[("prompt.txt", text)]);
    works(&folder, &[], "prompt.txt")
        .says("prompt.txt:2: {question} in single braces is sent as it is")
        .says("{{question}}");
    assert_eq!(folder.read("prompt.txt"), text);
    folder.edit("prompt.txt", "{question}", "{{question}}");
    folder.promptgate(&["check"]).expect_code(0);
}

#[test]
fn prompts_that_no_suite_can_use_are_named() {
    let logic = folder(&[("prompts/a.txt", "{% if x %}a{% endif %}\n")]);
    logic.promptgate(&["init"]).expect_code(2).says("prompts/a.txt:1").says("no conditions and loops");
    let reference = folder(&[("prompts/a.txt", "Say {{expected}}.\n")]);
    reference
        .promptgate(&["init", "--prompt", "prompts/a.txt"])
        .expect_code(2)
        .says("show the model the reference answer");
    let bytes = Folder::new();
    bytes.write("prompts/good.txt", "Be kind.\n");
    std::fs::write(bytes.path().join("prompts/bad.txt"), [0xff, 0xfe, 0x41]).expect("a file");
    works(&bytes, &[], "prompts/good.txt").says("skipped prompts/bad.txt: ");
    assert!(
        !logic.path().join("promptgate.yaml").exists() && !reference.path().join("promptgate.yaml").exists()
    );
}

#[test]
fn existing_suites_and_files_stay() {
    let there = Folder::small(3);
    let before = there.read("promptgate.yaml");
    there.promptgate(&["init"]).expect_code(2).says("promptgate.yaml exists already; nothing was written");
    there.promptgate(&["init", "--prompt", "prompt.md"]).expect_code(2).says("exists already");
    assert_eq!(there.read("promptgate.yaml"), before);
    let below = folder(&[("a/prompts/x.md", "Answer {{question}}.\n")]);
    below.promptgate(&["init", "a"]).expect_code(0);
    below.promptgate(&["init"]).expect_code(2).says("every prompt here has a suite: a/promptgate.yaml");
    let other = folder(&[
        ("prompt.md", "Be kind.\n"),
        ("cases.jsonl", "{\"size\": 1}\n"),
        ("promptgate.schema.json", "mine"),
    ]);
    other.promptgate(&["init"]).expect_code(0).says("wrote cases-2.jsonl");
    assert_eq!(
        (other.read("cases.jsonl").as_str(), other.read("promptgate.schema.json").as_str()),
        ("{\"size\": 1}\n", "mine")
    );
}

#[cfg(unix)]
#[test]
fn hostile_names_and_links_are_skipped() {
    let folder = folder(&[
        ("a\nb prompt.txt", "Answer {{question}}."),
        ("\u{1b}[31mred prompt.txt", "Answer {{question}}."),
        ("it's: #1 prompt.txt", "Answer {{question}}."),
    ]);
    std::os::unix::fs::symlink("it's: #1 prompt.txt", folder.path().join("link_prompt.md")).expect("a link");
    std::os::unix::fs::symlink(".", folder.path().join("loop")).expect("a link");
    let outcome = works(&folder, &[], "it's: #1 prompt.txt");
    assert!(!outcome.text().contains('\u{1b}'), "{}", outcome.text());
    outcome
        .says("its name has characters that are not visible")
        .says("link_prompt.md: it is a symbolic link");
    let refused = folder.promptgate(&["init", "x", "--prompt", "link_prompt.md"]).expect_code(2);
    refused.says("a symbolic link").says("it's: #1 prompt.txt");
}

#[test]
fn schema_of_a_list_of_suites_is_published() {
    let schema: Value = serde_json::from_slice(
        &std::fs::read(repository().join("schema/config.schema.json")).expect("the schema"),
    )
    .expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    for (text, is_valid) in [
        ("{version: 1, suites: [a, b/*]}", true),
        ("{version: 1, suites: []}", false),
        ("{version: 1, suites: [a], model: x}", false),
        ("{suites: [a]}", false),
        ("{version: 1}", false),
        ("{version: 1, dataset: a.jsonl}", true),
    ] {
        assert_eq!(validator.is_valid(&yaml(text)), is_valid, "{text}");
    }
}
