mod golden_sets;
mod messy;

use proptest::prelude::*;
use serde_json::json;
use tempfile::TempDir;

use super::*;
use promptgate_core::model::Case;

fn read_with(files: &[(&str, &str)], source: &DatasetSource) -> Result<Loaded<Dataset>, LoadError> {
    let folder = TempDir::new().unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    dataset(&Tree::work_tree(folder.path()), source)
}

fn source(path: &str) -> DatasetSource {
    DatasetSource { path: path.to_owned(), ..DatasetSource::default() }
}

fn read(name: &str, content: &str) -> Result<Loaded<Dataset>, LoadError> {
    read_with(&[(name, content)], &source(name))
}

fn cases(name: &str, content: &str) -> Vec<Case> {
    read(name, content).unwrap().value.cases
}

fn load_error(name: &str, content: &str) -> String {
    match read(name, content).unwrap_err() {
        LoadError::Diagnostics(diagnostics) => diagnostics.to_string(),
        LoadError::Empty(diagnostic) => panic!("empty: {diagnostic}"),
    }
}

const ROWS: &str = r#"[{"id": 1, "query": "q", "context": ["a", "b"], "expected": {"k": 1}, "checks": [{"contains": "x"}],
 "tags": ["t", "u", "t"], "group": 7, "must_pass": true, "must_answer": false,
 "criteria": ["is kind", {"text": "is short", "weight": 2, "critical": true}], "vars": {"tone": "dry"}, "extra": [1]},
 {"query": "r", "context": "c"}]"#;

#[test]
fn json_list_is_read_without_warnings() {
    let loaded = read(
        "cases.json",
        r#"[{"id": "a", "query": "q", "context": "c"}, {"id": "b", "query": "r", "context": "d"}]"#,
    )
    .unwrap();
    assert!(loaded.warnings.is_empty());
    let facts = &loaded.value.facts;
    assert_eq!((facts.path.as_str(), facts.format.as_str(), facts.cases), ("cases.json", "json", 2));
    assert!(facts.digest.starts_with("sha256:") && facts.digest.len() == 71);
}

#[test]
fn row_with_every_field_is_read() {
    let cases = cases("cases.json", ROWS);
    let case = &cases[0];
    assert_eq!((case.id.as_str(), case.query.as_str(), case.group.as_deref()), ("1", "q", Some("7")));
    assert_eq!(case.context.as_deref(), Some(["a".to_owned(), "b".to_owned()].as_slice()));
    assert_eq!(case.expected, Some(json!({"k": 1})));
    assert_eq!(case.checks, [json!({"contains": "x"})]);
    assert_eq!(case.tags, ["t", "u"]);
    assert!(case.must_pass && !case.must_answer);
    assert_eq!(
        (case.criteria[0].weight, case.criteria[1].weight, case.criteria[1].critical),
        (1.0, 2.0, true)
    );
    assert_eq!(Value::from(case.vars.clone()), json!({"tone": "dry", "extra": [1]}));
    assert_eq!(case.place.line, Some(1));
    assert_eq!((cases[1].id.as_str(), cases[1].place.line), ("2", Some(4)));
}

#[test]
fn equal_content_in_four_formats_has_equal_cases_and_digest() {
    let json = "[{\"id\": \"a\", \"query\": \"x\\ny\", \"tags\": [\"t\", \"u\"], \"must_pass\": true, \"tone\": \"dry\"}, {\"id\": \"b\", \"query\": \"z\", \"tone\": \"\"}]";
    let jsonl = "\u{feff}\r\n{\"tone\": \"dry\", \"query\": \"x\\ny\", \"id\": \"a\", \"tags\": [\"t\", \"u\"], \"must_pass\": true}\r\n\r\n{\"id\": \"b\", \"query\": \"z\", \"tone\": \"\"}";
    let csv = "id,query,tags,must_pass,tone\r\na,\"x\r\ny\",t; u,TRUE,dry\r\nb,z,,,\r\n";
    let yaml = "# cases\n- id: a\n  query: |-\n    x\n    y\n  tags: [t, u]\n  must_pass: true\n  tone: dry\n- {query: z, id: b, tone: ''}\n";
    let strip = |mut cases: Vec<Case>| {
        for case in &mut cases {
            case.place = Place::default();
        }
        cases
    };
    let expected = read("c.json", json).unwrap().value;
    for (name, text) in [("c.jsonl", jsonl), ("c.csv", csv), ("c.yaml", yaml)] {
        let dataset = read(name, text).unwrap().value;
        assert_eq!(dataset.facts.digest, expected.facts.digest, "{name}");
        assert_eq!(strip(dataset.cases), strip(expected.cases.clone()), "{name}");
    }
    let other = read("c.json", &json.replace("dry", "warm")).unwrap().value;
    assert_ne!(other.facts.digest, expected.facts.digest);
}

