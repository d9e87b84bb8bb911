//! Several suites in a pull request: one comment, one verdict, and no suite disappears unnoticed.

use super::Origin;
use crate::several::suites;
use crate::support::Folder;

/// Two suites and the list that names them, on `main`.
fn origin() -> Origin {
    let folder = suites(&["refunds", "login"]);
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
        job.offline().expect_code(12).says("the base has this suite");
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
