//! The conversion of every fixture, as a whole, and of sources that cannot be read.

use std::path::Path;

use serde_json::{Value, json};

use super::*;

/// The scripts, whose text is in this folder.
const SCRIPTS: [&str; 5] = [
    "scorers/javascript.mjs",
    "scorers/python.py",
    "adapters/exec.py",
    "adapters/provider.py",
    "adapters/provider.mjs",
];

/// Converts the fixture in a folder.
fn fixture(folder: &Path) -> Result<Conversion, Diagnostics> {
    let tree = Tree::work_tree(folder);
    let read = |path: &str| tree.read(path).map_err(|error| error.message);
    let list = |pattern: &str| tree.glob(pattern).map_err(|error| error.message);
    convert(
        None,
        &Sources {
            folder: String::new(),
            prefix: String::new(),
            read: &read,
            list: &list,
            unreadable: RefCell::default(),
        },
    )
}

/// Converts files in memory, of which the first is the source.
fn in_memory(files: &[(&str, &str)]) -> Result<Conversion, Diagnostics> {
    let read = |path: &str| {
        let found = files.iter().find(|(name, _)| *name == path);
        found.map(|(_, text)| text.as_bytes().to_vec()).ok_or_else(|| "file not found".to_owned())
    };
    let list = |pattern: &str| {
        let pattern = pattern.trim_start_matches('*').to_owned();
        Ok(files.iter().map(|(name, _)| (*name).to_owned()).filter(|name| name.ends_with(&pattern)).collect())
    };
    let name = files.first().map(|(name, _)| *name);
    convert(
        name,
        &Sources {
            folder: "evals".to_owned(),
            prefix: String::new(),
            read: &read,
            list: &list,
            unreadable: RefCell::default(),
        },
    )
}

/// All files and notes in one text.
fn described(conversion: &Conversion) -> String {
    let files = conversion.files.iter().map(|(path, text)| match SCRIPTS.contains(&path.as_str()) {
        true => format!("=== {path}\n(script)\n"),
        false => format!("=== {path}\n{text}"),
    });
    let notes = conversion.draft.notes.iter().map(|note| format!("{note}\n"));
    let count = format!("=== carried: {}, not carried:\n", conversion.draft.carried);
    files.chain([count]).chain(notes).collect()
}

#[test]
fn fixtures_are_converted_as_recorded() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/imports");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert!(folders.len() >= 25, "{}", folders.len());
    for folder in folders {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let conversion = fixture(&folder).unwrap_or_else(|errors| panic!("{name}: {errors}"));
        insta::assert_snapshot!(name, described(&conversion));
    }
}

/// A configuration with one prompt and one model.
fn configuration(rest: &str) -> String {
    format!("prompts: ['Answer: {{{{question}}}}']\nproviders: [openai:gpt-4o-mini]\n{rest}")
}

#[track_caller]
fn fails(files: &[(&str, &str)], parts: &[&str]) {
    let errors = in_memory(files).err().expect("an error").to_string();
    for part in parts {
        assert!(errors.contains(part), "no {part:?} in:\n{errors}");
    }
}

