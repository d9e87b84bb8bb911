//! Saved reports as baselines and in `compare`, and their refusal when forged.

use crate::support::Folder;

fn reports() -> Folder {
    let folder = Folder::golden();
    folder
        .promptgate(&[
            "run",
            "--offline",
            "--baseline",
            "none",
            "--candidate",
            "file:prompts/baseline.md",
            "--out",
            "old",
        ])
        .expect_code(0);
    folder
        .promptgate(&["run", "--offline", "--baseline", "file:prompts/baseline.md", "--out", "new"])
        .expect_code(0);
    folder
        .promptgate(&[
            "run",
            "--offline",
            "--baseline",
            "file:prompts/baseline.md",
            "--out",
            "worse",
            "--candidate",
            "file:prompts/quiet-regression.md",
        ])
        .expect_code(10);
    folder
}

#[test]
fn compare_decides_without_a_call() {
    let folder = reports();
    folder.promptgate(&["compare", "old/report.json", "new/report.json"]).expect_code(0).says("PASS");
    let outcome = folder.promptgate(&["compare", "old/report.json", "worse/report.json", "--out", "both"]);
    outcome.expect_code(10).says("FAIL");
    let direct: serde_json::Value = serde_json::from_str(&folder.read("worse/report.json")).expect("JSON");
    let compared: serde_json::Value = serde_json::from_str(&folder.read("both/report.json")).expect("JSON");
    let numbers = |report: &serde_json::Value| -> Vec<(String, String)> {
        report["criteria"]
            .as_array()
            .expect("criteria")
            .iter()
            .filter(|it| {
                it["id"].as_str().is_some_and(|id| id.ends_with(".baseline") || id.ends_with(".min"))
            })
            .map(|it| (it["id"].to_string(), it["estimate"].to_string()))
            .collect()
    };
    assert_eq!(numbers(&direct), numbers(&compared));
}

#[test]
fn saved_report_is_a_baseline() {
    let folder = reports();
    folder.promptgate(&["run", "--offline", "--baseline", "report:old/report.json"]).expect_code(0);
    let report = folder.report();
    assert!(report["baseline_note"].as_str().is_some_and(|note| note.contains("baseline_reused")));
    assert!(report["warnings"].to_string().contains("compared with answers of"), "{report}");
    folder
        .promptgate(&[
            "run",
            "--offline",
            "--baseline",
            "report:old/report.json",
            "--candidate",
            "file:prompts/quiet-regression.md",
        ])
        .expect_code(11);
}

#[test]
fn relative_latency_skips_an_earlier_session() {
    let folder = Folder::small(3);
    folder.append("promptgate.yaml", "limits: {latency_p50: {max_increase: 900%}}\n");
    folder.promptgate(&["run", "--offline", "--baseline", "none", "--out", "old"]).expect_code(0);
    folder
        .promptgate(&["run", "--offline", "--baseline", "report:old/report.json"])
        .expect_code(12)
        .says("needs a fresh baseline");
}

#[test]
fn incomparable_reports_are_refused() {
    let folder = reports();
    folder.promptgate(&["compare", "old/report.json", "gone.json"]).expect_code(2).says("gone.json");
    folder.write("broken.json", &folder.read("new/report.json")[..2000]);
    folder.promptgate(&["compare", "old/report.json", "broken.json"]).expect_code(2).says("broken.json");
    let other = folder.read("new/report.json").replace("promptgate.report/v1", "promptgate.report/v9");
    folder.write("other.json", &other);
    folder.promptgate(&["compare", "old/report.json", "other.json"]).expect_code(2).says("v9");
    let mut judge: serde_json::Value = serde_json::from_str(&folder.read("new/report.json")).expect("JSON");
    judge["judge"]["fingerprint"] = "sha256:other".into();
    folder.write("judge.json", &judge.to_string());
    folder.promptgate(&["compare", "old/report.json", "judge.json"]).expect_code(2).says("fingerprint");
    let mut dataset: serde_json::Value = serde_json::from_str(&folder.read("new/report.json")).expect("JSON");
    dataset["dataset"]["digest"] = "sha256:other".into();
    folder.write("dataset.json", &dataset.to_string());
    folder.promptgate(&["compare", "old/report.json", "dataset.json"]).expect_code(2).says("dataset");
    folder
        .promptgate(&["run", "--offline", "--baseline", "report:judge.json"])
        .expect_code(2)
        .says("fingerprint");
}
