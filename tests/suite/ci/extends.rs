//! `extends` in a pull request: the policy of the base is extended by the file of the base.

use serde_json::Value;

use super::several::listed;
use super::{Job, Origin, worse};
use crate::extends::{SHARED, extending, sharing};
use crate::support::Folder;

/// A shared file without the metrics that a bad prompt fails.
const WEAK: &str = "\
model: tiny
parameters: {temperature: 0}
endpoint: {timeout: 5s, attempts: 2, max_wait: 2s}
checks:
  - length: {min_chars: 1}
";

/// Two suites with a shared file and the list that names them, on `main`.
fn origin() -> Origin {
    listed(sharing(&["refunds", "login"]))
}

/// The same suites without a shared file.
fn unshared() -> Origin {
    let folder = sharing(&["refunds", "login"]);
    for name in ["refunds", "login"] {
        let own = extending(name).replace("extends: ../shared.yaml\n", "");
        folder
            .write(&format!("{name}/promptgate.yaml"), &format!("{own}{SHARED}baseline: file:baseline.md\n"));
    }
    std::fs::remove_file(folder.path().join("shared.yaml")).expect("a file");
    listed(folder)
}

fn bad(folder: &Folder) {
    folder.write("login/prompt.md", "Be kind to the customer.\n");
}

/// The paths of the policy that the change alters, in a suite's report.
fn changed(job: &Job, suite: &str) -> Vec<String> {
    let report = job.checkout.read(&format!("promptgate-report/{suite}/report.json"));
    let report: Value = serde_json::from_str(&report).expect("JSON");
    let changed = report["policy_source"]["changed"].as_array().expect("changes").iter();
    changed.map(|change| change["path"].as_str().expect("a path").to_owned()).collect()
}

