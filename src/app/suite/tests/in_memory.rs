//! Phase two alone: suites parsed from bytes in memory, without a file system and without waiting.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::app::Failure;
use crate::app::sources::{BaselineSource, NamedFiles, PromptFile, ResolvedPrompt, Sources};
use crate::app::suite::{Suite, SuiteOptions, build, dataset};
use crate::app::testing::CONFIG;
use crate::config;
use promptgate_adapters::files::{DatasetBytes, DatasetFile, PromptBytes, PromptSource, Tree};
use promptgate_core::check;
use promptgate_core::model::{Diagnostic, Diagnostics, Place};
use promptgate_core::text::Redactor;

const CASES: &str = "{\"id\": \"a\", \"query\": \"q\"}\n";
const JUDGED: &str = "judge: {model: j, planted: planted.jsonl}\nmetrics: {relevance: {min: 0.5}}\n";

/// Parses a suite of these files.
fn parse(files: &[(&str, &str)]) -> Result<Suite, Failure> {
    let files: BTreeMap<&str, &str> = files.iter().copied().collect();
    let bytes = |path: &str| match files.get(path) {
        Some(text) => Ok(text.as_bytes().to_vec()),
        None => Err(Diagnostic::new("file not found").at(Place::file(path))),
    };
    let rows = |path: &str| DatasetBytes {
        name: path.to_owned(),
        files: Ok(vec![DatasetFile { name: path.to_owned(), path: path.to_owned(), bytes: bytes(path) }]),
    };
    let settings = config::load("promptgate.yaml", files["promptgate.yaml"], &check::entry_schema())?;
    let prompt = bytes("prompt.md").map(|bytes| {
        ResolvedPrompt::File(Box::new(PromptFile {
            prompt: PromptBytes { file: "prompt.md".to_owned(), bytes, ..PromptBytes::default() },
            source: PromptSource {
                path: "prompt.md".to_owned(),
                user: settings.user.clone(),
                model: Some("tiny".to_owned()),
                ..PromptSource::default()
            },
            answer_schema: None,
            of_merge_base: false,
        }))
    });
    let dataset = dataset::parse(rows("cases.jsonl"), &settings);
    let sources = Sources {
        shown: "promptgate.yaml".to_owned(),
        policy_source: None,
        policy_dataset: None,
        policy_prompt: None,
        changed_target: None,
        notices: Vec::new(),
        planted: settings.judge.is_some().then(|| rows("planted.jsonl")),
        policy_tree: Tree::work_tree(""),
        files: NamedFiles::in_memory(&files),
        candidate: prompt.map_err(Into::into),
        release: None,
        baseline: Ok(BaselineSource::None { note: None, if_needed: None }),
        redactor: Arc::new(Redactor::default()),
        errors: Diagnostics::default(),
        warnings: Vec::new(),
        settings,
    };
    build(sources, dataset, None, &SuiteOptions::default(), None)
}

