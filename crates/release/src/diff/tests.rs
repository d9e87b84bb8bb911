use std::time::{Duration, Instant};

use promptgate_core::model::{Message, MessageRole};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::PromptKind;

/// Text that dilutes a change, so that it never reaches half of the words.
const REST: &str = "You work for a shop that sells garden tools and seeds in many countries. Customers write because a \
    parcel is late, damaged or incomplete, because an invoice looks wrong, or to learn how their new mower works.";

fn message(role: MessageRole, content: &str) -> Message {
    Message::new(role, content.to_owned())
}

fn content(messages: Vec<Message>) -> Content {
    Content {
        kind: PromptKind::Chat,
        messages,
        model: "gpt-4o".to_owned(),
        parameters: Map::new(),
        answer_schema: None,
    }
}

type Map = serde_json::Map<String, Value>;

fn system(text: &str) -> Content {
    content(vec![message(MessageRole::System, text)])
}

fn compared(old: &Content, new: &Content) -> Comparison {
    compare(old, new, &Rules::default())
}

fn level(old: &Content, new: &Content) -> Option<Level> {
    compared(old, new).level
}

#[test]
fn table_of_wordings_in_both_directions() {
    let rows = include_str!("../../tests/fixtures/wording.jsonl");
    let mut wrong = Vec::new();
    for row in rows.lines() {
        let [expected, old, new]: [String; 3] = serde_json::from_str(row).unwrap();
        let expected: Level = expected.parse().unwrap();
        // A patch is one in a text of its own language as well.
        let rest = if expected == Level::Patch { "" } else { REST };
        let (old, new) = (system(&format!("{old}\n{rest}")), system(&format!("{new}\n{rest}")));
        for (old, new) in [(&old, &new), (&new, &old)] {
            let comparison = compared(old, new);
            if comparison.level != Some(expected) {
                wrong.push(format!("{row}: {:?} {:?}", comparison.level, comparison.reasons()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows.lines().count() > 90);
}

#[test]
fn reasons_name_the_place() {
    let old = content(vec![
        message(MessageRole::System, &format!("{REST}\nYou may offer a refund.")),
        message(MessageRole::User, "{{query}}"),
    ]);
    let mut new = old.clone();
    new.messages[0].content = format!("{REST}\nYou may deny a refund,");
    new.messages[1].content = "Question:\n{{question}}".to_owned();
    new.model = "gpt-4o-mini".to_owned();
    new.parameters = json!({"temperature": 0.5}).as_object().unwrap().clone();
    assert_eq!(
        compared(&old, &new).reasons(),
        [
            "major: model `gpt-4o` became `gpt-4o-mini`, another model",
            "major: message 2 (user), line 2: variable `query` was renamed to `question`",
            "minor: parameter `/temperature` was added: `0.5`",
            "minor: message 1 (system), line 2: `offer` became `deny` (guarded word `deny`)",
            "minor: message 2 (user), line 1: `{{query}}` became `Question: {{question}}` (words were added or removed)",
            "patch: message 1 (system), line 2: `.` became `,`",
        ]
    );
}

#[test]
fn equal_contents_have_no_level() {
    let mut old = system("Answer.");
    old.parameters = json!({"temperature": 1.0, "a": {"b": 1, "c": 2}}).as_object().unwrap().clone();
    let mut new = old.clone();
    new.parameters = json!({"a": {"c": 2.0, "b": 1}, "temperature": 1}).as_object().unwrap().clone();
    assert_eq!(compared(&old, &new), Comparison::default());
    assert_eq!(old.digest(), new.digest());
}

#[test]
fn more_places_than_the_rules_allow_are_minor() {
    let old = system(&format!("Helo! Recieve my freindly adress. {REST}"));
    let three = system(&format!("Helo! Receive my friendly address. {REST}"));
    let four = system(&format!("Hello! Receive my friendly address. {REST}"));
    assert_eq!(level(&old, &three), Some(Level::Patch));
    assert_eq!(level(&old, &four), Some(Level::Minor));
    let rules = Rules { patch_max_words: 4, ..Rules::default() };
    assert_eq!(compare(&old, &four, &rules).level, Some(Level::Patch));
    let rules = Rules { patch_max_words: 0, ..Rules::default() };
    assert_eq!(compare(&old, &three, &rules).level, Some(Level::Minor));
    // Places are counted over all messages.
    let two = |text: &str| {
        content(vec![
            message(MessageRole::System, &format!("{text} {REST}")),
            message(MessageRole::User, text),
        ])
    };
    assert_eq!(level(&two("Helo freind"), &two("Hello friend")), Some(Level::Minor));
}

#[test]
fn configured_words_are_guarded() {
    let (old, new) = (system(&format!("Refund it. {REST}")), system(&format!("Refunds it. {REST}")));
    assert_eq!(level(&old, &new), Some(Level::Patch));
    let rules = Rules { guarded: vec!["refund".to_owned()], ..Rules::default() };
    assert_eq!(compare(&old, &new, &rules).level, Some(Level::Minor));
}

#[test]
fn over_half_of_the_words_replaced_is_major() {
    let old = system("one red two blue");
    assert_eq!(level(&old, &system("one red green black")), Some(Level::Minor)); // exactly half
    assert_eq!(level(&old, &system("one white green black")), Some(Level::Major));
    assert_eq!(level(&old, &system("one")), Some(Level::Major));
    assert_eq!(level(&old, &system("two blue one red")), Some(Level::Minor)); // moved, not replaced
    assert_eq!(level(&old, &system(&format!("one red two blue {REST}"))), Some(Level::Minor)); // added
    assert_eq!(level(&system("Recieve {{query}}"), &system("Receive {{query}}")), Some(Level::Patch));
}

#[test]
fn variables_are_the_contract() {
    let old = system(&format!("{{{{a}}}} {{{{b}}}} {REST}"));
    let with = |text: &str| system(&format!("{text} {REST}"));
    assert_eq!(level(&old, &with("{{b}} {{a}}")), Some(Level::Minor));
    assert_eq!(level(&old, &with("{{ a }} {{b}}")), Some(Level::Patch));
    for text in ["{{a}}", "{{a}} {{b}} {{c}}", "{{a}} {{c}}", "{{a}} {b}", "{{a}} {{B}}", "{{a}} b"] {
        assert_eq!(level(&old, &with(text)), Some(Level::Major), "{text}");
        assert_eq!(level(&with(text), &old), Some(Level::Major), "{text}");
    }
    let renamed = compared(&old, &with("{{a}} {{c}}")).changes.swap_remove(0).text;
    assert_eq!(renamed, "message 1 (system), line 1: variable `b` was renamed to `c`");
    // Expressions of other template languages, which a registry may hold.
    assert_eq!(level(&with("{{#if a}} {{b}}"), &with("{{#if a}} {{c}}")), Some(Level::Major));
    assert_eq!(level(&with("{{#if a}} {{b}}"), &with("{{#if c}} {{b}}")), Some(Level::Major));
    assert_eq!(level(&with("{{#if a}} recieve"), &with("{{#if a}} receive")), Some(Level::Patch));
}

#[test]
fn text_and_chat_are_different_contracts() {
    let old = system(REST);
    let new = Content { kind: PromptKind::Text, ..old.clone() };
    let comparison = compared(&old, &new);
    assert_eq!(comparison.level, Some(Level::Major));
    assert_eq!(comparison.changes[0].text, "the chat prompt became a text prompt");
}

#[test]
fn roles_without_examples_are_the_contract() {
    use MessageRole::{Assistant, Developer, System, User};
    let with = |roles: &[MessageRole]| {
        content(roles.iter().map(|role| message(*role, &format!("{REST} {}", role.as_str()))).collect())
    };
    let cases: [(&[MessageRole], &[MessageRole], Level); 8] = [
        (&[System, User], &[System, User, Assistant, User], Level::Minor),
        (&[System, User, Assistant, User, Assistant, User], &[System, User], Level::Minor),
        (&[System, User], &[Developer, User], Level::Major),
        (&[System], &[System, User], Level::Major),
        (&[System, User], &[System, User, User], Level::Major),
        (&[System, User], &[System, User, Assistant], Level::Major), // the answer begins: not an example
        (&[System, User], &[System, Assistant, User], Level::Major),
        (&[System, User, Assistant, System, User], &[System, System, User, Assistant, User], Level::Minor),
    ];
    for (old, new, expected) in cases {
        assert_eq!(level(&with(old), &with(new)), Some(expected), "{old:?} {new:?}");
        assert_eq!(level(&with(new), &with(old)), Some(expected), "{new:?} {old:?}");
    }
}

#[test]
fn examples_do_not_dilute_replaced_instructions() {
    use MessageRole::{Assistant, System, User};
    let with = |text: &str| {
        content(vec![
            message(System, text),
            message(User, REST),
            message(Assistant, REST),
            message(User, "{{query}}"),
        ])
    };
    assert_eq!(level(&with("Answer in one sentence"), &with("Translate this to French")), Some(Level::Major));
    // A changed example is behavior.
    let mut other = with("Answer in one sentence");
    other.messages[2].content = "Hello".to_owned();
    assert_eq!(level(&with("Answer in one sentence"), &other), Some(Level::Minor));
}

#[test]
fn huge_prompts_are_compared_quickly() {
    let words = |seed: usize| -> String {
        (0..16_000).map(|index| format!("w{} ", (index * 7919 + seed * 104_729) % 15_991)).collect()
    };
    let old = words(1);
    assert!(old.len() > 90_000);
    let halves = |text: &str| {
        let middle = text.len() / 2;
        format!("{} {}", &text[middle..], &text[..middle])
    };
    let long_word = "a".repeat(100_000);
    let start = Instant::now();
    for (old, new, expected) in [
        (old.clone(), words(2), Level::Minor),
        (old.clone(), halves(&old), Level::Minor),
        (old.clone(), old.replace("w1", "v1"), Level::Minor),
        (old.clone(), old.replace('w', "v"), Level::Major),
        (format!("recieve {old} freind"), format!("receive {old} friend"), Level::Patch),
        (format!("{long_word}b {REST}"), format!("{long_word}c {REST}"), Level::Patch),
        ("{{".repeat(50_000), "{{".repeat(50_001), Level::Minor),
        (format!("{} x", ".".repeat(100_000)), format!("{} x", "!".repeat(100_000)), Level::Minor),
    ] {
        assert_eq!(level(&system(&old), &system(&new)), Some(expected), "{:.40} {:.40}", old, new);
    }
    // Quadratic work would take minutes here, also in a debug build on a busy machine.
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

#[test]
fn many_changes_are_cut_and_counted() {
    let mut old = system(REST);
    old.parameters = (0..500).map(|index| (format!("p{index}"), json!(index))).collect();
    let comparison = compared(&old, &system(REST));
    assert_eq!(comparison.changes.len(), MAX_CHANGES);
    assert_eq!(comparison.changes[MAX_CHANGES - 1].text, "461 more changes");
}

proptest! {
    #[test]
    fn any_two_texts_have_a_level_and_reasons(
        old in "(\\PC|[a-d{} .,'\\n]|not |\\{\\{a\\}\\}){0,40}",
        new in "(\\PC|[a-d{} .,'\\n]|not |\\{\\{a\\}\\}){0,40}",
    ) {
        let comparison = compared(&system(&old), &system(&new));
        prop_assert_eq!(comparison.level.is_none(), old == new);
        prop_assert_eq!(comparison.level, comparison.changes.iter().map(|change| change.level).max());
        prop_assert!(comparison.changes.is_sorted_by_key(|change| std::cmp::Reverse(change.level)));
        let back = compared(&system(&new), &system(&old));
        prop_assert_eq!(back.level.is_none(), comparison.level.is_none());
    }

    #[test]
    fn no_patch_adds_or_removes_a_guarded_word(at in 0_usize..30, word in "not|never|must|all|zwei|kein|jamais|30|nunca") {
        let mut words: Vec<&str> = REST.split(' ').collect();
        let old = system(&words.join(" "));
        words.insert(at, &word);
        let new = system(&words.join(" "));
        prop_assert_eq!(level(&old, &new), Some(Level::Minor));
        prop_assert_eq!(level(&new, &old), Some(Level::Minor));
    }
}

mod schemas {
    use super::*;

    fn schema_level(old: Value, new: Value) -> Option<Level> {
        let with = |schema: Value| Content { answer_schema: Some(schema), ..system(REST) };
        level(&with(old), &with(new))
    }

    fn base() -> Value {
        json!({
            "type": "object",
            "description": "A reply",
            "properties": {
                "answer": {"type": "string", "maxLength": 100},
                "description": {"type": "string"},
                "tags": {"type": "array", "items": {"type": "object", "properties": {"name": {"enum": ["a", "b"]}}}},
                "kind": {"anyOf": [{"$ref": "#/$defs/kind"}, {"type": "null"}]}
            },
            "required": ["answer", "tags"],
            "additionalProperties": false,
            "$defs": {"kind": {"type": "string"}}
        })
    }

    /// The base with a value at a pointer, whose parent exists; `None` removes it.
    fn with(pointer: &str, value: Option<Value>) -> Value {
        let mut schema = base();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        match (schema.pointer_mut(parent).unwrap(), value) {
            (Value::Object(map), Some(value)) => drop(map.insert(key.to_owned(), value)),
            (Value::Object(map), None) => drop(map.remove(key).unwrap()),
            (Value::Array(values), Some(value)) => values[key.parse::<usize>().unwrap()] = value,
            (other, _) => panic!("{other}"),
        }
        schema
    }

    #[test]
    fn annotations_and_optional_properties_are_minor() {
        for (pointer, value) in [
            ("/description", Some(json!("An answer"))),
            ("/description", None),
            ("/title", Some(json!("Reply"))),
            ("/properties/answer/description", Some(json!("Text"))),
            ("/properties/answer/examples", Some(json!(["x"]))),
            ("/properties/answer/default", Some(Value::Null)),
            ("/properties/tags/items/properties/name/x-order", Some(json!(1))),
            ("/properties/more", Some(json!({"type": "string"}))),
            ("/properties/tags/items/properties/more", Some(json!(true))),
            ("/properties/kind/anyOf/1/title", Some(json!("None"))),
            ("/$defs/other", Some(json!({"type": "number"}))),
            ("/$defs/kind/title", Some(json!("Kind"))),
            ("/required", Some(json!(["tags", "answer"]))),
            ("/properties/tags/items/properties/name/enum", Some(json!(["b", "a"]))),
        ] {
            assert_eq!(schema_level(base(), with(pointer, value)), Some(Level::Minor), "{pointer}");
        }
        let no_properties = json!({"type": "object"});
        let one = json!({"type": "object", "properties": {"a": {}}});
        assert_eq!(schema_level(no_properties.clone(), one.clone()), Some(Level::Minor));
        assert_eq!(schema_level(one, no_properties), Some(Level::Major));
    }

    #[test]
    fn everything_else_is_major() {
        for (pointer, value) in [
            ("/type", Some(json!("array"))),
            ("/type", Some(json!(["object", "null"]))),
            ("/properties/answer", None),
            ("/properties/answer/type", Some(json!("number"))),
            ("/properties/answer/maxLength", Some(json!(101))),
            ("/properties/answer/maxLength", None),
            ("/properties/answer/const", Some(Value::Null)),
            ("/properties/answer", Some(json!(true))),
            // A property called like an annotation is a property.
            ("/properties/description", None),
            ("/properties/description/type", Some(json!("number"))),
            ("/properties/tags/items/properties/name/enum", Some(json!(["a", "b", "c"]))),
            ("/properties/tags/items/required", Some(json!(["name"]))),
            ("/properties/tags/items", Some(json!(false))),
            ("/properties/kind/anyOf", Some(json!([{"$ref": "#/$defs/kind"}]))),
            ("/properties/kind/anyOf/0/$ref", Some(json!("#/$defs/other"))),
            ("/required", Some(json!(["answer"]))),
            ("/required", Some(json!(["answer", "tags", "kind"]))),
            ("/required", None),
            ("/required", Some(json!("answer"))),
            ("/additionalProperties", Some(json!(true))),
            ("/additionalProperties", None),
            ("/additionalProperties", Some(json!({"type": "string"}))),
            ("/$defs/kind", None),
            ("/$defs/kind/pattern", Some(json!("^a"))),
            ("/patternProperties", Some(json!({"^x": {}}))),
            ("/not", Some(json!({"properties": {"a": {}}}))),
            ("/$schema", Some(json!("http://json-schema.org/draft-07/schema#"))),
            ("/properties", Some(json!(1))),
        ] {
            assert_eq!(
                schema_level(base(), with(pointer, value.clone())),
                Some(Level::Major),
                "{pointer} {value:?}"
            );
            assert_eq!(
                schema_level(with(pointer, value.clone()), base()).max(Some(Level::Minor)),
                schema_level(with(pointer, value), base()),
                "{pointer}"
            );
        }
    }

    #[test]
    fn a_new_property_must_be_optional() {
        let mut new = with("/properties/more", Some(json!({"type": "string"})));
        new["required"] = json!(["answer", "tags", "more"]);
        let old = Content { answer_schema: Some(base()), ..system(REST) };
        let new = Content { answer_schema: Some(new), ..system(REST) };
        assert_eq!(
            compared(&old, &new).reasons(),
            [
                "major: answer schema `/required`: property `more` became required",
                "major: answer schema `/properties/more`: required property was added",
            ]
        );
    }

    #[test]
    fn numbers_and_key_order_do_not_change_a_schema() {
        let old = json!({"type": "string", "maxLength": 10.0});
        assert_eq!(schema_level(old, json!({"maxLength": 10, "type": "string"})), None);
    }

    #[test]
    fn a_schema_that_appears_or_vanishes_is_major() {
        let old = system(REST);
        let new = Content { answer_schema: Some(json!({})), ..system(REST) };
        assert_eq!(level(&old, &new), Some(Level::Major));
        assert_eq!(level(&new, &old), Some(Level::Major));
    }
}

mod parameter_levels {
    use super::*;

    fn parameter_level(old: Value, new: Value) -> Option<Level> {
        let with = |value: Value| Content { parameters: value.as_object().unwrap().clone(), ..system(REST) };
        level(&with(old), &with(new))
    }

    fn format(strict: bool, name: &str, schema: Value) -> Value {
        let schema = json!({"name": name, "strict": strict, "schema": schema});
        json!({"response_format": {"type": "json_schema", "json_schema": schema}})
    }

    #[test]
    fn tools_and_formats_are_major_and_others_minor() {
        let object = || json!({"type": "object"});
        let optional = || json!({"type": "object", "properties": {"a": {}}});
        for (old, new, expected) in [
            (json!({}), json!({"temperature": 0}), Level::Minor),
            (json!({"temperature": 0}), json!({"temperature": 0.1}), Level::Minor),
            (json!({"max_tokens": 100}), json!({}), Level::Minor),
            (json!({}), json!({"stop": null}), Level::Minor),
            (
                json!({"seed": 9_007_199_254_740_993_u64}),
                json!({"seed": 9_007_199_254_740_992_u64}),
                Level::Minor,
            ),
            (json!({}), json!({"tools": []}), Level::Major),
            (json!({"tools": [{"a": 1}]}), json!({"tools": [{"a": 2}]}), Level::Major),
            (json!({"tool_choice": "auto"}), json!({"tool_choice": "none"}), Level::Major),
            (json!({}), json!({"response_format": {"type": "json_object"}}), Level::Major),
            (format(true, "a", object()), json!({}), Level::Major),
            (format(true, "a", object()), json!({"response_format": {"type": "json_object"}}), Level::Major),
            (format(true, "a", object()), format(false, "a", object()), Level::Major),
            (format(true, "a", object()), format(true, "b", object()), Level::Minor),
            (format(true, "a", object()), format(true, "a", optional()), Level::Minor),
            (format(true, "a", optional()), format(true, "a", object()), Level::Major),
            (json!({"guided_json": object()}), json!({"guided_json": optional()}), Level::Minor),
            (json!({"guided_json": optional()}), json!({"guided_json": object()}), Level::Major),
            (json!({"format": "json"}), json!({"format": object()}), Level::Major),
        ] {
            assert_eq!(parameter_level(old.clone(), new.clone()), Some(expected), "{old} {new}");
        }
    }

    #[test]
    fn pointers_name_the_schema_of_a_response_format() {
        let with = |value: Value| Content { parameters: value.as_object().unwrap().clone(), ..system(REST) };
        let old = with(format(true, "a", json!({"properties": {"a/b": {"type": "string"}}})));
        let new = with(format(true, "a", json!({"properties": {"a/b": {"type": "number"}}})));
        assert_eq!(
            compared(&old, &new).reasons(),
            ["major: parameter `/response_format/json_schema/schema/properties/a~1b/type`: changed"]
        );
    }
}
