//! Which configuration is the policy: never one that the change put in its place.

use super::{change_of, changed, commit, run};
use crate::support::{Folder, finish};

#[test]
fn new_suite_sets_its_own_bar_and_says_so() {
    let folder = Folder::small(3);
    folder.git(&["init", "--quiet", "-b", "main"]);
    folder.git(&["commit", "--quiet", "--allow-empty", "-m", "empty"]);
    folder.git(&["switch", "--quiet", "-c", "change"]);
    commit(&folder, "first prompt ever");
    let outcome = run(&folder).expect_code(0);
    assert!(outcome.stdout.contains("warning     policy: new"), "{}", outcome.stdout);
    assert!(outcome.stdout.lines().take(3).any(|line| line.contains("policy: new")), "{}", outcome.stdout);
    let report = folder.report();
    assert_eq!(report["policy_source"]["new"], true);
    assert!(report["warnings"][0].as_str().is_some_and(|it| it.contains("sets its own bar")));
    let markdown = folder.read("promptgate-report/report.md");
    assert!(
        markdown.split("<details>").next().is_some_and(|seen| seen.contains("**Policy:** new.")),
        "{markdown}"
    );
    folder
        .promptgate(&["check", "--policy-from", "git:main"])
        .expect_code(0)
        .says("where there is none: new");
    // Files named by the candidate are held to the same rule.
    folder.edit("promptgate.yaml", "prompt: prompt.md", "prompt: .git/config");
    run(&folder).expect_code(2).says("in the `.git` folder");
}

#[test]
fn renamed_prompt_is_judged_by_the_same_policy() {
    let folder = change_of(|_| {});
    folder.git(&["mv", "prompt.md", "renamed.md"]);
    folder.edit("promptgate.yaml", "prompt: prompt.md", "prompt: renamed.md");
    commit(&folder, "change");
    run(&folder).expect_code(0);
    let report = folder.report();
    assert_eq!(report["variants"]["candidate"]["prompt"]["name"], "renamed");
    assert_eq!(report["variants"]["baseline"]["prompt"]["name"], "prompt");
    assert!(changed(&folder).is_empty());
}

#[test]
fn configuration_with_the_other_extension_is_the_same() {
    let folder = change_of(|_| {});
    folder.git(&["mv", "promptgate.yaml", "promptgate.yml"]);
    folder.edit("promptgate.yml", "faithfulness: {min: 0.75}", "faithfulness: {min: 0.01}");
    commit(&folder, "change");
    for named in [None, Some("."), Some("promptgate.yml")] {
        let mut command = folder.command(&["run", "--offline", "--policy-from", "git:main"]);
        command.args(named);
        finish(command).expect_code(0);
        assert_eq!(changed(&folder), ["metrics.faithfulness.min"], "{named:?}");
        assert_eq!(folder.report()["policy_source"]["new"], false, "{named:?}");
        assert!(folder.report()["variants"]["baseline"].is_object(), "{named:?}");
    }
}

#[test]
fn nearer_configuration_is_not_a_new_suite() {
    let folder = change_of(|folder| folder.write("below/readme", "nothing"));
    for name in ["promptgate.yaml", "prompt.md", "baseline.md", "cases.jsonl"] {
        folder.write(&format!("below/{name}"), &folder.read(name));
    }
    commit(&folder, "change");
    let below = |arguments: &[&str]| {
        let mut command = folder.command(arguments);
        command.current_dir(folder.path().join("below"));
        finish(command)
    };
    below(&["run", "--offline", "--policy-from", "git:main"]).expect_code(2).says("would have been before");
    // Whoever names it knows that it is new.
    below(&["run", "--offline", "--policy-from", "git:main", "."]).expect_code(0).says("policy: new");
    // From below, the one above is found as ever.
    folder.git(&["rm", "--quiet", "--force", "below/promptgate.yaml"]);
    below(&["check", "--policy-from", "git:main"]).expect_code(0).says("of git:main at");
}

#[test]
fn removed_configuration_does_not_fall_back_to_its_parent() {
    let folder = change_of(|folder| {
        for name in ["promptgate.yaml", "prompt.md", "cases.jsonl"] {
            folder.write(&format!("strict/{name}"), &folder.read(name));
        }
    });
    folder.git(&["rm", "--quiet", "strict/promptgate.yaml"]);
    let mut command = folder.command(&["run", "--offline", "--policy-from", "git:main"]);
    command.current_dir(folder.path().join("strict"));
    finish(command).expect_code(2).says("git:main:strict/promptgate.yaml");
}

