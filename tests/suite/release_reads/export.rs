//! `export bundle`.

use promptgate_release::Content;
use serde_json::Value;

use super::json;
use super::ledger::Released;

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