#[test]
fn unreadable_sources_are_errors_with_their_place() {
    const NAME: &str = "promptfooconfig.yaml";
    let test = |rest: &str| configuration(&format!("tests: [{{vars: {{question: Why?}}, {rest}}}]"));
    fails(&[(NAME, "prompts: [a\nproviders: x")], &["evals/promptfooconfig.yaml:2", "not valid YAML"]);
    fails(&[(NAME, "")], &["the file is empty"]);
    fails(&[("x.yaml", "a: 1")], &["evals/x.yaml", "the format is not known", "a promptfoo configuration"]);
    fails(&[("x.yaml", "- a\n- b")], &["a list of values is not a configuration"]);
    fails(&[("x.txt", "Answer.")], &["this is a text"]);
    fails(&[("promptgate.yaml", "version: 1\ndataset: x")], &["a configuration of promptgate already"]);
    fails(&[("x.md", "---\ntitle: x\n---\nHello")], &["its front matter is of no known kind"]);
    fails(&[("x.json", "{\"prompts\": [")], &["evals/x.json:1"]);
    fails(
        &[(NAME, "prompts: [file://missing.txt]\nproviders: [openai:x]\ntests: [{}]")],
        &[
            "evals/promptfooconfig.yaml:1",
            "cannot read `evals/missing.txt`: file not found",
            "correct the path",
        ],
    );
    fails(
        &[(NAME, "prompts: [file://p/*.txt]\nproviders: [openai:x]")],
        &["no file matches `evals/p/*.txt`"],
    );
    fails(&[(NAME, &configuration("tests: file://missing.csv"))], &["cannot read `evals/missing.csv`"]);
    fails(&[(NAME, &configuration("tests: t/*.yaml"))], &["no file matches `evals/t/*.yaml`"]);
    fails(
        &[(NAME, &configuration("tests: [{vars: {question: file://q.txt}}]"))],
        &["cannot read `evals/q.txt`"],
    );
    fails(
        &[(NAME, &test("assert: [{$ref: '#/assertionTemplates/a'}]").replace("tests:", "assertionTemplates: {a: {$ref: '#/assertionTemplates/b'}, b: {$ref: '#/assertionTemplates/a'}}\ntests:"))],
        &["`$ref` leads in a circle", "#/assertionTemplates/b → #/assertionTemplates/a", "evals/promptfooconfig.yaml:3"],
    );
    fails(
        &[(NAME, &test("assert: [{$ref: '#/none'}]"))],
        &["`#/none` names nothing", "evals/promptfooconfig.yaml:3"],
    );
    fails(
        &[
            (NAME, &configuration("tests: t.csv")),
            ("t.csv", "question,__expected\n\"a\"\"b\",yes\n\"open,no\nx,y\n"),
        ],
        &["evals/t.csv:3", "the row has 1 cells, but the header has 2", "close every quote"],
    );
    fails(&[(NAME, &configuration("tests: t.jsonl")), ("t.jsonl", "{}\n{\"vars\"")], &["evals/t.jsonl:2"]);
    let list = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]";
    let lists: String = ('a'..='f').map(|name| format!("{name}: {list}, ")).collect();
    fails(
        &[(NAME, &configuration(&format!("tests: [{{vars: {{{lists}}}}}]")))],
        &["more than 100000 cases", "promptfooconfig.yaml:3"],
    );
    fails(
        &[(NAME, "prompts: [file://make.py]\nproviders: [openai:x]\ntests: [{}]")],
        &["no prompt could be carried", "the prompt `file://make.py` is made by a program"],
    );
    fails(
        &[(NAME, &configuration("tests: file://make.py"))],
        &["no case could be carried", "are made by a program"],
    );
    for assertion in ["is-json", "contains", "javascript", "llm-rubric"] {
        let value = if assertion == "javascript" { "file://none.js" } else { "file://none.json" };
        let text = test(&format!("assert: [{{type: {assertion}, value: '{value}'}}]"));
        fails(
            &[(NAME, &text)],
            &["cannot read `evals/none.js", "promptfooconfig.yaml:3", "correct the path"],
        );
    }
    fails(
        &[("items.json", "[{\"input\": \"a\", \"expectedOutput\": \"b\"}]")],
        &["evals/items.json", "the items of a dataset, without a prompt"],
    );
    fails(
        &[("p.prompt.yml", "messages: [{role: user, content: ''}]\nmodel: x")],
        &["the prompt has no messages"],
    );
}

#[test]
fn references_that_double_are_limited() {
    let levels = (0..20).map(|level| {
        let next = if level == 19 { "x".to_owned() } else { format!("{{$ref: '#/a/l{}'}}", level + 1) };
        format!("  l{level}: [{next}, {next}]\n")
    });
    let text = configuration(&format!("tests: [{{$ref: '#/a/l0'}}]\na:\n{}", levels.collect::<String>()));
    fails(&[("promptfooconfig.yaml", &text)], &["references add more than 200000 values"]);
}

/// The notes of a configuration with one test.
fn notes(test: &str) -> Vec<String> {
    let text = configuration(&format!("tests:\n  - {test}\n"));
    let conversion = in_memory(&[("promptfooconfig.yaml", &text), ("a.ts", ""), ("a.yaml", "{}")]).unwrap();
    conversion.draft.notes.iter().map(Diagnostic::to_string).collect()
}

