//! Advice for keys of other tools that have no key of the same meaning here.

/// A key of another tool, a key beside which it may be expected, and the next step.
const FOREIGN: [(&str, &str, &str); 20] = [
    ("icontains", "contains", "write `contains: {all: [TEXT], ignore_case: true}`"),
    ("icontains_any", "contains", "write `contains: {any: [TEXT, …], ignore_case: true}`"),
    ("icontains_all", "contains", "write `contains: {all: [TEXT, …], ignore_case: true}`"),
    ("contains_any", "contains", "write `contains: {any: [TEXT, …]}`"),
    ("contains_all", "contains", "write `contains: [TEXT, …]`"),
    ("not_icontains", "contains", "write `not_contains: {any: [TEXT], ignore_case: true}`"),
    ("contains_json", "contains", "write `is_json: {extract: fenced}`, or extract the JSON by `transform`"),
    ("word_count", "length", "write `length: {min_words: 1, max_words: 80}`"),
    ("levenshtein", "similarity", "write `similarity: {value: TEXT, min: 0.8}`, 1 minus the share of edits"),
    ("rouge_n", "similarity", "write `similarity: {value: TEXT, min: 0.6, measure: rouge_l}`"),
    ("is_valid_openai_tools_call", "tool_called", "write `tool_called: {name: TOOL, arguments: SCHEMA}`"),
    ("is_valid_function_call", "tool_called", "write `tool_called: {name: TOOL, arguments: SCHEMA}`"),
    ("tool_call_f1", "tool_called", "write `tool_called: [TOOL, …]` and `no_tool_called: [TOOL, …]`"),
    (
        "latency",
        "tool_called",
        "a time is measured over all answers: write `limits: {latency_p95: 5s}` in the configuration",
    ),
    (
        "cost",
        "tool_called",
        "cost is measured over all answers: write `limits: {cost_per_case_usd: 0.01}` in the configuration",
    ),
    (
        "llm_rubric",
        "tool_called",
        "a judge decides it: give the case `criteria`, or the configuration a metric with a `rubric`",
    ),
    (
        "g_eval",
        "tool_called",
        "a judge decides it: give the case `criteria`, or the configuration a metric with a `rubric`",
    ),
    (
        "factuality",
        "tool_called",
        "a judge decides it: add `metrics: {correctness: {}}` to the configuration",
    ),
    (
        "answer_relevance",
        "tool_called",
        "a judge decides it: add `metrics: {relevance: {}}` to the configuration",
    ),
    (
        "weight",
        "tool_called",
        "every check is a requirement of its own, so none outweighs another: `min` is the share of trials that have to pass \
         it; `criteria` and rubrics have weights",
    ),
];

/// Returns the next step for a key of another tool, where the keys here are `known`.
pub(crate) fn advice(key: &str, known: &[&str]) -> Option<String> {
    let plain = key.to_lowercase().replace('-', "_");
    let foreign = FOREIGN.iter().find(|(word, beside, _)| *word == plain && known.contains(beside));
    if let Some((_, _, help)) = foreign {
        return Some((*help).to_owned());
    }
    let negated = plain.strip_prefix("not_").filter(|rest| known.contains(rest) && known.contains(&"not"));
    negated.map(|rest| format!("write `not: {{{rest}: …}}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_other_tools_have_a_next_step() {
        let known = ["contains", "equals", "not", "not_contains", "length", "similarity", "tool_called"];
        for key in ["icontains-any", "not-equals", "word-count", "weight", "latency", "llm-rubric"] {
            assert!(advice(key, &known).is_some(), "{key}");
        }
        assert_eq!(advice("not-equals", &known).as_deref(), Some("write `not: {equals: …}`"));
        for key in ["not", "not-there", "contains", "", "whatever"] {
            assert_eq!(advice(key, &known), None, "{key}");
        }
        assert_eq!(advice("weight", &["text", "critical"]), None);
    }
}