#[test]
fn change_of_the_shared_file_does_not_set_the_bar() {
    type Change = (&'static str, fn() -> Origin, fn(&Folder));
    let changes: [Change; 5] = [
        ("edited", origin, |folder| folder.write("shared.yaml", WEAK)),
        ("another file", origin, |folder| {
            folder.write("weak.yaml", WEAK);
            folder.edit("login/promptgate.yaml", "../shared.yaml", "../weak.yaml");
        }),
        ("removed", origin, |folder| {
            let own = extending("login").replace("extends: ../shared.yaml\n", WEAK);
            folder.write("login/promptgate.yaml", &own);
        }),
        ("added", unshared, |folder| {
            folder.write("shared.yaml", WEAK);
            folder.write("login/promptgate.yaml", &extending("login"));
        }),
        ("overridden", origin, |folder| folder.append("login/promptgate.yaml", "metrics: null\n")),
    ];
    for (what, origin, change) in changes {
        let origin = origin();
        origin.change(|folder| {
            change(folder);
            bad(folder);
        });
        let job = origin.pull_request();
        // By its own policy it would pass.
        let own = super::finish(job.command(&[
            "login",
            "--policy-from",
            "head",
            "--baseline",
            "none",
            "--offline",
        ]));
        assert_eq!(own.code, 0, "{what}: {}", own.text());
        let outcome = job.fresh();
        let ended = outcome.offline();
        assert_eq!(ended.code, 10, "{what}: {}", ended.text());
        let paths = changed(&outcome, "login");
        assert!(paths.iter().any(|path| path.starts_with("metrics")), "{what}: {paths:?}");
        assert!(!paths.iter().any(|path| path == "extends"), "{what}: {paths:?}");
    }
}

#[test]
fn change_of_the_shared_file_touches_every_suite_that_extends_it() {
    let origin = origin();
    origin
        .change(|folder| folder.edit("shared.yaml", "faithfulness: {min: 0.75}", "faithfulness: {min: 0.7}"));
    let job = origin.pull_request();
    let outcome = job.offline();
    for name in ["refunds", "login"] {
        assert!(!outcome.stdout.contains(&format!("UNCHANGED  {name}")), "{}", outcome.stdout);
        assert_eq!(changed(&job, name), ["metrics.faithfulness.min"], "{}", outcome.text());
    }
    // Model and parameters are those of the change.
    let origin = self::origin();
    origin.change(|folder| folder.edit("shared.yaml", "temperature: 0", "temperature: 0.5"));
    let outcome = origin.pull_request().offline().expect_code(0);
    assert!(!outcome.stdout.contains("UNCHANGED"), "{}", outcome.stdout);
    // A file that only one of them extends touches one.
    let origin = self::origin();
    origin.folder.write("other.yaml", SHARED);
    origin.folder.edit("login/promptgate.yaml", "../shared.yaml", "../other.yaml");
    origin.commit("another shared file");
    origin.change(|folder| folder.edit("other.yaml", "temperature: 0", "temperature: 0.5"));
    let outcome = origin.pull_request().offline().expect_code(0);
    assert!(outcome.stdout.contains("UNCHANGED  refunds"), "{}", outcome.stdout);
    assert!(!outcome.stdout.contains("UNCHANGED  login"), "{}", outcome.stdout);
}

#[test]
fn moving_equal_values_into_a_shared_file_changes_nothing() {
    let origin = unshared();
    origin.change(|folder| {
        folder.write("shared.yaml", SHARED);
        for name in ["refunds", "login"] {
            folder.write(&format!("{name}/promptgate.yaml"), &extending(name));
        }
    });
    let job = origin.pull_request();
    job.offline().expect_code(0);
    job.outcome("unchanged", 0);
}

#[test]
fn shared_file_behind_a_link_or_gone_is_an_error() {
    type Change = fn(&Folder);
    let changes: [(Change, &str); 2] = [
        (
            |folder| {
                folder.git(&["mv", "shared.yaml", "real.yaml"]);
                std::os::unix::fs::symlink("real.yaml", folder.path().join("shared.yaml")).expect("a file");
            },
            "symbolic link",
        ),
        (
            |folder| {
                folder.git(&["rm", "--quiet", "shared.yaml"]);
            },
            "cannot extend ../shared.yaml: file not found",
        ),
    ];
    for (change, words) in changes {
        let origin = origin();
        origin.change(|folder| {
            change(folder);
            bad(folder);
        });
        let job = origin.pull_request();
        job.offline().expect_code(2).says(words);
        job.outcome("error", 2);
    }
}

#[test]
fn invalid_shared_file_of_the_base_is_not_replaced_by_that_of_the_change() {
    let folder = sharing(&["refunds", "login"]);
    folder.write("shared.yaml", "model: [\n");
    let origin = listed(folder);
    origin.change(|folder| {
        folder.write("shared.yaml", WEAK);
        bad(folder);
    });
    origin
        .pull_request()
        .offline()
        .expect_code(2)
        .says("a change is not judged by its own")
        .says("shared.yaml");
}

#[test]
fn shared_file_that_a_step_replaces_is_refused() {
    let origin = origin();
    origin.change(bad);
    let job = origin.pull_request();
    job.checkout.write("shared.yaml", &SHARED.replace("model: tiny\n", "model: other\n"));
    job.offline().expect_code(2).says("the content differs from commit").says("shared.yaml");
}

#[test]
fn shared_file_that_a_step_made_is_named() {
    let origin = origin();
    origin.change(|folder| {
        folder.git(&["rm", "--quiet", "--cached", "shared.yaml"]);
        folder.append(".gitignore", "shared.yaml\n");
        folder.git(&["commit", "--quiet", "-m", "made by a step"]);
        std::fs::remove_file(folder.path().join("shared.yaml")).expect("a file");
        bad(folder);
    });
    let job = origin.pull_request();
    job.checkout.write("shared.yaml", &SHARED.replace("model: tiny\n", "model: other\n"));
    job.offline().expect_code(10);
    let report = job.checkout.read("promptgate-report/login/report.json");
    assert!(report.contains("not in the commit: the file that the suite extends"), "{report}");
}

#[test]
fn suite_does_not_disappear_by_being_extended() {
    let origin = origin();
    origin.folder.git(&["mv", "login/promptgate.yaml", "login/suite.yaml"]);
    origin.folder.write("promptgate.yaml", "version: 1\nsuites: [\"*/*.yaml\"]\n");
    origin.commit("a glob of files");
    origin.change(|folder| {
        folder.edit("refunds/promptgate.yaml", "../shared.yaml", "../login/suite.yaml");
        folder.write("login/suite.yaml", SHARED);
        worse(folder);
    });
    let job = origin.pull_request();
    job.offline().expect_code(12).says("the change removes this suite");
}
