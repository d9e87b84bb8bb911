//! Suites from folders and commits, loaded without a process.

mod in_memory;

use super::SuiteOptions;
use crate::app::testing::{CONFIG, block_on, commit, diagnostics, folder, load, options, write};
use crate::app::{Environment, Failure};

#[test]
fn valid_suite_is_loaded_with_its_cases_and_criteria() {
    let folder = folder();
    let suite = load(&options(folder.path())).unwrap();
    assert_eq!(suite.plan.dataset().cases.len(), 3);
    assert_eq!(suite.scorers.metrics(), ["check.affirms"]);
    assert_eq!(suite.policy.criteria.len(), 1);
    assert!(suite.warnings.is_empty() && suite.policy_source.is_none(), "{:?}", suite.warnings);
}

#[test]
fn errors_of_all_files_are_reported_together() {
    let folder = folder();
    write(folder.path(), "prompt.md", "\n");
    write(folder.path(), "cases.jsonl", "{\"id\": \"a\", \"query\": 7}\n");
    let baseline = SuiteOptions { baseline: Some("file:missing.md".to_owned()), ..options(folder.path()) };
    let found = diagnostics(&baseline);
    let text: Vec<String> = found.iter().map(ToString::to_string).collect();
    for file in ["cases.jsonl:1", "prompt.md", "missing.md"] {
        assert!(text.iter().any(|line| line.contains(file)), "{file} in {text:#?}");
    }
}

#[test]
fn errors_of_configuration_dataset_and_prompt_are_reported_together() {
    let folder = folder();
    let config =
        CONFIG.replace("model: tiny", "modle: tiny").replace("baseline: none", "baseline: file:prompt.md");
    write(folder.path(), "promptgate.yaml", &config);
    write(folder.path(), "prompt.md", "{{tone}}\n");
    write(
        folder.path(),
        "cases.jsonl",
        "{\"id\": \"a\", \"query\": \"q\"}\n{\"id\": \"a\", \"query\": \"r\"}\n",
    );
    let text: Vec<String> = diagnostics(&options(folder.path())).iter().map(ToString::to_string).collect();
    for part in ["unknown key `modle`", "duplicate id `a`"] {
        assert_eq!(text.iter().filter(|line| line.contains(part)).count(), 1, "{part} in {text:#?}");
    }
    // The same file is the baseline: its mistakes are said once.
    let config = config.replace("modle", "model").replace("tags", "tgs");
    write(folder.path(), "promptgate.yaml", &format!("{config}  - {{contians: x}}\n"));
    let text: Vec<String> = diagnostics(&options(folder.path())).iter().map(ToString::to_string).collect();
    for part in ["contians", "duplicate id `a`", "`{{tone}}` is undefined"] {
        assert_eq!(text.iter().filter(|line| line.contains(part)).count(), 1, "{part} in {text:#?}");
    }
}

#[test]
fn misspelled_keys_are_one_error_each_and_hide_no_template() {
    let folder = folder();
    let config = CONFIG
        .replace("model: tiny", "modell: tiny")
        .replace("contains: yes, name: affirms", "contians: yes");
    write(folder.path(), "promptgate.yaml", &config.replace("baseline: none", "baseline: file:absent.md"));
    write(folder.path(), "prompt.md", "{{tone}}\n");
    let text: Vec<String> = diagnostics(&options(folder.path())).iter().map(ToString::to_string).collect();
    assert_eq!(text.len(), 4, "{text:#?}");
    for part in ["`modell`", "`contians`", "absent.md: file not found", "`{{tone}}` is undefined"] {
        assert_eq!(text.iter().filter(|line| line.contains(part)).count(), 1, "{part} in {text:#?}");
    }
    write(folder.path(), "promptgate.yaml", &CONFIG.replace("model: tiny\n", ""));
    let text: Vec<String> = diagnostics(&options(folder.path())).iter().map(ToString::to_string).collect();
    assert_eq!(text.len(), 2, "{text:#?}");
    assert!(text[0].contains("no model is set") && text[1].contains("{{tone}}"), "{text:#?}");
}

#[test]
fn missing_dataset_is_one_error() {
    let folder = folder();
    write(folder.path(), "promptgate.yaml", &CONFIG.replace("dataset: cases.jsonl\n", ""));
    let found = diagnostics(&options(folder.path()));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].message.contains("`dataset` is missing"), "{found:?}");
}

#[test]
fn warning_about_a_shared_prompt_is_said_once() {
    let folder = folder();
    write(folder.path(), "prompt.md", "Answer {query}.\n");
    let same = SuiteOptions { baseline: Some("file:prompt.md".to_owned()), ..options(folder.path()) };
    let mut config = CONFIG.to_owned();
    config.push_str("user: Q\n");
    write(folder.path(), "promptgate.yaml", &config);
    let warnings = load(&same).unwrap().warnings;
    assert_eq!(warnings.iter().filter(|warning| warning.contains("{query}")).count(), 1, "{warnings:?}");
}

#[test]
fn selection_narrows_cases_and_changes_the_digest() {
    let folder = folder();
    let all = load(&options(folder.path())).unwrap();
    let one = SuiteOptions { tags: vec!["t2".to_owned()], ..options(folder.path()) };
    let selected = load(&one).unwrap();
    assert_eq!(selected.plan.dataset().cases[0].id, "case-2");
    assert_ne!(selected.plan.dataset().facts.digest, all.plan.dataset().facts.digest);
    let none = SuiteOptions { filter: Some("other-*".to_owned()), ..options(folder.path()) };
    assert!(matches!(load(&none), Err(Failure::Nothing(_))));
}

