use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::release::promotion::Obstacle;
use crate::release::rollout::{MonitorResult, Monitored, NeededGate, RolloutPosition, RolloutResult, SCHEMA};
use crate::render::comment::SUMMARY_BYTES;
use crate::tests::{HOSTILE, assert_tables_whole};
use promptgate_core::text::Secret;
use promptgate_testing::forge::{self, hostile};

fn position() -> RolloutPosition {
    RolloutPosition {
        number: 1,
        kind: "canary".to_owned(),
        treatment: "1.1.0".to_owned(),
        control: "1.0.0".to_owned(),
        percent: 5.0,
        step: 1,
        steps: 3,
        started_at: "2027-01-04T00:00:00Z".to_owned(),
        step_started_at: "2027-01-04T00:00:00Z".to_owned(),
        paused: None,
    }
}

fn rollout(result: RolloutResult) -> Rollout {
    let written = json!({
        "schema": SCHEMA,
        "name": "support/reply",
        "result": result,
        "rollout": position(),
        "findings": [],
        "metrics": [],
        "looks": [],
        "obstacles": [],
        "notes": [],
        "dry_run": false,
    });
    serde_json::from_value(written).unwrap()
}

fn finding_of(metric: Option<&str>, status: FindingStatus, text: &str) -> Finding {
    let code = "code".to_owned();
    Finding { metric: metric.map(str::to_owned), status, code, text: text.to_owned() }
}

/// Harm at 5 %, with its tests and samples.
fn rolled_back() -> Rollout {
    let look = |test: &str, z, bound, shown| Look {
        guardrail: "faithfulness".to_owned(),
        test: test.to_owned(),
        fraction: 0.123,
        z,
        bound,
        shown,
    };
    Rollout {
        findings: vec![
            finding_of(None, FindingStatus::Inconclusive, "the hold ends 2027-01-06 00:00 UTC"),
            finding_of(Some("faithfulness"), FindingStatus::Fail, "harm shown: 0.600 instead of 0.900"),
            finding_of(Some("cost_usd"), FindingStatus::Pass, "no harm shown"),
        ],
        metrics: vec![MetricSamples {
            name: "faithfulness".to_owned(),
            control_n: 9_500,
            control: Some(0.9),
            treatment_n: 50,
            treatment: Some(0.6),
        }],
        looks: vec![
            look("harm", 5.12, Some(2.71), true),
            look("non_inferiority", -4.5, None, false),
            look("harm", -0.001, Some(2.71), false),
        ],
        notes: vec!["scores: 9,500 samples of 1.0.0, 50 of 1.1.0".to_owned()],
        ..rollout(RolloutResult::RolledBack)
    }
}

/// The version in production, with a broken limit.
fn monitored(result: MonitorResult) -> Monitored {
    Monitored {
        version: "1.1.0".to_owned(),
        result,
        findings: vec![finding_of(Some("latency_p95"), FindingStatus::Hold, "3.1, beyond its limit of 2.5")],
        notes: vec!["scores: 400 samples of 1.1.0".to_owned()],
    }
}

fn refused() -> Rollout {
    let obstacle = Obstacle {
        code: "approvals".to_owned(),
        message: "0 of 1 approvals by bob".to_owned(),
        help: Some("`promptgate approve support/reply 1.1.0`".to_owned()),
    };
    Rollout { obstacles: vec![obstacle], rollout: None, ..rollout(RolloutResult::NotReady) }
}

