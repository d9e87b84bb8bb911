//! Features that are refused by name, with the way out.

use crate::support::{Folder, Outcome};

/// Keys of a configuration: feature, the lines, the key and words of the way out.
const KEYS: &[(&str, &str, &str, &str)] = &[
    ("several prompts", "prompts: [a.md, b.md]", "prompts", "write `prompt: prompts/NAME.md`"),
    ("inline prompts", "prompts: ['Answer {{question}}']", "prompts", "`prompt: {text: …}`"),
    (
        "prompts as maps with id and label",
        "prompts: [{id: a.md, label: first}]",
        "prompts",
        "write `prompt: prompts/NAME.md`",
    ),
    (
        "several providers",
        "providers: [openai:gpt-4o-mini, openai:gpt-4o]",
        "providers",
        "write `model: NAME`",
    ),
    (
        "native Anthropic or Google provider",
        "providers: [anthropic:messages:claude-sonnet]",
        "providers",
        "`endpoint: {protocol: anthropic}`",
    ),
    ("own application", "providers: ['file://app.py']", "providers", "your own application is a `target:`"),
    (
        "own application",
        "targets: [https://example.com/answer]",
        "targets",
        "`target:` for your own application",
    ),
    ("defaults for all tests", "defaultTest: {assert: []}", "defaultTest", "write `checks:`, `metrics:`"),
    (
        "grader in the defaults",
        "defaultTest: {options: {provider: openai:gpt-4o}}",
        "defaultTest",
        "`judge:` here, which apply to all cases",
    ),
    ("tests in CSV", "tests: cases.csv", "tests", "`dataset: cases.jsonl`"),
    ("tests made by code", "tests: make_cases.py", "tests", "write each test as a row of a file"),
    (
        "list variables",
        "tests: [{vars: {language: [French, German]}}]",
        "tests",
        "a list of values of a variable is a row for each value",
    ),
    ("list variables", "vars: {language: [French, German]}", "vars", "several values are several rows"),
    ("list variables", "scenarios: [{config: []}]", "scenarios", "a row of the dataset for each combination"),
    ("named metrics", "derivedMetrics: [{name: f1, value: a}]", "derivedMetrics", "not computed from others"),
    ("thresholds", "threshold: 0.8", "threshold", "`min` beside it"),
    (OTHER_KEYS, "assert: [{type: contains, value: x}]", "assert", "write `checks:`"),
    (OTHER_KEYS, "evaluateOptions: {repeat: 3}", "evaluateOptions", "`gate: {repeats: 3}`"),
    (OTHER_KEYS, "outputPath: out.json", "outputPath", "`--out FOLDER`"),
    (OTHER_KEYS, "env: {A: b}", "env", "`endpoint: {api_key_env: NAME}`"),
    (OTHER_KEYS, "nunjucksFilters: {up: up.js}", "nunjucksFilters", "put the final text into a column"),
    (OTHER_KEYS, "extensions: ['file://hooks.js:all']", "extensions", "hooks are not run"),
    (OTHER_KEYS, "redteam: {plugins: []}", "redteam", "write them as rows of the dataset"),
    (OTHER_KEYS, "description: x", "description", "write `name:`"),
    (OTHER_KEYS, "sharing: true", "sharing", "results are not uploaded"),
];

const OTHER_KEYS: &str = "other keys of a configuration";
const OTHER_TYPES: &str = "other assertion types";