#[cfg(unix)]
#[test]
fn suite_behind_a_link_is_refused() {
    let folder = change_of(|folder| {
        for suite in ["strict", "lax"] {
            for name in ["promptgate.yaml", "prompt.md", "cases.jsonl"] {
                folder.write(&format!("{suite}/{name}"), &folder.read(name));
            }
        }
    });
    std::fs::remove_dir_all(folder.path().join("strict")).expect("it was there");
    std::os::unix::fs::symlink("lax", folder.path().join("strict")).expect("a link");
    commit(&folder, "change");
    let arguments = ["run", "--offline", "--policy-from", "git:main", "strict"];
    folder.promptgate(&arguments).expect_code(2).says("`strict` is a symbolic link");
}

#[test]
fn invalid_policy_is_refused() {
    let folder = change_of(|folder| folder.append("promptgate.yaml", "gate: {repeats: many}\n"));
    folder.edit("promptgate.yaml", "gate: {repeats: many}\n", "");
    commit(&folder, "repair");
    run(&folder)
        .expect_code(2)
        .says("git:merge-base:promptgate.yaml:")
        .says("a change is not judged by its own")
        .says("--policy-from git:REF");
    // A file that it names and does not have is as bad.
    let folder = change_of(|folder| folder.append("promptgate.yaml", "slices: {}\n"));
    folder.edit("promptgate.yaml", "  - length: {min_chars: 1}", "  - json_schema: gone.json");
    folder.git(&["commit", "--quiet", "-am", "break"]);
    folder.git(&["branch", "--force", "main"]);
    folder.write("gone.json", "{}");
    commit(&folder, "change");
    run(&folder).expect_code(2).says("gone.json").says("git:merge-base:promptgate.yaml");
}

#[test]
fn forged_merge_does_not_choose_its_policy() {
    let folder = change_of(|_| {});
    folder.edit("promptgate.yaml", "faithfulness: {min: 0.75}", "faithfulness: {min: 0.01}");
    commit(&folder, "lax");
    let lax = folder.git(&["rev-parse", "HEAD"]);
    folder.write("other", "file");
    commit(&folder, "other");
    let tree = folder.git(&["rev-parse", "HEAD^{tree}"]);
    let second = folder.git(&["rev-parse", "HEAD"]);
    // A merge commit like a forge's, made of the change's own commits.
    let message = format!("Merge {second} into {lax}");
    let merge = folder.git(&["commit-tree", &tree, "-p", &lax, "-p", &second, "-m", &message]);
    folder.git(&["checkout", "--quiet", "--detach", &merge]);
    run(&folder).expect_code(2).says("only HEAD itself indicates that");
    // The baseline is no better chosen.
    let arguments = ["run", "--offline", "--policy-from", "git:main"];
    folder.promptgate(&arguments).expect_code(2).says("only HEAD itself indicates that");
    // A merge commit onto main is one, whoever says so.
    let main = folder.git(&["rev-parse", "main"]);
    let message = format!("Merge {second} into {main}");
    let merge = folder.git(&["commit-tree", &tree, "-p", &main, "-p", &second, "-m", &message]);
    folder.git(&["checkout", "--quiet", "--detach", &merge]);
    run(&folder).expect_code(0);
    assert_eq!(folder.report()["policy_source"]["commit"], main.as_str());
    assert_eq!(changed(&folder), ["metrics.faithfulness.min"]);
}

#[test]
fn policy_is_read_from_other_commits_and_files() {
    let folder = change_of(|folder| folder.write("policy/readme", "here"));
    let lax = folder.read("promptgate.yaml").replace("0.75", "0.7");
    folder.write("policy/strict.yaml", &folder.read("promptgate.yaml").replace("0.75", "0.8"));
    folder.write("promptgate.yaml", &lax);
    commit(&folder, "change");
    let minimum = |spec: &str| {
        folder.promptgate(&["run", "--offline", "--policy-from", spec]).expect_code(0);
        let criteria = folder.report()["policy"]["criteria"].clone();
        let found = criteria.as_array().expect("criteria").iter().find(|it| it["id"] == "faithfulness.min");
        found.expect("a minimum")["requirement"]["value"].as_f64().expect("a number")
    };
    assert!((minimum("git:main") - 0.75).abs() < 1e-9);
    assert!((minimum("git:change") - 0.7).abs() < 1e-9);
    assert!((minimum("git:change:policy/strict.yaml") - 0.8).abs() < 1e-9);
    assert!((minimum("file:policy/strict.yaml") - 0.8).abs() < 1e-9);
    assert!(folder.report()["policy_source"]["commit"].is_null());
    for (spec, words) in [
        ("git:main:policy/strict.yaml", "no such configuration"),
        ("git:no-such-ref", "no-such-ref"),
        ("git:--upload-pack=x", "starts with `-`"),
        ("file:gone.yaml", "no such configuration"),
        ("none", "cannot be used here"),
        ("report:x.json", "cannot be used here"),
        ("git:", "missing the ref"),
    ] {
        folder.promptgate(&["run", "--offline", "--policy-from", spec]).expect_code(2).says(words);
    }
    let nowhere = Folder::small(1);
    run(&nowhere).expect_code(2).says("not in a git repository");
}
