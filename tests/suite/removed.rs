//! A suite that a change removes or hides, where the gate is `run` and not `ci`: never green, and named.

use crate::several::suites;
use crate::support::Folder;

/// Two suites and their list on `main`; the work tree is on a branch.
fn branch(list: &str, configuration: &str) -> Folder {
    let folder = suites(&["refunds", "login"]);
    for name in ["refunds", "login"] {
        folder.edit(&format!("{name}/promptgate.yaml"), "baseline: file:baseline.md\n", "");
    }
    if configuration != "login/promptgate.yaml" {
        folder.write(configuration, &folder.read("login/promptgate.yaml"));
        std::fs::remove_file(folder.path().join("login/promptgate.yaml")).expect("the configuration");
    }
    folder.write("promptgate.yaml", &format!("version: 1\nsuites: {list}\n"));
    folder.write(".gitignore", "promptgate-report\n.promptgate\n");
    folder.git(&["init", "--quiet", "-b", "main"]);
    folder.git(&["add", "--all"]);
    folder.git(&["commit", "--quiet", "-m", "start"]);
    folder.git(&["switch", "--quiet", "-c", "change"]);
    // One prompt gets worse, and the other only other words.
    folder.write("login/prompt.md", "Be kind to the customer.\n");
    folder.write("refunds/prompt.md", "Use only these passages. Answer in one sentence.\n\n{{context}}\n");
    folder
}

const WAYS: [&[&str]; 2] =
    [&["run", "--offline", "--policy-from", "git:main"], &["run", "--offline", "--changed"]];

#[test]
fn suite_that_is_taken_off_the_list_is_incomplete() {
    for way in WAYS {
        let folder = branch("[refunds, login]", "login/promptgate.yaml");
        folder.promptgate(way).expect_code(10);
        folder.write("promptgate.yaml", "version: 1\nsuites: [refunds]\n");
        let outcome = folder.promptgate(way).expect_code(12).says("the change removes this suite");
        assert!(outcome.text().contains("login"), "{way:?}: {}", outcome.text());
        assert!(folder.read("promptgate-report/suites.json").contains("login"), "{way:?}");
        let advisory = [way, &["--advisory"]].concat();
        folder.promptgate(&advisory).expect_code(0).says("the change removes this suite");
    }
}

#[test]
fn suite_that_another_one_extends_is_still_one_of_the_base() {
    for way in WAYS {
        let folder = branch("[\"*/*.yaml\"]", "login/suite.yaml");
        folder.promptgate(way).expect_code(10);
        let shared: String = folder
            .read("login/suite.yaml")
            .lines()
            .filter(|line| !["name:", "prompt:", "dataset:"].iter().any(|key| line.starts_with(key)))
            .map(|line| format!("{line}\n"))
            .collect();
        folder.write("login/suite.yaml", &shared);
        let own = folder.read("refunds/promptgate.yaml");
        folder.write("refunds/promptgate.yaml", &format!("{own}extends: ../login/suite.yaml\n"));
        folder.promptgate(way).expect_code(12).says("the change removes this suite");
    }
}

#[test]
fn suites_of_the_base_are_not_asked_for_without_a_base() {
    let folder = branch("[refunds, login]", "login/promptgate.yaml");
    folder.write("promptgate.yaml", "version: 1\nsuites: [refunds]\n");
    folder.promptgate(&["run", "--offline"]).expect_code(0);
}
