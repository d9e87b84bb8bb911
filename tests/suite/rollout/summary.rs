//! The job summary of commands of a release.

use super::support::{EQUAL, Story};
use crate::release::support::{NAME, REPORT};
use crate::support::Folder;

/// The file of the summary, which the runner creates.
struct Runner(Folder);

impl Runner {
    fn of(story: &mut Story) -> Self {
        let folder = Folder::new();
        folder.write("summary.md", "# of an earlier step");
        let path = folder.path().join("summary.md").display().to_string();
        story.suite.set("GITHUB_STEP_SUMMARY", &path);
        Self(folder)
    }

    /// The text that was appended since the last call.
    fn taken(&self) -> String {
        let text = self.0.read("summary.md");
        self.0.write("summary.md", "# of an earlier step");
        let appended = text.strip_prefix("# of an earlier step").unwrap_or_else(|| panic!("{text}"));
        appended.strip_prefix('\n').unwrap_or(appended).to_owned()
    }
}

#[track_caller]
fn assert_has(summary: &str, texts: &[&str]) {
    for text in texts {
        assert!(summary.contains(text), "no {text:?} in:\n{summary}");
    }
}

#[test]
fn commands_append_their_result() {
    let mut story = Story::in_folder();
    let runner = Runner::of(&mut story);
    story.rollout("start", &["--per-day", "2000", "--allow-simulated"]).expect_code(0);
    let summary = runner.taken();
    assert!(summary.starts_with("### promptgate: ✅ rollout start: support/reply\n"), "{summary}");
    assert_has(
        &summary,
        &[
            "| 1.1.0 over 1.0.0 | 1 of 3, 5 % | ✅ started at 5 % |",
            "**Next step:** &grave;promptgate rollout advance",
        ],
    );

    story.at(48);
    story.scores(0, EQUAL[0].0, EQUAL[0].1);
    // The JSON of standard output does not change the summary.
    story.json(0, "advance", &["--dry-run"]);
    let summary = runner.taken();
    assert_has(
        &summary,
        &["would advance to 25 %", "Nothing was written (dry run)", "without &grave;--dry-run"],
    );
    story.rollout("advance", &[]).expect_code(0);
    let summary = runner.taken();
    assert_has(
        &summary,
        &[
            "| 1.1.0 over 1.0.0 | 2 of 3, 25 % | ✅ advanced to 25 % |",
            "* ✓ pass: faithfulness: ",
            "| faithfulness | 0.900 | 7,600 | 0.900 | 400 |",
            "| faithfulness | harm | ",
            "| not shown |",
        ],
    );

    story.rollout("pause", &["--reason", "a holiday of @carol"]).expect_code(11);
    let summary = runner.taken();
    assert_has(
        &summary,
        &["### promptgate: ⚠️ rollout pause", "is paused at 25 %", "a holiday of @\u{200B}carol"],
    );
    assert_has(&summary, &["promptgate rollout resume support/reply --reason TEXT"]);
    story.rollout("resume", &["--reason", "back"]).expect_code(0);
    assert_has(&runner.taken(), &["### promptgate: ✅ rollout resume", "goes on at 25 %"]);
    story.rollout("abort", &["--reason", "a hotfix"]).expect_code(0);
    assert_has(&runner.taken(), &["### promptgate: ⚠️ rollout abort", "aborted: no unit has it"]);
    // Reading commands append nothing.
    story.rollout("status", &[]).expect_code(0);
    story.suite.run(&["rollout", "plan", NAME, "--per-day", "2000"]).expect_code(0);
    assert_eq!(runner.taken(), "");
}

#[test]
fn harm_refusals_and_failures_are_in_the_summary() {
    let mut story = Story::in_folder();
    let runner = Runner::of(&mut story);
    story.rollout("start", &["--per-day", "2000"]).expect_code(10);
    let summary = runner.taken();
    assert_has(&summary, &["### promptgate: ❌ rollout start", "is not started: refused", "**Next step:** "]);
    story.rollout("start", &["--per-day", "40", "--allow-simulated"]).expect_code(2);
    let summary = runner.taken();
    assert_has(&summary, &["### promptgate: 💥 rollout start: support/reply", "| 💥 failed |", "--anyway"]);
    story.rollout("start", &["--per-day", "2000", "--allow-simulated"]).expect_code(0);
    story.at(12);
    story.scores(0, (855, 950), (30, 50));
    runner.taken();
    story.rollout("advance", &[]).expect_code(10);
    let summary = runner.taken();
    assert_has(
        &summary,
        &[
            "### promptgate: ❌ rollout advance",
            "rolled back: no unit has it",
            "* ✗ fail: faithfulness: harm",
        ],
    );
    assert_has(&summary, &["| shown |", "**Next step:** correct the prompt"]);
}

