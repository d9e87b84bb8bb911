//! `promptgate dataset check` through the executable.

use serde_json::{Value, json};

use crate::support::{Folder, repository};

/// The review as JSON, which its schema accepts.
fn review(folder: &Folder, arguments: &[&str], code: i32) -> Value {
    let all = [&["dataset", "check", "--format", "json"], arguments].concat();
    let outcome = folder.promptgate(&all).expect_code(code);
    let review: Value = serde_json::from_str(&outcome.stdout).expect("a review");
    let schema = std::fs::read_to_string(repository().join("schema/dataset-check.schema.json"));
    let schema: Value = serde_json::from_str(&schema.expect("the schema")).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<String> = validator.iter_errors(&review).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(review["exit_code"], code);
    review
}

#[track_caller]
fn finding<'a>(review: &'a Value, code: &str) -> &'a Value {
    let findings = review["findings"].as_array().expect("findings");
    let found = findings.iter().find(|finding| finding["code"] == code);
    found.unwrap_or_else(|| panic!("no {code} in {review:#}"))
}

fn codes(review: &Value) -> Vec<&str> {
    let findings = review["findings"].as_array().expect("findings");
    findings.iter().map(|finding| finding["code"].as_str().expect("a code")).collect()
}

/// A suite with these rows and a prompt, and one check that every simulated answer passes.
fn suite(prompt: &str, rows: &[Value]) -> Folder {
    let folder = Folder::new();
    folder.write(
        "promptgate.yaml",
        "version: 1\nname: shop\ndataset: cases.jsonl\nprompt: prompt.md\nbaseline: none\nmodel: tiny\nchecks:\n  - \
         length: {min_chars: 1}\n",
    );
    folder.write("prompt.md", prompt);
    folder.write("cases.jsonl", &rows.iter().map(|row| format!("{row}\n")).collect::<String>());
    folder
}

/// Copies the report of the last run.
/// Keeps the last report.
fn keep_report(folder: &Folder, name: &str) {
    folder.write(name, &folder.read("promptgate-report/report.json"));
}

#[test]
fn golden_suite_has_one_small_tag() {
    let folder = Folder::golden();
    let found = review(&folder, &[], 0);
    assert_eq!(codes(&found), ["small_tags"]);
    let devices =
        json!({"name": "devices", "cases": ["device-warranty", "device-battery", "device-camera-wifi"]});
    assert_eq!(finding(&found, "small_tags")["sets"], json!([devices]));
    assert_eq!((&found["evidence"], &found["drops"]), (&Value::Null, &json!([])));
    assert_eq!(found["must_pass"], 5);
}

#[test]
fn duplicates_leaks_and_tags_are_found() {
    let question = "Can I return an opened game after a week?";
    let rows = [
        json!({"id": "a", "query": question, "expected": "No, opened games stay with you.", "tags": ["games"]}),
        json!({"id": "b", "query": "can i return an OPENED game, after a week", "expected": "Yes.", "tags": ["games"]}),
        json!({"id": "row-1", "query": "Where is my parcel?"}),
        json!({"id": "row-2", "query": "Where is my parcel?", "tags": ["shipping"]}),
        json!({"id": "gives", "query": "It is Paris. Which city is it?", "expected": "Paris", "tags": ["x"]}),
        json!({"id": "itself", "query": "How long?", "context": "Ten days.", "expected": "ten days", "tags": ["x"]}),
        json!({"id": "empty", "query": "Anything at all?", "expected": "", "tags": ["x"], "group": "alone"}),
    ];
    let folder = suite("Answer.\n\nExample: can i return an opened game after a week? No.\n", &rows);
    let found = review(&folder, &[], 0);
    assert_eq!(
        codes(&found),
        [
            "equal_rows",
            "similar_questions",
            "conflicting_answers",
            "answer_in_question",
            "case_in_prompt",
            "answer_is_context",
            "small_tags",
            "untagged_cases",
            "single_case_groups",
            "too_few_cases",
        ]
    );
    assert_eq!(finding(&found, "equal_rows")["sets"], json!([{"cases": ["row-1", "row-2"]}]));
    assert_eq!(finding(&found, "similar_questions")["sets"], json!([{"cases": ["a", "b"]}]));
    assert_eq!(finding(&found, "conflicting_answers")["cases"], json!(["a", "b"]));
    assert_eq!(finding(&found, "answer_in_question")["cases"], json!(["gives"]));
    assert_eq!(finding(&found, "case_in_prompt")["cases"], json!(["a", "b"]));
    assert_eq!(finding(&found, "answer_is_context")["cases"], json!(["itself"]));
    assert_eq!(finding(&found, "single_case_groups")["sets"], json!([{"name": "alone", "cases": ["empty"]}]));
    assert_eq!(finding(&found, "small_tags")["sets"][1], json!({"name": "shipping", "cases": ["row-2"]}));
    assert_eq!(found["warnings"], 10);
    // Every code of a finding is explained.
    for code in codes(&found) {
        folder.promptgate(&["explain", code]).expect_code(0).says("(finding)");
    }
    assert_eq!(review(&folder, &["--strict"], 10)["warnings"], 10);
    let page = folder.promptgate(&["dataset", "check", "--strict"]).expect_code(10);
    let page = page.says("similar_questions: 1 set of questions (2 cases) is almost equal").says("a, b");
    page.says("next: keep the best of each set").says("10 warnings, 0 notes");
}