fn lines(files: &[(&str, &str)]) -> Vec<String> {
    match parse(files) {
        Ok(_) => panic!("the suite is valid"),
        Err(failure) => failure.diagnostics().iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn suite_is_parsed_from_bytes_alone() {
    let config = format!("{CONFIG}  - {{json_schema: schema.json}}\n{JUDGED}");
    let suite = parse(&[
        ("promptgate.yaml", &config),
        ("prompt.md", "Answer with yes or no.\n"),
        ("cases.jsonl", CASES),
        ("schema.json", "{\"type\": \"object\"}"),
        ("planted.jsonl", "{\"query\": \"q\", \"answer\": \"no\", \"low\": \"relevance\"}\n"),
    ])
    .unwrap_or_else(|failure| panic!("{:#?}", failure.diagnostics()));
    assert_eq!(suite.scorers.metrics(), ["check.affirms", "check.json_schema", "relevance"]);
    assert_eq!(suite.scorers.planted.unwrap()[0].answer, "no");
    assert_eq!(suite.plan.candidate().messages[0].content, "Answer with yes or no.");
}

#[test]
fn errors_of_all_bytes_are_reported_together_with_their_places() {
    let config = format!("{CONFIG}  - {{json_schema: schema.json}}\n{JUDGED}");
    let found = lines(&[
        ("promptgate.yaml", &config),
        ("prompt.md", "\n"),
        (
            "cases.jsonl",
            "{\"id\": \"a\", \"query\": \"q\", \"checks\": [{\"json_schema\": \"prompt.md\"}]}\n\n",
        ),
        ("schema.json", "{"),
        ("planted.jsonl", "{\"query\": \"q\", \"answer\": 1}\n"),
    ]);
    for expected in [
        "promptgate.yaml:8:5: check `json_schema`: schema.json: not JSON",
        "prompt.md: the prompt is empty",
        "cases.jsonl:1: check `json_schema`",
        "planted.jsonl:1: planted answer",
    ] {
        assert!(found.iter().any(|line| line.starts_with(expected)), "{expected} in {found:#?}");
    }
}

#[test]
fn rows_with_errors_hide_neither_prompts_nor_checks() {
    let cases = "{\"id\": \"a\", \"query\": \"q\", \"checks\": [{\"contians\": \"x\"}]}\n{\"id\": \"b\", \"query\": 7}\n{\"contxt\": \"c\", \"query\": \"q\"}\n";
    let found = lines(&[
        ("promptgate.yaml", CONFIG),
        ("prompt.md", "{{tone}} {{context}} {{1x}}"),
        ("cases.jsonl", cases),
    ]);
    for expected in [
        "cases.jsonl:1: check `contians`",
        "cases.jsonl:2:",
        "cases.jsonl:3:2: unknown field `contxt`; did you mean `context`",
        "prompt.md:1:1: `{{1x}}`",
    ] {
        let expected = expected.replace(":1:1: `{{1x}}`", ":1:22: `{{1x}}`");
        assert!(found.iter().any(|line| line.starts_with(&expected)), "{expected} in {found:#?}");
    }
    let found =
        lines(&[("promptgate.yaml", CONFIG), ("prompt.md", "{{tone}} {{context}}"), ("cases.jsonl", cases)]);
    assert!(found.iter().any(|line| line.contains("`{{tone}}` is undefined")), "{found:#?}");
    // The misspelled column is that mistake already.
    assert!(!found.iter().any(|line| line.contains("`{{context}}` is undefined")), "{found:#?}");
}

#[test]
fn idle_checks_are_warned_about_once() {
    let config = format!("{CONFIG}  - {{regex: \"refund|\"}}\n  - {{json_schema: {{schema: {{}}}}}}\n");
    let checks = "\"checks\": [{\"contains\": \" \", \"name\": \"space\"}]";
    let cases = format!("{{\"query\": \"q\", {checks}}}\n{{\"query\": \"r\", {checks}}}\n");
    let suite = parse(&[("promptgate.yaml", &config), ("prompt.md", "Answer."), ("cases.jsonl", &cases)])
        .unwrap_or_else(|failure| panic!("{:#?}", failure.diagnostics()));
    assert_eq!(
        suite.warnings,
        [
            "promptgate.yaml:8:5: check `regex`: \"refund|\" matches every text, since one of its alternatives is empty",
            "promptgate.yaml:9:5: check `json_schema.schema`: schema: the schema constrains nothing: every JSON answer \
             passes, so it means `is_json`",
            "case 1 and 1 more: check `contains`: \" \" occurs in every answer of more than one word",
        ]
    );
}

#[test]
fn references_in_a_prompt_are_errors_unless_mapped() {
    let case = "{\"query\": \"q\", \"expected_answer\": \"e\"}\n";
    let found = |config: &str| {
        let files =
            [("promptgate.yaml", config), ("prompt.md", "{{expected_answer}}"), ("cases.jsonl", case)];
        parse(&files).map(|_| ()).map_err(|failure| failure.diagnostics())
    };
    let errors = found(CONFIG).expect_err("an error");
    assert!(errors[0].message.contains("proves nothing"), "{errors:?}");
    assert!(errors[0].help.as_ref().is_some_and(|help| help.contains("fields: {expected: expected_answer}")));
    let fields = "dataset: {path: cases.jsonl, fields: {vars.expected_answer: expected_answer}}";
    assert!(found(&CONFIG.replace("dataset: cases.jsonl", fields)).is_ok());
}

#[test]
fn files_that_could_not_be_fetched_are_errors_where_they_are_named() {
    let config = format!("{CONFIG}  - {{json_schema: absent.json}}\n{JUDGED}");
    let found = lines(&[("promptgate.yaml", &config), ("cases.jsonl", CASES)]);
    for expected in ["promptgate.yaml:8:5: check `json_schema`: absent.json", "prompt.md: file not found"] {
        assert!(found.iter().any(|line| line.starts_with(expected)), "{expected} in {found:#?}");
    }
    let no_rows = lines(&[("promptgate.yaml", &config), ("prompt.md", "Answer.")]);
    assert!(no_rows.iter().any(|line| line.starts_with("cases.jsonl: file not found")), "{no_rows:#?}");
}