#[test]
fn line_numbers_refer_to_the_file() {
    assert_eq!(cases("c.jsonl", "\n\n{\"query\": \"a\"}\r\n\n{\"query\": \"b\"}\n")[1].place.line, Some(5));
    let lines: Vec<_> = cases("c.csv", "query\n\"a\nb\"\n\nc\n").iter().map(|case| case.place.line).collect();
    assert_eq!(lines, [Some(2), Some(5)]);
    let shown = load_error(
        "c.jsonl",
        "{\"query\": \"a\"}\n{\"query\": \n{\"query\": 3}\n[1]\n{\"id\": 1, \"id\": 2}\n",
    );
    for line in
        ["c.jsonl:2:", "c.jsonl:3:11: `query` must be text, found the number 3", "c.jsonl:4:", "c.jsonl:5:"]
    {
        assert!(shown.contains(line), "{line} is not in:\n{shown}");
    }
}

#[test]
fn dataset_without_rows_is_a_separate_error() {
    for (name, text) in [
        ("c.jsonl", ""),
        ("c.jsonl", "\n \n"),
        ("c.json", "[]"),
        ("c.csv", "id,query\n"),
        ("c.yaml", "[]"),
        ("c.yaml", "# nothing\n"),
        ("c.txt", ""),
    ] {
        assert!(matches!(read(name, text), Err(LoadError::Empty(_))), "{name} {text:?}");
    }
}