#[test]
fn equal_rows_are_found_in_the_scope_population() {
    let rows = [json!({"id": "a", "query": "Where?"}), json!({"id": "b", "query": "Where?"})];
    let folder = suite("Answer.\n", &rows);
    folder.append("promptgate.yaml", "gate: {scope: population}\n");
    let found = review(&folder, &[], 0);
    assert_eq!(finding(&found, "equal_rows")["cases"], json!(["a", "b"]));
    assert!(!codes(&found).contains(&"single_case_groups"), "{found:#}");
}

#[test]
fn labels_are_balanced() {
    let label = |number: usize| if number < 20 { "refund" } else { "shipping" };
    let rows: Vec<Value> = (0..22)
        .map(|number| json!({"id": format!("c{number}"), "query": format!("Letter {number}"), "expected": label(number)}))
        .collect();
    let folder = suite("Label the letter: {{query}}\n", &rows);
    let found = review(&folder, &[], 0);
    assert_eq!(
        finding(&found, "small_labels")["sets"],
        json!([{"name": "shipping", "cases": ["c20", "c21"]}])
    );
    assert_eq!(finding(&found, "few_cases")["level"], "info");
}

#[test]
fn copies_of_a_report_count_once() {
    let folder = suite("Answer.\n", &[json!({"id": "a", "query": "Where?"})]);
    folder.promptgate(&["run", "--offline", "--no-cache"]);
    let report =
        folder.read("promptgate-report/report.json").replace("\"simulated\": true", "\"simulated\": false");
    for copy in 1..=5 {
        folder.write(&format!("reports/{copy}.json"), &report);
    }
    let found = review(&folder, &["--reports", "reports"], 0);
    let message = finding(&found, "too_few_reports")["message"].as_str().expect("a message");
    assert!(message.starts_with("not enough reports: 1 of 5"), "{message}");
}

