//! `release.sources`.

use super::*;

const PROMETHEUS: &str = "url: 'https://p.example', good: 'sum(increase(ok{v=\"$version\"}[$window]))', \
                          all: 'sum(increase(all{v=\"$registry_version\"}[$window]))'";

fn sources(written: &str) -> SourcesSettings {
    let text = format!("{START}name: support-reply\nrelease: {{ledger: git, sources: {written}}}\n");
    settings(&text).release.expect("a release").sources
}

#[test]
fn every_kind_of_source_is_resolved_with_its_defaults() {
    let sources = sources(&format!(
        "{{requests: {{prometheus: {{{PROMETHEUS}, headers: {{authorization: {{env: PROM_TOKEN}}, x-scope-orgid: {{value: team}}}}}}}}, \
         scores: {{otlp_file: 'telemetry/*.jsonl'}}, traces: {{mlflow: {{tracking_uri: 'https://m.example', experiment_id: 7}}}}, \
         prompts: {{langfuse: {{base_url: 'https://l.example', environment: production}}}}, file: {{json: metrics.json}}}}"
    ));
    assert_eq!(sources.names().collect::<Vec<_>>(), ["file", "prompts", "requests", "scores", "traces"]);
    assert_eq!(
        sources.variables().collect::<Vec<_>>(),
        ["LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY", "PROM_TOKEN"]
    );
    assert_eq!(sources.get("scores"), Some(&SourceSettings::OtlpFile("telemetry/*.jsonl".to_owned())));
    let mlflow = SourceSettings::Mlflow {
        tracking_uri: "https://m.example".to_owned(),
        experiment_id: "7".to_owned(),
        version_tag: "prompt_version".to_owned(),
        version: "$version".to_owned(),
        credentials_env: None,
    };
    assert_eq!(sources.get("traces"), Some(&mlflow));
    assert_eq!(sources.get("file"), Some(&SourceSettings::Json("metrics.json".to_owned())));
    let none =
        settings(&format!("{START}name: reply\nrelease: {{ledger: git}}\n")).release.expect("a release");
    assert!(none.sources.is_empty());
}

#[test]
fn digest_of_sources_follows_their_meaning_and_not_their_order() {
    let digest = |written: &str| sources(written).digest();
    let one = digest("{a: {json: a.json}, b: {json: b.json}}");
    assert_eq!(digest("{b: {json: b.json}, a: {json: a.json}}"), one);
    let query = |query: &str| {
        digest(&format!(
            "{{a: {{prometheus: {{url: 'https://p.example', bad: '{query}', all: '{query}'}}}}}}"
        ))
    };
    let kinds = [
        one,
        digest("{a: {json: a.json}, b: {json: c.json}}"),
        digest("{a: {json: a.json}}"),
        digest("{a: {otlp_file: a.json}}"),
        digest(&format!("{{a: {{prometheus: {{{PROMETHEUS}}}}}}}")),
        digest(&format!("{{a: {{prometheus: {{{PROMETHEUS}, headers: {{x: {{env: A}}}}}}}}}}")),
        digest(&format!("{{a: {{prometheus: {{{PROMETHEUS}, headers: {{x: {{env: B}}}}}}}}}}")),
        query("x{v=\"$version\"}[$window]"),
        query("y{v=\"$version\"}[$window]"),
        digest("{}"),
    ];
    let distinct: std::collections::BTreeSet<&str> = kinds.iter().map(|digest| digest.as_str()).collect();
    assert_eq!(distinct.len(), kinds.len());
}

#[test]
fn queries_of_prometheus_make_one_of_four_samples() {
    let with = |queries: &[&str]| {
        let queries: Vec<String> =
            queries.iter().map(|name| format!("{name}: 'x{{v=\"$version\"}}[$window]'")).collect();
        format!("{{a: {{prometheus: {{url: 'https://p.example', {}}}}}}}", queries.join(", "))
    };
    for valid in [&["good", "all"][..], &["bad", "all"], &["value", "count"], &["mean", "variance", "count"]]
    {
        assert!(sources(&with(valid)).get("a").is_some(), "{valid:?}");
    }
    for invalid in [
        &["good"][..],
        &["all"],
        &["good", "bad", "all"],
        &["value"],
        &["mean", "count"],
        &["good", "all", "count"],
    ] {
        let text = format!("{START}name: reply\nrelease: {{ledger: git, sources: {}}}\n", with(invalid));
        let messages = diagnostics(&text);
        assert!(
            messages.len() == 1 && messages[0].contains("do not make a sample"),
            "{invalid:?}: {messages:?}"
        );
    }
}

