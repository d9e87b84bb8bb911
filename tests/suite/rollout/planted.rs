//! Configurations, ledgers and telemetry that somebody commits move nothing, and none that is taken away hides a rollout.

use super::support::{EQUAL, METRICS, Story};
use crate::release::support::NAME;

const ALL: [&str; 3] = ["rollout", "advance", "--all"];

/// Copies the configuration to a folder, where it has the same ledger.
fn copy(story: &Story, folder: &str) {
    let text = story.suite.folder.read("promptgate.yaml").replace("{path: ledger}", "{path: ../ledger}");
    story.suite.folder.write(&format!("{folder}/promptgate.yaml"), &text);
}

fn remove(story: &Story, file: &str) {
    std::fs::remove_file(story.suite.folder.path().join(file)).expect("a file");
}

#[test]
fn name_of_two_configurations_is_not_advanced() {
    for mut story in [Story::in_folder(), Story::on_branch()] {
        story.start(&[]);
        story.at(12);
        // The second one reads its own files, which show harm.
        story.scores(0, (855, 950), (30, 50));
        copy(&story, "other");
        story.suite.folder.write("other/metrics.json", &story.suite.folder.read(METRICS));
        story.scores(0, (855, 950), (45, 50));
        copy(&story, "third");
        story.suite.folder.edit("third/promptgate.yaml", NAME, "support/third");
        let before = story.suite.ledger();
        story
            .suite
            .run(&ALL)
            .expect_code(12)
            .says("other/promptgate.yaml releases the name support/reply as well")
            .says("other/promptgate.yaml was not advanced");
        let found = story.suite.json(12, &ALL);
        let names: Vec<&str> =
            found.as_array().expect("rollouts").iter().filter_map(|found| found["name"].as_str()).collect();
        assert_eq!(names, ["support/third"]);
        for config in [".", "other"] {
            let advance = story.rollout("advance", &["--config", config]);
            advance.expect_code(2).says("releases the name support/reply as well").says("release:");
        }
        assert_eq!(story.suite.ledger(), before);
        assert_eq!(story.served(), ("1.0.0".into(), "1.1.0".into(), 5.0));
        remove(&story, "other/promptgate.yaml");
        story.advance(0, "waiting");
    }
}

#[test]
fn committed_ledger_moves_nothing_in_a_job() {
    let mut story = Story::in_folder();
    story.start(&[]);
    story.at(48);
    story.scores(0, EQUAL[0].0, EQUAL[0].1);
    let folder = &story.suite.folder;
    folder.git(&["init", "--quiet", "-b", "main"]);
    folder.git(&["add", "--force", "ledger"]);
    story.suite.in_job("push", "carol");
    let before = story.suite.ledger();
    let refused = |story: &Story, says: &str| {
        story.rollout("advance", &[]).expect_code(2).says(says).says("`ledger: git`");
        story.suite.run(&ALL).expect_code(12).says(says);
    };
    refused(&story, "the ledger ledger is part of the repository");
    let folder = &story.suite.folder;
    folder.git(&["rm", "-r", "--cached", "--quiet", "ledger"]);
    folder.git(&["init", "--quiet", "ledger"]);
    refused(&story, "in a repository inside this one");
    std::fs::remove_dir_all(story.suite.folder.path().join("ledger/.git")).expect("a folder");
    #[cfg(unix)]
    {
        let path = story.suite.folder.path().to_owned();
        std::fs::rename(path.join("ledger"), path.join("elsewhere")).expect("a folder");
        std::os::unix::fs::symlink("elsewhere", path.join("ledger")).expect("a link");
        refused(&story, "is behind a symbolic link of the repository");
        std::fs::remove_file(path.join("ledger")).expect("a link");
        std::fs::rename(path.join("elsewhere"), path.join("ledger")).expect("a folder");
    }
    assert_eq!(story.suite.ledger(), before);
    // A folder that only jobs write, such as one from a cache, is none of these.
    story.advance(0, "advanced");
}

#[test]
fn rollout_without_a_configuration_is_found() {
    for mut story in [Story::in_folder(), Story::on_branch()] {
        story.start(&[]);
        story.at(12);
        story.scores(0, (855, 950), (45, 50));
        // A configuration that moves is there.
        copy(&story, "moved");
        let text = story.suite.folder.read("promptgate.yaml");
        remove(&story, "promptgate.yaml");
        story.suite.folder.write("moved/metrics.json", &story.suite.folder.read(METRICS));
        story.suite.run(&ALL).expect_code(0);
        remove(&story, "moved/promptgate.yaml");
        story.suite.folder.write("promptgate.yaml", &text.replace(NAME, "support/answer"));
        story
            .suite
            .run(&ALL)
            .expect_code(11)
            .says("support/reply: rollout 1 of 1.1.0 is running, and no configuration here releases it")
            .says("restore the configuration, or end it with `promptgate rollback` at the commit before");
        story.suite.folder.write("promptgate.yaml", &text);
        story.suite.rollback(&[]).expect_code(0);
        story.suite.folder.write("promptgate.yaml", &text.replace(NAME, "support/answer"));
        story.suite.run(&ALL).expect_code(0);
        remove(&story, "promptgate.yaml");
        story.suite.run(&ALL).expect_code(0).says("no configuration of this repository has a release");
    }
}

#[test]
fn committed_telemetry_decides_nothing() {
    let mut story = Story::on_branch();
    story.start(&[]);
    story.at(48);
    story.scores(0, EQUAL[0].0, EQUAL[0].1);
    story.suite.folder.git(&["add", "--force", METRICS]);
    let refused = story.advance(12, "source_failed");
    let says = "metrics.json is part of the repository: telemetry is what applications wrote";
    assert!(refused["findings"].to_string().contains(says), "{refused:#}");
    assert_eq!(story.percent(), 5.0);
    story.suite.folder.git(&["rm", "--cached", "--quiet", METRICS]);
    story.advance(0, "advanced");

    let files =
        super::support::MONITORED.replace("{json: metrics.json}", "{otlp_file: \"telemetry/*.jsonl\"}");
    let mut story = Story::on_branch_with(&files);
    story.start(&["--anyway"]);
    story.at(48);
    story.suite.folder.write("telemetry/a.jsonl", "{\"resourceSpans\": []}\n");
    story.stays(0, "waiting", "missing");
    story.suite.folder.git(&["add", "telemetry"]);
    let refused = story.advance(12, "source_failed");
    let says = "telemetry/a.jsonl is part of the repository: telemetry is what applications wrote";
    assert!(refused["findings"].to_string().contains(says), "{refused:#}");
}

#[test]
fn copies_of_a_configuration_do_not_keep_a_rollback_from_running() {
    let story = Story::in_folder();
    story.start(&[]);
    copy(&story, "a");
    copy(&story, "b");
    story.suite.folder.edit("promptgate.yaml", NAME, "support/other");
    story.suite.folder.edit("b/promptgate.yaml", "../ledger", "../elsewhere");
    story.suite.rollback(&[]).expect_code(2).says("released by several configurations");
    story.suite.folder.edit("b/promptgate.yaml", "../elsewhere", "../ledger");
    // What goes on has to know its sources.
    story.rollout("advance", &[]).expect_code(2).says("released by several configurations");
    story.suite.rollback(&[]).expect_code(0).says("rollout 1 ends; production stays at 1.0.0");
}
