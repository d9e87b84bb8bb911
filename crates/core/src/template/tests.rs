use std::borrow::Cow;

use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;
use crate::model::{Case, Message, MessageRole, Place, PromptFacts, Variant, VariantFacts};

fn render(text: &str, values: &[(&str, &str)]) -> String {
    let lookup = |name: &str| {
        values.iter().find(|(key, _)| *key == name).map(|(_, value)| Cow::Owned((*value).to_owned()))
    };
    Template::parse(text).unwrap().render(&lookup).unwrap()
}

#[test]
fn placeholders_may_contain_spaces() {
    assert_eq!(render("a {{x}} b {{ y.z-1 }}{{\tx }}!", &[("x", "1"), ("y.z-1", "2")]), "a 1 b 21!");
    assert_eq!(render("{{{x}}}", &[("x", "1")]), "{1}");
    assert_eq!(render("{\"a\": {{x}}}", &[("x", "1")]), "{\"a\": 1}");
    assert_eq!(render("{{ {{x}} }}", &[("x", "1")]), "{{ 1 }}");
}

#[test]
fn other_braces_are_literal() {
    for text in [
        "",
        "{",
        "}}",
        "{x}",
        "{% if x %}{# note #}",
        "{\"a\": {\"b\": 1}}",
        "{{\"a\": 1}}",
        "{{ 'a', 'b' }}",
        "<p style={{ color: 'red' }}>",
        "{{\\bf x}}",
        "{{\n  x\n}}",
        "{{x}",
        "{{x",
        "{{{{",
        "{{ x {y} }}",
        "é{{",
    ] {
        assert_eq!(render(text, &[]), text);
        assert!(Template::parse(text).unwrap().variables().is_empty(), "{text}");
    }
}

#[test]
fn expressions_of_other_languages_are_rejected() {
    for text in [
        "{{7*7}}",
        "{{#if x}}",
        "{{/if}}",
        "{{> part}}",
        "{{! note }}",
        "{{x | upper}}",
        "{{x|default(\"a\")}}",
        "{{user name}}",
        "{{x.y()}}",
        "{{.Name}}",
        "{{$x}}",
        "{{1x}}",
        "{{}}",
        "{{ }}",
        "{{naïve}}",
        "{{x:default}}",
    ] {
        let diagnostic = Template::parse(text).unwrap_err();
        assert!(diagnostic.message.contains(text), "{text}: {}", diagnostic.message);
        assert!(!diagnostic.help.is_empty());
    }
}

#[test]
fn diagnostics_and_placeholders_have_locations() {
    let text = "é {{a}}\r\n{{b}} ü{{7*7}}\n {{#x}}";
    let diagnostics = Template::diagnostics(text);
    assert_eq!(
        diagnostics.iter().map(|m| (m.at.line, m.at.column, m.at.length)).collect::<Vec<_>>(),
        [(2, 8, 7), (3, 2, 6)]
    );
    assert_eq!(&text[diagnostics[0].at.offset..][..7], "{{7*7}}");
    let template = Template::parse("é {{a}}\n{{ b }}{{a}}").unwrap();
    let places: Vec<_> =
        template.placeholders().map(|p| (p.name.as_str(), p.at.line, p.at.column, p.at.length)).collect();
    assert_eq!(places, [("a", 1, 3, 5), ("b", 2, 1, 7), ("a", 2, 8, 5)]);
    assert_eq!(template.variables(), ["a", "b"]);
}

#[test]
fn undefined_variables_are_errors_with_location() {
    let error = Template::parse("x\n {{gone}}").unwrap().render(&|_| None).unwrap_err();
    assert_eq!((error.0.name.as_str(), error.0.at.line, error.0.at.column), ("gone", 2, 2));
    assert_eq!(error.to_string(), "`{{gone}}` is undefined");
}

