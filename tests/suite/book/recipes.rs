//! The suites of docs/recipes, written to files as the pages name them, checked and run.

use std::collections::BTreeMap;

use regex::Regex;

use super::{Block, blocks, files, read, shell};
use crate::support::{Folder, KEY, MockServer, finish};

/// The sections of a page that have a configuration, with the blocks above the first section and their own.
fn suites(path: &str) -> Vec<(String, Vec<Block>)> {
    let blocks = blocks(&read(path));
    let mut sections: BTreeMap<&str, Vec<Block>> = BTreeMap::new();
    for block in &blocks {
        sections.entry(&block.section).or_default().push(block.clone());
    }
    let shared = sections.remove("").unwrap_or_default();
    let suites =
        sections.into_iter().filter(|(_, own)| own.iter().any(|it| it.file() == Some("promptgate.yaml")));
    suites.map(|(name, own)| (name.to_owned(), shared.iter().cloned().chain(own).collect())).collect()
}

/// The files of a suite, committed.
fn written(blocks: &[Block]) -> Folder {
    let folder = Folder::new();
    for block in blocks {
        if let Some(name) = block.file() {
            folder.write(name, &block.text);
        }
    }
    folder.git(&["init", "--quiet"]);
    folder.git(&["add", "."]);
    folder.git(&["commit", "--quiet", "--message", "Add the suite"]);
    folder
}

#[test]
fn configurations_are_complete_and_valid() {
    let mut count = 0;
    for path in files("docs/recipes", ".md") {
        let configurations =
            blocks(&read(&path)).iter().filter(|it| it.text.starts_with("version: 1\n")).count();
        let suites = suites(&path);
        assert_eq!(
            suites.len(),
            configurations,
            "{path}: one configuration per section, each with its caption"
        );
        for (section, blocks) in suites {
            count += 1;
            let outcome = written(&blocks).promptgate(&["check"]); // with a baseline: that commit
            assert_eq!(outcome.code, 0, "{path}, {section}:\n{}", outcome.text());
            assert!(!outcome.text().contains("warning"), "{path}, {section}:\n{}", outcome.text());
        }
    }
    assert!(count >= 16, "{count} configurations");
}

#[test]
fn suites_by_task_reach_a_verdict() {
    for (section, blocks) in suites("docs/recipes/tasks.md") {
        let folder = written(&blocks);
        let outcome = folder.promptgate(&["run", "--offline"]);
        // The simulated model copies sentences: it answers from passages and can do nothing else.
        let answers = ["A model upgrade", "Answers from passages (RAG)"].contains(&section.as_str());
        let expected = if answers { 0 } else { 10 };
        assert_eq!(outcome.code, expected, "{section}:\n{}", outcome.text());
        shell::run(folder.path(), &blocks, &[], &[]);
    }
}

#[test]
fn suites_by_endpoint_run_against_a_server_of_their_protocol() {
    let server = MockServer::start(&["--require-key", KEY]);
    let without_key = MockServer::start(&[]);
    let host = Regex::new("https?://[^/\"]+").expect("a pattern");
    for (section, blocks) in suites("docs/recipes/endpoints.md") {
        let folder = written(&blocks);
        let configuration = folder.read("promptgate.yaml");
        let mut open = false;
        let lines: Vec<String> = configuration
            .lines()
            .map(|line| {
                // A server without a key is the one of the candidate; the judge's comes after it.
                open = (open || configuration.contains("api_key_env: null")) && !line.starts_with("judge");
                let server = if open && !line.contains("api.openai.com") { &without_key } else { &server };
                host.replace_all(line, server.base_url.trim_end_matches("/v1")).into_owned()
            })
            .collect();
        folder.write("promptgate.yaml", &(lines.join("\n") + "\n"));
        let mut command = folder.command(&["run", "--no-cache"]);
        for name in ["OPENAI", "ANTHROPIC", "GEMINI", "AZURE_OPENAI"] {
            command.env(format!("{name}_API_KEY"), KEY);
        }
        let origin = server.base_url.trim_end_matches("/v1");
        command.env("OPENAI_BASE_URL", &server.base_url).env("ANTHROPIC_BASE_URL", origin);
        command.env("GOOGLE_GEMINI_BASE_URL", origin);
        let outcome = finish(command);
        assert_eq!(outcome.code, 0, "{section}:\n{}", outcome.text());
    }
}
