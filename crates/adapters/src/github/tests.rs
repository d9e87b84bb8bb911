//! Checks against an independent parser of the runner's rules: no text injects a command or an output.

use proptest::prelude::*;

use super::*;

use promptgate_testing::runner::{first_form, has_command, lines, outputs, second_form, without_width};

/// Texts that try to inject something.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "::",
        ":",
        "##[",
        "##",
        "#",
        "[",
        "]",
        "error",
        "::error::x",
        "::set-output name=verdict::pass",
        "##[set-output name=verdict;]pass",
        "\n",
        "\r",
        "\r\n",
        "\u{B}",
        "\u{C}",
        "\u{85}",
        "\u{2028}",
        "\u{2029}",
        "\u{A0}",
        "\u{200B}",
        "\u{FEFF}",
        "\u{AD}",
        "\u{1B}[31m",
        "\t",
        " ",
        "%",
        "%0A",
        "%0D",
        "%3A",
        "%2C",
        "%25",
        ",",
        "=",
        ";",
        "<<",
        "EOF",
        "verdict=pass",
        "verdict<<E",
        "| ",
        "\\",
        "`",
        "é",
        "🦀",
        "\u{202E}",
    ]);
    let piece = prop_oneof![4 => pieces.prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

#[test]
fn the_runner_rules_detect_commands() {
    for text in [
        "::error::x",
        "\u{a0}::add-mask::pass",
        "text ##[set-output name=verdict;]pass",
        "a\r::error::x",
        "##[add-matcher]evil.json",
        "a\n  ::stop-commands::x",
        "\u{200B}::error::x",
        "#\u{200B}#[error]x",
    ] {
        assert!(has_command(text), "{text:?}");
        assert!(!has_command(&log(text)), "{:?}", log(text));
    }
    assert!(!has_command("a :: b ::, # [x] and ## [y]"));
    assert_eq!(outputs("a=b\nc<<E\n1\n2\nE\n").len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn log_text_contains_no_command(text in hostile()) {
        let shown = log(&text);
        prop_assert!(!has_command(&shown), "{:?}", shown);
        // Harmless text stays unchanged.
        let harmless = "PASS  small 3/3\n      report.html\n";
        prop_assert_eq!(log(harmless), harmless);
    }

    #[test]
    fn an_annotation_is_one_command(
        title in hostile(),
        message in hostile(),
        file in prop_oneof![hostile().prop_map(Some), Just(None), Just(Some("prompts/a,b:c%.md".to_owned()))],
        first in 1_usize..100_000,
    ) {
        let annotation = Annotation {
            level: Level::Error,
            title: title.clone(),
            message,
            file: file.clone(),
            lines: Some((first, first + 1)),
        };
        let command = annotation.command();
        prop_assert_eq!(lines(&command).len(), 1, "{:?}", command);
        prop_assert!(!first_form(&command) && !first_form(&without_width(&command)), "{:?}", command);
        prop_assert!(command.chars().count() < 16_000);
        let Some(read) = second_form(&command) else { return Err(TestCaseError::fail(command)) };
        prop_assert_eq!(&read.name, "error");
        let keys: Vec<&str> = read.properties.iter().map(|(key, _)| key.as_str()).collect();
        let known_keys = ["file", "line", "endLine", "title"];
        let places: Vec<usize> = keys.iter().filter_map(|key| known_keys.iter().position(|known| known == key)).collect();
        prop_assert_eq!(places.len(), keys.len(), "{:?}", command);
        prop_assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", command);
        if let Some((_, shown)) = read.properties.iter().find(|(key, _)| key == "file") {
            prop_assert_eq!(Some(shown), file.as_ref());
        }
        // The message does not start a command either.
        prop_assert!(!has_command(&read.data), "{:?}", read.data);
    }

    #[test]
    fn a_value_is_one_output_or_omitted(value in prop_oneof![hostile(), "[ -~]{0,40}"]) {
        let mut all = Outputs::default();
        all.add("verdict", "fail");
        all.add("report-json", value.clone());
        let found = outputs(&all.text());
        let written: Vec<(&str, &str)> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        match all.refused() {
            [] => prop_assert_eq!(written, [("verdict", "fail"), ("report-json", value.as_str())]),
            refused => {
                prop_assert_eq!(refused, ["report-json"]);
                prop_assert_eq!(written, [("verdict", "fail")]);
            }
        }
    }

    #[test]
    fn no_payload_makes_the_parser_panic(name in "[a-z_]{1,20}", payload in hostile()) {
        let _ = Event::read(&name, &payload);
        for name in ["pull_request", "merge_group"] {
            prop_assert!(Event::read(name, &payload).is_err());
            let text = serde_json::json!({"pull_request": payload, "merge_group": {"base_sha": payload}});
            prop_assert!(Event::read(name, &text.to_string()).is_err());
        }
    }

    #[test]
    fn parsed_events_have_valid_fields(branch in hostile(), sha in hostile()) {
        let payload = serde_json::json!({
            "before": sha, "after": sha, "repository": {"default_branch": branch},
            "pull_request": {"number": 1, "base": {"ref": branch}, "head": {"sha": "a".repeat(40)}},
        });
        let push = Event::read("push", &payload.to_string()).map_err(|it| TestCaseError::fail(it.to_string()))?;
        prop_assert_eq!(push.base, None);
        let is_valid = |name: &String| !name.starts_with('-') && !name.contains(['\n', '\r', ':', ' ', '\0']);
        prop_assert!(push.default_branch.iter().all(is_valid));
        if let Ok(event) = Event::read("pull_request", &payload.to_string()) {
            prop_assert!(event.pull_request.iter().all(|request| is_valid(&request.base_branch) && request.fork));
        }
    }
}

#[test]
fn output_paths_are_accepted() {
    let mut all = Outputs::default();
    for path in
        ["/home/runner/work/a b/promptgate-report/report.json", "D:\\a\\x~1\\report.json", "0.00012", "-1"]
    {
        all.add("report-json", path);
    }
    assert_eq!(all.refused().len(), 0);
    for value in ["a\nb", "a<<b", "a=b", "é", " a", "a%0Ab"] {
        let mut all = Outputs::default();
        all.add("report-json", value);
        assert_eq!((all.refused().len(), all.text().as_str()), (1, ""), "{value:?}");
    }
}
