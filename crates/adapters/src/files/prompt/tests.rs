use serde_json::json;
use tempfile::TempDir;

use super::*;

fn parsed(tree: &Tree, source: &PromptSource) -> Result<Loaded<ParsedPrompt>, Diagnostics> {
    parse_prompt(&fetch_prompt(tree, &source.path)?, source)
}

fn prompt(tree: &Tree, source: &PromptSource) -> Result<Loaded<Variant>, Diagnostics> {
    let Loaded { value, warnings } = parsed(tree, source)?;
    Ok(Loaded { value: value.variant, warnings })
}

fn load(name: &str, content: &str) -> Result<Loaded<Variant>, Diagnostics> {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir_all(folder.path().join("prompts")).unwrap();
    std::fs::write(folder.path().join(name), content).unwrap();
    let source = PromptSource {
        inline: None,
        path: name.to_owned(),
        user: "{{query}}".to_owned(),
        model: Some("configured".to_owned()),
        parameters: json!({"temperature": 0, "seed": 1}).as_object().cloned().unwrap(),
    };
    prompt(&Tree::work_tree(folder.path()), &source)
}

fn load_error(name: &str, content: &str) -> String {
    load(name, content).unwrap_err().to_string()
}

#[test]
fn plain_text_becomes_the_system_message() {
    let variant = load("prompts/support.md", "\u{feff}\r\n# Hi {{query}}\r\n\r\nline\r\n\r\n").unwrap().value;
    let contents: Vec<_> = variant.messages.iter().map(|m| (m.role, m.content.as_str())).collect();
    assert_eq!(contents, [(MessageRole::System, "# Hi {{query}}\n\nline"), (MessageRole::User, "{{query}}")]);
    assert_eq!(variant.lines, [2, 0]);
    let facts = variant.facts;
    assert_eq!((facts.prompt.name.as_str(), facts.prompt.source.as_str()), ("support", "prompts/support.md"));
    assert_eq!(facts.prompt.digest.len(), 7 + 64);
    assert_eq!(facts.prompt.version, facts.prompt.digest[7..19]);
    assert_eq!((facts.model.as_str(), facts.parameters["seed"].as_i64()), ("configured", Some(1)));
}

#[test]
fn digest_covers_the_raw_bytes() {
    let facts = load("p.txt", "abc").unwrap().value.facts;
    // FIPS 180-2, appendix B.1.
    let abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(facts.prompt.digest, abc);
}

#[test]
fn front_matter_overrides_the_configuration() {
    let text = "---\nname: Refunds\nversion: 7\nmodel: small\nparameters: {temperature: 1, top_p: 0.5}\nauthor: me\n\
                reason: why\n---\n\n\nBody\n---\nmore\n";
    let variant = load("p.md", text).unwrap().value;
    assert_eq!(variant.messages[0].content, "Body\n---\nmore");
    assert_eq!(variant.lines[0], 11);
    assert_eq!(variant.facts.prompt.name, "Refunds");
    assert_eq!(variant.facts.prompt.version, "7");
    assert_eq!(variant.facts.model, "small");
    assert_eq!(Value::from(variant.facts.parameters), json!({"temperature": 1, "seed": 1, "top_p": 0.5}));
}

#[test]
fn front_matter_errors_have_line_numbers() {
    let shown = load_error("p.md", "---\nversoin: 1\nparameters: 3\nversion: 1.10\n---\nBody");
    assert!(shown.contains("p.md:2:1: unknown key `versoin` (help: did you mean `version`?)"), "{shown}");
    assert!(shown.contains("p.md:3:13: `parameters` must be a map"), "{shown}");
    assert!(shown.contains("p.md:4:10: `version` must be text") && shown.contains("quote it"), "{shown}");
    assert!(load_error("p.md", "---\nname: x\nBody").contains("never closed"));
    assert!(load_error("p.md", "---\njust words\n---\nBody").contains("blank line before it"));
    assert!(load_error("p.md", "---\nname: x\n---\n\n").contains("only front matter"));
    assert!(load_error("p.md", "---\nname: [\n---\nx").starts_with("p.md:"));
    assert!(load("p.md", "---\n---\nBody").is_ok());
    assert!(load_error("p.md", " \n\n").contains("the prompt is empty"));
}

#[test]
fn chat_messages_are_read_from_json_and_yaml() {
    let json = "[\n {\"role\": \"system\", \"content\": \"S {\\\"a\\\": 1}\"},\n {\"role\": \"user\", \"content\": \"{{query}}\"}\n]";
    let variant = load("p.json", json).unwrap().value;
    assert_eq!(variant.messages[0].content, "S {\"a\": 1}");
    assert_eq!((variant.messages.len(), variant.lines), (2, vec![2, 3]));
    let yaml = "name: chat\nversion: \"2.0\"\nmessages:\n  - role: developer\n    content: |\n      one\n      two\n  - {role: assistant, content: hm}\n";
    let variant = load("p.yaml", yaml).unwrap().value;
    assert_eq!(variant.messages[0], Message::new(MessageRole::Developer, "one\ntwo\n".to_owned()));
    assert_eq!((variant.lines, variant.facts.prompt.version.as_str()), (vec![6, 8], "2.0"));
}

