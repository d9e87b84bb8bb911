//! Tests of reading configurations; those of the policy are in `policy_tests`.

use std::time::Duration;

use serde_json::json;

use super::*;
use promptgate_core::gate::{Bound, Requirement, Rule, Statistic};
use promptgate_core::model::{Item, Price, Scope};
use promptgate_engine::judge::registry;

mod policy_tests;
mod release_tests;
mod sources_tests;

/// The complete example of the documentation.
const EXAMPLE: &str = include_str!("../../tests/fixtures/config/complete.yaml");

/// A substitute for the specification of checks, of the same form.
fn check_entry() -> Value {
    json!({
        "type": "object",
        "properties": {
            "contains": {"type": "string"}, "not_contains": {}, "json_schema": {}, "required_fields": {}, "length": {},
            "name": {"type": "string"}, "min": {"type": "number", "minimum": 0, "maximum": 1},
            "baseline": {"type": "boolean"}
        },
        "additionalProperties": false,
        "minProperties": 1
    })
}

fn settings(text: &str) -> Settings {
    load("suite/promptgate.yaml", text, &check_entry()).unwrap_or_else(|diagnostics| panic!("{diagnostics}"))
}

/// The diagnostics of a configuration, without the name of the file.
fn diagnostics(text: &str) -> Vec<String> {
    match load("f", text, &check_entry()) {
        Ok(_) => Vec::new(),
        Err(diagnostics) => {
            diagnostics.0.iter().map(|diagnostic| diagnostic.to_string().replacen("f:", "", 1)).collect()
        }
    }
}

const START: &str = "version: 1\ndataset: cases.jsonl\nprompt: p.md\n";

#[test]
fn variables_of_the_environment_are_refused() {
    let text = format!(
        "{START}model: ${{MODEL}}\nendpoint: {{base_url: \"https://${{HOST}}/v1\", api_key_env: $KEY, headers: {{x-team: {{value: \"${{TEAM}}\"}}}}}}\n\
         checks: [{{contains: \"${{HOME}}\"}}]\nparameters: {{stop: \"$STOP\", note: \"uses ${{x}} here\"}}\n"
    );
    let found = diagnostics(&text).join("\n");
    for part in ["4:8: `${MODEL}` is not expanded", "`${HOST}`", "name alone: KEY", "{env: TEAM}", "`$STOP`"]
    {
        assert!(found.contains(part), "{part} is not in:\n{found}");
    }
    assert!(!found.contains("HOME") && !found.contains("${x}"), "{found}");
}

