use serde_json::json;

use super::*;

fn file() -> Value {
    json!({
        "schema": "promptgate.metrics/v1", "name": "support/reply",
        "from": "2026-11-30T12:00:00Z", "to": "2026-11-30T13:00:00Z",
        "versions": {
            "2.3.1": {"units": 400, "metrics": {
                "helpful": {"share": {"successes": 360, "n": 400}},
                "latency_p95": {"level": {"n": 900, "value": 1.9}},
                "tone": {"mean": {"n": 10, "mean": 3.5, "variance": 0.5}},
            }},
            "7": {"units": 20, "metrics": {
                "helpful": {"share": {"successes": 19, "n": 20}}, "latency_p95": null,
            }},
        },
    })
}

async fn read(file: &Value) -> Result<MetricReadings, PortError> {
    read_text(&file.to_string()).await
}

async fn read_text(text: &str) -> Result<MetricReadings, PortError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("metrics.json"), text).unwrap();
    let name = "support/reply".parse().unwrap();
    let tagged = |version: &str, id: Option<&str>| TaggedVersion {
        version: version.parse().unwrap(),
        registry_id: id.map(str::to_owned),
    };
    let versions = [tagged("2.3.1", None), tagged("2.4.0", Some("7"))];
    let metrics = ["helpful", "latency_p95", "tone"].map(str::to_owned);
    let window =
        Window { from: "2026-11-30T12:00:00Z".parse().unwrap(), to: "2026-11-30T13:00:00Z".parse().unwrap() };
    let query = MetricQuery { name: &name, versions: &versions, metrics: &metrics, window };
    JsonFile::new(folder.path(), "metrics.json").read(&query).await
}

#[tokio::test]
async fn samples_are_read_by_version_and_registry_version() {
    let readings = read(&file()).await.unwrap();
    assert_eq!(readings.samples["helpful"][0], Ok(Sample::Share { successes: 360, n: 400 }));
    assert_eq!(readings.samples["helpful"][1], Ok(Sample::Share { successes: 19, n: 20 }));
    assert_eq!(readings.samples["latency_p95"][0], Ok(Sample::Level { n: 900, value: 1.9 }));
    assert_eq!(readings.samples["latency_p95"][1], Err("the file has no latency_p95 of 2.4.0".to_owned()));
    assert_eq!(readings.samples["tone"][0], Ok(Sample::Mean { n: 10, mean: 3.5, variance: 0.5 }));
    assert_eq!(readings.units, Some(vec![400, 20]));
    assert!(
        readings.notes.contains(&"helpful: 400 samples of 2.3.1, 20 of 2.4.0".to_owned()),
        "{readings:?}"
    );
    assert!(readings.notes.contains(&"400 units of 2.3.1, 20 of 2.4.0".to_owned()), "{readings:?}");
}

#[tokio::test]
async fn missing_version_is_missing_and_leaves_units_unknown() {
    let mut file = file();
    file["versions"].as_object_mut().unwrap().remove("7");
    let readings = read(&file).await.unwrap();
    assert_eq!(readings.samples["helpful"][1], Err("the file has no version 2.4.0".to_owned()));
    assert_eq!(readings.units, None);
}

#[tokio::test]
async fn samples_of_another_time_are_refused() {
    let with = |from: &str, to: &str| {
        let mut file = file();
        (file["from"], file["to"]) = (json!(from), json!(to));
        file
    };
    let late = read(&with("2026-11-30T12:30:00Z", "2026-11-30T12:40:00Z")).await.unwrap();
    assert!(late.notes.concat().contains("before the observed time does"), "{:?}", late.notes);
    for (from, to, expected) in [
        ("2026-11-30T11:59:59Z", "2026-11-30T13:00:00Z", "before the observed time"),
        ("2026-11-30T13:00:00Z", "2026-11-30T14:00:00Z", "after the observed time"),
        ("2026-11-30T12:30:00Z", "2026-11-30T12:30:00Z", "`to` must be after `from`"),
        ("yesterday", "2026-11-30T12:30:00Z", "`from`: expected a time"),
    ] {
        let Err(PortError::Damaged(problem)) = read(&with(from, to)).await else { panic!("{from}") };
        assert!(problem.contains(expected), "{problem}");
    }
}

#[tokio::test]
async fn broken_files_are_errors_with_the_format_to_look_up() {
    let with = |pointer: &str, value: Value| {
        let mut file = file();
        *file.pointer_mut(pointer).unwrap() = value;
        file.to_string()
    };
    for (text, expected) in [
        ("{".to_owned(), "EOF"),
        (with("/schema", json!("promptgate.metrics/v2")), "expected the schema promptgate.metrics/v1"),
        (with("/name", json!("support/triage")), "another prompt, expected support/reply"),
        (with("/versions/2.3.1", json!({"metrics": {}, "n": 1})), "unknown field `n`"),
        (with("/versions/7/metrics/helpful", json!({"share": {"successes": 1.5, "n": 2}})), "1.5"),
        (with("/versions/7/metrics/helpful", json!(0.5)), "metrics.json"),
        (with("/versions/7/metrics/helpful", json!({"share": {"n": 2}})), "successes"),
        (file().to_string().replace("0.5", "1e999"), "out of range"),
    ] {
        let Err(PortError::Damaged(problem)) = read_text(&text).await else { panic!("{text}") };
        assert!(problem.starts_with("metrics.json: ") && problem.contains(expected), "{problem}");
    }
}

#[test]
fn schema_accepts_the_example_and_names_every_kind_of_sample() {
    let text = metrics_file_schema().to_string();
    for word in ["promptgate.metrics/v1", "\"share\"", "\"mean\"", "\"level\""] {
        assert!(text.contains(word), "{word}");
    }
}
