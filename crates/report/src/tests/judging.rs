use super::*;

#[test]
fn judge_is_shown_with_self_test_and_calibration() {
    let report = fixtures::fail();
    let cost = view::number::dollars(report.usage.judgements.cost_usd.unwrap());
    for format in [Format::Terminal, Format::Markdown] {
        let text = rendered(&report, format, Style { width: 1000, ..style() });
        // Markdown escapes what could be a mark.
        let text = text.replace('\\', "").replace("&dollar;", "$");
        for part in [
            "output mode json_schema",
            "self-test 13 of 13 as expected",
            "faithfulness calibrated on 42 answers: kappa 0.71, balanced accuracy 0.86",
            "people would pass 0.811 of the candidate's answers (0.315 to 1.000)",
            &format!("{cost} of the cost"),
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}

#[test]
fn judge_without_self_test_is_shown() {
    let mut report = fixtures::pass();
    if let Some(judge) = &mut report.judge {
        judge.self_test = None;
        judge.calibration = None;
    }
    let text = rendered(&report, Format::Terminal, style());
    assert!(text.contains("no self-test") && !text.contains("calibrated"), "{text}");
}

#[test]
fn unfit_judge_shows_planted_answers() {
    for format in [Format::Terminal, Format::Markdown] {
        let text = rendered(&fixtures::unfit_judge(), format, style());
        assert!(text.contains("a reasoning opener") && text.contains("0.50, 0.50, 0.25"), "{text}");
        // Those that came out wrong are listed first.
        assert!(text.find("a faithful paraphrase") < text.find("a lone colon"), "{text}");
        assert!(text.contains("self-test 10 of 13 as expected"), "{text}");
    }
    let mut report = fixtures::unfit_judge();
    if let Some(test) = report.judge.as_mut().and_then(|judge| judge.self_test.as_mut()) {
        test.planted[0].scores = vec![Some(1.0), None, Some(0.75)];
        test.planted[0].passed = false;
    }
    assert!(rendered(&report, Format::Terminal, style()).contains("1.00, none, 0.75"));
}

#[test]
fn advisory_failure_shows_exit_code_0() {
    let mut report = fixtures::fail();
    report.exit_code = 0;
    for format in [Format::Terminal, Format::Markdown] {
        let text = rendered(&report, format, style());
        assert!(
            text.to_lowercase().contains("fail") && text.contains("allowed by the configuration"),
            "{text}"
        );
    }
}