#[test]
fn complete_example_resolves_every_key() {
    let settings = settings(EXAMPLE);
    assert_eq!(settings.name, "customer-support");
    assert_eq!(settings.dataset.path, "cases.jsonl");
    assert_eq!(settings.baseline.as_ref().map(|b| b.value.as_str()), Some("git:merge-base"));
    assert_eq!(settings.user, "{{query}}");
    assert_eq!(settings.parameters.get("max_completion_tokens"), Some(&json!(800)));
    assert_eq!(settings.endpoint.timeout, Duration::from_secs(60));
    assert_eq!((settings.endpoint.rpm, settings.endpoint.tpm), (Some(500), Some(200_000)));
    assert_eq!((settings.endpoint.attempts, settings.endpoint.max_wait), (6, Duration::from_secs(120)));
    let judge = settings.judge.as_ref().expect("a judge");
    assert_eq!((judge.panel[0].model.value.as_str(), judge.votes, judge.self_test), ("gpt-4o", 1, true));
    assert_eq!(judge.panel[0].endpoint, None);
    assert_eq!(settings.checks.len(), 5);
    assert_eq!(settings.checks[4].value["name"], "names-the-term");
    assert_eq!(settings.checks[4].place.line, Some(17));
    let names: Vec<(&str, Option<f64>, bool)> =
        settings.metrics.iter().map(|m| (m.name.as_str(), m.min, m.baseline)).collect();
    let expected =
        [("faithfulness", Some(0.75), true), ("relevance", Some(0.8), true), ("tone", Some(0.7), false)];
    assert_eq!(names, expected);
    let item = |text: &str| Item { text: text.to_owned(), weight: 1.0, critical: false };
    let rubric = registry::rubric(vec![item("is polite"), item("names the next step")]);
    assert_eq!(settings.metrics[2].kind, rubric);
    let limits: Vec<(&str, &str, Requirement)> =
        settings.limits.iter().map(|c| (c.id.as_str(), c.metric.as_str(), c.requirement)).collect();
    let limit = |statistic, bound| Requirement::Limit { statistic, bound };
    assert_eq!(
        limits,
        [
            ("limit.latency_p95", "latency", limit(Statistic::P95, Bound::Absolute(4.0))),
            ("limit.output_tokens_mean", "output_tokens", limit(Statistic::Mean, Bound::MaxIncrease(0.2))),
            ("limit.cost_per_case_usd", "cost_usd", limit(Statistic::Mean, Bound::Absolute(0.01))),
        ]
    );
    assert_eq!(settings.slices[0].value.tag.as_deref(), Some("refunds"));
    assert_eq!(settings.price("gpt-4o"), Some(Price::new(2.5, 10.0)));
    assert!(settings.transform.answer.strip_reasoning);
    assert_eq!(settings.cache.max_age, Some(Duration::from_secs(7 * 86_400)));
    let gate = &settings.gate.policy;
    assert_eq!((gate.repeats, gate.max_repeats, gate.max_missing), (3, 24, 0.02));
    assert_eq!((gate.scope, gate.rule), (Scope::Suite, Rule::Evidence));
    assert_eq!(settings.gate.max_broken_cases, Some(3));
    assert_eq!(settings.budget.time, Some(Duration::from_secs(1200)));
    assert_eq!(settings.cache.path, ".promptgate/cache.redb");
}

#[test]
fn minimal_configuration_gets_defaults() {
    let settings = settings(START);
    assert_eq!(settings.name, "suite");
    assert_eq!(settings.user, "{{query}}");
    assert_eq!(settings.endpoint.timeout, Duration::from_secs(120));
    assert_eq!(settings.endpoint.max_concurrency, 32);
    let gate = &settings.gate.policy;
    assert_eq!((gate.repeats, gate.max_repeats), (3, 24));
    assert_eq!((gate.confidence, gate.resolution), (0.95, 0.05));
    assert_eq!((settings.gate.baseline_tolerance, gate.max_missing, gate.seed), (0.0, 0.02, 0));
    assert_eq!(settings.gate.inconclusive, Inconclusive::Fail);
    assert!(settings.model.is_none() && settings.judge.is_none());
}