#[test]
fn mistakes_of_sources_are_reported_with_their_places() {
    let query = |query: &str| {
        format!(
            "{{a: {{prometheus: {{url: 'https://p.example', good: '{query}', all: 'x{{v=\"$version\"}}[$window]'}}}}}}"
        )
    };
    let rows: &[(&str, &[&str])] = &[
        ("{a: {}}", &["5:37: `release.sources.a` must not be empty"]),
        ("{a: {json: x, otlp_file: y}}", &["5:37: `release.sources.a` must have at most 1 keys"]),
        (
            "{a: {datadog: {}}}",
            &[
                "5:38: unknown key `datadog` in `release.sources.a` (help: known keys are `prometheus`, `otlp_file`, `mlflow`, \
               `langfuse`, `json`)",
            ],
        ),
        (
            "{a: {otlpfile: x}}",
            &["5:38: unknown key `otlpfile` in `release.sources.a` (help: did you mean `otlp_file`?)"],
        ),
        (
            "{a: prometeus}",
            &[
                "5:37: `release.sources.a` must be `{prometheus: {…}}`, `{otlp_file: …}`, `{mlflow: {…}}`, `{langfuse: {…}}` \
               or `{json: …}`, found text \"prometeus\" (help: did you mean `{prometheus: {…}}`?)",
            ],
        ),
        ("{\"a b\": {json: x}}", &["5:34: invalid name `a b` of a source"]),
        ("{a: {otlp_file: 'a['}}", &["5:49: invalid glob pattern `a[`"]),
        ("{a: {prometheus: {good: x}}}", &["5:38: `release.sources.a.prometheus` lacks the key `url`"]),
        (
            &query("x{v=\"1\"}[$window]"),
            &["5:83: the query returns the same number for every version (help: select the version"],
        ),
        (
            &query("x{v=\"$version\"}"),
            &["5:83: the query does not select the time of the step (help: use `$window`"],
        ),
        (
            &query("x{v=\"$versions\"}[$window]"),
            &[
                "5:83: unknown placeholder `$versions` (help: there are $version, $registry_version, $window, $name, $metric)",
            ],
        ),
        (
            "{a: {prometheus: {url: p.example, good: 'x{v=\"$version\"}[$window]', all: 'x{v=\"$version\"}[$window]'}}}",
            &[
                "5:56: `url` must be an http or https URL (help: write it like `https://prometheus.example.org`",
            ],
        ),
        (
            "{a: {mlflow: {tracking_uri: 'https://m.example'}}}",
            &["5:38: `release.sources.a.mlflow` lacks the key `experiment_id`"],
        ),
        (
            "{a: {mlflow: {tracking_uri: 'https://m.example', experiment_id: 1, version: latest}}}",
            &["5:109: `latest` is not the tag of a version"],
        ),
        (
            "{a: {mlflow: {tracking_uri: 'https://m.example', experiment_id: 1, user_env: U}}}",
            &["5:38: user_env and password_env are only valid together"],
        ),
        (
            "{a: {langfuse: {base_url: 'https://l.example', secret_key_env: sk-lf-0123456789abcdef0123}}}",
            &["5:96: "],
        ),
        (
            "{a: {mlflow: {tracking_uri: 'https://m.example', experiment_id: 1, version: $VERSION}}}",
            &["5:109: `$VERSION` is not expanded", "5:109: `$VERSION` is not the tag of a version"],
        ),
    ];
    let mut wrong = String::new();
    for (written, expected) in rows {
        let messages =
            diagnostics(&format!("{START}name: reply\nrelease: {{ledger: git, sources: {written}}}\n"));
        let same = messages.len() == expected.len()
            && messages.iter().zip(*expected).all(|(message, expected)| message.starts_with(expected));
        if !same {
            wrong.push_str(&format!("{written}\n  found    {messages:?}\n  expected {expected:?}\n"));
        }
        assert!(!messages.concat().contains("sk-lf-"), "{messages:?}");
    }
    assert!(wrong.is_empty(), "{wrong}");
}
