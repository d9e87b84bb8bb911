//! `extends`: what suites share in a file of its own.

use serde_json::Value;

use crate::release::support::{ALONE, FIRST, Suite};
use crate::several::suites;
use crate::support::Folder;

/// The shared keys.
pub(crate) const SHARED: &str = "\
model: tiny
parameters: {temperature: 0}
endpoint: {timeout: 5s, attempts: 2, max_wait: 2s}
judge: {model: tiny-judge}
checks:
  - length: {min_chars: 1}
metrics:
  faithfulness: {min: 0.75}
  relevance: {min: 0.5}
";

/// A suite that extends `shared.yaml` at the root.
pub(crate) fn extending(name: &str) -> String {
    format!("version: 1\nextends: ../shared.yaml\nname: {name}\ndataset: cases.jsonl\nprompt: prompt.md\n")
}

/// Suites in folders of their names that extend `shared.yaml`.
pub(crate) fn sharing(names: &[&str]) -> Folder {
    let folder = suites(names);
    folder.write("shared.yaml", SHARED);
    for name in names {
        folder.write(&format!("{name}/promptgate.yaml"), &(extending(name) + "baseline: file:baseline.md\n"));
    }
    folder
}

fn metrics(folder: &Folder, report: &str) -> Vec<String> {
    let report: Value = serde_json::from_str(&folder.read(report)).expect("JSON");
    let metrics = report["metrics"].as_array().expect("metrics").iter();
    let judged = ["faithfulness", "relevance"];
    metrics
        .map(|metric| metric["name"].as_str().expect("a name").to_owned())
        .filter(|name| judged.contains(&name.as_str()))
        .collect()
}

#[test]
fn suites_run_with_what_they_share() {
    let folder = sharing(&["a", "b"]);
    folder.append("b/promptgate.yaml", "metrics: {relevance: null}\n");
    folder.promptgate(&["run", "--all", "--offline"]).expect_code(0).says("2 suites: 2 pass");
    let of = |name: &str| metrics(&folder, &format!("promptgate-report/{name}/report.json"));
    assert_eq!(of("a"), ["faithfulness", "relevance"]);
    assert_eq!(of("b"), ["faithfulness"]);
    // Every command about a suite reads the same.
    folder.promptgate(&["check", "a", "b"]).expect_code(0).says("model tiny").says("all valid");
    folder.promptgate(&["plan", "a"]).expect_code(0).says("faithfulness, relevance");
    folder.promptgate(&["doctor", "a", "--offline"]).says("a/promptgate.yaml is valid");
}

#[test]
fn errors_are_in_the_file_that_writes_the_value() {
    let folder = sharing(&["a"]);
    folder.append("shared.yaml", "gate: {repeats: many}\n");
    folder.append("a/promptgate.yaml", "budget: {usd: lots}\n");
    let outcome = folder.promptgate(&["check", "a"]).expect_code(2);
    let own = outcome.stderr.find("a/promptgate.yaml:7:15").expect("the suite's line");
    let shared = outcome.stderr.find("shared.yaml:10:17").expect("the shared line");
    assert!(own < shared, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("gate: {repeats: many}"), "{}", outcome.stderr);

    let folder = sharing(&["a"]);
    folder.append("shared.yaml", "judgee: {}\n");
    folder.promptgate(&["check", "a"]).expect_code(2).says("shared.yaml:10:1").says("unknown key `judgee`");
    folder.write("shared.yaml", "model: [\n");
    folder.promptgate(&["check", "a"]).expect_code(2).says("shared.yaml:");
    folder.write("shared.yaml", "model: a\nmodel: b\n");
    folder.promptgate(&["check", "a"]).expect_code(2).says("shared.yaml:2:1").says("duplicate key");
}

