//! Datasets of other tools, read in place.

use crate::support::Folder;

const RAGAS: &str = r#"{"question": "How many days for a refund?", "answer": "30", "contexts": ["Refunds are possible for 30 days."], "ground_truth": "30 days"}"#;

/// A suite over one file, whose prompt has this text.
fn suite(file: &str, text: &str, prompt: &str) -> Folder {
    let folder = Folder::small(1);
    folder.write(file, text);
    folder.write("prompt.md", prompt);
    folder.edit("promptgate.yaml", "dataset: cases.jsonl", &format!("dataset: {file}"));
    folder
}

#[test]
fn rows_of_ragas_are_read_and_said_to_be() {
    let folder = suite("set.jsonl", &format!("{RAGAS}\n"), "Answer from the passages.\n\n{{context}}\n");
    let said = "read as Ragas: question ▸ query, contexts ▸ context, ground_truth ▸ expected";
    folder.promptgate(&["check"]).expect_code(0).says(said);
    folder.promptgate(&["run", "--offline", "--repeats", "1"]).says(said);
    let case = &folder.report()["cases"][0];
    assert_eq!(case["query"], "How many days for a refund?");
    assert_eq!(case["expected"], "30 days");
    // The names of the file work in prompts, too; that of the reference does not.
    folder.write("prompt.md", "{{question}} {{contexts}}");
    folder.promptgate(&["check"]).expect_code(0);
    folder.write("prompt.md", "{{context}} {{ground_truth}}");
    let outcome = folder.promptgate(&["check"]).expect_code(2);
    outcome
        .says("`{{ground_truth}}` is undefined")
        .says("is the reference answer of the cases, which prompts never see");
}

#[test]
fn reference_that_no_signature_maps_is_refused_too() {
    let row = r#"{"query": "Why?", "context": "So.", "ground_truth": "because"}"#;
    let folder = suite("set.jsonl", row, "{{context}} {{ground_truth}}");
    let outcome = folder.promptgate(&["check"]).expect_code(2);
    let outcome = outcome.says("`{{ground_truth}}` is the reference answer").says("prompt.md");
    outcome.says("map it: `fields: {expected: ground_truth}`");
    // Who maps it to a variable means it.
    let mapped = "dataset: {path: set.jsonl, fields: {vars.ground_truth: ground_truth}}";
    folder.edit("promptgate.yaml", "dataset: set.jsonl", mapped);
    folder.promptgate(&["check"]).expect_code(0);
}

#[test]
fn csv_of_ragas_has_lists_of_passages() {
    let text = "question,contexts,ground_truth\nWhy?,\"[\"\"So.\"\", \"\"Also.\"\"]\",because\n";
    let folder = suite("set.csv", text, "{{context}}");
    folder.promptgate(&["check"]).expect_code(0).says("csv, read as Ragas: question ▸ query");
    folder.promptgate(&["run", "--offline", "--repeats", "1"]);
    assert_eq!(folder.report()["cases"][0]["context"].as_array().map(Vec::len), Some(2));
}

#[test]
fn fields_win_and_take_values_from_within_columns() {
    let text = r#"{"result": {"items": [
      {"inputs": {"question": "Why?", "language": "en"}, "outputs": {"answer": "because", "score": 1}, "docs": [{"text": "So."}]}
    ]}}"#;
    let folder = suite("set.json", text, "{{context}} {{language}} {{outputs}}");
    let outcome = folder.promptgate(&["check"]).expect_code(2);
    outcome.says("a dataset must be a list of rows");
    let fields = "{query: inputs.question, expected: outputs.answer, context: docs.0.text, vars.language: inputs.language}";
    let dataset = format!("dataset: {{path: set.json, rows: result.items, fields: {fields}}}");
    folder.edit("promptgate.yaml", "dataset: set.json", &dataset);
    let outcome = folder.promptgate(&["check"]).expect_code(0).says("json, the list of `result.items`");
    assert!(!outcome.text().contains("read as LangSmith"), "{}", outcome.text());
    folder.promptgate(&["run", "--offline", "--repeats", "1"]);
    let case = &folder.report()["cases"][0];
    assert_eq!((&case["query"], &case["expected"]), (&"Why?".into(), &"because".into()));
    let report = folder.read("promptgate-report/report.json");
    assert!(report.contains("So. en"), "the variable is inserted");
    assert!(!report.contains("So. en {\\\"answer\\\""), "the reference is in no variable");
}

#[test]
fn wrong_paths_are_errors_that_name_what_there_is() {
    let folder = suite("set.json", r#"{"data": [{"query": "Why?", "context": "So."}]}"#, "{{context}}");
    let with = |dataset: &str| {
        folder.write(
            "promptgate.yaml",
            &folder.read("promptgate.yaml").replace("dataset: set.json\n", dataset),
        );
        let outcome = folder.promptgate(&["check"]);
        folder.write(
            "promptgate.yaml",
            &folder.read("promptgate.yaml").replace(dataset, "dataset: set.json\n"),
        );
        outcome.expect_code(2)
    };
    let outcome = with("dataset: {path: set.json, rows: dat}\n");
    outcome.says("`rows` is `dat`, and there is no list").says("did you mean `data`?");
    let outcome = with("dataset: {path: set.json, fields: {expected: a.b}}\n");
    outcome.says("`fields` maps `expected` to `a.b`, but no row has that column");
    let outcome = with("dataset: {path: cases.jsonl, rows: data}\n");
    outcome.says("`rows` names a list in a JSON or YAML file").says("remove `rows`");
}

#[test]
fn conversation_in_place_of_a_question_is_an_error() {
    let one = r#"{"input": [{"role": "system", "content": "s"}, {"role": "user", "content": "Why?"}], "ideal": "because", "context": "So."}"#;
    let folder = suite("set.jsonl", one, "{{context}}");
    folder
        .promptgate(&["check"])
        .expect_code(0)
        .says("read as OpenAI evals: input ▸ query, ideal ▸ expected");
    let two = r#"{"input": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"}, {"role": "user", "content": "Why?"}], "ideal": "x", "context": "So."}"#;
    folder.write("set.jsonl", &format!("{one}\n{two}\n"));
    let outcome = folder.promptgate(&["check"]).expect_code(2);
    outcome.says("the input is a conversation").says("set.jsonl:2");
}
