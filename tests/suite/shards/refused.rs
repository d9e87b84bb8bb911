//! Invalid sets of shards: each is refused by name, with the next step.

use serde_json::Value;

use super::{json, path, run_shards, shard, small};
use crate::support::{Folder, Outcome};

/// Three shards of six cases.
fn three() -> Folder {
    let folder = small(6);
    run_shards(&folder, 3, &[]);
    folder
}

/// Asserts that a merge is refused and writes no report.
#[track_caller]
fn refused(folder: &Folder) -> Outcome {
    let outcome = folder.promptgate(&["merge", "shards"]).expect_code(12).says("help");
    assert!(!folder.path().join("promptgate-report").exists());
    outcome
}

/// Edits a shard in place.
fn edit(folder: &Folder, index: u32, edit: impl FnOnce(&mut Value)) {
    let mut file = json(folder, &path(index, 3));
    edit(&mut file);
    folder.write(&path(index, 3), &file.to_string());
}

/// A shard of [`three`] with a case.
fn filled(folder: &Folder) -> u32 {
    (1..=3).find(|index| json(folder, &path(*index, 3))["counts"]["cases"] != 0).expect("a case")
}

#[test]
fn missing_shard_is_refused() {
    let folder = three();
    folder.promptgate(&["merge", "shards"]).expect_code(0);
    std::fs::remove_dir_all(folder.path().join("promptgate-report")).expect("a report");
    std::fs::remove_dir_all(folder.path().join("shards/2")).expect("a shard");
    refused(&folder)
        .says("shard 2/3 is missing")
        .says("promptgate run --shard 2/3")
        .says("shard-2-of-3.json");
    std::fs::remove_dir_all(folder.path().join("shards/1")).expect("a shard");
    refused(&folder).says("shards 1/3, 2/3 are missing");
    // Advisory says the same, and lets the change pass.
    folder.promptgate(&["merge", "shards", "--advisory"]).expect_code(0).says("are missing");
}

#[test]
fn duplicate_shard_is_refused() {
    let folder = three();
    folder.write("shards/again/shard-2-of-3.json", &folder.read(&path(2, 3)));
    refused(&folder).says("duplicate shard 2/3").says("shards/2/").says("shards/again/");
    // The same folder named twice, or within another, is the same file.
    std::fs::remove_dir_all(folder.path().join("shards/again")).expect("a shard");
    folder.promptgate(&["merge", "shards", "shards/2", "shards/2/../1"]).expect_code(0);
}

#[test]
fn shard_of_another_run_is_refused() {
    let folder = three();
    for (flags, part) in [
        (&["--repeats", "2"][..], "policy, repeats"),
        (&["--min", "faithfulness=0.9"], "policy"),
        (&["--no-judge"], "cases, judge, policy, scorers"),
        (&["--baseline", "none"], "baseline, policy"),
        (&["--filter", "case-[1-5]"], "cases, dataset"),
    ] {
        shard(&folder, 2, 3, flags).expect_code(0);
        refused(&folder)
            .says("shard 2/3 belongs to another run")
            .says(&path(2, 3))
            .says(&format!("differs in {part}"));
    }
    folder.append("prompt.md", "Be kind.\n");
    shard(&folder, 2, 3, &[]).expect_code(0);
    refused(&folder).says("differs in candidate\n");
    // Of another number of shards.
    std::fs::remove_dir_all(folder.path().join("shards/2")).expect("a shard");
    folder.edit("prompt.md", "Be kind.\n", "");
    shard(&folder, 2, 4, &[]).expect_code(0);
    refused(&folder).says("shard 2/4 belongs to another run").says("differs in shards");
}

#[test]
fn shard_with_other_checks_is_refused() {
    let folder = small(6);
    folder.write("answer.schema.json", "{\"type\": \"string\"}");
    folder.edit("promptgate.yaml", "checks:\n", "checks:\n  - {json_schema: answer.schema.json, min: 0}\n");
    run_shards(&folder, 3, &[]);
    folder.promptgate(&["merge", "shards", "--out", "fine"]);
    assert!(folder.path().join("fine/report.json").exists());
    folder.write("answer.schema.json", "{\"type\": \"number\"}");
    shard(&folder, 2, 3, &[]).expect_code(0);
    refused(&folder).says("differs in scorers\n");
}

#[test]
fn damaged_shard_is_refused() {
    let folder = three();
    let good = folder.read(&path(2, 3));
    for (text, words) in [
        (good[..good.len() / 2].to_owned(), "the shard is cut off"),
        (String::new(), "the shard is empty"),
        ("PK\u{3}\u{4} no JSON".to_owned(), "the shard is damaged"),
        ("{}".to_owned(), "not a promptgate shard"),
        ("[]".to_owned(), "not a promptgate shard"),
        ("{\"schema\": \"promptgate.report/v1\"}".to_owned(), "not a promptgate shard"),
        ("{\"schema\": \"promptgate.shard/v1\"}".to_owned(), "missing field"),
        (good.replace("promptgate.shard/v1", "promptgate.shard/v9"), "version `promptgate.shard/v9`"),
        (good.replacen("\"repeats\":3", "\"repeats\":\"one\"", 1), "not a promptgate shard"),
    ] {
        folder.write(&path(2, 3), &text);
        let outcome = refused(&folder).says(words).says(&path(2, 3));
        assert!(!outcome.text().contains("is missing"), "{}", outcome.text());
        assert!(!outcome.text().contains("a case was removed"), "{}", outcome.text());
    }
    // All damaged files are named at once.
    folder.write(&path(1, 3), "");
    std::fs::remove_dir_all(folder.path().join("shards/3")).expect("a shard");
    folder.write(&path(2, 3), &good);
    refused(&folder).says(&path(1, 3)).says("shard 3/3 is missing");
    std::fs::write(folder.path().join(path(1, 3)), [0xff, 0xfe, 0x00]).expect("a file");
    refused(&folder).says("not UTF-8");
}