#[test]
fn paths_of_the_shared_file_are_relative_to_it() {
    let folder = sharing(&["teams/a"]);
    folder.edit("teams/a/promptgate.yaml", "../shared.yaml", "../../common/shared.yaml");
    folder.edit("teams/a/promptgate.yaml", "name: teams/a", "name: a");
    folder.edit("teams/a/promptgate.yaml", "dataset: cases.jsonl\n", "");
    let shared = SHARED.replace("  - length: {min_chars: 1}\n", "  - json_schema: answer.json\n");
    folder.write("common/shared.yaml", &format!("{shared}dataset: cases/*.jsonl\n"));
    folder.write("common/answer.json", "{\"type\": \"object\"}");
    folder.write("common/cases/a.jsonl", &folder.read("teams/a/cases.jsonl"));
    let outcome = folder.promptgate(&["check", "teams/a"]).expect_code(0);
    assert!(outcome.stdout.contains("4 cases"), "{}", outcome.stdout);
    folder.write("common/answer.json", "not JSON");
    folder
        .promptgate(&["check", "teams/a"])
        .expect_code(2)
        .says("answer.json: not JSON")
        .says("common/shared.yaml:6");
}

#[test]
fn files_that_cannot_be_extended_are_refused() {
    let folder = sharing(&["a"]);
    folder.git(&["init", "--quiet", "-b", "main"]);
    let outside = Folder::new();
    outside.write("shared.yaml", SHARED);
    std::os::unix::fs::symlink(outside.path().join("shared.yaml"), folder.path().join("link.yaml")).unwrap();
    std::os::unix::fs::symlink(outside.path(), folder.path().join("linked")).unwrap();
    folder.write("twice.yaml", &format!("extends: shared.yaml\n{SHARED}"));
    folder.write("own.yaml", "extends: ../a/promptgate.yaml\n");
    folder.write("list.yaml", "suites: [a]\n");
    folder.write("prompt.yaml", "prompt: prompt.md\nname: x\n");
    folder.write("empty.yaml", "");
    folder.write("text.yaml", "just text\n");
    folder.write("bomb.yaml", &bomb());
    std::fs::write(folder.path().join("latin.yaml"), b"model: \xe9\n").unwrap();
    // A hole of a file: it takes no space on the disk.
    std::fs::File::create(folder.path().join("huge.yaml")).unwrap().set_len(100 << 20).unwrap();
    let above = format!("../../{}/shared.yaml", outside.path().file_name().unwrap().to_string_lossy());
    for (path, words) in [
        ("../missing.yaml", "cannot extend ../missing.yaml: file not found"),
        ("../linked/shared.yaml", "is a symbolic link"),
        ("../link.yaml", "`link.yaml` is a symbolic link"),
        (&above, "is outside the repository"),
        ("../.git/config", "is in the `.git` folder"),
        ("/etc/hosts", "found an absolute path"),
        ("https://example.org/shared.yaml", "found an absolute path or a URL"),
        ("..", "found a folder"),
        ("../linked/../a", "is a folder, not a file"),
        ("../a", "is a folder, not a file"),
        ("promptgate.yaml", "would be a suite of its own"),
        ("../a/PROMPTGATE.yml", "would be a suite of its own"),
        ("../twice.yaml", "cannot extend another one"),
        ("../list.yaml", "a list of suites cannot be extended"),
        ("../prompt.yaml", "`prompt` belongs to one suite"),
        ("../empty.yaml", "is empty"),
        ("../text.yaml", "must be a map"),
        ("../bomb.yaml", "aliases repeat more than"),
        ("../latin.yaml", "is not UTF-8"),
        ("../huge.yaml", "is larger than 64 MiB"),
        ("[../shared.yaml]", "`extends` must be the path of a file"),
        ("''", "`extends` must be the path of a file"),
    ] {
        folder.write("a/promptgate.yaml", &extending("a").replace("../shared.yaml", path));
        let outcome = folder.promptgate(&["check", "a"]);
        assert_eq!(outcome.code, 2, "{path}: {}", outcome.text());
        assert!(outcome.text().contains(words), "{path}: {}", outcome.text());
    }
    folder.write("a/promptgate.yaml", "version: 1\nsuites: [a]\nextends: ../shared.yaml\n");
    folder
        .promptgate(&["run", "a", "--offline"])
        .expect_code(2)
        .says("unexpected key `extends` beside `suites`");
}