#[test]
fn suite_without_scorers_has_nothing_to_evaluate() {
    let folder = folder();
    write(folder.path(), "promptgate.yaml", CONFIG.split("checks:").next().unwrap());
    assert!(matches!(load(&options(folder.path())), Err(Failure::Nothing(_))));
}

#[test]
fn reserved_parameters_are_errors() {
    let folder = folder();
    write(folder.path(), "promptgate.yaml", &format!("{CONFIG}parameters: {{stream: true, messages: []}}\n"));
    let found = diagnostics(&options(folder.path()));
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0].message, "`stream` is not allowed in the parameters");
}

#[test]
fn baseline_at_a_commit_has_the_prompt_of_that_commit() {
    let folder = folder();
    let base = commit(folder.path());
    write(folder.path(), "prompt.md", "Answer with yes.\n");
    let at_base = SuiteOptions { baseline: Some(format!("git:{base}")), ..options(folder.path()) };
    let suite = load(&at_base).unwrap();
    let baseline = suite.plan.baseline().unwrap();
    assert_eq!(baseline.facts.prompt.commit.as_deref(), Some(base.as_str()));
    assert_eq!(baseline.messages[0].content, "Answer with yes or no.");
    assert_eq!(suite.plan.candidate().messages[0].content, "Answer with yes.");
}

#[test]
fn policy_of_a_commit_decides_and_changes_to_it_are_reported() {
    let folder = folder();
    let base = commit(folder.path());
    let loosened = CONFIG.replace("name: affirms", "name: affirms, min: 0.1");
    write(folder.path(), "promptgate.yaml", &loosened);
    let guarded = SuiteOptions { policy_from: Some(format!("git:{base}")), ..options(folder.path()) };
    let suite = load(&guarded).unwrap();
    let source = suite.policy_source.unwrap();
    assert_eq!(source.commit.as_deref(), Some(base.as_str()));
    assert!(source.changed.iter().any(|change| change.path.starts_with("checks")), "{:?}", source.changed);
    assert!(suite.warnings[0].contains("does not count"), "{:?}", suite.warnings);
    let own = load(&options(folder.path())).unwrap();
    assert_ne!(suite.policy.criteria, own.policy.criteria);
}

#[test]
fn second_configuration_beside_the_policy_is_an_error() {
    let folder = folder();
    let base = commit(folder.path());
    write(folder.path(), "promptgate.yml", CONFIG);
    let guarded = SuiteOptions { policy_from: Some(format!("git:{base}")), ..options(folder.path()) };
    assert!(diagnostics(&guarded)[0].message.contains("one place has one configuration"));
}

#[test]
fn report_and_none_are_not_valid_candidates() {
    let folder = folder();
    for candidate in ["none", "report:report.json"] {
        let options = SuiteOptions { candidate: Some(candidate.to_owned()), ..options(folder.path()) };
        let found = diagnostics(&options);
        assert!(found[0].message.contains("cannot be used here"), "{found:?}");
    }
}

#[test]
fn secrets_of_own_and_foreign_policy_are_known_before_calls() {
    let folder = folder();
    let endpoint = |variable: &str| format!("{CONFIG}endpoint: {{api_key_env: {variable}}}\n");
    write(folder.path(), "promptgate.yaml", &endpoint("THEIRS"));
    let base = commit(folder.path());
    write(folder.path(), "promptgate.yaml", &endpoint("OURS"));
    let guarded = SuiteOptions { policy_from: Some(format!("git:{base}")), ..options(folder.path()) };
    let variables = ["OURS", "THEIRS"].map(|name| (name.to_owned(), format!("sk-secret-of-{name}")));
    let suite = block_on(super::load(&guarded, Some(true), &Environment::of(variables))).unwrap();
    let redacted = suite.redactor.redact("sk-secret-of-OURS sk-secret-of-THEIRS").into_owned();
    assert_eq!(redacted, "[redacted] [redacted]");
}

#[test]
fn files_of_checks_come_from_policy_and_those_of_cases_from_the_change_where_new() {
    let folder = folder();
    let config = CONFIG.replace("  - {contains: yes, name: affirms}\n", "  - {json_schema: schema.json}\n");
    write(folder.path(), "promptgate.yaml", &config);
    write(folder.path(), "schema.json", "{\"type\": \"object\"}");
    let base = commit(folder.path());
    write(folder.path(), "schema.json", "not JSON");
    write(folder.path(), "new.json", "{\"type\": \"array\"}");
    let case = "{\"id\": \"a\", \"query\": \"q\", \"checks\": [{\"json_schema\": \"new.json\", \"name\": \"list\"}]}\n";
    write(folder.path(), "cases.jsonl", case);
    let guarded = SuiteOptions { policy_from: Some(format!("git:{base}")), ..options(folder.path()) };
    let suite = load(&guarded).unwrap();
    assert_eq!(suite.files.of_check("schema.json").unwrap(), "{\"type\": \"object\"}");
    assert_eq!(suite.files.of_case("new.json").unwrap(), "{\"type\": \"array\"}");
    let changed: Vec<String> =
        suite.policy_source.unwrap().changed.into_iter().map(|change| change.path).collect();
    assert_eq!(changed, ["file schema.json", "file new.json"]);
    let own = diagnostics(&options(folder.path()));
    assert!(own[0].message.contains("schema.json: not JSON"), "{own:?}");
}
