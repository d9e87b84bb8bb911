//! Several suites in a pull request: one comment, one verdict, and no suite disappears unnoticed.

use super::Origin;
use crate::several::suites;
use crate::support::Folder;

/// Two suites and the list that names them, on `main`.
fn origin() -> Origin {
    listed(suites(&["refunds", "login"]))
}

/// The suites of a folder, each against the same file at the base, and their list, on `main`.
pub(super) fn listed(folder: Folder) -> Origin {
    for name in ["refunds", "login"] {
        folder.edit(&format!("{name}/promptgate.yaml"), "baseline: file:baseline.md\n", "");
    }
    folder.write("promptgate.yaml", "version: 1\nsuites: [refunds, login]\n");
    folder.git(&["init", "--quiet", "-b", "main"]);
    let origin = Origin { folder };
    origin.commit("start");
    origin
}

#[test]
fn changed_suite_is_evaluated_and_the_other_is_unchanged() {
    let origin = origin();
    origin.change(|folder: &Folder| folder.write("login/prompt.md", "Be kind to the customer.\n"));
    let job = origin.pull_request();
    let outcome = job.offline().expect_code(10);
    job.outcome("fail", 10);
    let comment = job.comment();
    assert!(comment.starts_with("### promptgate: ❌ fail: 2 suites: 1 fail, 1 unchanged\n"), "{comment}");
    assert!(comment.contains("| refunds | ✅ unchanged |"), "{comment}");
    assert_eq!(comment.matches("### promptgate:").count(), 2, "{comment}");
    assert_eq!(job.summary(), comment);
    assert!(outcome.stdout.contains("UNCHANGED  refunds"), "{}", outcome.stdout);
    assert!(job.output("suites-json").ends_with("promptgate-report/suites.json"));
    assert_eq!(super::commands(&outcome.text()).len(), 1, "{}", outcome.text());
}

#[test]
fn unchanged_suites_are_green_without_a_call() {
    let origin = origin();
    origin.change(|folder: &Folder| folder.write("notes.md", "x\n"));
    let job = origin.pull_request();
    job.offline().expect_code(0);
    job.outcome("unchanged", 0);
}

#[test]
fn suite_that_a_change_removes_is_incomplete() {
    for with_files in [false, true] {
        let remove = |folder: &Folder| {
            folder.write("promptgate.yaml", "version: 1\nsuites: [refunds]\n");
            if with_files {
                folder.git(&["rm", "-r", "--quiet", "login"]);
            }
        };
        let origin = origin();
        origin.change(|folder: &Folder| {
            remove(folder);
            folder.write("refunds/prompt.md", "Be kind to the customer.\n");
        });
        let job = origin.pull_request();
        job.offline().expect_code(10);
        let comment = job.comment();
        assert!(comment.contains("| login | 💥 incomplete |"), "{with_files}: {comment}");

        let origin = self::origin();
        origin.change(remove);
        let job = origin.pull_request();
        job.offline().expect_code(12).says("the change removes this suite");
        job.outcome("incomplete", 12);
    }
    // With --all, every configuration of the base counts.
    let origin = origin();
    origin.change(|folder: &Folder| {
        folder.git(&["rm", "-r", "--quiet", "login"]);
        folder.git(&["rm", "--quiet", "promptgate.yaml"]);
    });
    let job = origin.pull_request().with("PROMPTGATE_ALL", "true");
    job.offline().expect_code(12).says("login/promptgate.yaml");
}

#[test]
fn error_of_one_suite_leaves_the_others_their_verdict() {
    let origin = origin();
    origin.change(|folder: &Folder| {
        folder.edit("login/promptgate.yaml", "prompt: prompt.md", "prompt: missing.md");
    });
    let job = origin.pull_request();
    job.offline().expect_code(2).says("missing.md");
    job.outcome("error", 2);
    let comment = job.comment();
    assert!(comment.contains("| refunds | ✅ unchanged |") && comment.contains("💥 error"), "{comment}");
}

const BAD: &str = "Be kind to the customer.\n";

