use serde_json::json;

use super::*;

fn help(schema: &Value) -> String {
    wrapped(schema).map(|(message, help)| format!("{message} ({help})")).unwrap_or_default()
}

#[test]
fn wrapped_schemas_are_mistakes_that_name_the_place_of_the_schema() {
    let inner = json!({"type": "object", "required": ["a"]});
    for (schema, place) in [
        (json!({"name": "x", "strict": true, "schema": inner}), "at /schema:"),
        (json!({"schema": inner}), "at /schema:"),
        (
            json!({"type": "json_schema", "json_schema": {"name": "x", "schema": inner}}),
            "at /json_schema/schema:",
        ),
        (json!({"type": "json_schema", "name": "x", "schema": inner}), "at /schema:"),
        (
            json!({"response_format": {"type": "json_schema", "json_schema": {"schema": inner}}}),
            "at /response_format/json_schema/schema:",
        ),
        (
            json!({"type": "function", "function": {"name": "f", "parameters": inner}}),
            "at /function/parameters:",
        ),
        (
            json!([{"type": "function", "function": {"name": "f", "parameters": inner}}]),
            "at /0/function/parameters:",
        ),
        (json!({"name": "f", "description": "d", "parameters": inner}), "at /parameters:"),
        (json!({"name": "f", "input_schema": inner}), "at /input_schema:"),
        (json!({"openapi": "3.1.0", "components": {"schemas": {"A": inner}}}), "\"#/components/schemas/A\""),
        (json!({"components": {"schemas": {"A": inner, "B": inner}}}), "(`A`, `B`)"),
        (json!({"swagger": "2.0", "definitions": {"A": inner}}), "\"#/definitions/A\""),
        (json!({"openapi": "3.1.0", "paths": {}}), "a file of its own"),
        (
            json!({"tools": [{"toolSpec": {"inputSchema": {"json": {"type": "object", "properties": {}}}}}]}),
            "at /tools/0/toolSpec/inputSchema/json:",
        ),
        (json!({"Answer": {"type": "object", "properties": {"a": {}}}}), "at /Answer:"),
    ] {
        assert!(help(&schema).contains(place), "{schema}: {}", help(&schema));
    }
}

#[test]
fn schemas_are_not_taken_for_wrappers() {
    for schema in [
        json!({"type": "object", "properties": {"schema": {"type": "string"}}}),
        json!({"type": "object", "name": "x", "schema": {"type": "string"}}),
        json!({"$ref": "#/components/schemas/A", "components": {"schemas": {"A": {"type": "object"}}}}),
        json!({"properties": {"name": {}, "parameters": {"type": "object"}}}),
        json!(true),
        json!({}),
    ] {
        assert_eq!(help(&schema), "", "{schema}");
    }
}

#[test]
fn schemas_that_constrain_nothing_are_told() {
    for (schema, part) in [
        (json!({}), "means `is_json`"),
        (json!(true), "means `is_json`"),
        (json!({"title": "x", "description": "y"}), "means `is_json`"),
        (json!({"answer": "30 days", "citations": []}), "an example of an answer"),
        (json!({"$defs": {"A": {"type": "object"}}}), "add \"$ref\": \"#/$defs/A\""),
        (json!({"definitions": {"A": {"type": "object"}}}), "\"#/definitions/A\""),
        (json!({"$ref": "#/$defs/A", "$defs": {"A": {}}}), "means `is_json`"),
        (json!({"requried": ["a"]}), "did you mean `required`?"),
        (json!({"answer": {"type": "string"}}), "the value of `properties`"),
        (json!({"properties": {"a": {}}}), "means `is_json`"),
        (json!({"anyOf": [{"type": "object"}, {}]}), "means `is_json`"),
        (json!({"minLength": 0, "required": []}), "means `is_json`"),
    ] {
        let found = warnings(&schema).join("\n");
        assert!(found.contains(part), "{schema}: {found}");
    }
}

#[test]
fn misspelled_keywords_and_idle_formats_are_told_with_their_place() {
    let schema =
        json!({"type": "object", "requierd": ["a"], "properties": {"a": {"type": "string", "maxlength": 3}}});
    let found = warnings(&schema);
    assert_eq!(
        found,
        [
            "unknown keyword \"requierd\" is ignored; did you mean `required`?",
            "unknown keyword \"maxlength\" at /properties/a is ignored; did you mean `maxLength`?",
        ]
    );
    let dated = |draft: Value| json!({"$schema": draft, "type": "object", "properties": {"day": {"type": "string", "format": "date"}}});
    let found = warnings(&dated(json!("https://json-schema.org/draft/2020-12/schema"))).join("\n");
    assert!(found.contains("\"date\" at /properties/day") && found.contains("draft-07"), "{found}");
    assert!(warnings(&dated(json!("http://json-schema.org/draft-07/schema#"))).is_empty());
    let found = warnings(&json!({"type": "string", "format": "phone"})).join("\n");
    assert!(found.contains("\"phone\"; add a `pattern`"), "{found}");
}

#[test]
fn useful_schemas_are_not_warned_about() {
    for schema in [
        json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "x-note": 1}}}),
        json!({"$ref": "#/$defs/A", "$defs": {"A": {"type": "object", "properties": {"child": {"$ref": "#"}}}}}),
        json!({"properties": {"requried": {"type": "string"}, "format": {"type": "string"}}, "example": {"a": 1}}),
        json!({"anyOf": [{"type": "object"}, {"type": "null"}]}),
        json!({"enum": ["yes", "no"]}),
        json!(false),
    ] {
        assert_eq!(warnings(&schema), Vec::<String>::new(), "{schema}");
    }
    // A circle of references ends.
    let circle = json!({"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}});
    assert_eq!(warnings(&circle).len(), 1);
}