#[test]
fn github_prompt_file_is_read() {
    let text = "name: Summary\ndescription: d\nmodel: openai/gpt-4o-mini\nmodelParameters:\n  maxTokens: 5\n  temperature: 0.5\n\
                messages:\n  - role: user\n    content: 'S {{input}}'\ntestData: []\nevaluators: []\n";
    let loaded = load("x.prompt.yml", text).unwrap();
    assert_eq!(loaded.warnings.len(), 2, "{:?}", loaded.warnings);
    let facts = loaded.value.facts;
    assert_eq!((facts.prompt.name.as_str(), facts.model.as_str()), ("Summary", "openai/gpt-4o-mini"));
    assert_eq!(Value::from(facts.parameters), json!({"temperature": 0.5, "seed": 1, "max_tokens": 5}));
    let unnamed = load("x.prompt.yml", "messages: [{role: user, content: a}]").unwrap().value;
    assert_eq!(unnamed.facts.prompt.name, "x");
    assert!(
        load_error("x.yml", "responseFormat: json_object\nmessages: [{role: user, content: a}]")
            .contains("response_format")
    );
}

#[test]
fn prompty_file_is_split_at_its_roles() {
    let text = "---\nname: Basic\nauthors: [me]\nsample: {question: q}\n---\nsystem:\nYou help.\n\n# Rules\nBe short.\n\nuser:\n{{query}}\n";
    let variant = load("basic.prompty", text).unwrap().value;
    let contents: Vec<_> = variant.messages.iter().map(|m| (m.role, m.content.as_str())).collect();
    let system = "You help.\n\n# Rules\nBe short.";
    assert_eq!(contents, [(MessageRole::System, system), (MessageRole::User, "{{query}}")]);
    assert_eq!((variant.lines, variant.facts.prompt.name.as_str()), (vec![7, 13], "Basic"));
    let plain = load("p.prompty", "---\nname: x\n---\nJust text.\n").unwrap().value;
    assert_eq!((plain.messages.len(), plain.messages[0].role), (1, MessageRole::System));
    assert!(load_error("p.prompty", "system:\nuser:\nhi\n").contains("p.prompty:1: this message is empty"));
    let map = "---\nmodel: {api: chat, configuration: {type: openai}}\n---\nsystem:\nx\n";
    assert!(load_error("p.prompty", map).contains("model: gpt-4o-mini"));
}

#[test]
fn roles_in_a_text_prompt_are_warned_about() {
    let loaded = load("p.md", "---\nname: x\n---\nsystem:\nYou help.\nuser:\n{{query}}\n").unwrap();
    assert_eq!(loaded.warnings.len(), 1);
    assert!(loaded.warnings[0].starts_with("p.md:4: `system:` is text"), "{:?}", loaded.warnings);
    assert!(load("p.md", "The system: it works.\n").unwrap().warnings.is_empty());
}

#[test]
fn variables_of_the_environment_in_front_matter_are_errors() {
    let shown = load_error("p.md", "---\nmodel: ${MODEL}\n---\nBody\n");
    assert!(shown.contains("p.md:2:8: `${MODEL}` is not expanded"), "{shown}");
}

#[test]
fn chat_errors_are_reported_together_with_lines() {
    let shown = load_error(
        "p.yaml",
        "mesages: 1\nmessages:\n  - role: usr\n    content: a\n  - role: user\n    content: \"\"\n  - 3\n  - {role: user, content: [a], nme: 1}\n  - content: x\n",
    );
    for part in [
        "p.yaml:1:1: unknown key `mesages` (help: did you mean `messages`?)",
        "p.yaml:3:11: unknown role: text \"usr\" (help: did you mean `user`?)",
        "p.yaml:6:14: the `content` of a message must be text",
        "p.yaml:7:5: a message must be a map",
        "unknown key `nme` in a message",
        "has no `role`",
    ] {
        assert!(shown.contains(part), "{part} is not in:\n{shown}");
    }
    assert!(load_error("p.json", "[]").contains("the list of messages is empty"));
    assert!(load_error("p.json", "\"text\"").contains("a list of messages"));
    assert!(load_error("p.json", "{}").contains("`messages` is missing"));
    assert!(load_error("p.json", "[{]").starts_with("p.json:1"));
}

#[test]
fn prompt_without_model_is_an_error() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("p.md"), "x").unwrap();
    let source = PromptSource { path: "p.md".to_owned(), ..PromptSource::default() };
    let tree = Tree::work_tree(folder.path());
    assert!(prompt(&tree, &source).unwrap_err().to_string().contains("no model"));
    let source = PromptSource { model: Some("m".to_owned()), ..source };
    assert_eq!(prompt(&tree, &source).unwrap().value.messages.len(), 1, "no empty user message");
}

#[test]
fn prompt_name_is_the_file_name_without_extension() {
    for (path, name) in
        [("a/b.md", "b"), ("b.prompt.yaml", "b"), ("v1.2.md", "v1.2"), ("b", "b"), (".md", ".md")]
    {
        assert_eq!(stem(path), name);
    }
}