#[test]
fn reports_show_cases_that_never_discriminate() {
    let mut rows: Vec<Value> = (1..=4)
        .map(|number| json!({"id": format!("easy-{number}"), "query": format!("Is plan {number} good?")}))
        .collect();
    rows.push(
        json!({"id": "hard", "query": "Is it?", "checks": [{"contains": "a text that no answer has"}]}),
    );
    rows.push(json!({"id": "guard", "query": "Must it?", "must_pass": true}));
    let folder = suite("Answer in one sentence.\n", &rows);
    for number in 1..=4 {
        folder.promptgate(&["run", "--offline", "--no-cache"]);
        keep_report(&folder, &format!("reports/{number}/report.json"));
    }
    let few = review(&folder, &["--reports", "reports"], 0);
    let message = finding(&few, "too_few_reports")["message"].as_str().expect("a message");
    assert!(message.starts_with("not enough reports: 4 of 5"), "{message}");

    folder.write("prompt.md", "Answer in two sentences.\n");
    folder.promptgate(&["run", "--offline", "--no-cache"]);
    keep_report(&folder, "reports/5/report.json");
    let found = review(&folder, &["--reports", "reports/*/report.json"], 0);
    let evidence = &found["evidence"];
    assert_eq!(
        (&evidence["variants"], &evidence["minimum"], &evidence["simulated"]),
        (&2.into(), &5.into(), &true.into())
    );
    assert_eq!(evidence["reports"].as_array().map(Vec::len), Some(5));
    let passing = finding(&found, "always_passes");
    assert_eq!(passing["cases"], json!(["easy-1", "easy-2", "easy-3", "easy-4"]));
    assert_eq!(passing["level"], "warning");
    assert_eq!(finding(&found, "always_fails")["cases"], json!(["hard"]));
    let hard = evidence["cases"].as_array().and_then(|cases| cases.iter().find(|case| case["id"] == "hard"));
    let hard = hard.expect("its counts");
    assert_eq!((&hard["reports"], &hard["passed"]), (&5.into(), &0.into()));
    let trials = hard["trials"].as_u64().expect("trials");
    assert!(trials >= 5, "{hard}");
    let page = folder.promptgate(&["dataset", "check", "--reports", "reports"]).expect_code(0);
    page.says(&format!("hard (0 of {trials})")).says("5 reports with 2 variants; simulated");

    // A row that is another one now starts again.
    folder.edit("cases.jsonl", "Is it?", "Is it so?");
    let changed = review(&folder, &["--reports", "reports"], 0);
    assert!(!codes(&changed).contains(&"always_fails"), "{changed:#}");
    assert!(codes(&changed).contains(&"always_passes"));
    let hard = changed["evidence"]["cases"]
        .as_array()
        .and_then(|cases| cases.iter().find(|case| case["id"] == "hard"));
    assert_eq!(hard.map(|case| (&case["reports"], &case["changed"])), Some((&0.into(), &5.into())));
}

#[test]
fn newest_report_says_how_small_a_drop_shows() {
    let folder = Folder::small(6);
    folder.promptgate(&["run", "--offline", "--no-cache"]);
    let plan = folder.promptgate(&["plan", "--format", "json", "--after", "promptgate-report/report.json"]);
    let plan: Value = serde_json::from_str(&plan.expect_code(0).stdout).expect("a plan");
    let found = review(&folder, &["--reports", "promptgate-report"], 0);
    assert_eq!(found["drops"], plan["drops"]);
    assert_eq!(found["drops"].as_array().map(Vec::len), Some(2));
    // The noise of other cases is not this dataset's.
    folder.append("cases.jsonl", "{\"id\": \"more\", \"query\": \"More?\", \"context\": \"Yes.\"}\n");
    assert_eq!(review(&folder, &["--reports", "promptgate-report"], 0)["drops"], json!([]));
}

#[test]
fn reports_of_others_are_skipped_by_name() {
    let rows = [json!({"id": "a", "query": "Is it?"}), json!({"id": "b", "query": "Was it?"})];
    let folder = suite("Answer.\n", &rows);
    folder.promptgate(&["run", "--offline", "--no-cache"]);
    keep_report(&folder, "reports/own.json");
    let own = folder.read("reports/own.json");
    folder.write("reports/suite.json", &own.replacen("\"name\": \"shop\"", "\"name\": \"other\"", 1));
    folder.write(
        "reports/ids.json",
        &own.replace("\"id\": \"a\"", "\"id\": \"y\"").replace("\"id\": \"b\"", "\"id\": \"z\""),
    );
    folder.promptgate(&["run", "--offline", "--no-cache", "--case", "a", "--out", "part"]);
    folder.write("reports/part.json", &folder.read("part/partial/report.json"));
    let found = review(&folder, &["--reports", "reports"], 0);
    assert_eq!(found["evidence"]["reports"], json!(["reports/own.json"]));
    let skipped = found["evidence"]["skipped"].as_array().expect("a list");
    let reason = |file: &str| {
        let found = skipped.iter().find(|skipped| skipped["report"] == file);
        found
            .and_then(|skipped| skipped["reason"].as_str())
            .unwrap_or_else(|| panic!("{file} in {skipped:?}"))
    };
    assert_eq!(reason("reports/suite.json"), "from the suite `other`");
    assert_eq!(reason("reports/ids.json"), "none of its cases is in the dataset");
    assert!(reason("reports/part.json").contains("partial run"));
    let page = folder.promptgate(&["dataset", "check", "--reports", "reports"]).expect_code(0);
    page.says("skipped reports/suite.json: from the suite `other`");
}