#[test]
fn duplicate_ids_are_found_across_files() {
    let files = [
        ("a.jsonl", "{\"id\": \"x\", \"query\": \"1\"}\n"),
        ("b.jsonl", "{\"query\": \"2\"}\n{\"id\": \"x\"}\n"),
    ];
    let Err(LoadError::Diagnostics(diagnostics)) = read_with(&files, &source("*.jsonl")) else { panic!() };
    assert!(
        diagnostics.to_string().starts_with("b.jsonl:2:8: duplicate id `x`, first used at a.jsonl:1"),
        "{diagnostics}"
    );
    let shown = load_error("c.jsonl", "{\"id\": 2, \"query\": \"a\"}\n{\"query\": \"b\"}\n");
    assert!(shown.contains("its row number 2 is already the id of the row at c.jsonl:1"), "{shown}");
    let files = [("a.jsonl", "{\"query\": \"1\"}"), ("b.csv", "query\n2\n"), ("c.jsonl", "")];
    let loaded = read_with(&files, &source("[abc].*")).unwrap();
    assert_eq!(loaded.value.cases.iter().map(|case| case.id.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(loaded.value.facts.format, "jsonl, csv");
    assert_eq!(loaded.warnings, ["c.jsonl has no rows"]);
}

#[test]
fn wrong_types_are_reported_with_locations() {
    let shown = load_error(
        "c.json",
        "[{\"id\": \"\", \"query\": 1, \"context\": [\"a\", 2], \"checks\": {}, \"tags\": \"a\",\n\"group\": 1.5, \
         \"must_pass\": \"yes\", \"criteria\": [{\"txt\": 1}], \"vars\": []}]",
    );
    for part in [
        "c.json:1:9: `id` is empty",
        "`query` must be text, found the number 1",
        "`context` must be a list of texts, but item 2 is a number",
        "`checks` must be a list, found an object",
        "`tags` must be a list of texts, found text \"a\"",
        "c.json:2:10: `group` must be text or an integer",
        "`must_pass` must be true, false or `strict`, found text \"yes\"",
        "write true, false or strict",
        "`criteria` item 1 has the unknown key `txt`",
        "`vars` must be an object, found a list",
    ] {
        assert!(shown.contains(part), "{part} is not in:\n{shown}");
    }
}

#[test]
fn misspelled_field_is_an_error_unless_the_field_is_present() {
    for (column, field) in
        [("contxt", "context"), ("Query", "query"), ("tag", "tags"), ("must-pass", "must_pass"), ("ID", "id")]
    {
        let shown = load_error("c.json", &format!("[{{\"{column}\": \"x\", \"other\": \"y\"}}]"));
        assert!(shown.contains(&format!("unknown field `{column}`; did you mean `{field}`?")), "{shown}");
        assert!(shown.contains(&format!("fields: {{{field}: \"{column}\"}}")), "{shown}");
    }
    let both = cases("c.json", r#"[{"context": "a", "content": "b"}, {"content": "c"}]"#);
    assert_eq!(both[0].vars["content"], json!("b"));
    for column in ["args", "bars", "idx", "tone", "question", "answer", "kids"] {
        assert_eq!(cases("c.json", &format!("[{{\"{column}\": \"x\"}}]"))[0].vars[column], json!("x"));
    }
    let shown = load_error("c.jsonl", "{\"context\": \"a\"}\n{\"contxt\": \"a\"}\n");
    assert!(shown.starts_with("c.jsonl:2:2: "), "{shown}");
}

fn mapped(fields: &[(&str, &str)], text: &str) -> Result<Loaded<Dataset>, LoadError> {
    let fields = fields.iter().map(|(ours, theirs)| ((*ours).to_owned(), (*theirs).to_owned())).collect();
    read_with(
        &[("c.json", text)],
        &DatasetSource { path: "c.json".to_owned(), fields, ..DatasetSource::default() },
    )
}

#[test]
fn columns_become_fields_only_by_mapping() {
    let text = r#"[{"question": "q", "content": "c", "key": "k"}]"#;
    let loaded = read("c.json", &text.replace("content", "passages")).unwrap();
    assert_eq!(loaded.warnings.len(), 2, "{:?}", loaded.warnings);
    assert!(loaded.warnings[0].contains("fields: {query: question}"));
    let case = mapped(&[("query", "question"), ("vars.content", "content"), ("id", "key")], text)
        .unwrap()
        .value
        .cases
        .remove(0);
    assert_eq!((case.query.as_str(), case.id.as_str()), ("q", "k"));
    assert_eq!(Value::from(case.vars), json!({"content": "c"}));
    let swapped =
        mapped(&[("query", "expected"), ("expected", "query")], r#"[{"query": "a", "expected": "q"}]"#);
    let swapped = swapped.unwrap().value.cases.remove(0);
    assert_eq!((swapped.query.as_str(), swapped.expected), ("q", Some(json!("a"))));
    let assert_error = |fields: &[(&str, &str)], text: &str, part: &str| {
        let shown = mapped(fields, text).unwrap_err().to_string();
        assert!(shown.contains(part), "{part} is not in:\n{shown}");
    };
    assert_error(
        &[("query", "question")],
        r#"[{"query": "a", "question": "b"}]"#,
        "both `query` and `question` map to `query`",
    );
    assert_error(&[("query", "questoin")], r#"[{"question": "b"}]"#, "did you mean `question`?");
    assert_error(&[("qurey", "question")], r#"[{"question": "b"}]"#, "did you mean `query`?");
    assert_error(&[("vars.query", "question")], r#"[{"question": "b"}]"#, "`query` is a reserved name");
}

#[test]
fn reserved_and_duplicate_variables_are_rejected() {
    let shown = load_error(
        "c.json",
        r#"[{"query": "q", "vars": {"query": "x", "expected": "y", "tone": 1}, "tone": 2}]"#,
    );
    assert!(shown.contains("`query` is a reserved name"), "{shown}");
    assert!(shown.contains("`expected` is a reserved name"), "{shown}");
    assert!(shown.contains("duplicate variable `tone`"), "{shown}");
    let case =
        cases("c.json", r#"[{"query": null, "context": null, "a": null, "b": "{{query}}"}]"#).remove(0);
    assert_eq!((case.query.as_str(), case.context, case.vars.len()), ("", None, 1));
}

#[test]
fn csv_cells_are_text_except_for_structured_fields() {
    let text = "id, context ,tags,checks,vars,criteria,expected,n\n\
                7,\"[\"\"a\"\",\"\"b\"\"]\",\"[\"\"x;y\"\"]\",\"[{\"\"contains\"\": 1}]\",\"{\"\"k\"\": 2}\",is kind; is short,30,5\n\
                8,[1] see below,,,,,\"{}\",\n";
    let cases = cases("c.csv", text);
    assert_eq!(cases[0].context.as_deref(), Some(["a".to_owned(), "b".to_owned()].as_slice()));
    assert_eq!((cases[0].tags[0].as_str(), cases[0].criteria.len()), ("x;y", 2));
    assert_eq!(Value::from(cases[0].vars.clone()), json!({"k": 2, "n": "5"}));
    assert_eq!(cases[0].expected, Some(json!("30")));
    assert_eq!(cases[1].context_text().as_deref(), Some("[1] see below"));
    assert_eq!((cases[1].expected.clone(), cases[1].vars["n"].clone()), (Some(json!("{}")), json!("")));
}

#[test]
fn csv_errors_name_the_line() {
    for (text, part) in [
        ("query,query\na,b\n", "c.csv:1: duplicate column `query`"),
        ("query,\na,b\n", "c.csv:1: column 2 has no name"),
        ("sep=;\nquery;n\n\"b\" c;\n", "c.csv:3: text follows a closing quote"),
        ("query;n\na;b;c\n", "separated by semicolons"),
        ("query,tags\na\nb,c,d\n", "c.csv:2: the row has 1 cells, but the header has 2"),
        ("query,tags\na\nb,c,d\n", "c.csv:3: the row has 3 cells"),
        ("query\na\n\"b\nc\nd\n", "c.csv:3: a quote is opened but never closed"),
        ("query\n\"b\" c\n", "c.csv:2: text follows a closing quote"),
        ("query,checks\na,[1\n", "c.csv:2: `checks` must be a JSON list"),
        ("query,must_pass\na,ja\n", "c.csv:2: `must_pass` must be true, false or `strict`"),
        ("query,n\n,\na,b\n", "c.csv:2: the row is empty"),
    ] {
        let shown = load_error("c.csv", text);
        assert!(shown.contains(part), "{part} is not in:\n{shown}");
    }
}

#[test]
fn wrong_format_is_detected() {
    assert!(load_error("c.json", "{\"query\": 1}\n{\"query\": 2}\n").contains("format: jsonl"));
    assert!(load_error("c.jsonl", "[\n{\"query\": \"a\"}\n]\n").contains("format: json"));
    assert!(load_error("c.jsonl", "{\n\"query\": \"a\"\n}\n").contains("join the lines"));
    let shown =
        load_error("c.json", "{\"cases\": [{\"query\": \"a\"}], \"defaults\": {\"must_pass\": true}}");
    assert!(shown.contains("move it out of `cases`"), "{shown}");
    let shown = load_error("c.json", "{\"evaluators\": [\"x\"], \"data\": [{\"query\": \"a\"}]}");
    assert!(shown.contains("move it out of `data`"), "{shown}");
    assert!(load_error("c.txt", "query\na\n").contains("cannot determine the format"));
    assert!(load_error("c.json", "[3]").contains("a row must be an object"));
    assert_eq!(read("c.txt", "{\"query\": \"a\"}").unwrap().value.facts.format, "jsonl");
    assert_eq!(read("c.data", "[{\"query\": \"a\"}]").unwrap().value.facts.format, "json");
    let explicit = DatasetSource { format: Some(DatasetFormat::Csv), ..source("c.txt") };
    assert_eq!(read_with(&[("c.txt", "query\na\n")], &explicit).unwrap().value.facts.format, "csv");
}

#[test]
fn only_twenty_diagnostics_are_listed() {
    let text: String = (0..30).map(|_| "{\"query\": 1}\n").collect();
    let Err(LoadError::Diagnostics(diagnostics)) = read("c.jsonl", &text) else { panic!() };
    assert_eq!(diagnostics.0.len(), 21);
    assert_eq!(diagnostics.0[20].message, "and 10 more errors");
}

#[test]
fn missing_files_are_reported() {
    let shown = |path: &str| read_with(&[("cases.jsonl", "{}")], &source(path)).unwrap_err().to_string();
    assert!(shown("case.jsonl").contains("did you mean `cases.jsonl`?"));
    assert!(shown("*.csv").contains("no file matches"));
    assert!(shown("").contains("path is empty"));
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "[ -~\n\r\"{}\\[\\],:;é]{0,80}", format in 0usize..4) {
        let source = DatasetSource { format: Some(DatasetFormat::ALL[format]), ..source("c") };
        let _ = read_with(&[("c", &text)], &source);
    }

    #[test]
    fn quoted_csv_cells_round_trip(cells in proptest::collection::vec("[ -~\n\"é,;]{1,20}", 1..6)) {
        prop_assume!(cells.iter().all(|cell| !cell.trim().is_empty()));
        let mut text = String::from("query,note\n");
        for cell in &cells {
            let quoted = cell.replace('"', "\"\"");
            text.push_str(&format!("\"{quoted}\",\"{quoted}\"\n"));
        }
        let cases = cases("c.csv", &text);
        prop_assert_eq!(cases.iter().map(|case| case.query.as_str()).collect::<Vec<_>>(), cells.clone());
        prop_assert!(cases.iter().zip(&cells).all(|(case, cell)| case.vars["note"] == json!(cell)));
    }
}
