//! Files named by the policy come from the policy's commit; those of the candidate from the candidate.

use super::{change_of, changed, commit, run};
use crate::support::{Folder, MockServer};

#[test]
fn weakened_schema_is_judged_by_the_old_one() {
    let folder = Folder::golden();
    let schema = folder.read("answer.schema.json");
    folder.write("answer.schema.json", "{\"type\": \"object\", \"required\": [\"zebra\"]}");
    folder.git(&["init", "--quiet", "-b", "main"]);
    commit(&folder, "start");
    folder.git(&["switch", "--quiet", "-c", "change"]);
    folder.write("answer.schema.json", &schema);
    // The baseline is policy as well.
    folder.write("prompts/baseline.md", "Say nothing.\n");
    commit(&folder, "change");
    run(&folder).expect_code(10).says("file answer.schema.json from sha256:");
    assert_eq!(changed(&folder), ["file prompts/baseline.md", "file answer.schema.json"]);
    assert_eq!(
        folder.report()["variants"]["baseline"]["prompt"]["commit"],
        folder.git(&["rev-parse", "main"]).as_str()
    );
}

#[test]
fn schema_of_a_case_is_the_policys() {
    let row = |schema: &str| {
        format!(
            "{{\"id\": \"own\", \"query\": \"How many days?\", \"context\": \"It gives 9 days.\", \"checks\": \
             [{{\"json_schema\": \"{schema}\"}}]}}\n"
        )
    };
    let folder = change_of(|folder| {
        folder.write("case.json", "{\"type\": \"object\"}");
        folder.append("cases.jsonl", &row("case.json"));
    });
    // One that is there already is the policy's, a new one the candidate's.
    folder.write("case.json", "not even JSON");
    commit(&folder, "change");
    run(&folder);
    assert_eq!(changed(&folder), ["file case.json"]);
    folder.git(&["checkout", "--quiet", "main", "--", "case.json"]);
    folder.write("new.json", "{}");
    folder.append("cases.jsonl", &row("new.json").replace("own", "newer"));
    commit(&folder, "change");
    run(&folder);
    assert_eq!(changed(&folder), ["file new.json"]);
}

#[test]
fn edited_planted_answers_are_judged_by_the_old_ones() {
    let planted = |expected: &str| {
        format!(
            "{{\"id\": \"p\", \"query\": \"How many days?\", \"context\": \"The plan gives 12 days.\", \"answer\": \
             \"The plan gives 12 days.\", \"{expected}\": [\"faithfulness\"]}}\n"
        )
    };
    let folder = change_of(|folder| {
        folder.edit(
            "promptgate.yaml",
            "judge: {model: tiny-judge}",
            "judge: {model: tiny-judge, planted: planted.jsonl}",
        );
        // No judge scores this low: the judge of the base is unfit.
        folder.write("planted.jsonl", &planted("low"));
    });
    folder.write("planted.jsonl", &planted("high"));
    super::caught(&folder, 12, "file planted.jsonl");
}

#[test]
fn calibration_of_the_change_is_ignored() {
    let server = MockServer::start(&[]);
    let folder = change_of(|folder| {
        folder.edit(
            "promptgate.yaml",
            "judge: {model: tiny-judge}",
            "judge: {model: tiny-judge, calibration: calibration.json, min_kappa: 0.6}",
        );
    });
    folder.write("calibration.json", "{\"forged\": true}");
    commit(&folder, "change");
    let arguments = ["run", "--policy-from", "git:main"];
    folder.against(&server.base_url, &arguments).expect_code(12).says("there is no calibration.json");
    assert_eq!(changed(&folder), ["file calibration.json"]);
}

