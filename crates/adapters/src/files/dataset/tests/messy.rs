//! Datasets as people have them: exports of spreadsheets, codes in YAML, repeated rows.

use super::*;

#[test]
fn csv_dialects_of_spreadsheets_are_read_alike() {
    let comma = "id,query,tags\na,\"x, y\",t;u\nb,\"one\ntwo; three\",\n";
    let semicolons = "\u{feff}id;query;tags\r\na;x, y;\"t;u\"\r\nb;\"one\r\ntwo; three\";\r\n";
    let tabs = "id\tquery\ttags\na\tx, y\tt;u\nb\t\"one\ntwo; three\"\t\n";
    let expected = read("c.csv", comma).unwrap().value;
    assert_eq!(expected.facts.format, "csv");
    let separator_line = format!("\"sep=;\"\r\n{}", semicolons.trim_start_matches('\u{feff}'));
    let empty_columns = "id,query,tags,,\na,\"x, y\",t;u,,\nb,\"one\ntwo; three\",,,\n";
    for (name, text, format) in [
        ("c.csv", semicolons.to_owned(), "csv with semicolons"),
        ("c.csv", tabs.to_owned(), "csv with tabs"),
        ("c.tsv", tabs.to_owned(), "csv with tabs"),
        ("c.csv", format!("sep=,\r\n{comma}"), "csv"),
        ("c.csv", separator_line, "csv with semicolons"),
        ("c.csv", format!("{comma},,\n , ,\n"), "csv"),
        ("c.csv", empty_columns.to_owned(), "csv"),
    ] {
        let found = read(name, &text).unwrap_or_else(|error| panic!("{text:?}: {error}")).value;
        let expected = (expected.facts.digest.clone(), format);
        assert_eq!((found.facts.digest, found.facts.format.as_str()), expected, "{text}");
    }
}

#[test]
fn separators_inside_cells_do_not_mislead() {
    for (text, queries) in [
        ("query\na; b; c\nd; e; f\n", vec!["a; b; c", "d; e; f"]),
        ("query,expected\na; b,c; d\n", vec!["a; b"]),
        ("question;answer, long\nx;y, z\n", vec![]),
        ("query|expected\na, b|c\n", vec!["a, b"]),
    ] {
        let found: Vec<String> = cases("c.csv", text).into_iter().map(|case| case.query).collect();
        assert_eq!(found.iter().filter(|query| !query.is_empty()).collect::<Vec<_>>(), queries, "{text}");
    }
    assert!(load_error("c.csv", "query\na, b\n").contains("the row has 2 cells"));
}

#[test]
fn utf16_with_a_byte_order_mark_is_read() {
    let bytes: Vec<u8> = "\u{feff}id\tquery\na\tcafé\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("c.csv"), bytes).unwrap();
    let found = dataset(&Tree::work_tree(folder.path()), &source("c.csv")).unwrap().value;
    assert_eq!(
        (found.cases[0].query.as_str(), found.facts.format.as_str()),
        ("café", "csv with tabs, UTF-16")
    );
    std::fs::write(folder.path().join("c.csv"), b"query\ncaf\xe9\n").unwrap();
    let error = dataset(&Tree::work_tree(folder.path()), &source("c.csv")).unwrap_err().to_string();
    assert!(error.contains("c.csv:2") && error.contains("CSV UTF-8"), "{error}");
}

#[test]
fn yaml_numbers_that_would_change_are_kept_as_written() {
    let text = "- {id: 007, query: 1.20, zip: 01234, price: 2.5, version: 3.10, big: 1e3, expected: [0x1F, 7], \
                checks: [{contains: a, min: 0.50}]}\n";
    let case = &cases("c.yaml", text)[0];
    assert_eq!((case.id.as_str(), case.query.as_str()), ("007", "1.20"));
    let vars = Value::from(case.vars.clone());
    assert_eq!(vars, json!({"zip": "01234", "price": 2.5, "version": "3.10", "big": "1e3"}));
    assert_eq!(case.expected, Some(json!(["0x1F", 7])));
    assert_eq!(case.checks, [json!({"contains": "a", "min": 0.5})]);
}

#[test]
fn empty_query_is_a_value() {
    let cases = cases("c.jsonl", "{\"query\": \"\"}\n{\"query\": null, \"x\": 1}\n{\"x\": 2}\n");
    let has: Vec<bool> = cases.iter().map(Case::has_query).collect();
    assert_eq!(has, [true, false, false]);
    let shown = load_error("c.jsonl", "{\"query\": 42}");
    assert!(shown.contains("quotes around it: \"42\""), "{shown}");
}

#[test]
fn equal_rows_are_told_with_their_ids() {
    let rows = "id,query,tags,group\na,same,t,\nb,other,,\nc,same,u,\nd,alike,,g\ne,alike,,g\n";
    let warnings = read("c.csv", rows).unwrap().warnings;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].starts_with("equal rows: a, c; apart"), "{warnings:?}");
    let labels = DatasetSource { shared_ids: Some("answer_id".to_owned()), ..source("c.csv") };
    assert!(read_with(&[("c.csv", rows)], &labels).unwrap().warnings.is_empty());
}

#[test]
fn words_near_to_a_field_are_variables_and_assertions_are_not() {
    let case = &cases("c.jsonl", "{\"query\": \"q\", \"content\": \"c\", \"contact\": \"d\"}")[0];
    assert_eq!(case.vars.keys().collect::<Vec<_>>(), ["content", "contact"]);
    let shown = load_error("c.jsonl", "{\"query\": \"q\", \"assert\": [{\"type\": \"contains\"}]}");
    assert!(shown.contains("did you mean `checks`?"), "{shown}");
    let shown = load_error("c.jsonl", "{\"query\": \"q\", \"contex\": \"c\"}");
    assert!(shown.contains("did you mean `context`?"), "{shown}");
}

#[test]
fn valid_rows_are_returned_beside_the_errors_of_others() {
    let text = "{\"id\": \"a\", \"query\": \"q\"}\n{\"id\": \"b\", \"query\": 7}\n{\"id\": \"a\", \"query\": \"r\"}\n";
    let bytes = DatasetFile {
        name: "c.jsonl".to_owned(),
        path: "c.jsonl".to_owned(),
        bytes: Ok(text.as_bytes().to_vec()),
    };
    let bytes = DatasetBytes { name: "c.jsonl".to_owned(), files: Ok(vec![bytes]) };
    let (result, valid) = parse_valid_rows(bytes, &source("c.jsonl"));
    assert!(result.is_err());
    assert_eq!(valid.iter().map(|case| case.query.as_str()).collect::<Vec<_>>(), ["q"]);
}
