mod changes;

use proptest::prelude::*;

use super::*;
use crate::tests::{HOSTILE, assert_tables_whole, filled_with, large};
use crate::{fixtures, v1};
use promptgate_core::text::Secret;
use promptgate_testing::forge::{self, hostile};

const DISCLOSURES: [Disclose; 3] = [Disclose::Numbers, Disclose::Excerpts, Disclose::Full];
const BASE: &str = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";
const HEAD: &str = "9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c";
const ADDRESS: &str = "https://github.com/acme/support/actions/runs/42#summary-7";

fn facts<'a>(subject: Subject<'a>, exit_code: u8, redactor: &'a Redactor) -> CommentFacts<'a> {
    CommentFacts {
        subject,
        exit_code,
        disclose: Disclose::Excerpts,
        base: Some(BASE),
        head: Some(HEAD),
        address: Some(ADDRESS),
        reviewer: None,
        redactor,
    }
}

fn of(report: &Report, disclose: Disclose) -> String {
    let redactor = Redactor::default();
    let facts = facts(Subject::Report(report), report.exit_code, &redactor);
    render(&CommentFacts { disclose, ..facts }, COMMENT_BYTES)
}

#[test]
fn comments_match_snapshots() {
    let redactor = Redactor::default();
    let reports = [
        ("pass", fixtures::pass()),
        ("fail", fixtures::fail()),
        ("inconclusive", fixtures::inconclusive()),
        ("incomplete", fixtures::incomplete()),
        ("no_baseline", fixtures::no_baseline()),
        ("without_key", fixtures::without_key()),
    ];
    for (name, report) in &reports {
        insta::assert_snapshot!(format!("comment_{name}"), of(report, Disclose::Excerpts));
    }
    insta::assert_snapshot!("comment_fail_numbers", of(&reports[1].1, Disclose::Numbers));
    insta::assert_snapshot!("comment_fail_full", of(&reports[1].1, Disclose::Full));

    let name = "customer-support";
    let missing = ["shard 3 of 8 is missing".to_owned(), "shard 5 of 8 belongs to another run".to_owned()];
    let wrong = ["promptgate.yaml:7:3: unknown key `mterics`; did you mean `metrics`?".to_owned()];
    let subjects = [
        ("unchanged", 0, Subject::Unchanged { name }),
        (
            "not_evaluated",
            12,
            Subject::NotEvaluated {
                skipped: false,
                name,
                reason: "no API key in this run, as in every pull request from a fork",
                help: Some("a maintainer can push the branch to this repository"),
            },
        ),
        (
            "skipped",
            0,
            Subject::NotEvaluated { skipped: true, name, reason: "no API key in this run", help: None },
        ),
        ("incomplete_shards", 12, Subject::Incomplete { name: Some(name), messages: &missing }),
        ("error", 2, Subject::Error { name: None, messages: &wrong }),
        ("stopped_early", 1, Subject::Error { name: Some(name), messages: &[] }),
    ];
    for (name, exit_code, subject) in subjects {
        let text = render(&facts(subject, exit_code, &redactor), COMMENT_BYTES);
        insta::assert_snapshot!(format!("comment_{name}"), text);
    }
}

#[test]
fn effect_follows_verdict_and_symbols_have_words() {
    let text = of(&fixtures::fail(), Disclose::Excerpts);
    let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("no {words:?} in {text}"));
    let order = [
        place("❌ fail"),
        place("Faithfulness fell 27.8 points"),
        place("| refund-002 |"),
        place("| Criterion |"),
        place("Worst 2 of 2 cases"),
        place("Run details"),
    ];
    assert!(order.is_sorted(), "{order:?}");
    for symbol in ["✅", "❌", "⚠️", "💥", "⏸"] {
        for (at, _) in text.match_indices(symbol) {
            let rest = text[at + symbol.len()..].trim_start();
            assert!(rest.starts_with(char::is_alphabetic), "{symbol} stands alone: {}", &text[at..at + 20]);
        }
    }
}

