//! Imports are about the file that an application reads; where only a copy can be gated, the output says so.

use super::around::folder;
use crate::support::Folder;

const TRIAGE: &str = "prompts/triage.prompt.yml";
const GITHUB: &str = "name: Ticket triage\nmodel: openai/gpt-4o-mini\nmodelParameters:\n  temperature: 0.1\nmessages:\n  - role: system\n    \
                      content: |\n      Answer from this article.\n      {{article}}\n  - role: user\n    content: \"{{input}}\"\ntestData:\n  - {input: \
                      How long is it?, article: It is three days., expected: Three days.}\n  - {input: What does it cost?, article: It costs 40 \
                      euros., expected: 40 euros.}\nevaluators:\n  - name: mentions\n    string: {contains: \"{{expected}}\"}\n";

fn committed(files: &[(&str, &str)], remote: &str) -> Folder {
    let folder = folder(files);
    folder.git(&["init", "--quiet", "--initial-branch", "main"]);
    folder.git(&["remote", "add", "origin", remote]);
    folder.git(&["add", "."]);
    folder.git(&["commit", "--quiet", "--message", "Add a prompt"]);
    folder
}

#[test]
fn prompt_of_github_is_gated_itself() {
    let folder = committed(&[(TRIAGE, GITHUB)], "git@github.com:acme/desk.git");
    let outcome = folder.promptgate(&["init"]).expect_code(0);
    let outcome = outcome
        .says("found git remote git@github.com:acme/desk.git")
        .says("imported a GitHub prompt: 2 cases")
        .says("copied 2 cases from prompts/triage.prompt.yml to cases.jsonl: only the copy is read")
        .says("with GITHUB_MODELS_TOKEN set")
        .says("expect FAIL");
    let (wrote, next) = (outcome.stdout.rfind("\nwrote "), outcome.stdout.find("\nnext:"));
    assert!(wrote < next && wrote.is_some(), "{}", outcome.stdout);
    assert!(!outcome.stdout.contains("only the copy is gated"), "{}", outcome.stdout);
    let configuration = folder.read("promptgate.yaml");
    assert!(configuration.contains(&format!("prompt: {TRIAGE} # ")), "{configuration}");
    assert!(configuration.contains("fields: {query: input, vars.input: input}"), "{configuration}");
    assert!(
        !configuration.contains("\nmodel:") && !configuration.contains("\nparameters:"),
        "{configuration}"
    );
    assert!(!folder.path().join("prompts/ticket-triage.yaml").exists());
    folder.promptgate(&["check"]).expect_code(0).says("openai/gpt-4o-mini");
    let workflow = folder.read(".github/workflows/prompt-gate.yml");
    assert!(workflow.contains("GITHUB_MODELS_TOKEN: ${{ secrets.GITHUB_MODELS_TOKEN }}"), "{workflow}");
    assert!(!workflow.contains("OPENAI_API_KEY"), "{workflow}");
    folder.git(&["add", "."]);
    folder.git(&["commit", "--quiet", "--message", "Gate"]);
    folder.git(&["switch", "--quiet", "--create", "shorter"]);
    folder.edit(TRIAGE, "      Answer from this article.\n", "");
    folder.git(&["commit", "--quiet", "--all", "--message", "Shorter"]);
    let changed = folder.promptgate(&["run", "--offline"]);
    let variants = &folder.report()["variants"];
    assert_eq!(variants["candidate"]["prompt"]["source"], TRIAGE, "{}", changed.text());
    assert_ne!(variants["candidate"]["prompt"]["digest"], variants["baseline"]["prompt"]["digest"]);
    assert_eq!(variants["candidate"]["parameters"]["temperature"], 0.1);
}

#[test]
fn named_prompt_of_github_brings_its_cases() {
    let folder = folder(&[(TRIAGE, GITHUB), ("other_prompt.md", "Be kind.\n")]);
    folder.promptgate(&["init", "--prompt", TRIAGE]).expect_code(0).says("imported a GitHub prompt: 2 cases");
    folder.promptgate(&["check"]).expect_code(0);
    // In another folder, the original stays where it is.
    folder.promptgate(&["init", "gate", "--from", TRIAGE]).expect_code(0);
    assert!(folder.read("gate/promptgate.yaml").contains("prompt: \"../prompts/triage.prompt.yml\" # "));
    folder.promptgate(&["check", "gate"]).expect_code(0);
}

#[test]
fn copies_are_named_where_they_are_made() {
    let configuration = "prompts: [file://prompts/answer_v1.txt, file://prompts/chat.json]\nproviders: [anthropic:messages:claude-sonnet-4-5]\ntests: \
                         tests/questions.csv\n";
    let chat =
        r#"[{"role": "system", "content": "From {{policy}}."}, {"role": "user", "content": "{{question}}"}]"#;
    let folder = committed(
        &[
            ("promptfooconfig.yaml", configuration),
            ("prompts/answer_v1.txt", "Answer {{question}} from {{policy}}\n"),
            ("prompts/chat.json", chat),
            ("tests/questions.csv", "question,policy,__expected\nHow long?,Three days.,contains:Three\n"),
        ],
        "https://github.com/acme/hr.git",
    );
    let outcome = folder.promptgate(&["init"]).expect_code(0);
    let outcome = outcome
        .says("copied prompts/answer_v1.txt to prompts/answer_v1.yaml: only the copy is gated")
        .says("copied 1 case from tests/questions.csv to cases.jsonl");
    assert!(!outcome.stdout.contains("copied prompts/chat.json"), "{}", outcome.stdout);
    let configuration = folder.read("promptgate.yaml");
    assert!(
        configuration.contains("# copied prompts/answer_v1.txt to prompts/answer_v1.yaml: "),
        "{configuration}"
    );
    assert!(configuration.contains("--candidate file:prompts/chat.json"), "{configuration}");
    let workflow = folder.read(".github/workflows/prompt-gate.yml");
    assert!(workflow.contains("ANTHROPIC_API_KEY: ") && !workflow.contains("OPENAI"), "{workflow}");
    folder.promptgate(&["check"]).expect_code(0);
    // The chat needs no copy, and its own name of the question has a value.
    let comparison = ["check", "--candidate", "file:prompts/chat.json"];
    folder.promptgate(&comparison).expect_code(0);
}

#[test]
fn application_needs_no_key_in_the_workflow() {
    let configuration = "prompts: ['{{question}}']\nproviders: ['exec: python3 answer.py']\ntests:\n  - vars: {question: Why?}\n    assert: \
                         [{type: contains, value: so}]\n";
    let folder = committed(&[("promptfooconfig.yaml", configuration)], "https://github.com/acme/hr.git");
    let outcome = folder.promptgate(&["init"]).expect_code(0).says("# with the application\n");
    assert!(!outcome.stdout.contains("API_KEY"), "{}", outcome.stdout);
    let workflow = folder.read(".github/workflows/prompt-gate.yml");
    assert!(!workflow.contains("API_KEY") && !workflow.contains(" env:"), "{workflow}");
    // An existing suite gets the keys of its own configuration, too.
    folder.promptgate(&["init", "--ci", "gitlab"]).expect_code(0);
    assert!(!folder.read(".gitlab-ci.yml").contains("API_KEY"), "{}", folder.read(".gitlab-ci.yml"));
}