fn case(id: &str, vars: serde_json::Value) -> Case {
    Case {
        id: id.to_owned(),
        query: "why?".to_owned(),
        context: Some(["one".to_owned(), "two".to_owned()].into()),
        expected: Some(json!("secret answer")),
        vars: vars.as_object().cloned().unwrap_or_default(),
        place: Place::line("cases.jsonl", 7),
        ..Case::default()
    }
}

#[test]
fn variables_exclude_the_reference_answer() {
    let case = case(
        "7",
        json!({"text": "a {{query}}", "n": 1.50, "flag": true, "list": ["a", "b"], "mixed": ["a", 1],
               "none": null, "empty": "", "map": {"k": [1]}, "id": "shadow", "expected": "leak", "nothing": []}),
    );
    let variables = variables(&case);
    let get = |name: &str| variables.get(name).map(Cow::into_owned);
    assert_eq!(get("id").as_deref(), Some("7"));
    assert_eq!(get("query").as_deref(), Some("why?"));
    assert_eq!(get("context").as_deref(), Some("one\n\ntwo"));
    assert_eq!(get("text").as_deref(), Some("a {{query}}"));
    assert_eq!(get("n").as_deref(), Some("1.5"));
    assert_eq!(get("flag").as_deref(), Some("true"));
    assert_eq!(get("list").as_deref(), Some("a\n\nb"));
    assert_eq!(get("mixed").as_deref(), Some("[\"a\",1]"));
    assert_eq!(get("nothing").as_deref(), Some("[]"));
    assert_eq!(get("map").as_deref(), Some("{\"k\":[1]}"));
    assert_eq!(get("empty").as_deref(), Some(""));
    for absent in ["expected", "none", "tags", "vars", ""] {
        assert_eq!(get(absent), None, "{absent}");
    }
    for name in variables.names() {
        assert!(get(name).is_some() && variables.has(name), "{name}");
    }
    assert!(!variables.names().contains(&"expected"));
}

fn variant(system: &str, user: &str) -> Variant {
    let prompt = PromptFacts {
        name: "p".to_owned(),
        version: "1".to_owned(),
        digest: "sha256:0".to_owned(),
        source: "prompts/p.md".to_owned(),
        commit: None,
    };
    Variant {
        facts: VariantFacts {
            protocol: Default::default(),
            prompt,
            model: "m".to_owned(),
            parameters: Map::new(),
            content_digest: None,
            published: None,
            application: None,
            messages: Vec::new(),
        },
        messages: vec![
            Message::new(MessageRole::System, system.to_owned()),
            Message::new(MessageRole::User, user.to_owned()),
        ],
        lines: vec![5, 0],
        application: None,
    }
}

#[test]
fn verify_groups_by_name_and_suggests_names() {
    let cases = [case("a", json!({"tone": "kind"})), case("b", json!({})), case("c", json!({}))];
    let diagnostics = verify(
        &variant("x {{contxt}}\n{{tone}} {{expected}} {{env.HOME}} {{contxt}}", "{{qery}} {{7*7}}"),
        &cases,
    );
    let shown: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(diagnostics.len(), 5, "{shown:#?}");
    assert_eq!(
        shown[0],
        "prompts/p.md:5:3: `{{contxt}}` is undefined for all 3 cases (help: did you mean `{{context}}`?)"
    );
    assert_eq!(diagnostics[0].place.as_ref().unwrap().excerpt.as_deref(), Some("x {{contxt}}"));
    assert!(shown[1].starts_with("prompts/p.md:6:1: `{{tone}}` is undefined for 2 of 3 cases, first `b`"));
    assert!(shown[2].contains("leak"), "{}", shown[2]);
    assert!(shown[3].contains("cannot read the environment"), "{}", shown[3]);
    assert!(shown[4].starts_with("in the user message: `{{7*7}}`"), "{}", shown[4]);
    let shown = verify(&variant("s", "{{qery}}"), &cases)[0].to_string();
    assert!(shown.contains("in the user message") && shown.contains("did you mean `{{query}}`?"), "{shown}");
    assert!(verify(&variant("{{context}} {{id}}", "{{query}}"), &cases).is_empty());
}