/// YAML whose aliases multiply.
fn bomb() -> String {
    let mut text = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n".to_owned();
    for level in 1..9 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    text
}

#[test]
fn anchors_work_within_one_file_alone() {
    let folder = sharing(&["a"]);
    folder.edit("shared.yaml", "judge: {model: tiny-judge}", "judge: {model: &judge tiny-judge}");
    folder.append(
        "shared.yaml",
        "prices:\n  other: {input_per_million: &price 1, output_per_million: *price}\n",
    );
    folder.promptgate(&["check", "a"]).expect_code(0);
    folder.append("a/promptgate.yaml", "user: *judge\n");
    folder.promptgate(&["check", "a"]).expect_code(2).says("unknown anchor");
}

#[test]
fn shared_file_is_not_a_suite() {
    let folder = sharing(&["prompts/a", "prompts/b"]);
    for name in ["a", "b"] {
        folder.write(&format!("prompts/{name}/promptgate.yaml"), &extending(name));
        folder.append(&format!("prompts/{name}/promptgate.yaml"), "baseline: file:baseline.md\n");
    }
    folder.write("prompts/shared.yaml", SHARED);
    // The glob matches the shared file as well as the folders.
    folder.write("promptgate.yaml", "version: 1\nsuites: [\"prompts/*\"]\n");
    for arguments in [&["run", "--offline"][..], &["run", "--all", "--offline"]] {
        folder.promptgate(arguments).expect_code(0).says("2 suites: 2 pass");
    }
    folder
        .promptgate(&["check", "prompts/shared.yaml"])
        .expect_code(2)
        .says("this file is not a suite")
        .says("names it with `extends`");
}

#[test]
fn outside_a_repository_a_file_above_is_extended() {
    let folder = sharing(&["a"]);
    let mut command = folder.command(&["check"]);
    command.current_dir(folder.path().join("a"));
    crate::support::finish(command).expect_code(0);
    let mut command = folder.command(&["check"]);
    command.current_dir(folder.path().join("a"));
    folder.append("shared.yaml", "gate: 3\n");
    crate::support::finish(command).expect_code(2).says("../shared.yaml:10:7");
}

#[test]
fn key_of_a_suite_may_be_no_key() {
    let folder = sharing(&["a"]);
    folder.edit("shared.yaml", "endpoint: {timeout: 5s,", "endpoint: {api_key_env: SHARED_KEY, timeout: 5s,");
    folder.promptgate(&["doctor", "a", "--offline"]).says("SHARED_KEY");
    folder.append("a/promptgate.yaml", "endpoint: {api_key_env: null}\n");
    let outcome = folder.promptgate(&["doctor", "a", "--offline"]);
    assert!(!outcome.text().contains("SHARED_KEY"), "{}", outcome.text());
}

#[test]
fn publish_needs_the_committed_shared_file() {
    let mut suite = Suite::on_branch(ALONE);
    suite.in_job("push", "carol");
    let configuration = suite.folder.read("promptgate.yaml");
    let is_shared = |line: &&str| line.starts_with("model:") || line.starts_with("release:");
    let (shared, mut own): (Vec<&str>, Vec<&str>) = configuration.lines().partition(is_shared);
    assert_eq!(shared.len(), 2, "{configuration}");
    own.push("extends: shared.yaml");
    suite.folder.write("shared.yaml", &(shared.join("\n") + "\n"));
    suite.folder.write("promptgate.yaml", &(own.join("\n") + "\n"));
    suite.edit(FIRST, "first");
    suite.evaluate();
    suite.folder.append("shared.yaml", "# not committed\n");
    suite.publish().expect_code(2).says("the content differs from commit").says("shared.yaml");
    suite.folder.edit("shared.yaml", "# not committed\n", "");
    suite.publish().expect_code(0).says("published 1.0.0");
}
