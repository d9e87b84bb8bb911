//! The names that variables have here: one of them may be the question, and four names belong to the case.

use serde_json::{Map, Value};

use super::draft::DraftCase;
use super::sources::text_of;
use super::template::value_at;

/// Names of variables that are likely the question, the likeliest first.
const QUESTIONS: [&str; 10] = [
    "query",
    "question",
    "user_query",
    "user_question",
    "user_input",
    "input",
    "user_message",
    "message",
    "prompt",
    "text",
];
/// Names that belong to the case, and those of variables in their place.
const RESERVED: [(&str, &str); 4] =
    [("id", "record_id"), ("query", "query_text"), ("context", "context_text"), ("expected", "wanted")];

/// The names of variables here.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// The variable that is the question.
    query: Option<String>,
    /// Whether `context` and `expected` are fields of the case.
    context: bool,
    expected: bool,
}

impl Names {
    /// For prompts that use these names, and the variables of all cases.
    pub(super) fn of_prompt(used: &[String], rows: &[&Map<String, Value>]) -> Self {
        let is_text = |name: &str| {
            let texts = |row: &&Map<String, Value>| row.get(name).is_some_and(is_scalar);
            !rows.is_empty() && rows.iter().all(texts)
        };
        let is_used = |name: &str| used.iter().any(|other| other == name);
        let query =
            QUESTIONS.iter().find(|name| is_used(name) && is_text(name)).map(|name| (*name).to_owned());
        Self { query, context: fills(rows, "context"), expected: !is_used("expected") }
    }

    /// For an application, whose question is made from the prompt.
    pub(super) fn of_target(rows: &[&Map<String, Value>]) -> Self {
        Self { query: None, context: fills(rows, "context"), expected: true }
    }

    /// The name in a prompt: `user.name` keeps its path.
    pub(super) fn here(&self, name: &str) -> String {
        if self.query.as_deref() == Some(name) {
            return "query".to_owned();
        }
        let (first, rest) = name.split_once('.').map_or((name, None), |(first, rest)| (first, Some(rest)));
        let first = match first {
            "context" if self.context && rest.is_none() => "context",
            first => RESERVED.iter().find(|(reserved, _)| *reserved == first).map_or(first, |(_, here)| here),
        };
        rest.map_or(first.to_owned(), |rest| format!("{first}.{rest}"))
    }

    /// Whether a prompt with these variables needs no other names: each is a field or variable of that name, or the question,
    /// which is read under its name, too.
    pub(super) fn are_kept(&self, used: &[String]) -> bool {
        used.iter().all(|name| self.query.as_ref() == Some(name) || self.here(name) == *name)
    }

    /// The variable that is the question, where it has another name here.
    pub(super) fn question(&self) -> Option<String> {
        self.query.clone().filter(|name| name != "query")
    }

    /// Names there, and where a scorer finds the value here.
    pub(super) fn renamed(&self) -> Map<String, Value> {
        let mut renamed = Map::new();
        if let Some(query) = &self.query {
            renamed.insert(query.clone(), Value::from("query"));
        }
        for (name, here) in RESERVED {
            let is_field = (name == "context" && self.context) || (name == "expected" && self.expected);
            let here = if is_field { name.to_owned() } else { format!("vars.{here}") };
            if !renamed.contains_key(name) {
                renamed.insert(name.to_owned(), Value::from(here));
            }
        }
        renamed
    }

    /// A case with these variables; those of prompts that have no value are an empty text.
    pub(super) fn case(&self, vars: &Map<String, Value>, used: &[String]) -> DraftCase {
        let mut case = DraftCase::default();
        for (name, value) in vars {
            match name.as_str() {
                name if self.query.as_deref() == Some(name) => case.query = Some(text_of(value)),
                "context" if self.context => case.context = Some(value.clone()),
                "expected" if self.expected => case.expected = (!value.is_null()).then(|| value.clone()),
                _ => {
                    let value = if value.is_null() { Value::from("") } else { value.clone() };
                    case.vars.insert(self.here(name), value);
                }
            }
        }
        for name in used {
            let here = self.here(name);
            if here == "query" || here == "context" || case.vars.contains_key(&here) {
                continue;
            }
            let value = value_at(vars, name).filter(|value| !value.is_null()).cloned();
            case.vars.insert(here, value.unwrap_or_else(|| Value::from("")));
        }
        case
    }
}

fn is_scalar(value: &Value) -> bool {
    value.is_string() || value.is_number() || value.is_boolean()
}

/// Whether the variable has a text in every row that has it.
fn fills(rows: &[&Map<String, Value>], name: &str) -> bool {
    let is_filled = |value: &Value| value.as_str().is_some_and(|text| !text.trim().is_empty());
    let values: Vec<&Value> = rows.iter().filter_map(|row| row.get(name)).collect();
    !values.is_empty() && values.len() == rows.len() && values.into_iter().all(is_filled)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn case(vars: Value, used: &[&str]) -> (Names, DraftCase) {
        let vars = vars.as_object().unwrap().clone();
        let used: Vec<String> = used.iter().map(|name| (*name).to_owned()).collect();
        let names = Names::of_prompt(&used, &[&vars]);
        let case = names.case(&vars, &used);
        (names, case)
    }

    #[test]
    fn likely_question_becomes_the_query() {
        let (names, found) = case(json!({"question": "Why?", "tone": "kind"}), &["tone", "question"]);
        assert_eq!((names.here("question"), names.here("tone")), ("query".into(), "tone".into()));
        assert_eq!(found.query.as_deref(), Some("Why?"));
        assert_eq!(Value::Object(found.vars), json!({"tone": "kind"}));
        assert_eq!(names.renamed().get("question"), Some(&json!("query")));
    }

    #[test]
    fn names_of_the_case_are_replaced() {
        let vars = json!({"id": 7, "query": {"a": 1}, "context": "", "expected": "x"});
        let (names, found) = case(vars, &["id", "query.a", "context", "expected"]);
        assert_eq!(names.here("query.a"), "query_text.a");
        let expected = json!({"record_id": 7, "query_text": {"a": 1}, "context_text": "", "wanted": "x", "query_text.a": 1});
        assert_eq!(Value::Object(found.vars), expected);
        assert_eq!((found.query, found.context, found.expected), (None, None, None));
    }

    #[test]
    fn missing_variables_are_empty_texts() {
        let (_, found) = case(json!({"user": {"name": "Ana"}}), &["user.name", "user.age"]);
        assert_eq!(found.vars.get("user.name"), Some(&json!("Ana")));
        assert_eq!(found.vars.get("user.age"), Some(&json!("")));
    }
}
