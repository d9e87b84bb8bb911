//! `export bundle`.

use promptgate_release::Content;
use serde_json::Value;

use super::ledger::Released;
use super::{begin_rollout, json};

#[test]
fn bundle_has_pinned_prompts_with_digests() {
    let released = Released::new();
    let outcome = released.folder.promptgate(&["export", "bundle", "--out", "image"]).expect_code(0);
    outcome.says("support/reply@1.0.0").says("image/bundle.json");
    let manifest: Value = serde_json::from_str(&released.folder.read("image/bundle.json")).expect("JSON");
    let entry = &manifest["prompts"][0];
    let text = released.folder.read(&format!("image/{}", entry["file"].as_str().expect("a file")));
    let prompt: Value = serde_json::from_str(&text).expect("JSON");
    let content: Content = serde_json::from_value(prompt["content"].clone()).expect("a content");
    assert_eq!(entry["digest"], content.digest().as_str());
    assert_eq!(manifest, json(&released, "bundle", &["export", "bundle", "--out", "other"], 0));
    assert_eq!(released.folder.read("other/bundle.json"), released.folder.read("image/bundle.json"));
}

#[test]
fn bundle_has_the_versions_and_the_assignments_of_a_rollout() {
    let released = Released::new();
    begin_rollout(&released);
    let manifest = json(&released, "bundle", &["export", "bundle", "--out", "image"], 0);
    let variants: Vec<_> = manifest["prompts"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| (entry["version"].as_str().expect("a text"), entry["variant"].as_str().expect("a text")))
        .collect();
    assert_eq!(variants, [("1.0.0", "control"), ("1.1.0", "treatment")]);
    let text = released.folder.read("image/releases.json");
    assert_eq!(text, released.folder.read("ledger/releases.json"));
    let schema = released.folder.promptgate(&["schema", "releases"]).expect_code(0).stdout;
    let schema = serde_json::from_str(&schema).expect("a schema");
    let releases: Value = serde_json::from_str(&text).expect("JSON");
    assert!(jsonschema::validator_for(&schema).expect("a valid schema").is_valid(&releases), "{releases:#}");
    assert_eq!(releases["prompts"]["support/reply"]["basis_points"], 2_500);
    assert_eq!(
        (&manifest["releases"]["file"], &manifest["releases"]["seq"]),
        (&"releases.json".into(), &2.into())
    );
}

#[test]
fn damaged_assignments_are_damage_of_the_ledger() {
    let released = Released::new();
    released.folder.edit("ledger/releases.json", "\"basis_points\": 0", "\"basis_points\": 9000");
    released.folder.promptgate(&["log", "--verify"]).expect_code(10).says("releases.json");
    released.folder.write("ledger/releases.json", "{");
    released.folder.promptgate(&["export", "bundle"]).expect_code(12).says("releases.json: not releases");
    // Units are assigned by the events, so a damaged file changes nothing here.
    released.folder.promptgate(&["assign", "support/reply", "--unit", "u"]).expect_code(0).says("control");
}

#[test]
fn bundle_without_production_writes_nothing() {
    let released = Released::empty();
    released.folder.promptgate(&["export", "bundle", "--out", "image"]).expect_code(2).says("no prompts");
    assert!(!released.folder.path().join("image").exists());
}

#[test]
fn bundle_that_cannot_be_written_fails() {
    let released = Released::new();
    released.folder.write("image", "a file in place of the folder");
    released
        .folder
        .promptgate(&["export", "bundle", "--out", "image"])
        .expect_code(12)
        .says("could not write");
}