/// Each row: the text after the three required lines, and its diagnostics.
#[test]
fn invalid_configuration_gives_placed_diagnostics() {
    let rows: &[(&str, &[&str])] = &[
        ("asert: []", &["4:1: unknown key `asert` (help: did you mean `checks`?)"]),
        ("metircs: {}", &["4:1: unknown key `metircs` (help: did you mean `metrics`?)"]),
        (
            "endpoint: {max_concurency: 3}",
            &["4:12: unknown key `max_concurency` in `endpoint` (help: did you mean `max_concurrency`?)"],
        ),
        (
            "gate:\n  confidance: 0.9",
            &["5:3: unknown key `confidance` in `gate` (help: did you mean `confidence`?)"],
        ),
        (
            "judge: {model: j}\nmetrics: {faithfulness: {treshold: 0.7}}",
            &["5:26: unknown key `treshold` in `metrics.faithfulness` (help: did you mean `min`?)"],
        ),
        ("judge: {modle: j}", &["4:9: unknown key `modle` in `judge` (help: did you mean `model`?)"]),
        ("judge: {}", &["4:1: `judge` lacks the key `model`"]),
        (
            "checks:\n  - contains: x\n  - contians: x",
            &["6:5: unknown key `contians` in `checks[1]` (help: did you mean `contains`?)"],
        ),
        (
            "checks: [{contains: x, mni: 1}]",
            &["4:24: unknown key `mni` in `checks[0]` (help: did you mean `min`?)"],
        ),
        ("checks: {contains: x}", &["4:9: `checks` must be a list, found a map"]),
        ("checks:", &["4:1: `checks` must be a list, found nothing"]),
        (
            "limits: {latency_p95: {maxx: 4s}}",
            &["4:24: unknown key `maxx` in `limits.latency_p95` (help: did you mean `max`?)"],
        ),
        (
            "limits: {latency_p95: 4}",
            &[
                "4:23: `limits.latency_p95` must be a duration with its unit or a map, found the number 4 (help: write it like `60s`, `500ms`, `20m`, `7d`)",
            ],
        ),
        (
            "limits: {latency_p95: 4 s}",
            &[
                "4:23: `limits.latency_p95` must be a duration with its unit, found text \"4 s\" (help: write it like",
            ],
        ),
        ("limits: {output_tokens_mean: {}}", &["4:30: `limits.output_tokens_mean` must not be empty"]),
        ("limits: {output_tokens_mean: {max_increase: 20}}", &[]),
        (
            "limits: {output_tokens_mean: {max_increase: -20%}}",
            &["4:45: `limits.output_tokens_mean.max_increase` must be a percentage, found text \"-20%\""],
        ),
        (
            "endpoint: {timeout: 60}",
            &[
                "4:21: `endpoint.timeout` must be a duration with its unit, found the number 60 (help: write it like `60s`",
            ],
        ),
        ("endpoint: {protocol: anthropic, stream: always}", &[]),
        ("endpoint: {protocol: claude}", &["4:22: `endpoint.protocol` must be"]),
        ("endpoint: {stream: true}", &["4:20: `endpoint.stream` must be"]),
        ("limits: {ttft_p95: 800}", &["4:20: "]),
        ("endpoint: {timeout: 0s}", &["4:21: a timeout of 0 leaves no time for an answer"]),
        ("gate: {max_missing: 2}", &["4:21: `gate.max_missing` must be at most 1, found the number 2"]),
        (
            "gate: {max_missing: 120%}",
            &[
                "4:21: `gate.max_missing` must be a percentage up to 100%, found text \"120%\" (help: write it like `2%`)",
            ],
        ),
        (
            "gate: {override_by: [alice, \"@org/team\", \"app[bot]\", \"\"]}",
            &[
                "4:29: invalid login `@org/team` (help: expected the login of a person, like alice; teams and apps override \
                 nothing)",
                "4:42: invalid login `app[bot]` (help: expected the login of a person, like alice; teams and apps override \
                 nothing)",
                "4:54: invalid login `` (help: expected the login of a person, like alice; teams and apps override nothing)",
            ],
        ),
        ("gate: {repeats: 0}", &["4:17: `gate.repeats` must be at least 1, found the number 0"]),
        (
            "gate: {repeats: 3, max_repeats: 2}",
            &["4:33: `gate.max_repeats` is 2, below the 3 of `gate.repeats`"],
        ),
        ("gate: {confidence: 0.5}", &["4:20: `gate.confidence` must be above 0.5, found the number 0.5"]),
        ("gate: {confidence: 95%}", &["4:20: `gate.confidence` must be a number, found text \"95%\""]),
        ("gate: {confidence: .nan}", &["4:20: this number is not finite"]),
        ("gate: {resolution: 100%}", &["4:20: `gate.resolution` must be below 1"]),
        (
            "gate: {scope: suit}",
            &[
                "4:15: `gate.scope` must be one of `suite`, `population`, found text \"suit\" (help: did you mean `suite`?)",
            ],
        ),
        (
            "gate: {inconclusive: ignore}",
            &["4:22: `gate.inconclusive` must be one of `fail`, `pass`, found text \"ignore\""],
        ),
        ("metrics: {faithfulness: {}}", &["4:1: metrics need a judge (help: add `judge: {model: …}`)"]),
        (
            "judge: {model: j}\nmetrics: {faithfullness: {}}",
            &["5:11: unknown metric `faithfullness` (help: did you mean `faithfulness`?"],
        ),
        (
            "judge: {model: j}\nmetrics: {tone: {min: 0.5}}",
            &["5:11: unknown metric `tone` (help: built-in metrics:"],
        ),
        (
            "judge: {model: j}\nmetrics: {latency: {rubric: [a]}}",
            &["5:11: the metric name `latency` is reserved"],
        ),
        (
            "judge: {model: j}\nmetrics: {relevance: {rubric: [a]}}",
            &["5:11: the built-in metric `relevance` cannot have a rubric"],
        ),
        (
            "judge: {model: j}\nmetrics: {a.b: {rubric: [a]}}",
            &["5:11: `metrics`: the key `a.b` is not a name of letters"],
        ),
        ("judge: {model: j}\nmetrics: {tone: {rubric: toon}}", &["5:26: `metrics.tone.rubric`"]),
        (
            "judge: {model: j}\nmetrics: {tone: {rubric: []}}",
            &["5:26: `metrics.tone.rubric` must not be empty"],
        ),
        (
            "judge: {model: j}\nmetrics: {tone: {rubric: [{text: a, weight: 0}]}}",
            &["5:45: `metrics.tone.rubric[0].weight` must be above 0"],
        ),
        (
            "judge: {model: j}\nmetrics: {relevance: {min: 75}}",
            &["5:28: `metrics.relevance.min` must be at most 1, found the number 75"],
        ),
        (
            "judge: {model: j}\nmetrics: {relevance: {}}\nslices: {vip: {relevanse: {min: 0.5}}}",
            &["6:16: unknown metric `relevanse` (help: did you mean `relevance`?)"],
        ),
        ("slices: {vip: {}}", &["4:10: the slice `vip` requires nothing"]),
        ("slices: {vip: {check.a: {}}}", &["4:16: `slices.vip.check.a` lacks the key `min`"]),
        (
            "model: m\nlimits: {cost_per_case_usd: 0.1}",
            &["5:10: there is no price for `m`, so its cost is not known (help: add `prices: {m: "],
        ),
        (
            "model: tiny-4o\nbudget: {usd: 1}\nprices: {tiny4o: {input_per_million: 1, output_per_million: 1}}",
            &[
                "5:10: there is no price for `tiny-4o`, so its cost is not known (help: there is one for `tiny4o`",
            ],
        ),
        ("judge: {model: j, votes: 3, panel: [{model: k}]}", &[]),
        ("judge: {model: j, panel: [{model: k}, {model: j}]}", &["4:47: duplicate member `j` of the panel"]),
        ("judge: {model: j, panel: [{model: j, parameters: {seed: 1}}]}", &[]),
        ("judge: {model: j, min_kappa: 0.6}", &["4:19: `judge.min_kappa` needs a calibration"]),
        ("judge: {model: j, min_kappa: 0.6, calibration: c.json}", &[]),
        (
            "judge: {model: j, self_test: false, planted: p.jsonl}",
            &["4:37: `judge.planted` has no effect: the self-test is off"],
        ),
        ("judge: {model: j}\nmetrics: {tone: {scale: {of: tone, anchors: {0: rude, 5: warm}}}}", &[]),
        (
            "judge: {model: j}\nmetrics: {tone: {scale: {of: tone, anchors: {0: rude, 6: warm}}}}",
            &[
                "5:36: `metrics.tone.scale.anchors` lacks the key `5`",
                "5:55: `metrics.tone.scale.anchors`: the key `6` is not a number from 0 to 5",
            ],
        ),
        (
            "judge: {model: j}\nmetrics: {tone: {rubric: [is polite], scale: {of: tone, anchors: {0: rude, 5: warm}}}}",
            &["5:11: `tone` has both a rubric and a scale"],
        ),
        ("endpoint: {base_url: \"ftp://x/v1\"}", &["4:22: `base_url` must be an http or https URL"]),
        ("endpoint: {base_url: localhost}", &["4:22: `base_url` must be an http or https URL"]),
        ("endpoint: {base_url: \"http://localhost:8080/v1\"}", &[]),
        (
            "endpoint: {headers: {X-Team: blue}}",
            &["4:30: `endpoint.headers.X-Team` must be `{env: …}` or `{value: …}`, found text"],
        ),
        ("endpoint: {headers: {X-Team: {value: blue}, api-key: {env: AZURE_KEY}}}", &[]),
        ("endpoint: {headers: {Host: {value: x}}}", &["4:22: this header is set by promptgate itself"]),
        ("endpoint: {headers: {A: {value: x}, a: {value: x}}}", &["4:37: duplicate header"]),
        ("dataset: x", &["4:1: duplicate key `dataset` (help: keep one of the two; the first is on line 2)"]),
        ("name: ''", &["4:7: `name` must not be empty"]),
        ("answer_field: 3", &["4:15: `answer_field` must be text, found the number 3"]),
        ("parameters: [1]", &["4:13: `parameters` must be a map, found a list"]),
    ];
    let mut wrong = String::new();
    for (rest, expected) in rows {
        let messages = diagnostics(&format!("{START}{rest}\n"));
        let same = messages.len() == expected.len()
            && messages.iter().zip(*expected).all(|(message, expected)| message.starts_with(expected));
        if !same {
            wrong.push_str(&format!("{rest}\n  found    {messages:?}\n  expected {expected:?}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn several_mistakes_are_reported_in_file_order() {
    let messages = diagnostics(
        "version: 2\nprompt: 3\nmodle: m\njudge: {model: j, votes: 0}\nmetrics: {tone: {mni: 1}}\nlimits: {cost_per_case_usd: -1}\n",
    );
    let starts = [
        "1:1: the key `dataset` is missing",
        "1:10: `version` must be `1`, found the number 2",
        "2:9: `prompt` must be text or a map, found the number 3",
        "3:1: unknown key `modle` (help: did you mean `model`?)",
        "4:26: `judge.votes` must be at least 1",
        "5:11: unknown metric `tone`",
        "5:18: unknown key `mni` in `metrics.tone`",
        "6:29: `limits.cost_per_case_usd` must be at least 0",
    ];
    assert_eq!(messages.len(), starts.len(), "{messages:#?}");
    for (message, start) in messages.iter().zip(starts) {
        assert!(message.starts_with(start), "{message}\n{start}");
    }
}

#[test]
fn text_that_is_not_a_map_is_rejected() {
    assert_eq!(
        diagnostics(""),
        [" the configuration is empty (help: `promptgate init` writes one to start from)"]
    );
    assert_eq!(diagnostics("- a"), ["1:1: the document must be a map, found a list"]);
    assert!(diagnostics("a: [")[0].contains("not valid YAML"));
}

#[test]
fn secret_in_configuration_is_not_shown() {
    for (rest, secret) in [
        ("endpoint: {api_key_env: sk-proj-0123456789abcdef}", "sk-proj"),
        ("endpoint: {api_key_env: 0f3a9c2e7b5d4861a0f3}", "0f3a9c"),
        ("endpoint: {api_key_env: f3a9c2e7b5d4861a0f3aa}", "f3a9c"),
        ("endpoint: {api_key_env: {f3a9c2e7b5d4861a0f3aa: x}}", "f3a9c"),
        ("endpoint:\n  api_key_env:\n    - f3a9c2e7b5d4861a0f3aa", "f3a9c"),
        ("endpoint: {api_key: hunter2}", "hunter2"),
        ("endpoint: {base_url: \"https://me:hunter2@example.com/v1\"}", "hunter2"),
        ("endpoint: {headers: {api-key: hunter2}}", "hunter2"),
        ("endpoint: {headers: {api-key: {value: hunter2}}}", "hunter2"),
        ("endpoint: {headers: {x-auth: {valeu: hunter2}}}", "hunter2"),
        ("endpoint: {headers: {x-auth: {value: sk-proj-0123456789abcdef}}}", "sk-proj"),
        ("judge: {model: j, endpoint: {api_key_env: sk-proj-0123456789abcdef}}", "sk-proj"),
    ] {
        let diagnostics = load("f", &format!("{START}{rest}"), &check_entry()).expect_err(rest);
        assert!(!format!("{diagnostics:?}").contains(secret), "{diagnostics:?}");
        assert_eq!(
            diagnostics.0[0].place.as_ref().and_then(|place| place.line),
            Some(if rest.contains('\n') { 6 } else { 4 })
        );
    }
}

#[test]
fn duration_without_unit_is_rejected() {
    for (text, milliseconds) in [
        ("500ms", 500),
        ("1.5s", 1_500),
        ("20m", 1_200_000),
        ("2h", 7_200_000),
        ("7d", 604_800_000),
        ("0s", 0),
    ] {
        assert_eq!(parse_duration(text), Some(Duration::from_millis(milliseconds)), "{text}");
    }
    for text in [
        "",
        "60",
        "s",
        "1 s",
        "-1s",
        "1.s",
        ".5s",
        "1.2.3s",
        "1sec",
        "1e3s",
        "9999999999s",
        "\u{e9}s",
        "1\u{e9}",
    ] {
        assert_eq!(parse_duration(text), None, "{text}");
    }
}

#[test]
fn find_prefers_nearest_folder_then_yaml() {
    let root = tempfile::tempdir().expect("a folder");
    let deep = root.path().join("a/b");
    std::fs::create_dir_all(&deep).expect("folders");
    let write = |path: &str| std::fs::write(root.path().join(path), "").expect("a file");
    write("promptgate.yml");
    assert_eq!(find(&deep), Some(root.path().join("promptgate.yml")));
    write("promptgate.yaml");
    assert_eq!(find(&deep), Some(root.path().join("promptgate.yaml")));
    std::fs::create_dir(root.path().join("a/promptgate.yaml")).expect("a folder");
    write("a/promptgate.yml");
    assert_eq!(find(&deep), Some(root.path().join("a/promptgate.yml")));
}

#[test]
fn generated_schemas_are_valid_and_reject_bad_rows() {
    for schema in [schema(&check_entry()), case_schema(&check_entry())] {
        assert!(jsonschema::meta::is_valid(&schema));
    }
    let case = case_schema(&check_entry());
    let row = json!({"id": 3, "query": "q", "context": ["a"], "expected": {"a": 1}, "checks": [{"contains": "x"}],
        "tags": "a", "group": null, "must_pass": true, "criteria": ["a", {"text": "b", "weight": 2}], "plan": "pro"});
    assert!(jsonschema::is_valid(&case, &row));
    for row in [
        json!({"context": 3}),
        json!({"must_pass": "yes"}),
        json!({"checks": [{"contians": "x"}]}),
        json!([]),
    ] {
        assert!(!jsonschema::is_valid(&case, &row), "{row}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn mutated_example_never_panics(at in 0..EXAMPLE.len(), length in 0..40_usize, with in "[-a0:{}\\[\\]\"' \n%]{0,6}") {
        let text = format!(
            "{}{with}{}",
            EXAMPLE.get(..at).unwrap_or(""),
            EXAMPLE.get((at + length).min(EXAMPLE.len())..).unwrap_or("")
        );
        if let Err(diagnostics) = load("f", &text, &check_entry()) {
            proptest::prop_assert!(!diagnostics.0.is_empty());
            proptest::prop_assert!(diagnostics.0.iter().all(|diagnostic| diagnostic.place.is_some()));
        }
    }
}

/// The committed schemas are those of the types, with the entries of checks.
#[test]
fn committed_schemas_match_types() {
    for (path, schema) in [
        ("schema/config.schema.json", published_schema(&committed_check_entry())),
        ("schema/case.schema.json", case_schema(&committed_check_entry())),
    ] {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let expected = format!("{}\n", serde_json::to_string_pretty(&schema).expect("JSON"));
        let committed = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(committed == expected, "{path} is stale: run `just schemas`");
    }
}

/// Every key of the schema is explained in the documentation.
#[test]
fn documentation_covers_every_schema_key() {
    let documentation = include_str!("../../docs/configuration.md");
    let schema = schema(&json!({"type": "object"}));
    let definitions = schema["$defs"].as_object().expect("definitions").values();
    for part in std::iter::once(&schema).chain(definitions) {
        for key in part["properties"].as_object().into_iter().flat_map(|properties| properties.keys()) {
            assert!(documentation.contains(&format!("`{key}`")), "docs/configuration.md lacks `{key}`");
        }
    }
}

/// The entry of the committed schemas.
fn committed_check_entry() -> Value {
    promptgate_core::check::entry_schema()
}
