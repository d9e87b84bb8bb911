//! OpenFeature's OFREP providers, unchanged, get the version of a unit from `promptgate serve`; GrowthBook's SDKs put
//! every unit of the vectors into the same bucket as promptgate does.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::prepared;
use crate::recorder::{Recorder, Request};
use crate::served::Released;
use crate::support::{finish, repository};

const TOKEN: &str = "ofrep-0123456789";
const SALT: &str = "support/reply:r-20261120-1";
/// Units with the buckets 638, 516, 1135 and 9523 of the vectors; 2,500 are treated.
const UNITS: [(&str, &str); 4] =
    [("alice@example.com", "treatment"), ("ünï-码", "treatment"), ("🙂", "treatment"), ("user-1", "control")];

/// A command of a language that runs a script of this folder.
fn command(folder: &Path, script: &str) -> Command {
    let path = repository().join("tests/real/openfeature").join(script);
    let mut command = if script.ends_with(".py") {
        let mut command = Command::new(folder.join("python3/bin/python"));
        command.arg(path);
        command
    } else {
        let node = std::fs::read_to_string(folder.join("node-path")).expect("the path of Node.js");
        let mut command = Command::new(node.trim());
        command.arg(path).arg(folder.join("node/node_modules"));
        command
    };
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        command.env_remove(name);
    }
    command
}

/// Runs a script with a provider; returns its evaluations and the requests that it made.
fn evaluate(script: &str) -> Option<(Value, Vec<Request>)> {
    let folder = prepared::folder("openfeature")?;
    let released = Released::new();
    released.begin_rollout(SALT, &[2_500]);
    let serving = released.serve(&["--token-env", "SERVE_TOKEN"], &[("SERVE_TOKEN", TOKEN)]);
    let recorder = Recorder::start(&serving.address);
    let mut command = command(&folder, script);
    command.args(UNITS.iter().map(|(unit, _)| unit));
    command.env("OFREP_URL", format!("http://{}", recorder.address)).env("OFREP_TOKEN", TOKEN);
    let outcome = finish(command).expect_code(0);
    let got: Value = serde_json::from_str(outcome.stdout.trim()).expect("JSON");
    let requests = recorder.requests();
    let calls: Vec<String> =
        requests.iter().map(|request| format!("  {} {}\n", request.method, request.path)).collect();
    let sdk = got["sdk"].as_str().expect("a version").to_owned();
    let _ = std::io::stderr().write_all(format!("\n{sdk}\n{}", calls.concat()).as_bytes());
    Some((got, requests))
}

#[track_caller]
fn expect_evaluations(sdk: &str, got: &Value, requests: &[Request]) {
    assert_eq!(got["sdk"], sdk);
    for (unit, variant) in UNITS {
        let version = if variant == "treatment" { "2.4.0" } else { "2.3.1" };
        assert_eq!(
            got["units"][unit],
            json!({
                "value": version,
                "variant": variant,
                "reason": "SPLIT",
                "error": null,
                "metadata": {"rollout": 1, "step": 1, "basis_points": 2500},
            }),
            "{unit}"
        );
    }
    assert_eq!((&got["idle"]["value"], &got["idle"]["reason"]), (&json!("0.1.0"), &json!("STATIC")));
    assert_eq!(
        (&got["absent"]["value"], &got["absent"]["error"]),
        (&json!("default"), &json!("FLAG_NOT_FOUND"))
    );
    let no_unit = &got["no_unit"];
    assert_eq!((&no_unit["value"], &no_unit["error"]), (&json!("default"), &json!("TARGETING_KEY_MISSING")));
    assert_eq!(got["wrong_type"], 7, "a version is a text");
    let path = "/ofrep/v1/evaluate/flags/support/reply";
    assert!(requests.iter().any(|made| made.method == "POST" && made.path == path), "{requests:?}");
}

#[test]
fn python_provider_gets_the_version_of_a_unit() {
    let Some((got, requests)) = evaluate("ofrep.py") else { return };
    expect_evaluations("openfeature-provider-ofrep 0.3.0", &got, &requests);
}

#[test]
fn node_provider_gets_the_version_of_a_unit() {
    let Some((got, requests)) = evaluate("ofrep.mjs") else { return };
    expect_evaluations("@openfeature/ofrep-provider 0.1.3", &got, &requests);
}

#[test]
fn growthbook_agrees_on_every_vector() {
    let Some(folder) = prepared::folder("openfeature") else { return };
    for (script, sdk) in [
        ("growthbook_vectors.py", "growthbook 4.0.0"),
        ("growthbook_vectors.mjs", "@growthbook/growthbook 1.8.0"),
    ] {
        let mut command = command(&folder, script);
        command.arg(repository().join("tests/fixtures/oracles/assignment.json"));
        let outcome = finish(command).expect_code(0);
        let got: Value = serde_json::from_str(outcome.stdout.trim()).expect("JSON");
        assert_eq!(got, json!({"sdk": sdk, "buckets": 122, "different": []}));
    }
}