fn of(command: &str, entries: &[RolloutEntry<'_>]) -> String {
    let text = rollouts(command, entries, &Redactor::default(), SUMMARY_BYTES);
    assert_tables_whole(&text);
    text
}

#[test]
fn summaries_match_snapshots() {
    let advanced = Rollout {
        findings: vec![finding_of(Some("faithfulness"), FindingStatus::Pass, "no harm shown")],
        rollout: Some(RolloutPosition { percent: 25.0, step: 2, ..position() }),
        ..rollout(RolloutResult::Advanced)
    };
    let dry = Rollout { dry_run: true, ..advanced.clone() };
    let paused = Rollout {
        rollout: Some(RolloutPosition { paused: Some("a holiday".to_owned()), ..position() }),
        ..rollout(RolloutResult::Paused)
    };
    let idle = Rollout { rollout: None, name: "faq".to_owned(), ..rollout(RolloutResult::NotRunning) };
    let (rolled_back, refused) = (rolled_back(), refused());
    let staged = Rollout {
        rollout: None,
        version: Some("1.2.0".to_owned()),
        gate: Some(NeededGate {
            config: "promptgate.yaml".to_owned(),
            candidate: "registry:support/reply@1.2.0".to_owned(),
            baseline: "registry:support/reply@production".to_owned(),
        }),
        monitor: Some(monitored(MonitorResult::Alert)),
        ..rollout(RolloutResult::NeedsGate)
    };
    let messages = ["broken/promptgate.yaml:1:20: expected git (help: write `ledger: git`)".to_owned()];
    let failed = RolloutEntry::Failed { subject: "broken/promptgate.yaml", messages: &messages };
    for (name, command, entries) in [
        ("advanced", "advance", vec![RolloutEntry::Done(&advanced)]),
        ("dry_run", "advance", vec![RolloutEntry::Done(&dry)]),
        ("rolled_back", "advance", vec![RolloutEntry::Done(&rolled_back)]),
        ("not_ready", "start", vec![RolloutEntry::Done(&refused)]),
        ("paused", "pause", vec![RolloutEntry::Done(&paused)]),
        ("needs_gate", "advance", vec![RolloutEntry::Done(&staged)]),
        ("failed", "abort", vec![failed]),
        (
            "all",
            "advance",
            vec![
                RolloutEntry::Done(&idle),
                RolloutEntry::Done(&advanced),
                failed,
                RolloutEntry::Done(&rolled_back),
            ],
        ),
    ] {
        insta::assert_snapshot!(format!("rollouts_{name}"), of(command, &entries));
    }
}

#[test]
fn gravest_result_heads_the_summary() {
    let heading = |entries: &[RolloutEntry<'_>]| of("advance", entries).lines().next().unwrap().to_owned();
    let (good, caution, bad) =
        (rollout(RolloutResult::Advanced), rollout(RolloutResult::Paused), rolled_back());
    let [good, caution, bad] = [&good, &caution, &bad].map(RolloutEntry::Done);
    let failed = RolloutEntry::Failed { subject: "x", messages: &[] };
    assert!(heading(&[good]).contains("✅ rollout advance: support/reply"), "{}", heading(&[good]));
    assert!(heading(&[good, caution]).contains("⚠️ rollout advance: 2 prompts"));
    assert!(heading(&[caution, failed, good]).contains("💥"));
    assert!(heading(&[failed, bad]).contains("❌"));
}

#[test]
fn production_that_needs_a_person_heads_the_summary() {
    for (result, symbol, text) in [
        (MonitorResult::Quiet, "⏳", "production 1.1.0 is within its limits"),
        (MonitorResult::Alert, "⚠️", "production 1.1.0 needs attention"),
        (MonitorResult::RolledBack, "❌", "production 1.1.0 rolled back"),
        (MonitorResult::SourceFailed, "⚠️", "could not be checked: a metric source failed"),
    ] {
        let idle = rollout(RolloutResult::NotRunning);
        let idle = Rollout { rollout: None, monitor: Some(monitored(result)), ..idle };
        let out = of("advance", &[RolloutEntry::Done(&idle)]);
        assert!(
            out.starts_with(&format!("### promptgate: {symbol} rollout advance: support/reply\n")),
            "{out}"
        );
        let idle = match result {
            MonitorResult::RolledBack => "no rollout is running",
            _ => "no rollout is running, and no version is on its way to production",
        };
        assert!(out.contains(&format!("{symbol} {idle}; ")) && out.contains(text), "{out}");
        assert!(out.contains("* ! hold: latency_p95: 3.1, beyond its limit of 2.5"), "{out}");
    }
}

#[test]
fn plain_commands_are_code_to_copy_and_others_text() {
    let with = |config: &str| {
        let gate = NeededGate {
            config: config.to_owned(),
            candidate: "registry:support/reply@1.2.0".to_owned(),
            baseline: "registry:support/reply@production".to_owned(),
        };
        let version = Some("1.2.0".to_owned());
        of(
            "advance",
            &[RolloutEntry::Done(&Rollout {
                rollout: None,
                version,
                gate: Some(gate),
                ..rollout(RolloutResult::NeedsGate)
            })],
        )
    };
    let plain = with("a/promptgate.yaml");
    let run = "* `promptgate run a/promptgate.yaml --candidate registry:support/reply@1.2.0 \
               --baseline registry:support/reply@production --out gate-report`\n";
    assert!(plain.contains(run), "{plain}");
    assert!(
        plain.contains("* `promptgate publish a/promptgate.yaml --report gate-report/report.json`\n"),
        "{plain}"
    );
    let odd = with("a`b/promptgate.yaml");
    assert!(odd.contains("* promptgate publish a&grave;b/promptgate.yaml --report"), "{odd}");
}

#[test]
fn every_result_has_words_and_a_next_step() {
    let results = [
        RolloutResult::NotRunning,
        RolloutResult::Started,
        RolloutResult::Waiting,
        RolloutResult::SourceFailed,
        RolloutResult::Stuck,
        RolloutResult::Paused,
        RolloutResult::Resumed,
        RolloutResult::Advanced,
        RolloutResult::Completed,
        RolloutResult::RolledBack,
        RolloutResult::Aborted,
        RolloutResult::EndedElsewhere,
        RolloutResult::Running,
    ];
    for result in results {
        let text = of("advance", &[RolloutEntry::Done(&rollout(result))]);
        assert!(text.contains("**Next step:** "), "{result:?}: {text}");
    }
    let on_its_way = [
        RolloutResult::Staged,
        RolloutResult::Promoted,
        RolloutResult::PutBack,
        RolloutResult::Stuck,
        RolloutResult::SourceFailed,
        RolloutResult::EndedElsewhere,
        RolloutResult::Waiting,
    ];
    for result in on_its_way {
        let version = Rollout { rollout: None, version: Some("1.2.0".to_owned()), ..rollout(result) };
        let text = of("advance", &[RolloutEntry::Done(&version)]);
        assert!(text.contains("| 1.2.0 |") && text.contains("**Next step:** "), "{result:?}: {text}");
    }
    // Obstacles come with their own.
    assert_eq!(of("start", &[RolloutEntry::Done(&refused())]).matches("**Next step:**").count(), 1);
}

/// Every kind of summary with this text in every untrusted field.
fn everywhere(text: &str, redactor: &Redactor, limit: usize) -> Vec<String> {
    let hostile = Rollout {
        rollout: Some(RolloutPosition { paused: Some(text.to_owned()), ..position() }),
        findings: vec![finding_of(Some(text), FindingStatus::Error, text)],
        metrics: vec![MetricSamples { name: text.to_owned(), ..rolled_back().metrics[0].clone() }],
        looks: vec![Look { guardrail: text.to_owned(), ..rolled_back().looks[0].clone() }],
        notes: vec![text.to_owned()],
        obstacles: vec![Obstacle {
            code: String::new(),
            message: text.to_owned(),
            help: Some(text.to_owned()),
        }],
        gate: Some(NeededGate {
            config: text.to_owned(),
            candidate: text.to_owned(),
            baseline: text.to_owned(),
        }),
        monitor: Some(Monitored {
            findings: vec![finding_of(Some(text), FindingStatus::Fail, text)],
            notes: vec![text.to_owned()],
            ..monitored(MonitorResult::Alert)
        }),
        ..rollout(RolloutResult::Paused)
    };
    let messages = [text.to_owned()];
    let done = RolloutEntry::Done(&hostile);
    let failed = RolloutEntry::Failed { subject: text, messages: &messages };
    vec![
        rollouts("advance", &[done], redactor, limit),
        rollouts("advance", &[failed], redactor, limit),
        rollouts("advance", &[done, failed, done], redactor, limit),
        lines("promote", Tone::Good, text, redactor),
    ]
}

/// A line of a summary, empty if it is a command as code, which holds plain characters alone.
fn without_command(line: &str) -> &str {
    let Some(command) = line.strip_prefix("* `promptgate ").and_then(|rest| rest.strip_suffix('`')) else {
        return line;
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " -._/:@".contains(c);
    if command.chars().all(is_plain) { "" } else { line }
}

fn assert_nothing_acts(text: &str) {
    let redactor = Redactor::default();
    for out in everywhere(text, &redactor, SUMMARY_BYTES) {
        let out: String = out.lines().map(|line| format!("{}\n", without_command(line))).collect();
        let reading = forge::read(&out, None);
        assert!(reading.active.is_empty(), "{text:?}: {:?} in\n{out}", reading.active);
        assert!(
            !out.lines().any(|line| line.trim_start().starts_with("::") || line.contains("##[")),
            "{out}"
        );
    }
    // Lines of text are items of a list, which have no table.
    for out in everywhere(text, &redactor, SUMMARY_BYTES).iter().take(3) {
        assert_tables_whole(out);
    }
}

#[test]
fn hostile_text_is_neutralized() {
    HOSTILE.into_iter().for_each(assert_nothing_acts);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_text_is_neutralized(text in hostile()) {
        assert_nothing_acts(&text);
    }

    #[test]
    fn secret_is_redacted_before_it_is_cut(before in 0_usize..320, after in "[ a-z]{0,80}") {
        let value = "sk-Pl4nt3d/K+y=0987 zQ";
        let text = format!("{}{value}{after}", "w ".repeat(before / 2));
        let redactor = Redactor::new(&[Secret::new(value)]);
        for out in everywhere(&text, &redactor, SUMMARY_BYTES) {
            prop_assert!(!out.replace('\u{200B}', "").contains("sk-Pl4"), "{out}");
        }
    }
}

#[test]
fn many_prompts_fit_the_limit_or_say_so() {
    let rolled_back = rolled_back();
    let entries: Vec<RolloutEntry<'_>> = (0..2_000).map(|_| RolloutEntry::Done(&rolled_back)).collect();
    let whole = of("advance", &entries);
    assert!(
        whole.len() < SUMMARY_BYTES && whole.contains("and 1,500 more in the job log"),
        "{}",
        whole.len()
    );
    assert!(whole.contains("<details>"));
    for limit in [200_000, 20_000, 3_000, 1_000, 200] {
        let text = rollouts("advance", &entries, &Redactor::default(), limit);
        assert!(text.len() < limit, "{} of {limit}", text.len());
        assert_tables_whole(&text);
        assert!(text.contains("job log"), "{text}");
    }
    let long = Rollout {
        findings: vec![finding_of(Some("a"), FindingStatus::Hold, "b"); 50],
        notes: vec!["c".to_owned(); 50],
        ..rollout(RolloutResult::Waiting)
    };
    let text = of("advance", &[RolloutEntry::Done(&long)]);
    assert!(text.contains("a: b (and 49 more)") && text.contains("and 40 more in the job log"), "{text}");
}

#[test]
fn lines_of_a_command_are_items() {
    let text = "support/reply: production moved from 1.0.0 to 1.1.0\n\n  read back from the ledger\n";
    let out = lines("promote", Tone::Good, text, &Redactor::default());
    assert_eq!(
        out,
        "### promptgate: ✅ promote\n\n* support/reply: production moved from 1.0.0 to 1.1.0\n* read back from the ledger\n"
    );
}