/// Every kind of comment with this text in every untrusted field.
fn everywhere(text: &str, disclose: Disclose, redactor: &Redactor, limit: usize) -> Vec<String> {
    let report = filled_with(text);
    let messages = vec![text.to_owned(); 3];
    let subjects = [
        Subject::Report(&report),
        Subject::Unchanged { name: text },
        Subject::NotEvaluated { skipped: true, name: text, reason: text, help: Some(text) },
        Subject::Incomplete { name: Some(text), messages: &messages },
        Subject::Error { name: Some(text), messages: &messages },
    ];
    let odd = CommentFacts {
        // An address that is valid becomes the link that it is for.
        address: Some(text).filter(|text| !text.starts_with("https://")),
        head: Some(text),
        ..facts(Subject::Report(&report), 10, redactor)
    };
    let all = subjects.into_iter().map(|subject| facts(subject, 12, redactor)).chain([odd]);
    all.map(|facts| render(&CommentFacts { disclose, ..facts }, limit)).collect()
}

fn assert_nothing_acts(text: &str, disclose: Disclose) {
    let redactor = Redactor::default();
    let plain = everywhere("x", disclose, &redactor, COMMENT_BYTES);
    for (out, plain) in everywhere(text, disclose, &redactor, COMMENT_BYTES).iter().zip(&plain) {
        let reading = forge::read(out, Some(ADDRESS));
        assert!(reading.active.is_empty(), "{text:?}: {:?} in\n{out}", reading.active);
        assert_eq!(reading.shape, forge::read(plain, Some(ADDRESS)).shape, "{text:?}:\n{out}");
    }
}

