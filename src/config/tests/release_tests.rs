use super::*;
use promptgate_release::{GateScope, Level, ReleasePolicy};

fn release(written: &str) -> ReleaseSettings {
    settings(&format!("{START}name: support-reply\n{written}\n")).release.expect("a release")
}

#[test]
fn ledger_alone_has_the_defaults_of_everything_else() {
    let release = release("release: {ledger: git}");
    assert_eq!((release.name.to_string().as_str(), release.is_named), ("support-reply", false));
    let branch = LedgerSettings::Git { branch: "promptgate".to_owned(), remote: "origin".to_owned() };
    assert_eq!(release.ledger, branch);
    assert_eq!(release.registry, RegistrySettings::Embedded);
    assert_eq!(release.policy, ReleasePolicy::default());
    assert_eq!(settings(START).release, None);
}

#[test]
fn every_key_of_a_release_is_resolved() {
    let release = release(
        "release:\n  name: support/reply\n  ledger: {git: {branch: releases, remote: upstream}}\n\
         \x20 registry: {langfuse: {base_url: \"https://cloud.langfuse.com\", secret_key_env: LF, name: reply}}\n\
         \x20 levels: {patch: {gate: full}, major: {gate: full, approvals: 2, rollout: direct}}\n\
         \x20 semver: {patch_max_words: 1, guarded_words: [niemals], families: {gpt: [gpt-4o, gpt-4.1]}}\n\
         \x20 approvers: [alice, \"@org/prompt-owners\"]\n  staging: {hold: 24h}",
    );
    assert_eq!((release.name.to_string().as_str(), release.is_named), ("support/reply", true));
    let branch = LedgerSettings::Git { branch: "releases".to_owned(), remote: "upstream".to_owned() };
    assert_eq!(release.ledger, branch);
    let langfuse = RegistrySettings::Langfuse {
        base_url: "https://cloud.langfuse.com".to_owned(),
        public_key_env: "LANGFUSE_PUBLIC_KEY".to_owned(),
        secret_key_env: "LF".to_owned(),
        name: Some("reply".to_owned()),
    };
    assert_eq!(release.registry, langfuse);
    assert_eq!(release.registry.variables().collect::<Vec<_>>(), ["LANGFUSE_PUBLIC_KEY", "LF"]);
    let policy = release.policy;
    assert_eq!(policy.controls(Level::Patch).gate, GateScope::Full);
    assert_eq!(policy.controls(Level::Major).approvals, 2);
    assert_eq!((policy.rules.patch_max_words, policy.rules.guarded.len()), (1, 1));
    assert_eq!(policy.rules.families["gpt"], ["gpt-4o", "gpt-4.1"]);
    assert_eq!(policy.approvers, ["alice", "@org/prompt-owners"]);
    assert_eq!(policy.staging_hold_seconds, 24 * 3600);
}

#[test]
fn ledger_in_a_folder_and_mlflow_are_resolved() {
    let release = release(
        "release: {ledger: {path: .promptgate/ledger}, registry: {mlflow: {tracking_uri: \"http://127.0.0.1:5000\", user_env: U, password_env: P}}}",
    );
    assert_eq!(release.ledger, LedgerSettings::Folder(".promptgate/ledger".to_owned()));
    assert_eq!(release.registry.variables().collect::<Vec<_>>(), ["U", "P"]);
}

/// The name of a suite in a commit is that of its folder there.
#[test]
fn default_name_of_a_release_in_a_commit_is_that_of_its_folder() {
    let text = format!("{START}release: {{ledger: git}}\n");
    let of = |file: &str| {
        load(file, &text, &check_entry()).map(|settings| settings.release.expect("a release").name)
    };
    assert_eq!(of("git:main:prompts/reply/promptgate.yaml").unwrap().to_string(), "reply");
    assert_eq!(of("prompts/reply/promptgate.yaml").unwrap().to_string(), "reply");
}