/// Types of assertions, each written as a key and as the value of `type`: feature, type and words of the way out.
const TYPES: &[(&str, &str, &str)] = &[
    ("JavaScript", "javascript", "write `command: {run:"),
    ("Python", "python", "write `command: {run:"),
    ("free-text rubric", "llm-rubric", "a judge decides it"),
    ("G-Eval", "g-eval", "a judge decides it"),
    ("contains ignoring case", "icontains", "`contains: {all: [TEXT], ignore_case: true}`"),
    ("any of several", "contains-any", "`contains: {any: [TEXT, …]}`"),
    ("any of several", "contains-all", "`contains: [TEXT, …]`"),
    ("any of several ignoring case", "icontains-any", "`contains: {any: [TEXT, …], ignore_case: true}`"),
    ("all of several ignoring case", "icontains-all", "`contains: {all: [TEXT, …], ignore_case: true}`"),
    ("JSON with or without a schema", "is-json", "`is_json"),
    ("JSON with or without a schema", "contains-json", "`is_json: {extract: fenced}`"),
    ("latency", "latency", "`limits: {latency_p95: 5s}`"),
    ("cost", "cost", "`limits: {cost_per_case_usd: 0.01}`"),
    ("conversation relevance", "conversation-relevance", "`metrics: {relevance: {}}`"),
    ("factuality", "factuality", "`metrics: {correctness: {}}`"),
    ("negated forms", "not-contains", "`not_contains"),
    ("negated forms", "not-icontains", "`not_contains: {any: [TEXT], ignore_case: true}`"),
    ("negated forms", "not-contains-any", "`not_contains: [TEXT, …]`"),
    ("negated forms", "not-equals", "`"),
    ("negated forms", "not-regex", "`"),
    ("negated forms", "not-llm-rubric", "the opposite statement"),
    (OTHER_TYPES, "starts-with", "`starts_with"),
    (OTHER_TYPES, "answer-relevance", "`metrics: {relevance: {}}`"),
    (OTHER_TYPES, "context-faithfulness", "`metrics: {faithfulness: {}}`"),
    (OTHER_TYPES, "context-recall", "`metrics: {context_recall: {}}`"),
    (OTHER_TYPES, "context-precision", "`metrics: {context_precision: {}}`"),
    (OTHER_TYPES, "model-graded-closedqa", "rubric"),
    (OTHER_TYPES, "moderation", "`rubric` asks a judge"),
    (OTHER_TYPES, "guardrails", "`rubric` asks a judge"),
    (OTHER_TYPES, "perplexity", "log probabilities are not read"),
    (OTHER_TYPES, "webhook", "write `command: {run:"),
    (OTHER_TYPES, "rouge-n", "measure: rouge_l"),
    (OTHER_TYPES, "bleu", "measure: rouge_l"),
    (OTHER_TYPES, "levenshtein", "`similarity: {value: TEXT, min: 0.8}`"),
    (OTHER_TYPES, "is-refusal", "`may_refuse: true`"),
    (OTHER_TYPES, "select-best", "`metrics: {preference: {}}`"),
    (OTHER_TYPES, "assert-set", "an entry of its own"),
    (OTHER_TYPES, "word-count", "`length: {min_words: 1, max_words: 80}`"),
];

/// Keys beside an assertion.
const BESIDE: &[(&str, &str, &str)] = &[
    ("weights", "weight: 2", "none outweighs another"),
    ("thresholds", "threshold: 0.8", "`min` beside a check"),
    ("named metrics", "metric: politeness", "write `name: NAME`"),
    ("output transform", "transform: output.text", "`transform: {command: {run:"),
    ("grader in the defaults", "provider: openai:gpt-4o", "`judge: {model: NAME}`"),
];

/// Values of `prompt`.
const PROMPTS: &[(&str, &str, &str)] = &[
    ("inline prompts", "prompt: 'Answer {{question}}'", "write `prompt: {text: …}`"),
    ("inline prompts", "prompt: |\n  Answer the question.\n  Be brief.", "write `prompt: {text: …}`"),
    ("prompts in text files", "prompt: file://prompt.md", "write `prompt: prompt.md`"),
    ("prompts made by code", "prompt: make.py:refund", "evaluate the program that uses it with `target:`"),
    ("prompts made by code", "prompt: prompts/make.mjs", "prompts are not made by programs"),
];

fn refused(folder: &Folder) -> Outcome {
    let outcome = folder.promptgate(&["run", "--offline"]);
    assert_eq!(outcome.code, 2, "{}\n{}", folder.read("promptgate.yaml"), outcome.text());
    outcome
}

#[test]
fn keys_of_other_tools_are_refused_with_the_way_out() {
    for (feature, lines, key, words) in KEYS {
        let folder = Folder::small(2);
        folder.append("promptgate.yaml", &format!("{lines}\n"));
        let outcome = refused(&folder).says(&format!("unknown key `{key}`")).says(words);
        assert!(!outcome.stderr.contains("known keys are"), "{feature}: {}", outcome.stderr);
    }
}

