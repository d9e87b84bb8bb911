//! Paths into the answer of an application: `$.sources[*].text`.

use std::fmt;

use serde_json::Value;

/// Maximum number of steps.
const MAX_STEPS: usize = 64;

/// A path: `$`, then names after dots, indices in brackets, and `[*]` for every item of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPath {
    written: String,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
    Every,
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl JsonPath {
    /// Parses a path.
    ///
    /// # Errors
    /// The syntax error, in lower case.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text.strip_prefix('$').ok_or("the path does not start with `$`, expected $.name")?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) = step(rest)?;
            steps.push(step);
            rest = after;
            if steps.len() > MAX_STEPS {
                return Err(format!("the path has more than {MAX_STEPS} steps"));
            }
        }
        Ok(Self { written: text.to_owned(), steps })
    }

    /// Whether the path may match several values.
    pub fn is_list(&self) -> bool {
        self.steps.contains(&Step::Every)
    }

    /// Returns the values at the path.
    ///
    /// # Errors
    /// The first step that a value does not have.
    pub fn find<'a>(&self, value: &'a Value) -> Result<Vec<&'a Value>, String> {
        let mut found = vec![value];
        for step in &self.steps {
            let mut next = Vec::with_capacity(found.len());
            for value in found {
                match (step, value) {
                    (Step::Name(name), Value::Object(map)) if map.contains_key(name) => {
                        next.extend(map.get(name))
                    }
                    (Step::Index(index), Value::Array(list)) if *index < list.len() => {
                        next.extend(list.get(*index))
                    }
                    (Step::Every, Value::Array(list)) => next.extend(list),
                    _ => return Err(format!("`{self}` matches nothing: there is no {step}")),
                }
            }
            found = next;
        }
        Ok(found)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "`{name}`"),
            Self::Index(index) => write!(f, "item {index}"),
            Self::Every => f.write_str("list"),
        }
    }
}

fn step(rest: &str) -> Result<(Step, &str), String> {
    if let Some(inner) = rest.strip_prefix('[') {
        let (inside, after) = inner.split_once(']').ok_or("a ] is missing in the path")?;
        let quoted = ['\'', '"'].iter().find_map(|quote| inside.strip_prefix(*quote)?.strip_suffix(*quote));
        let step = match (quoted, inside) {
            (Some(name), _) => Step::Name(name.to_owned()),
            (None, "*") => Step::Every,
            (None, digits) => Step::Index(index(digits)?),
        };
        return Ok((step, after));
    }
    let name = rest.strip_prefix('.').ok_or_else(|| format!("expected a dot or [ before `{rest}`"))?;
    let end = name.find(['.', '[', ']']).unwrap_or(name.len());
    let (name, after) = name.split_at(end);
    match name {
        "" => Err("the path has an empty name".to_owned()),
        "*" => Ok((Step::Every, after)),
        name => Ok((Step::Name(name.to_owned()), after)),
    }
}

fn index(digits: &str) -> Result<usize, String> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let index = is_number.then(|| digits.parse().ok()).flatten();
    index.ok_or_else(|| format!("[{digits}] is not an index, expected [0], [*] or ['name']"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn find(path: &str) -> Result<Value, String> {
        let value = json!({"answer": "a", "sources": [{"text": "x"}, {"text": "y"}], "a.b": {"c": [[1, 2], [3]]}, "none": []});
        Ok(JsonPath::parse(path)?.find(&value)?.into_iter().cloned().collect())
    }

    #[test]
    fn paths_find_values() {
        assert_eq!(find("$.answer"), Ok(json!(["a"])));
        assert_eq!(find("$.sources[*].text"), Ok(json!(["x", "y"])));
        assert_eq!(find("$.sources[1].text"), Ok(json!(["y"])));
        assert_eq!(find("$['a.b'].c[*][*]"), Ok(json!([1, 2, 3])));
        assert_eq!(find("$[\"a.b\"].c.*[0]"), Ok(json!([1, 3])));
        assert_eq!(find("$.none[*].text"), Ok(json!([])));
        assert_eq!(find("$").unwrap().as_array().unwrap().len(), 1);
        assert!(
            JsonPath::parse("$.a[*]").unwrap().is_list() && !JsonPath::parse("$.a[0]").unwrap().is_list()
        );
    }

    #[test]
    fn absent_values_are_explained() {
        for (path, expected) in [
            ("$.source", "no `source`"),
            ("$.sources[2]", "no item 2"),
            ("$.answer[*]", "no list"),
            ("$.sources.text", "no `text`"),
            ("$.sources[*].title", "no `title`"),
        ] {
            assert!(find(path).unwrap_err().contains(expected), "{path}: {:?}", find(path));
        }
    }

    #[test]
    fn invalid_paths_are_rejected() {
        for path in [
            "",
            "answer",
            "$answer",
            "$.",
            "$..a",
            "$.a[",
            "$.a[]",
            "$.a[-1]",
            "$.a[x]",
            "$.a]",
            "$.a['b]",
            "$.a[99999999999999999999999]",
        ] {
            assert!(JsonPath::parse(path).is_err(), "{path:?} passed");
        }
        assert!(JsonPath::parse(&format!("${}", ".a".repeat(100))).is_err());
    }
}