#[test]
fn hostile_text_is_neutralized() {
    for disclose in DISCLOSURES {
        for text in HOSTILE {
            assert_nothing_acts(text, disclose);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_text_is_neutralized(text in hostile(), which in 0_usize..3) {
        // Blank text may omit optional parts.
        if !text.chars().all(|c| c.is_whitespace()) {
            assert_nothing_acts(&format!("x{text}"), DISCLOSURES[which]);
            assert_nothing_acts(&format!("{text}x"), DISCLOSURES[which]);
        }
    }

    #[test]
    fn secret_is_redacted_in_every_encoding_and_cut(
        before in 0_usize..320,
        form in 0_usize..9,
        after in "[ a-z]{0,80}",
        which in 0_usize..3,
    ) {
        let value = "sk-Pl4nt3d/K+y=0987 zQ";
        let form = &forms(value)[form];
        let text = format!("{}{form}{after}", "w ".repeat(before / 2));
        let redactor = Redactor::new(&[Secret::new(value)]);
        for limit in [COMMENT_BYTES, 6_000] {
            for out in everywhere(&text, DISCLOSURES[which], &redactor, limit) {
                let shown = forge::read(&out, Some(ADDRESS)).text.replace('\u{200B}', "");
                let head: String = form.chars().take(8).collect();
                prop_assert!(!shown.contains(&head) && !out.contains(&head), "{form}: {shown}");
            }
        }
    }
}

/// Encodings of the value: plain, base64 at every alignment, percent-encoded, JSON.
fn forms(value: &str) -> Vec<String> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let base64 = |lead: usize, alphabet: &str| {
        let bytes = [&b"abc"[..lead], value.as_bytes(), b"the rest"].concat();
        let bits = |byte: u8| (0..8).rev().map(move |bit| usize::from(byte >> bit & 1));
        let bits: Vec<usize> = bytes.iter().flat_map(|byte| bits(*byte)).collect();
        let letter = |six: &[usize]| six.iter().fold(0, |index, bit| index * 2 + bit);
        let all: String = bits.chunks_exact(6).filter_map(|six| alphabet.chars().nth(letter(six))).collect();
        // The first letters also encode the preceding bytes.
        all[(lead * 8).div_ceil(6)..].to_owned()
    };
    let url_safe = ALPHABET.replace('+', "-").replace('/', "_");
    let mut forms = vec![value.to_owned(), value.replace('/', "\\/")];
    forms.push(url::Url::parse_with_params("x:y", [("k", value)]).unwrap().query().unwrap()[2..].to_owned());
    for lead in 0..3 {
        forms.extend([base64(lead, ALPHABET), base64(lead, &url_safe)]);
    }
    forms
}

#[test]
fn large_run_fits_comment_and_is_listed_in_summary() {
    let report = large(5000, "refund");
    for disclose in DISCLOSURES {
        let text = of(&report, disclose);
        assert!(text.len() < COMMENT_BYTES && text.chars().count() < 65_536, "{}", text.len());
        assert!(text.contains("Omitted to limit the size: 4,995 cases"), "{disclose:?}");
        assert!(forge::read(&text, Some(ADDRESS)).active.is_empty());
        assert_tables_whole(&text);
    }
    let redactor = Redactor::default();
    let facts = facts(Subject::Report(&report), 10, &redactor);
    let summary = render(&facts, SUMMARY_BYTES);
    assert!(summary.len() < SUMMARY_BYTES && summary.contains("refund case 4999"), "{}", summary.len());
    assert_tables_whole(&summary);
}

#[test]
fn every_tier_is_complete_and_reports_omissions() {
    let report = large(300, "refund");
    let redactor = Redactor::default();
    let facts = facts(Subject::Report(&report), 10, &redactor);
    let mut before = usize::MAX;
    for limit in [SUMMARY_BYTES, 60_000, 30_000, 12_000, 4_000, 1_000, 0] {
        for disclose in DISCLOSURES {
            let text = render(&CommentFacts { disclose, ..facts.clone() }, limit);
            assert!(text.len() < limit.max(MIN_BYTES), "{} of {limit}", text.len());
            assert!(text.starts_with("### promptgate: ") && text.contains("fail"), "{text}");
            assert!(forge::read(&text, Some(ADDRESS)).active.is_empty());
            assert_tables_whole(&text);
            let whole = text.contains("refund case 299");
            assert!(whole || text.contains("Omitted to") || text.contains("See the report files"), "{text}");
        }
        let length = render(&facts, limit).len();
        assert!(length <= before);
        before = length;
    }
}

#[test]
fn numbers_disclosure_contains_no_untrusted_text() {
    let word = "heliotrope";
    let mut report = fixtures::fail();
    report.ended.kind = v1::EndedKind::Stopped;
    report.ended.fault = Some(v1::Fault::new(v1::FaultKind::Rejected, word).help(word));
    report
        .reasons
        .insert(0, v1::Reason { code: v1::ReasonCode::Endpoint, message: word.to_owned(), criterion: None });
    report.warnings = vec![word.to_owned()];
    fixtures::edit_trials(&mut report, |trial| {
        trial.output = Some(word.to_owned());
        trial.grades.iter_mut().for_each(|grade| grade.reason = word.to_owned());
    });
    for case in &mut report.cases {
        case.query = word.to_owned();
        case.context = Some(vec![word.to_owned()].into());
    }
    let test = report.judge.as_mut().and_then(|judge| judge.self_test.as_mut()).unwrap();
    test.passed = false;
    for planted in &mut test.planted {
        planted.reason = word.to_owned();
        planted.passed = false;
    }
    let numbers = of(&report, Disclose::Numbers);
    assert!(!numbers.contains(word), "{numbers}");
    assert!(numbers.contains("refund-002") && numbers.contains("Planted answer"), "{numbers}");
    assert!(of(&report, Disclose::Excerpts).contains(word));
    let full = of(&report, Disclose::Full);
    assert!(forge::read(&full, Some(ADDRESS)).code.iter().any(|code| code.contains(word)), "{full}");

    let redactor = Redactor::default();
    let messages = [format!("cases.jsonl:3: {word}")];
    let subject = Subject::Error { name: None, messages: &messages };
    let error =
        render(&CommentFacts { disclose: Disclose::Numbers, ..facts(subject, 2, &redactor) }, COMMENT_BYTES);
    assert!(!error.contains(word) && error.contains("job log"), "{error}");
}

#[test]
fn unusual_address_is_not_linked() {
    for address in
        ["javascript:alert(1)", "https://x.example/)[y](z", "https://x.example/<b>", "https://", ""]
    {
        let redactor = Redactor::default();
        let facts = facts(Subject::Unchanged { name: "x" }, 0, &redactor);
        let text = render(&CommentFacts { address: Some(address), ..facts }, COMMENT_BYTES);
        assert!(!text.contains("]("), "{text}");
    }
}