#[test]
fn saved_baseline_of_the_change_is_ignored() {
    let folder = change_of(|folder| {
        folder.promptgate(&["run", "--offline", "--out", "saved", "--baseline", "none"]).expect_code(0);
        folder.append("promptgate.yaml", "baseline: report:saved/report.json\n");
    });
    run(&folder).expect_code(0);
    folder.append("saved/report.json", " ");
    commit(&folder, "change");
    run(&folder).expect_code(2).says("saved/report.json").says("in two steps");
    // Beside a policy that is a file, it is that file's neighbour.
    let trusted = Folder::new();
    for name in ["promptgate.yaml", "saved/report.json"] {
        trusted.write(name, &folder.git(&["show", &format!("main:{name}")]));
    }
    let policy = format!("file:{}", trusted.path().join("promptgate.yaml").display());
    std::fs::remove_dir_all(folder.path().join("saved")).expect("it was there");
    folder.promptgate(&["run", "--offline", "--policy-from", &policy]).expect_code(0);
    std::fs::remove_dir_all(trusted.path().join("saved")).expect("it was there");
    folder
        .promptgate(&["run", "--offline", "--policy-from", &policy])
        .expect_code(2)
        .says("saved/report.json");
}

#[cfg(unix)]
#[test]
fn links_out_of_the_repository_are_refused() {
    let secret = Folder::new();
    secret.write("secret.txt", "the launch code is 0000");
    secret
        .write("cases.jsonl", "{\"id\": \"x\", \"query\": \"the launch code\", \"context\": \"is 0000\"}\n");
    let link = |folder: &Folder, target: &str, name: &str| {
        let _ = std::fs::remove_file(folder.path().join(name));
        std::os::unix::fs::symlink(secret.path().join(target), folder.path().join(name)).expect("a link");
        commit(folder, "link");
    };
    for (target, name) in [("secret.txt", "prompt.md"), ("cases.jsonl", "cases.jsonl")] {
        let folder = change_of(|_| {});
        link(&folder, target, name);
        let outcome = run(&folder).expect_code(2).says("symbolic link").says(name);
        assert!(!outcome.text().contains("launch code"), "{}", outcome.text());
    }
    // A folder on the way is a link as well, also where `..` would lead back.
    let folder = change_of(|_| {});
    link(&folder, "", "there");
    for path in ["there/secret.txt", "there/../prompt.md"] {
        folder.git(&["checkout", "--quiet", "main", "--", "promptgate.yaml"]);
        folder.edit("promptgate.yaml", "prompt: prompt.md", &format!("prompt: {path}"));
        let outcome = run(&folder);
        assert!(!outcome.text().contains("launch code"), "{}", outcome.text());
        // The second path is read as it looks: without the link.
        outcome.expect_code(if path.contains("..") { 0 } else { 2 });
    }
    // The schema of a check is the policy's; that of a new case is the candidate's.
    let folder = change_of(|_| {});
    link(&folder, "secret.txt", "new.json");
    folder.append("cases.jsonl", "{\"id\": \"n\", \"query\": \"Days?\", \"context\": \"9 days.\", \"checks\": [{\"json_schema\": \"new.json\"}]}\n");
    run(&folder).expect_code(2).says("symbolic link");
    folder.promptgate(&["check"]).expect_code(2).says("not JSON");
}

#[test]
fn paths_out_of_the_repository_are_refused() {
    for path in ["../outside.md", "/etc/hostname", ".git/config", "prompts/../.GIT/config"] {
        let folder = change_of(|_| {});
        folder.edit("promptgate.yaml", "prompt: prompt.md", &format!("prompt: {path}"));
        run(&folder).expect_code(2).says(path);
        folder.git(&["checkout", "--quiet", "main", "--", "promptgate.yaml"]);
        folder.edit(
            "promptgate.yaml",
            "dataset: cases.jsonl",
            &format!("dataset: {{path: \"{path}\", format: csv}}"),
        );
        run(&folder).expect_code(2).says(path);
    }
}

#[test]
fn cache_is_beside_the_candidate() {
    let server = MockServer::start(&[]);
    let folder = change_of(|_| {});
    folder.against(&server.base_url, &["run", "--policy-from", "git:main"]).expect_code(0);
    assert!(folder.path().join(".promptgate/cache.redb").is_file());
    let cached = ["run", "--policy-from", "git:main", "--cached-only"];
    folder.against(&server.base_url, &cached).expect_code(0);
}
