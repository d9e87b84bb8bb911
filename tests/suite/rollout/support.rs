//! A released suite whose second version waits for a rollout, with a clock and a file of metrics.

use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::release::support::{CHANGES, FIRST, Langfuse, NAME, Suite};
use crate::support::{Folder, Outcome};

/// The hour 0 of every story: after the reports that it publishes, which are of today.
const BEGIN: &str = "2127-01-04T00:00:00Z";
/// Rollouts with the default steps: 5 % for 48 hours and 400 samples, 25 and 50 % for 24 hours and 1,000 samples. Nobody
/// has to approve.
pub(super) const MONITORED: &str = "levels: {major: {approvals: 0}}, sources: {scores: {json: metrics.json}}, \
     guardrails: [{name: faithfulness, better: higher, margin: 0.05, source: scores}]";
/// The file of metrics.
pub(super) const METRICS: &str = "metrics.json";
/// Scores of 0 or 1: those of 1, and all.
pub(super) type Scores = (u64, u64);

/// Scores of equal versions at 5, 25 and 50 %: of control, and of the treatment.
pub(super) const EQUAL: [(Scores, Scores); 3] =
    [((6_840, 7_600), (360, 400)), ((2_700, 3_000), (900, 1_000)), ((900, 1_000), (900, 1_000))];

/// A suite at some hour: 1.0.0 is on production, 1.1.0 on staging.
pub(super) struct Story {
    pub(super) suite: Suite,
}

impl Story {
    /// With a ledger in a folder.
    pub(super) fn in_folder() -> Self {
        Self::of(Suite::new(MONITORED), "local")
    }

    /// With a ledger in a folder and other keys under `release`.
    pub(super) fn in_folder_with(release: &str) -> Self {
        Self::of(Suite::new(release), "local")
    }

    /// In a repository, with a ledger on a branch, as a job of main.
    pub(super) fn on_branch() -> Self {
        Self::on_branch_with(MONITORED)
    }

    /// In a repository, with other keys under `release`.
    pub(super) fn on_branch_with(release: &str) -> Self {
        Self::of(Suite::on_branch(release), "push")
    }

    /// With a fake Langfuse.
    pub(super) fn on_langfuse(langfuse: &Langfuse) -> Self {
        Self::of(Suite::on_langfuse(langfuse, MONITORED), "local")
    }

    /// 1.1.0 goes to production step by step, and 1.2.0 is started over it at hour 97.
    #[track_caller]
    pub(super) fn over_the_second(mut self) -> Self {
        self.start(&[]);
        for (hour, step, (control, treatment)) in [(48, 0, EQUAL[0]), (72, 48, EQUAL[1]), (96, 72, EQUAL[2])]
        {
            self.at(hour);
            self.scores(step, control, treatment);
            self.json(0, "advance", &[]);
        }
        self.at(97);
        self.suite.release(CHANGES[1], "days were missing");
        self.suite.promote("1.2.0", "staging", &[]).expect_code(0);
        self.start(&[]);
        assert_eq!(self.served(), ("1.1.0".into(), "1.2.0".into(), 5.0));
        self
    }

    fn of(mut suite: Suite, event: &str) -> Self {
        suite.set("PROMPTGATE_TIME", BEGIN);
        if event != "local" {
            suite.in_job(event, "carol");
        }
        suite.release(FIRST, "first");
        suite.serve("1.0.0");
        suite.release(CHANGES[0], "plans were missing");
        suite.promote("1.1.0", "staging", &[]).expect_code(0);
        Self { suite }
    }

    /// Sets the clock.
    pub(super) fn at(&mut self, hour: i64) {
        self.suite.set("PROMPTGATE_TIME", &time(hour, 0));
    }

    /// Writes the scores of a step that began at this hour.
    pub(super) fn scores(&self, step: i64, control: Scores, treatment: Scores) {
        let share = |(successes, n): Scores| json!({"metrics": {"faithfulness": {"share": {"successes": successes, "n": n}}}});
        self.metrics(step, &json!({"1.0.0": share(control), "1.1.0": share(treatment)}));
    }