#[test]
fn edited_shard_is_refused() {
    type Edit = fn(&mut Value);
    let edits: [(Edit, &str); 14] = [
        (|file| file["counts"]["missing"] = 1.into(), "`counts` says"),
        (|file| file["counts"]["cases"] = 0.into(), "`counts` says"),
        (|file| file["shard"]["index"] = 9.into(), "`shard` is 9/3"),
        (|file| file["shard"]["index"] = 0.into(), "`shard` is 0/3"),
        (|file| file["shard"]["of"] = 2.into(), ""),
        (
            |file| file["report"]["policy"]["criteria"][1]["requirement"]["value"] = 0.0.into(),
            "`plan.parts.policy`",
        ),
        (|file| file["plan"]["parts"]["candidate"] = "sha256:other".into(), "`plan.digest`"),
        (|file| file["report"]["dataset"]["digest"] = "sha256:other".into(), "`plan.parts.dataset`"),
        (|file| file["report"]["repeats"] = 7.into(), "repeats"),
        (|file| file["report"]["cases"][0]["id"] = "case-71".into(), "does not belong to shard"),
        (|file| file["places"][0] = 6.into(), "has place 6 of 6 cases"),
        (|file| file["report"]["cases"][0]["trials"][0]["grades"][0]["score"] = 1.5.into(), "no valid score"),
        (|file| file["report"]["cases"][0]["trials"] = Value::Array(Vec::new()), "0 of 3 trials"),
        (|file| file["report"]["scorers"] = Value::Array(Vec::new()), "scorer"),
    ];
    let folder = three();
    let index = filled(&folder);
    let good = folder.read(&path(index, 3));
    for (change, words) in edits {
        edit(&folder, index, change);
        refused(&folder).says(words).says(&path(index, 3));
        folder.write(&path(index, 3), &good);
    }
    // A removed case, with updated counts.
    edit(&folder, index, |file| {
        let cases = file["report"]["cases"].as_array_mut().expect("cases");
        cases.remove(0);
        let left = cases.len();
        file["places"].as_array_mut().expect("places").remove(0);
        file["counts"] = serde_json::json!({"cases": left, "trials": left * 6, "missing": 0});
    });
    refused(&folder).says("the shards have 5 of 6 cases");
    folder.write(&path(index, 3), &good);
    // Another id that hashes to the same shard.
    edit(&folder, index, |file| file["report"]["cases"][0]["id"] = "case-77".into());
    refused(&folder).says("the cases differ from those of the plan");
    folder.write(&path(index, 3), &good);
    // Fields that decide whether a case counts.
    let counting: [Edit; 4] = [
        |file| file["report"]["cases"][0]["must_pass"] = true.into(),
        |file| file["report"]["cases"][0]["group"] = "other".into(),
        |file| file["report"]["cases"][0]["tags"] = serde_json::json!(["other"]),
        |file| file["report"]["cases"][0]["scorers"] = serde_json::json!(["length"]),
    ];
    for change in counting {
        edit(&folder, index, change);
        refused(&folder);
        folder.write(&path(index, 3), &good);
    }
    // Two files that contradict each other.
    edit(&folder, index, |file| file["report"]["simulated"] = false.into());
    refused(&folder).says("`simulated` differs from");
}

#[test]
fn merge_without_shards_is_refused() {
    let folder = small(1);
    folder.promptgate(&["merge"]).expect_code(2);
    folder.promptgate(&["merge", "nowhere"]).expect_code(2).says("nowhere");
    folder.write("empty/report.json", "{}");
    folder.promptgate(&["merge", "empty"]).expect_code(2).says("no file is named shard-k-of-n.json");
}

#[test]
fn tracked_shard_is_refused() {
    let folder = three();
    folder.git(&["init", "--quiet", "-b", "main"]);
    folder.promptgate(&["merge", "shards"]).expect_code(0);
    std::fs::remove_dir_all(folder.path().join("promptgate-report")).expect("a report");
    folder.git(&["add", &path(2, 3)]);
    folder
        .promptgate(&["merge", "shards"])
        .expect_code(2)
        .says("shard-2-of-3.json")
        .says("part of the repository");
    assert!(!folder.path().join("promptgate-report").exists());
}

#[cfg(unix)]
#[test]
fn linked_shard_is_refused() {
    let folder = three();
    folder.write("elsewhere.json", "{\"schema\": \"promptgate.shard/v1\", \"shard\": \"a word of mine\"}");
    let place = folder.path().join(path(2, 3));
    std::fs::remove_file(&place).expect("a shard");
    std::os::unix::fs::symlink(folder.path().join("elsewhere.json"), place).expect("a link");
    let outcome = refused(&folder).says("this is a symbolic link, not a shard");
    assert!(!outcome.stderr.contains("a word of mine"));
}

#[test]
fn failed_shard_removes_an_earlier_one() {
    let folder = three();
    folder.append("promptgate.yaml", "no_such_key: 1\n");
    let out = "shards/2";
    folder.promptgate(&["run", "--offline", "--shard", "2/3", "--out", out]).expect_code(2);
    refused(&folder).says("shard 2/3 is missing");
}