/// Suites `bots/a.yaml` and `bots/b.yaml` with prompts of their own, and a list.
fn bots(list: &str) -> Origin {
    let folder = suites(&["bots"]);
    let configuration = folder.read("bots/promptgate.yaml").replace("baseline: file:baseline.md\n", "");
    for name in ["a", "b"] {
        let of = configuration.replace("name: bots", &format!("name: {name}"));
        folder.write(
            &format!("bots/{name}.yaml"),
            &of.replace("prompt: prompt.md", &format!("prompt: {name}.md")),
        );
        folder.write(&format!("bots/{name}.md"), &folder.read("bots/prompt.md"));
    }
    std::fs::remove_file(folder.path().join("bots/promptgate.yaml")).expect("a file");
    folder.write("promptgate.yaml", &format!("version: 1\nsuites: [\"{list}\"]\n"));
    folder.git(&["init", "--quiet", "-b", "main"]);
    let origin = Origin { folder };
    origin.commit("start");
    origin
}

#[test]
fn suite_does_not_disappear_behind_another_name_of_the_list() {
    // The list moves to its other name, or gets a shorter one beside it.
    let moved = origin();
    moved.change(|folder: &Folder| {
        folder.git(&["mv", "promptgate.yaml", "promptgate.yml"]);
        folder.write("promptgate.yml", "version: 1\nsuites: [refunds]\n");
        folder.write("login/prompt.md", BAD);
    });
    let shadowed = origin();
    shadowed.folder.git(&["mv", "promptgate.yaml", "promptgate.yml"]);
    shadowed.commit("the other name");
    shadowed.change(|folder: &Folder| {
        folder.write("promptgate.yaml", "version: 1\nsuites: [refunds]\n");
        folder.write("login/prompt.md", BAD);
    });
    for (what, origin) in [("moved", moved), ("shadowed", shadowed)] {
        let job = origin.pull_request();
        let outcome = job.offline();
        assert_eq!(outcome.code, 12, "{what}: {}", outcome.text());
        assert!(job.comment().contains("| login | 💥 incomplete |"), "{what}: {}", job.comment());
    }
}

#[test]
fn suite_does_not_disappear_where_a_list_takes_its_place() {
    let origin = origin();
    origin.folder.edit("promptgate.yaml", "suites: [refunds, login]", "suites: [login]");
    origin.folder.git(&["mv", "refunds/promptgate.yaml", "refunds/suite.yaml"]);
    origin.commit("a suite by its file");
    origin.change(|folder: &Folder| {
        folder.git(&["mv", "login/promptgate.yaml", "login/suite.yaml"]);
        folder.write("login/promptgate.yaml", "version: 1\nsuites: [suite.yaml]\n");
        folder.write("login/prompt.md", BAD);
    });
    let job = origin.pull_request().with("PROMPTGATE_CONFIG", "login");
    let outcome = job.offline();
    assert!([2, 10, 12].contains(&outcome.code), "{}", outcome.text());
}

#[test]
fn suite_does_not_disappear_from_a_pattern() {
    for list in ["*/", "log*/", "./login/"] {
        let origin = origin();
        origin.folder.write("promptgate.yaml", &format!("version: 1\nsuites: [refunds, \"{list}\"]\n"));
        origin.commit("a pattern");
        origin.change(|folder: &Folder| {
            folder.write("promptgate.yaml", "version: 1\nsuites: [refunds]\n");
            folder.write("login/prompt.md", BAD);
        });
        let outcome = origin.pull_request().offline();
        assert_eq!(outcome.code, 12, "{list}: {}", outcome.text());
    }
    for list in ["bots/*", "bots/[ab].yam?"] {
        let origin = bots(list);
        origin.change(|folder: &Folder| {
            folder.git(&["rm", "--quiet", "bots/b.yaml"]);
        });
        let outcome = origin.pull_request().offline();
        assert_eq!(outcome.code, 12, "{list}: {}", outcome.text());
    }
}

#[cfg(unix)]
#[test]
fn suite_does_not_disappear_behind_a_link() {
    let origin = bots("bots/*");
    origin.change(|folder: &Folder| {
        folder.git(&["rm", "--quiet", "bots/b.yaml"]);
        std::os::unix::fs::symlink("a.yaml", folder.path().join("bots/b.yaml")).expect("a link");
        folder.write("bots/b.md", BAD);
    });
    let outcome = origin.pull_request().offline();
    assert!([2, 12].contains(&outcome.code), "{}", outcome.text());
}

#[test]
fn base_that_is_head_is_said_once() {
    let origin = origin();
    let outcome = origin.folder.promptgate(&["ci", "--offline"]).expect_code(3);
    let text = outcome.text();
    assert_eq!(text.matches("nothing to compare: HEAD is the base itself").count(), 1, "{text}");
    assert!(!text.contains("flag --baseline"), "{text}");
    outcome.says("push a branch").says("(merge base with main)");
}