#[test]
fn mistakes_of_a_release_are_reported_with_their_places() {
    let rows: &[(&str, &[&str])] = &[
        ("release: {}", &["5:1: `release` lacks the key `ledger`"]),
        ("release: {registry: embedded}", &["5:1: `release` lacks the key `ledger`"]),
        (
            "release: {ledger: folder}",
            &["5:19: `release.ledger` must be `{git: {…}}`, `{path: …}` or `git`, found text \"folder\""],
        ),
        (
            "release: {ledger: gitt}",
            &[
                "5:19: `release.ledger` must be `{git: {…}}`, `{path: …}` or `git`, found text \"gitt\" (help: did you mean `git`?)",
            ],
        ),
        (
            "release: {ledger: pathh}",
            &[
                "5:19: `release.ledger` must be `{git: {…}}`, `{path: …}` or `git`, found text \"pathh\" (help: did you mean `{path: …}`?)",
            ],
        ),
        (
            "release: {ledger: {gitt: {}}}",
            &["5:20: unknown key `gitt` in `release.ledger` (help: did you mean `git`?)"],
        ),
        ("release: {ledger: {git: {}, path: x}}", &["5:19: `release.ledger`"]),
        (
            "release: {ledger: {git: {branch: \"-x\"}}}",
            &["5:34: invalid branch `-x` (help: expected letters, digits, `.`, `_`, `-` and `/`)"],
        ),
        (
            "release: {ledger: git, name: Reply}",
            &["5:30: invalid prompt name `Reply`: expected parts of a-z"],
        ),
        ("release: {ledger: git, name: ../x}", &["5:30: invalid prompt name `../x`"]),
        (
            "release: {ledger: git, registry: langfuse}",
            &[
                "5:34: `release.registry` must be `{langfuse: {…}}`, `{mlflow: {…}}` or `embedded`, found text \"langfuse\" \
               (help: did you mean `{langfuse: {…}}`?)",
            ],
        ),
        (
            "release: {ledger: git, registry: langfuze}",
            &[
                "5:34: `release.registry` must be `{langfuse: {…}}`, `{mlflow: {…}}` or `embedded`, found text \"langfuze\" \
               (help: did you mean `{langfuse: {…}}`?)",
            ],
        ),
        (
            "release: {ledger: git, registry: embeded}",
            &[
                "5:34: `release.registry` must be `{langfuse: {…}}`, `{mlflow: {…}}` or `embedded`, found text \"embeded\" \
               (help: did you mean `embedded`?)",
            ],
        ),
        (
            "release: {ledger: git, registry: {langfuze: {}}}",
            &["5:35: unknown key `langfuze` in `release.registry` (help: did you mean `langfuse`?)"],
        ),
        (
            "release: {ledger: git, registry: {langfuse: {}}}",
            &["5:35: `release.registry.langfuse` lacks the key `base_url`"],
        ),
        (
            "release: {ledger: git, registry: {langfuse: {base_url: langfuse.com}}}",
            &[
                "5:56: `base_url` must be an http or https URL (help: write it like `https://cloud.langfuse.com`)",
            ],
        ),
        (
            "release: {ledger: git, registry: {langfuse: {base_url: \"https://a:b@l.example\"}}}",
            &["5:56: a user or password in `base_url` would be shown in logs"],
        ),
        (
            "release: {ledger: git, registry: {mlflow: {tracking_uri: sqlite}}}",
            &[
                "5:58: `tracking_uri` must be an http or https URL (help: write it like `https://mlflow.example.org`)",
            ],
        ),
        (
            "release: {ledger: git, registry: {mlflow: {tracking_uri: \"http://m\", user_env: U}}}",
            &["5:35: user_env and password_env are only valid together"],
        ),
        (
            "release: {ledger: git, levels: {minor: {rollout: canary}}}",
            &[
                "5:50: a rollout in steps needs sources of metrics, and there are none (help: add to `release:` sources:",
            ],
        ),
        (
            "release: {ledger: git, sources: {a: {json: m.json}}, signals: [{name: p95, max_ratio: 1.2, source: a}]}",
            &[
                "5:63: a rollout in steps needs guardrails, and there are none (help: add to `release:` guardrails:",
            ],
        ),
        (
            "release: {ledger: git, sources: {a: {json: m.json}}, guardrails: [{name: f, better: higher, margin: 0, source: b}]}",
            &["5:101: a margin is above 0", "5:112: unknown source `b` (help: expected one of a)"],
        ),
        (
            "release: {ledger: git, sources: {a: {json: m.json}}, guardrails: [{name: f, better: higher, margin: 1, source: a}], \
             rollouts: {canary: [{percent: 50, hold: 1h}, {percent: 25, hold: 1h, min_samples: 9}]}}",
            &[
                "5:136: a rollout goes to 100 percent in two steps or more",
                "5:137: a step needs `hold` and `min_samples`",
                "5:172: each step has more units than the one before",
            ],
        ),
        (
            "release: {ledger: git, sources: {a: {json: m.json}}, guardrails: [{name: error_rate, better: lower, margin: .01, source: a}], \
             staging: {limits: {error_rate: 2}}, monitor: {limits: {latency_p95: 2.5, error_rat: 0.1}}}",
            &[
                "5:158: `error_rate` must be at most 1: 2 % is 0.02",
                "5:195: `latency_p95` must be a guardrail or a signal (help: add it to `signals:` with its source, or use one of \
                 error_rate)",
                "5:211: `error_rat` must be a guardrail or a signal (help: did you mean error_rate?)",
            ],
        ),
        (
            "release: {ledger: git, sources: {a: {json: m.json}}, guardrails: [{name: f, better: higher, margin: 1, source: a}], \
             max_hold: 1h}",
            &["5:127: `max_hold` of 1h must be longer than the hold of canary step 1, 48h (help: raise it,"],
        ),
        (
            "release: {ledger: git, sources: {a: {json: m.json}}, guardrails: [{name: f, better: higher, margin: 1, source: a}], \
             rollouts: {canary: [{percent: 50, hold: 169h, min_samples: 9}, {percent: 100}]}}",
            &[
                "5:137: a hold of 169h must be shorter than `max_hold`, 168h by default (help: raise `max_hold`,",
            ],
        ),
        (
            "release: {ledger: git, monitor: {window: 24h}}",
            &["5:24: `release.monitor` lacks the key `limits`"],
        ),
        (
            "release: {ledger: git, monitor: {limits: {}}}",
            &["5:33: nothing is monitored without limits (help: add `limits:"],
        ),
        ("release: {ledger: git, levels: {huge: {}}}", &["5:33: unknown key `huge` in `release.levels`"]),
        (
            "release: {ledger: git, levels: {patch: {gate: none}}}",
            &["5:47: `release.levels.patch.gate` must be one of"],
        ),
        ("release: {ledger: git, approvers: [\"@owners\"]}", &["5:36: invalid approver `@owners`"]),
        ("release: {ledger: git, staging: {hold: 24}}", &["5:40: `release.staging.hold` must be a duration"]),
        (
            "release: {ledger: git, registry: {langfuse: {base_url: \"https://l.example\", secret_key_env: $LF}}}",
            &[
                "5:93: `$LF` is not expanded",
                "5:93: `secret_key_env` must be the name of an environment variable",
            ],
        ),
        (
            "release: {ledger: git, registry: {langfuse: {base_url: \"https://l.example\", secret_key_env: sk-lf-0123456789abcdef0123}}}",
            &["5:93: "],
        ),
    ];
    let mut wrong = String::new();
    for (rest, expected) in rows {
        let messages = diagnostics(&format!("{START}name: reply\n{rest}\n"));
        let same = messages.len() == expected.len()
            && messages.iter().zip(*expected).all(|(message, expected)| message.starts_with(expected));
        if !same {
            wrong.push_str(&format!("{rest}\n  found    {messages:?}\n  expected {expected:?}\n"));
        }
        assert!(!messages.concat().contains("sk-lf-"), "{messages:?}");
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Users add the second example to the first one.
#[test]
fn limits_of_the_page_about_rollouts_fit_its_first_example() {
    let page = include_str!("../../../docs/rollout.md");
    let mut examples = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let (first, limits) = (examples.next().expect("an example"), examples.next().expect("limits"));
    let limits = limits.strip_prefix("release:\n").expect("keys of a release");
    let policy = release(&format!("{first}{limits}")).policy;
    assert_eq!(policy.staging_checks.expect("limits on staging").limits.len(), 1);
    assert_eq!(policy.monitor.expect("limits of production").limits.len(), 2);
}

#[test]
fn name_of_a_suite_that_is_not_a_prompt_name_is_an_error_of_the_release() {
    let messages = diagnostics(&format!("{START}name: Customer Support\nrelease: {{ledger: git}}\n"));
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(messages[0].starts_with("5:10: invalid prompt name `Customer Support`"), "{messages:?}");
    assert!(messages[0].contains("write `name: customer-support` under `release:`"), "{messages:?}");
}
