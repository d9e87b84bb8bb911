//! `context_recall` and `context_precision`: the passages that an application retrieves, judged.

use serde_json::{Value, json};

use crate::support::Folder;

const RIGHT: &str = "Plan 7 is refunded within 30 days.";
const OTHER: &str = "The harbor was dredged twice in the last century.";

/// Recorded answers to three cases with these passages.
fn judged(metric: &str, contexts: &Value) -> Folder {
    let folder = Folder::new();
    folder.write(
        "promptgate.yaml",
        &format!(
            "version: 1\nname: shop\ndataset: cases.jsonl\ntarget: {{answers: answers.jsonl}}\nbaseline: none\n\
             gate: {{repeats: 1, max_repeats: 1, rule: point}}\njudge: {{model: tiny-judge}}\n\
             metrics: {{{metric}: {{min: 0.6}}}}\n"
        ),
    );
    let lines = |line: &dyn Fn(String) -> Value| -> String {
        (1..=3).map(|number| format!("{}\n", line(format!("case-{number}")))).collect()
    };
    let case = |id| json!({"id": id, "query": "How long is plan 7 refunded?", "expected": RIGHT});
    folder.write("cases.jsonl", &lines(&case));
    let answer = |id| match contexts {
        Value::Null => json!({"id": id, "output": "Within 30 days."}),
        contexts => json!({"id": id, "output": "Within 30 days.", "contexts": contexts}),
    };
    folder.write("answers.jsonl", &lines(&answer));
    folder
}

fn first_grade(folder: &Folder) -> Value {
    folder.report()["cases"][0]["trials"][0]["grades"][0].clone()
}

#[test]
fn retrieval_passes_with_the_reference_and_fails_without() {
    for (metric, contexts, code, score) in [
        ("context_recall", json!([OTHER, RIGHT]), 0, 1.0),
        ("context_recall", json!([OTHER]), 10, 0.0),
        ("context_recall", json!([]), 10, 0.0),
        ("context_precision", json!([RIGHT, OTHER]), 0, 1.0),
        ("context_precision", json!([OTHER, RIGHT]), 10, 0.5),
        ("context_precision", json!([OTHER]), 10, 0.0),
    ] {
        let folder = judged(metric, &contexts);
        let outcome = folder.promptgate(&["run", "--offline"]);
        assert_eq!(outcome.code, code, "{metric} {contexts}: {}", outcome.text());
        let grade = first_grade(&folder);
        assert_eq!((&grade["scorer"], grade["score"].as_f64()), (&json!(metric), Some(score)), "{grade}");
        let list = if metric == "context_recall" { "statements" } else { "passages" };
        assert!(grade["details"][list].is_array(), "{grade}");
        folder.read("promptgate-report/report.html");
    }
}

#[test]
fn answer_without_passages_is_ungraded_even_where_the_case_has_some() {
    for metric in ["context_recall", "context_precision"] {
        let folder = judged(metric, &Value::Null);
        let with_context =
            folder.read("cases.jsonl").replace("\"query\"", &format!("\"context\": {RIGHT:?}, \"query\""));
        folder.write("cases.jsonl", &with_context);
        folder.promptgate(&["run", "--offline"]).expect_code(12);
        let grade = first_grade(&folder);
        let reason = grade["reason"].as_str().unwrap_or_default();
        assert!(grade["score"].is_null() && reason.contains("no passages came with the answer"), "{grade}");
    }
}

#[test]
fn case_without_a_reference_is_a_mistake_before_the_first_call() {
    for metric in ["context_recall", "context_precision"] {
        let folder = judged(metric, &json!([RIGHT]));
        folder.append("cases.jsonl", "{\"id\": \"case-4\", \"query\": \"Why?\"}\n");
        let outcome = folder.promptgate(&["run", "--offline"]).expect_code(2);
        outcome.says(&format!("metric `{metric}` needs `expected`, which these cases lack: case-4"));
    }
}

/// A prompt gets the passages of the case, which are then what was retrieved for it.
#[test]
fn prompt_is_judged_by_the_passages_of_its_case() {
    let folder = Folder::small(3);
    let rows =
        folder.read("cases.jsonl").replace("\"query\"", "\"expected\": \"Plan 9 gives 9 days.\", \"query\"");
    folder.write("cases.jsonl", &rows);
    folder.edit(
        "promptgate.yaml",
        "  faithfulness: {min: 0.75}\n  relevance: {min: 0.5}\n",
        "  context_recall: {}\n",
    );
    folder.promptgate(&["run", "--offline"]);
    let grade = folder.report()["cases"][0]["trials"][0]["grades"].clone();
    let recall =
        grade.as_array().and_then(|grades| grades.iter().find(|grade| grade["scorer"] == "context_recall"));
    assert_eq!(recall.map(|grade| &grade["score"]), Some(&json!(0.0)));
    folder.write("cases.jsonl", "{\"id\": \"a\", \"query\": \"Why?\", \"expected\": \"So.\"}\n");
    folder.promptgate(&["check"]).expect_code(2).says("metric `context_recall` needs `context`");
}