    /// Writes the metrics of all versions on a step that began at this hour.
    pub(super) fn metrics(&self, step: i64, versions: &Value) {
        let file = json!({
            "schema": "promptgate.metrics/v1",
            "name": NAME,
            // The first five minutes are not observed.
            "from": time(step, 5),
            "to": time(step + 10_000, 0),
            "versions": versions,
        });
        self.suite.folder.write(METRICS, &file.to_string());
    }

    /// Runs `promptgate rollout`, without a format.
    pub(super) fn rollout(&self, command: &str, flags: &[&str]) -> Outcome {
        self.suite.run(&[&["rollout", command, NAME], flags].concat())
    }

    /// The JSON of `promptgate rollout`, which the schema describes.
    #[track_caller]
    pub(super) fn json(&self, code: i32, command: &str, flags: &[&str]) -> Value {
        let found = self.suite.json(code, &[&["rollout", command, NAME], flags].concat());
        let errors: Vec<String> = SCHEMA.iter_errors(&found).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}: {found:#}");
        found
    }

    /// Starts the rollout of what staging has, with enough traffic.
    #[track_caller]
    pub(super) fn start(&self, flags: &[&str]) -> Value {
        self.json(0, "start", &[&["--per-day", "2000", "--allow-simulated"], flags].concat())
    }

    /// Calls `advance`, which finds this, and returns its report.
    #[track_caller]
    pub(super) fn advance(&self, code: i32, result: &str) -> Value {
        let found = self.json(code, "advance", &[]);
        assert_eq!(found["result"], result, "{found:#}");
        found
    }

    /// Calls `advance`, which finds this, stays at the percentage and appends nothing.
    #[track_caller]
    pub(super) fn stays(&self, code: i32, result: &str, finding: &str) -> Value {
        let before = self.suite.ledger();
        let found = self.advance(code, result);
        assert!(codes(&found).contains(&finding.to_owned()), "{found:#}");
        assert_eq!(self.suite.ledger(), before, "nothing is appended");
        found
    }

    /// The version of production, of canary, and the percentage of treated units. The ledger is verified.
    #[track_caller]
    pub(super) fn served(&self) -> (String, String, f64) {
        self.suite.run(&["log", "--verify", "--refresh"]).expect_code(0);
        let status = self.suite.json(0, &["status", NAME, "--refresh"]);
        let label = |label: &str| {
            let version = &status["prompts"][0]["labels"][label]["version"];
            version.as_str().unwrap_or_default().to_owned()
        };
        (label("production"), label("canary"), self.percent())
    }

    /// The percentage of treated units; 0 without a rollout.
    #[track_caller]
    pub(super) fn percent(&self) -> f64 {
        let printed = self.rollout("status", &["--format", "json"]);
        let status: Value = serde_json::from_str(&printed.stdout).unwrap_or_else(|_| panic!("{printed:?}"));
        status["rollout"]["percent"].as_f64().unwrap_or_default()
    }

    /// The time line, a sentence each.
    #[track_caller]
    pub(super) fn sentences(&self) -> String {
        self.suite.run(&["log", NAME, "--refresh"]).expect_code(0).stdout
    }
}

/// The codes of the findings.
pub(super) fn codes(found: &Value) -> Vec<String> {
    let findings = found["findings"].as_array().expect("findings");
    findings.iter().map(|finding| finding["code"].as_str().unwrap_or_default().to_owned()).collect()
}

/// An hour of a story, and minutes, as RFC 3339.
pub(super) fn time(hour: i64, minutes: i64) -> String {
    let begin: Timestamp = BEGIN.parse().expect("a time");
    (begin + SignedDuration::from_mins(hour * 60 + minutes)).to_string()
}

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let printed = Folder::new().promptgate(&["schema", "rollout"]).expect_code(0).stdout;
    jsonschema::validator_for(&serde_json::from_str(&printed).expect("JSON")).expect("a schema")
});