#[test]
fn all_prompts_are_rows_of_one_table() {
    let mut story = Story::in_folder();
    let runner = Runner::of(&mut story);
    let secret = "tok-5d1e9a70c4b2";
    story.suite.set("DEPLOY_TOKEN", secret);
    story.rollout("start", &["--per-day", "2000", "--allow-simulated"]).expect_code(0);
    story.at(48);
    story.scores(0, EQUAL[0].0, EQUAL[0].1);
    story.suite.folder.write("broken/promptgate.yaml", &format!("release: {{ledger: {secret}|<b>}}\n"));
    runner.taken();
    story.suite.run(&["rollout", "advance", "--all"]).expect_code(12);
    let summary = runner.taken();
    assert!(summary.starts_with("### promptgate: 💥 rollout advance: 2 prompts\n"), "{summary}");
    let rows: Vec<&str> =
        summary.lines().filter(|line| line.contains("| ✅") || line.contains("| 💥")).collect();
    let [failed, advanced] = rows.as_slice() else { panic!("{summary}") };
    assert_has(failed, &["| broken/promptgate.yaml | – | – | 💥 failed |"]);
    assert_has(advanced, &["| support/reply | 1.1.0 over 1.0.0 | 2 of 3, 25 % | ✅ advanced to 25 % |"]);
    assert_has(&summary, &["<details><summary>support/reply</summary>"]);
    assert!(!summary.contains(secret) && !summary.contains("<b>"), "{summary}");

    // No release, no summary.
    let empty = Folder::new();
    let mut command = empty.command(&["rollout", "advance", "--all"]);
    command.env("GITHUB_STEP_SUMMARY", runner.0.path().join("summary.md"));
    crate::support::finish(command).expect_code(0);
    assert_eq!(runner.taken(), "");
}

#[test]
fn summary_that_cannot_be_written_is_a_warning() {
    let mut story = Story::in_folder();
    let folder = story.suite.folder.path().display().to_string();
    story.suite.set("GITHUB_STEP_SUMMARY", &folder);
    let start = ["--per-day", "2000", "--allow-simulated"];
    let warning = "warning: the job summary could not be written: this is not a regular file";
    story.rollout("start", &start).expect_code(0).says("started at 5 %").says(warning);
    story.suite.run(&["rollback", NAME, "--reason", "a hotfix"]).expect_code(0).says(warning);
    // A summary that is full gets a line.
    let runner = Runner::of(&mut story);
    runner.0.write("summary.md", &"x".repeat(900_000));
    story.rollout("start", &[&start[..], &["--again", "--reason", "again"]].concat()).expect_code(0);
    let text = runner.0.read("summary.md");
    assert!(text.ends_with("there is no room for its report in this summary.\n"), "{}", text.len());
}

#[test]
fn publish_promote_and_rollback_append_their_lines() {
    let mut story = Story::in_folder();
    let runner = Runner::of(&mut story);
    story.suite.run(&["publish", "--report", REPORT, "--allow-simulated"]).expect_code(0);
    assert_has(
        &runner.taken(),
        &["### promptgate: ✅ publish\n", "* support/reply: 1.1.0 already has this content"],
    );
    story.suite.promote("", "production", &[]).expect_code(11);
    let summary = runner.taken();
    assert_has(&summary, &["### promptgate: ⚠️ promote\n", "was not moved to 1.1.0 yet", "help: "]);
    story.rollout("start", &["--per-day", "2000", "--allow-simulated"]).expect_code(0);
    runner.taken();
    story.suite.run(&["rollback", NAME, "--reason", "customers complain"]).expect_code(0);
    assert_has(&runner.taken(), &["### promptgate: ✅ rollback\n", "* support/reply: "]);
}