#[test]
fn braces_of_other_languages_get_their_own_help() {
    let cases = [case("a", serde_json::json!({}))];
    let help = |text: &str| -> Vec<String> {
        verify(&variant(text, "u"), &cases).into_iter().filter_map(|found| found.help).collect()
    };
    for text in ["\\frac{{a}}{{b}}", "x_{{i}}", "e^{{n}}", "\\frac{{1}}{2}"] {
        let found = help(text);
        assert!(!found.is_empty() && found.iter().all(|help| help.contains("LaTeX")), "{text}: {found:?}");
    }
    for text in ["${{ secrets.TOKEN }}", "${{matrix.os}}", "${{ github.ref == 'x' }}"] {
        assert!(help(text)[0].contains("workflow"), "{text}");
    }
    assert!(!help("see {{other}}")[0].contains("LaTeX"));
}

#[test]
fn a_variable_that_two_messages_lack_is_one_mistake() {
    let cases = [case("a", serde_json::json!({}))];
    assert_eq!(verify(&variant("{{x}}", "{{x}} {{y}}"), &cases).len(), 2);
}

#[test]
fn doubled_braces_around_json_are_warned_about() {
    let cases = [case("a", serde_json::json!({}))];
    let found = warnings(&variant("Return {{\"a\": {{\"b\": 1}}}}", "u"), &cases);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("f-strings"), "{found:?}");
    assert!(warnings(&variant("Return {\"a\": {\"b\": 1}}", "u"), &cases).is_empty());
}

#[test]
fn columns_of_references_are_recognized() {
    for name in ["expected_answer", "reference_answer", "ideal", "ground_truth", "Answer", "golden-answer"] {
        assert!(names_a_reference(name), "{name}");
    }
    for name in ["query", "references", "target_language", "answer_style", "question", "context"] {
        assert!(!names_a_reference(name), "{name}");
    }
}

#[test]
fn single_braces_of_a_known_variable_are_warned_about() {
    let cases = [case("a", json!({}))];
    let variant = variant("{context} {id}", "{{query}} {query} {{id}}");
    assert!(uses(&variant, "query") && !uses(&variant, "context"));
    let warnings = warnings(&variant, &cases);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("`{context}`") && warnings[0].contains("`{{context}}`"));
}

proptest! {
    #[test]
    fn parser_never_panics_and_keeps_all_text(text in "[ -~\n{}{}{}é]{0,60}") {
        let diagnostics = Template::diagnostics(&text);
        for diagnostic in &diagnostics {
            prop_assert!(text[diagnostic.at.offset..].starts_with("{{"));
        }
        if let Ok(template) = Template::parse(&text) {
            prop_assert!(diagnostics.is_empty());
            // Rendering each placeholder as itself restores the text, except spaces inside the braces.
            let back = template.render(&|name| Some(Cow::Owned(format!("{{{{{name}}}}}")))).unwrap();
            let squeezed = |text: &str| text.replace([' ', '\t'], "");
            prop_assert_eq!(squeezed(&back), squeezed(&text));
        }
    }

    #[test]
    fn values_are_not_scanned_for_placeholders(before in "[a-z {}]{0,8}", value in ".{0,40}", after in "[a-z ]{0,8}") {
        let text = format!("{before}|{{{{x}}}}|{after}");
        if let Ok(template) = Template::parse(&text) {
            let literal = text.replacen("{{x}}", "\u{0}", 1);
            let parsed = template.variables();
            prop_assume!(parsed == ["x"] && !before.contains("{{x}}"));
            let rendered = template.render(&|_| Some(Cow::Borrowed(&value))).unwrap();
            prop_assert_eq!(rendered, literal.replace('\u{0}', &value));
        }
    }

    #[test]
    fn placeholders_in_values_stay_text(name in "[a-z]{1,5}") {
        let value = format!("{{{{{name}}}}}");
        prop_assert_eq!(render("{{x}}{{x}}", &[("x", &value), (&name, "no")]),
            value.repeat(2));
    }
}