#[test]
fn configuration_of_another_tool_has_one_error_a_key() {
    let folder = Folder::new();
    folder.write(
        "promptgate.yaml",
        "version: 1\nprompts: [a.md]\nproviders: [openai:gpt-4o]\ntests: [{vars: {a: b}}]\n",
    );
    let outcome = folder.promptgate(&["check"]).expect_code(2);
    assert_eq!(outcome.stderr.matches("error: ").count(), 3, "{}", outcome.stderr);
}

#[test]
fn types_of_assertions_are_refused_as_keys() {
    for (feature, name, words) in TYPES {
        let folder = Folder::small(2);
        folder.edit("promptgate.yaml", "  - length: {min_chars: 1}", &format!("  - {name}: text"));
        let outcome = refused(&folder).says(name).says(words);
        assert_eq!(outcome.stderr.matches("error: ").count(), 1, "{feature}: {}", outcome.stderr);
    }
}

#[test]
fn types_of_assertions_are_refused_as_values() {
    // As a key, this one is a check.
    let similar = ("similarity by embeddings", "similar", "`similar: VALUE`");
    for (_, name, words) in TYPES.iter().chain([&similar]) {
        let folder = Folder::small(2);
        folder.edit(
            "promptgate.yaml",
            "  - length: {min_chars: 1}",
            &format!("  - {{type: {name}, value: text}}"),
        );
        refused(&folder).says("unknown key `type`").says(words);
    }
}

#[test]
fn assertions_of_a_case_are_refused() {
    for (checks, words) in [
        (r#""assert": [{"type": "icontains", "value": "x"}]"#, "`fields: {checks: \"assert\"}`"),
        (r#""checks": [{"type": "icontains", "value": "x"}]"#, "ignore_case: true"),
        (r#""checks": [{"llm-rubric": "is polite"}]"#, "a judge decides it"),
    ] {
        let folder = Folder::small(2);
        folder.append("cases.jsonl", &format!("{{\"query\": \"Why?\", \"context\": \"So.\", {checks}}}\n"));
        refused(&folder).says("cases.jsonl:3").says(words);
    }
}

#[test]
fn keys_beside_an_assertion_are_refused() {
    for (_, key, words) in BESIDE {
        let folder = Folder::small(2);
        folder.edit("promptgate.yaml", "{min_chars: 1}", &format!("{{min_chars: 1}}\n    {key}"));
        refused(&folder).says("unknown key").says(words);
    }
}

#[test]
fn prompts_that_are_not_files_are_refused() {
    for (feature, lines, words) in PROMPTS {
        let folder = Folder::small(2);
        folder.edit("promptgate.yaml", "prompt: prompt.md", lines);
        let outcome = refused(&folder).says(words);
        assert_eq!(outcome.stderr.matches("error: ").count(), 1, "{feature}: {}", outcome.stderr);
    }
}

#[test]
fn template_logic_is_refused() {
    for tag in ["{% if premium %}", "{%- for row in rows -%}", "{% set a = 1 %}"] {
        let folder = Folder::small(2);
        folder.append("prompt.md", &format!("\n{tag}\n"));
        refused(&folder).says("is not executed").says("a column of the dataset");
    }
    let folder = Folder::small(2);
    folder.append("prompt.md", "{{#each rows}}\n");
    refused(&folder).says("no conditions, loops");
}

#[test]
fn variables_from_files_are_refused_unless_listed() {
    let folder = Folder::small(2);
    folder.write("notes/one.md", "Refunds take 30 days.\n");
    folder.append(
        "cases.jsonl",
        "{\"query\": \"Why?\", \"context\": \"So.\", \"notes\": \"file://notes/one.md\"}\n",
    );
    refused(&folder)
        .says("cases.jsonl:3")
        .says("`notes` refers to a file")
        .says("write `dataset: {path: …, files: [notes]}`");
}

#[test]
fn dataset_made_by_code_is_refused() {
    let folder = Folder::small(2);
    folder.write("make_cases.py", "print('cases')\n");
    folder.edit("promptgate.yaml", "dataset: cases.jsonl", "dataset: make_cases.py");
    refused(&folder).says("make_cases.py").says("format");
}

pub(super) fn features() -> impl Iterator<Item = &'static str> {
    let keys = KEYS.iter().map(|(feature, ..)| *feature);
    let types = TYPES.iter().chain(BESIDE).chain(PROMPTS).map(|(feature, ..)| *feature);
    keys.chain(types).chain(["template logic", "variables from files"])
}
