//! Which columns and which datasets a suite takes, and what is said about the others.

use super::around::folder;

#[test]
fn passage_is_not_sent_as_the_question() {
    let prompt = "Help {{customer_name}} with this article:\n\n{{article}}\n";
    let folder = folder(&[
        ("prompt.md", prompt),
        (
            "cases.csv",
            "user_input,customer_name,article,golden_answer,region\nHow long is it?,Ana,It is three days.,Three days.,eu\n",
        ),
    ]);
    folder.promptgate(&["init"]).expect_code(0).says("user_input ▸ query").says("not used: region");
    folder.promptgate(&["check"]).expect_code(0);
    let configuration = folder.read("promptgate.yaml");
    assert!(configuration.contains("query: user_input") && configuration.contains("user: \"{{query}}\""));
}

#[test]
fn prompt_that_takes_all_data_gets_a_constant_message() {
    for (rows, says) in [
        ("article,remark\nIt is three days long.,Not so long ago.\n", "not used: remark"),
        ("article,size\nIt is three days long.,3\n", "article ▸ query"),
    ] {
        let folder =
            folder(&[("prompt.md", "Sum up in one sentence.\n\n{{article}}\n"), ("cases.csv", rows)]);
        let outcome = folder.promptgate(&["init"]).expect_code(0);
        outcome.says(says).says("no column is the question");
        let configuration = folder.read("promptgate.yaml");
        assert!(
            configuration.contains("user: \"Please answer.\" # the same for all cases"),
            "{configuration}"
        );
    }
}

#[test]
fn labels_are_expected_or_named() {
    let rows = "request,policy,decision\nBoots back,30 days,approve\nTent back,30 days,reject\nHat back,30 days,approve\nRope \
                back,30 days,reject\n";
    let plain = "Decide about {{request}} by {{policy}}. Say approve or reject.\n";
    let labels = folder(&[("prompt.md", plain), ("cases.csv", rows)]);
    labels.promptgate(&["init"]).expect_code(0).says("decision ▸ expected").says("task classify");
    labels.promptgate(&["check"]).expect_code(0);
    let json =
        "Decide about {{request}} by {{policy}}. Reply with JSON: {\"decision\": \"approve\"} or reject.\n";
    let json = folder(&[("prompt.md", json), ("cases.csv", rows)]);
    json.promptgate(&["init"]).expect_code(0).says("decision ▸ expected").says("task extract");
    let configuration = json.read("promptgate.yaml");
    for line in [
        "answer_field: decision #",
        "json_field: {path: decision, one_of: [approve, reject]}",
        "name: right-label",
    ] {
        assert!(configuration.contains(line), "{line}: {configuration}");
    }
    json.promptgate(&["check"]).expect_code(0);
    let unknown = folder(&[
        ("prompt.md", "Help with {{request}} by {{policy}}.\n"),
        ("cases.csv", &rows.replace("decision", "mark")),
    ]);
    unknown.promptgate(&["init"]).expect_code(0).says("not used: mark (looks like labels: approve, reject)");
}

#[test]
fn suites_of_services_have_their_names_and_their_own_data() {
    let row = "{\"question\": \"How long is it?\", \"context\": \"It is three days.\"}\n";
    let folder = folder(&[
        ("services/returns/chat.json", r#"[{"role": "user", "content": "Help with {{question}}"}]"#),
        ("services/search/rewrite.txt", "Rewrite the question {{question}}.\n"),
        ("services/support/prompt.md", "Answer {{question}} from {{context}}.\n"),
        ("services/support/cases.jsonl", row),
    ]);
    folder
        .promptgate(&["init", "--prompt", "all"])
        .expect_code(0)
        .says("suite returns: services/returns/chat.json")
        .says("suite search: services/search/rewrite.txt")
        .says("1 case in services/support/cases.jsonl")
        .says("3 draft cases in services/search/cases.jsonl")
        .says("3 draft cases in services/returns/cases.jsonl");
    folder.promptgate(&["check"]).expect_code(0);
}

#[test]
fn application_gets_no_starter_suite() {
    for files in [
        &[("requirements.txt", "openai\n"), ("app.py", "print('x')\n")][..],
        &[("src/bot.py", "print('x')\n")],
        &[("pyproject.toml", "[project]\n")],
    ] {
        let folder = folder(files);
        let name = files.last().expect("a file").0;
        let outcome = folder.promptgate(&["init"]).expect_code(2);
        outcome
            .says(&format!("{name} looks like an application"))
            .says("docs/targets.md")
            .says("init FOLDER");
        assert!(!folder.path().join("promptgate.yaml").exists() && !folder.path().join("prompts").exists());
        folder.promptgate(&["init", "gate"]).expect_code(0).says("a starter suite");
        folder.promptgate(&["check", "gate"]).expect_code(0);
    }
    let code = folder(&[("app.py", "print('x')\n")]);
    code.promptgate(&["init", "--prompt", "app.py"])
        .expect_code(2)
        .says("this is source code")
        .says("docs/targets.md");
}
