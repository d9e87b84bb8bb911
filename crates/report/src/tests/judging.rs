use super::*;
use promptgate_core::model::{Expected, SelfTest};

#[test]
fn the_judge_is_told_with_its_self_test_and_its_calibration() {
    for format in [Format::Terminal, Format::Markdown] {
        let text = rendered(&sample::pass().report(), format, Style { width: 1000, ..style() });
        // Markdown escapes what could be a mark.
        let text = text.replace('\\', "").replace("&dollar;", "$");
        for part in [
            "output mode json_schema",
            "self-test 2 of 2 as expected",
            "faithfulness calibrated on 200 answers: kappa 0.64, balanced accuracy 0.82",
            "people would pass 0.911 of the candidate's answers (0.863 to 0.959)",
            "$0.2124 of the cost",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}

#[test]
fn a_judge_that_was_not_tried_is_told_so() {
    let mut parts = sample::pass();
    if let Some(judge) = &mut parts.run.judge {
        judge.self_test = None;
        judge.calibration = None;
    }
    let text = rendered(&parts.report(), Format::Terminal, style());
    assert!(text.contains("no self-test") && !text.contains("calibrated"), "{text}");
}

#[test]
fn an_unfit_judge_shows_what_it_said_of_planted_answers() {
    let mut parts = sample::incomplete();
    if let Some(judge) = &mut parts.run.judge {
        judge.self_test = Some(SelfTest {
            rows: vec![
                sample::planted("a faithful paraphrase", Expected::High, &[Some(1.0)], true),
                sample::planted("a lone colon", Expected::Low, &[Some(1.0), None, Some(0.75)], false),
            ],
        });
    }
    for format in [Format::Terminal, Format::Markdown] {
        let text = rendered(&parts.report(), format, style());
        assert!(text.contains("a lone colon") && text.contains("1.00, none, 0.75"), "{text}");
        // What is wrong comes first.
        assert!(text.find("a lone colon") < text.find("a faithful paraphrase"), "{text}");
        assert!(text.contains("self-test 1 of 2 as expected"), "{text}");
    }
}

#[test]
fn an_advisory_failure_says_that_it_passes() {
    let mut parts = sample::fail();
    parts.exit_code = 0;
    for format in [Format::Terminal, Format::Markdown] {
        let text = rendered(&parts.report(), format, style());
        assert!(
            text.to_lowercase().contains("fail") && text.contains("allowed by the configuration"),
            "{text}"
        );
    }
}