fn front_matter(name: &str, content: &str) -> ParsedPrompt {
    let bytes = PromptBytes {
        file: name.to_owned(),
        commit: None,
        bytes: content.as_bytes().to_vec(),
        ..PromptBytes::default()
    };
    let source =
        PromptSource { path: name.to_owned(), model: Some("m".to_owned()), ..PromptSource::default() };
    parse_prompt(&bytes, &source).unwrap().value
}

#[test]
fn publication_keys_are_kept_with_their_places() {
    let text =
        "---\nversion: 2.4.0\nlevel: minor\nreason: Answers in the language of the question.\n---\nBody\n";
    for (name, text, kind) in [
        ("p.md", text.to_owned(), PromptKind::Text),
        ("p.prompty", text.replace("Body", "system:\nBody"), PromptKind::Chat),
        (
            "p.yaml",
            "\nversion: 2.4.0\nlevel: minor\nreason: Answers in the language of the question.\nmessages: [{role: system, content: Body}]\n".to_owned(),
            PromptKind::Chat,
        ),
    ] {
        let parsed = front_matter(name, &text);
        assert_eq!(parsed.kind, kind, "{name}");
        let FrontMatter { version, level, reason } = parsed.front_matter;
        let (version, at) = version.unwrap();
        assert_eq!((version.as_str(), at.line), ("2.4.0", Some(2)), "{name}");
        let (level, at) = level.unwrap();
        assert_eq!((level, at.line), (promptgate_release::Level::Minor, Some(3)), "{name}");
        assert_eq!(reason.as_deref(), Some("Answers in the language of the question."), "{name}");
    }
    assert_eq!(front_matter("p.md", "Body").front_matter, FrontMatter::default());
}

#[test]
fn unknown_level_is_an_error_with_its_place() {
    let error = load_error("p.md", "---\nlevel: huge\n---\nBody\n");
    assert!(error.starts_with("p.md:2:8: invalid level `huge`: expected patch, minor or major"), "{error}");
}

fn inline(configuration: &str) -> Result<Loaded<ParsedPrompt>, Diagnostics> {
    let bytes = PromptBytes {
        file: "promptgate.yaml".to_owned(),
        commit: None,
        bytes: configuration.as_bytes().to_vec(),
        images: Images::new(),
    };
    let source = PromptSource {
        inline: Some("suite".to_owned()),
        user: "{{query}}".to_owned(),
        model: Some("m".to_owned()),
        ..PromptSource::default()
    };
    parse_prompt(&bytes, &source)
}

#[test]
fn inline_text_has_the_lines_of_the_configuration() {
    let text = "model: m\nprompt:\n  text: |\n\n    Be brief.\n    {{context}}\n";
    let variant = inline(text).unwrap().value.variant;
    let contents: Vec<_> = variant.messages.iter().map(|m| (m.role, m.content.as_str())).collect();
    assert_eq!(contents, [(MessageRole::System, "Be brief.\n{{context}}"), (MessageRole::User, "{{query}}")]);
    assert_eq!(variant.lines, [5, 0]);
    assert_eq!(variant.facts.prompt.name, "suite");
    let other = inline(&text.replace("model: m", "model: other")).unwrap().value.variant;
    assert_eq!(other.facts.prompt.digest, variant.facts.prompt.digest);
    let one_line = inline("prompt: {text: Be brief., name: short, version: 1.2.0}").unwrap().value.variant;
    assert_eq!(one_line.lines, [1, 0]);
    assert_eq!(
        (one_line.facts.prompt.name.as_str(), one_line.facts.prompt.version.as_str()),
        ("short", "1.2.0")
    );
}

#[test]
fn inline_messages_are_those_of_a_chat_prompt() {
    let text = "prompt:\n  messages:\n    - {role: system, content: a}\n    - {role: user, content: b}\n";
    let parsed = inline(text).unwrap().value;
    assert_eq!(parsed.kind, PromptKind::Chat);
    assert_eq!(parsed.variant.lines, [3, 4]);
    let error = inline(&text.replace("user", "boss")).unwrap_err().to_string();
    assert!(error.contains("promptgate.yaml:4") && error.contains("unknown role"), "{error}");
    let error = inline("prompt: {text: ' '}").unwrap_err().to_string();
    assert!(error.contains("the prompt is empty"), "{error}");
}

#[test]
fn application_gets_the_text_or_the_messages_of_an_inline_prompt() {
    let text = |configuration: &str| {
        let bytes = PromptBytes {
            file: "f".to_owned(),
            commit: None,
            bytes: configuration.as_bytes().to_vec(),
            images: Images::new(),
        };
        prompt_text(&bytes, &PromptSource { inline: Some("s".to_owned()), ..PromptSource::default() })
            .unwrap()
    };
    assert_eq!(text("prompt: {text: Be brief.}"), "Be brief.");
    assert_eq!(text("prompt: {messages: [{role: user, content: a}]}"), r#"[{"role":"user","content":"a"}]"#);
}