#[test]
fn unreadable_reports_are_errors_with_their_place() {
    let folder = suite("Answer.\n", &[json!({"id": "a", "query": "Is it?"})]);
    folder.promptgate(&["run", "--offline", "--no-cache"]);
    keep_report(&folder, "reports/own.json");
    let own = folder.read("reports/own.json");
    folder.write("reports/later.json", &own.replacen("promptgate.report/v1", "promptgate.report/v9", 1));
    folder.write("reports/cut.json", &own[..own.len() / 2]);
    let more = own.replacen("\"passed\": ", "\"passed\": 9", 1);
    assert_ne!(more, own);
    folder.write("reports/more.json", &more);
    let check = |name: &str| folder.promptgate(&["dataset", "check", "--reports", name]).expect_code(2);
    let page = check("reports");
    let page = page.says("reports/later.json").says("the report has version `promptgate.report/v9`");
    let page = page.says("reports/cut.json").says("the report is cut off");
    page.says("case `a` has more passed trials than trials");
    check("missing").says("missing").says("cannot read");
    check("nowhere/*.json").says("no file or folder matches `nowhere/*.json`");
    check("reports/[*").says("invalid glob pattern");
}

#[test]
fn hostile_ids_and_huge_rows_do_no_harm() {
    let long = "a b ".repeat(200_000);
    let rows = [
        json!({"id": "::error::x", "query": "Where is my parcel right now?", "expected": "a a a a", "tags": ["::error::tag"]}),
        json!({"id": "two", "query": "where is my parcel, right now", "tags": ["::warning::y"]}),
        json!({"id": "huge", "query": long, "expected": format!("{long} c"), "tags": ["ok"]}),
    ];
    let folder = suite("Answer.\n", &rows);
    let outcome = folder.promptgate(&["dataset", "check"]).expect_code(0);
    assert!(outcome.stdout.contains("similar_questions"), "{}", outcome.stdout);
    assert!(outcome.stdout.lines().all(|line| !line.trim_start().starts_with("::")), "{}", outcome.stdout);
    assert!(outcome.stdout.chars().all(|letter| letter == '\n' || !letter.is_control()));
    let found = review(&folder, &[], 0);
    assert_eq!(finding(&found, "similar_questions")["cases"], json!(["::error::x", "two"]));

    let label = |number: usize| if number < 9 { "yes" } else { "\u{1b}[31mno\u{202e}" };
    let labelled: Vec<Value> = (0..12)
        .map(|number| json!({"id": format!("c{number}"), "query": format!("Letter {number}"), "expected": label(number)}))
        .collect();
    let page = suite("Answer.\n", &labelled).promptgate(&["dataset", "check"]).expect_code(0);
    let page = page.says("small_labels").stdout;
    assert!(page.contains("[31mno") && !page.contains(['\u{1b}', '\u{202e}']), "{page}");
}

#[test]
fn invalid_suite_is_an_error() {
    let folder = suite("Answer.\n", &[json!({"id": "a", "query": "Is it?", "checks": [{"contain": "x"}]})]);
    folder.promptgate(&["dataset", "check"]).expect_code(2).says("contain");
    folder.promptgate(&["dataset"]).expect_code(2);
}

#[test]
fn answer_in_a_passage_is_no_answer_in_the_question() {
    let row = |number: usize| {
        let passage = format!("The shop of street {number} is in Paris {number}.");
        json!({"id": format!("c{number}"), "query": format!("Where is shop number {number}, please?"),
               "vars": {"passage": passage}, "expected": format!("Paris {number}")})
    };
    let rows: Vec<Value> = (1..=6).map(row).collect();
    let folder = suite("Answer.\n\n{{passage}}\n\n{{query}}\n", &rows);
    let found = review(&folder, &[], 0);
    assert!(!codes(&found).contains(&"answer_in_question"), "{found:#}");
    // Without a question the variable is what is asked.
    let rows: Vec<Value> = (1..=2)
        .map(|number| json!({"id": format!("c{number}"), "vars": {"letter": format!("It is Paris {number}.")}, "expected": format!("Paris {number}")}))
        .collect();
    let folder = suite("Name the city.\n\n{{letter}}\n", &rows);
    folder.append("promptgate.yaml", "user: ''\n");
    assert_eq!(finding(&review(&folder, &[], 0), "answer_in_question")["cases"], json!(["c1", "c2"]));
}