#[test]
fn everything_without_a_counterpart_has_a_line() {
    for (test, parts) in [
        (
            "assert: [{type: javascript, value: 'file://a.ts'}]",
            ["promptfooconfig.yaml:4", "`a.ts` is not run by the scorer"],
        ),
        (
            "assert: [{type: javascript, value: context.prompt.length}]",
            ["promptfooconfig.yaml:4", "`context.prompt` is not available"],
        ),
        (
            "assert: [{type: contains, value: 'file://a.ts'}]",
            ["its value is made by `a.ts`", "write the value"],
        ),
        (
            "assert: [{type: contains, value: 'file://a.ts'}]",
            ["its value is made by `a.ts`", "write the value"],
        ),
        ("assert: [{type: contains}]", ["`contains`: it has no text as its `value`", "write the text"]),
        (
            "assert: [{type: contains, value: '{{question | upper}}'}]",
            ["`{{question | upper}}` is not a plain variable", "write the finished text"],
        ),
        (
            "assert: [{type: contains-json, value: {type: object}}]",
            ["`contains-json`: no counterpart", "extract: fenced"],
        ),
        ("assert: [{type: is-json, value: {type: strin}}]", ["`is-json`", "help"]),
        ("assert: [{type: rouge-n, value: a}]", ["`rouge-n`: no counterpart", "similarity"]),
        ("assert: [{value: a}]", ["an assertion has no `type`", "import again"]),
        (
            "assert: [{type: equals, value: a, transform: output.toUpperCase()}]",
            ["its `transform` is code", "json_field"],
        ),
        (
            "assert: [{type: llm-rubric, value: kind, rubricPrompt: x}]",
            ["its key `rubricPrompt` is not carried", "judge"],
        ),
        ("options: {transform: output.toUpperCase()}", ["a transformation for one test", "transform:"]),
        ("options: {rubricPrompt: x}", ["`rubricPrompt` has no counterpart", "criteria"]),
        (
            "providerOutput: x",
            ["recorded answers of a test are not carried", "target: {answers: answers.jsonl}"],
        ),
        ("provider: openai:x", ["`provider` of a test has no counterpart", "a configuration of its own"]),
        ("vars: {question: 'file://a.png'}", ["which is not text", "write the text itself"]),
        ("vars: {other: x}", ["the variable `question` of a prompt has no value", "an empty text"]),
    ] {
        let found = notes(test).join("\n");
        for part in parts {
            assert!(found.contains(part), "{test}: no {part:?} in:\n{found}");
        }
    }
    assert_eq!(
        notes("{vars: {question: Why?}, assert: [{type: contains, value: a}], metadata: {a: 1}}"),
        [""; 0]
    );
}

#[test]
fn keys_and_secrets_stay_where_they_are() {
    let text =
        "prompts: [x]\nproviders: [{id: openai:gpt-4o, config: {apiKey: sk-abcdefghijklmnop}}]\ntests: [{}]";
    let conversion = in_memory(&[("promptfooconfig.yaml", text)]).unwrap();
    let shown = described(&conversion);
    assert!(
        !shown.contains("sk-abc") && shown.contains("`apiKey` of the provider is not carried"),
        "{shown}"
    );
    let text = "prompts: ['{{q}}']\nproviders: [{id: 'https://x.example/a', config: {headers: {X-Api-Key: sk-abcdefghijklmnop}}}]\n\
                tests: [{vars: {q: a}}]";
    let conversion = in_memory(&[("promptfooconfig.yaml", text)]).unwrap();
    let shown = described(&conversion);
    assert!(!shown.contains("sk-abc") && shown.contains("TARGET_X_API_KEY"), "{shown}");
}

#[test]
fn odd_characters_stay_out_of_comments_and_ids() {
    let text = configuration(
        "tests:\n  - {vars: {question: a}, description: \"a\\u200b \\e[31m\\nb\", assert: [{type: \"x\\n\\e]0;y\"}]}\n",
    );
    let conversion = in_memory(&[("promptfooconfig.yaml", &text)]).unwrap();
    let described = described(&conversion);
    assert!(described.contains("\"id\":\"a [31m b\""), "{described}");
    let comments = described.lines().take_while(|line| line.starts_with(['#', '=']));
    assert!(comments.clone().count() > 3 && !comments.collect::<String>().contains('\u{1b}'), "{described}");
}

#[test]
fn kinds_are_recognized_by_content() {
    let kind = |name: &str, text: &str| in_memory(&[(name, text)]).map(|conversion| conversion.kind);
    assert_eq!(
        kind("suite.yml", &configuration("tests: [{vars: {question: a}}]")),
        Ok("a promptfoo configuration")
    );
    assert_eq!(
        kind("x.txt", "---\nmodel: {api: chat, configuration: {type: openai, name: m}}\n---\nuser:\nHi"),
        Ok("a Prompty file")
    );
    assert_eq!(kind("x.txt", "---\nmodel: googleai/m\n---\nHi {{name}}"), Ok("a Dotprompt file"));
    assert_eq!(
        kind("x.json", "{\"type\": \"text\", \"prompt\": \"Hi\", \"config\": {\"model\": \"m\"}}"),
        Ok("a Langfuse prompt")
    );
    assert_eq!(kind("x.yaml", "messages: [{role: user, content: Hi}]\nmodel: m"), Ok("a GitHub prompt"));
}

#[test]
fn one_check_of_a_kind_has_no_name() {
    let test = "{vars: {question: a}, assert: [{type: contains, value: a}, {type: contains, value: b}, {type: contains, value: c, metric: My metric!}]}";
    let conversion =
        in_memory(&[("promptfooconfig.yaml", &configuration(&format!("tests:\n  - {test}\n")))]).unwrap();
    let (_, rows) = conversion.files.iter().find(|(path, _)| path == "cases.jsonl").unwrap();
    let row: Value = serde_json::from_str(rows.lines().next().unwrap()).unwrap();
    let expected = json!([{"contains": "a"}, {"contains": "b", "name": "contains-2"}, {"contains": "c", "name": "my-metric"}]);
    assert_eq!(row["checks"], expected);
}
