//! The file of a CI system that runs the gate, from those of examples/ci.

use std::path::{Path, PathBuf};

use super::survey::{CiSystem, RepositoryFacts};
use super::workflows::place;
use super::{exists, in_folder};
use crate::app::Failure;

/// The reference of the action in the examples.
pub(crate) const PLACEHOLDER: &str = "OWNER/promptgate@COMMIT";
/// `OWNER/REPO@COMMIT` of the action that belongs to this build, where the build says so.
const OWN_ACTION: Option<&str> = option_env!("PROMPTGATE_ACTION");

/// A file of a CI system, the system's name for it, and what is left to do.
#[derive(Debug)]
pub(super) struct Pipeline {
    pub(super) path: PathBuf,
    pub(super) content: String,
    pub(super) steps: Vec<String>,
}

/// The file for a system; `keys` are the variables with keys.
///
/// # Errors
/// A folder that the file cannot name.
pub(super) fn pipeline(
    system: CiSystem,
    folder: &Path,
    repository: &RepositoryFacts,
    action: Option<&str>,
    keys: &[String],
) -> Result<Pipeline, Failure> {
    let (root, suite) = place(folder, repository.root.as_deref())?;
    let root = shorter(&root);
    let suite = suite.trim_matches('"').to_owned();
    let at = |name: &str| in_folder(&root, name);
    let branch = repository.merged_into.as_str();
    let key_names = keys.join(" and ");
    let merge_first =
        format!("commit these files and merge them into {branch} first: the policy comes from there");
    match system {
        CiSystem::GitHub => {
            let path = at(".github/workflows/prompt-gate.yml");
            let mut steps = Vec::new();
            let action = action.or(OWN_ACTION);
            if action.is_none() {
                steps.push(format!(
                    "sed -i.bak 's|{PLACEHOLDER}|YOU/promptgate@FULL_COMMIT|' {}   # {}",
                    super::quoted(&path.display().to_string()),
                    super::page("docs/ci.md#owner-and-commit")
                ));
            }
            if !keys.is_empty() {
                steps.push(format!(
                    "create the environment `prompt-gate` with the secret {key_names} (Settings, Environments)"
                ));
            }
            steps.push(merge_first);
            steps.push("make `prompt gate` a required check of the branch".to_owned());
            let content = github(&suite, branch, action, keys);
            Ok(Pipeline { path, content, steps })
        }
        CiSystem::GitLab => {
            let text = include_str!("../../../examples/ci/gitlab-simple.yml");
            let (path, step) = beside(&at(".gitlab-ci.yml"), &at(".gitlab/prompt-gate.yml"), |shown| {
                format!("add to .gitlab-ci.yml: `include: [{{local: {shown}}}]`")
            });
            let steps = [step, vec![image("the job")], variable(&key_names), vec![merge_first]].concat();
            let content =
                with_keys(&of_suite(text, &suite), keys, ", and OPENAI_API_KEY as a masked variable");
            let how =
                if is_own(&path, ".gitlab-ci.yml") { "" } else { " Include this file from .gitlab-ci.yml." };
            let content = content.replace(" Include this file from .gitlab-ci.yml, or copy the job.", how);
            Ok(Pipeline { path, content, steps })
        }
        CiSystem::CircleCi => {
            let text = include_str!("../../../examples/ci/circleci-simple.yml");
            let (path, step) =
                beside(&at(".circleci/config.yml"), &at(".circleci/prompt-gate.yml"), |shown| {
                    format!("copy the job and the workflow of {shown} into .circleci/config.yml")
                });
            let content = of_suite(text, &suite)
                .replace(" CircleCI does not expose the target branch of a\n# pull request: replace `main` with yours.", "")
                .replace("refs/heads/main:refs/remotes/origin/main", &format!("refs/heads/{branch}:refs/remotes/origin/{branch}"))
                .replace("git:origin/main", &format!("git:origin/{branch}"));
            let content =
                with_keys(&content, keys, " OPENAI_API_KEY is a variable of the context `prompt-gate`.");
            let key =
                (!keys.is_empty()).then(|| format!("create the context `prompt-gate` with {key_names}"));
            let steps = step.into_iter().chain([image("the job")]).chain(key).chain([merge_first]).collect();
            Ok(Pipeline { path, content, steps })
        }
        CiSystem::Buildkite => {
            let text = include_str!("../../../examples/ci/buildkite-simple.yml");
            let (path, step) =
                beside(&at(".buildkite/pipeline.yml"), &at(".buildkite/prompt-gate.yml"), |shown| {
                    format!("add a step to the pipeline: `buildkite-agent pipeline upload {shown}`")
                });
            Ok(Pipeline {
                path,
                content: with_keys(
                    &of_suite(text, &suite),
                    keys,
                    ", and OPENAI_API_KEY from its environment",
                ),
                steps: [step, variable(&key_names), vec![merge_first]].concat(),
            })
        }
        CiSystem::Jenkins => {
            let text = include_str!("../../../examples/ci/Jenkinsfile");
            let (path, step) = beside(&at("Jenkinsfile"), &at("Jenkinsfile.prompt-gate"), |shown| {
                format!("create a multibranch pipeline with the script path {shown}")
            });
            let ids = keys
                .iter()
                .map(|key| format!("add {key} as a \"secret text\" credential with the id `{}`", id(key)));
            let steps = step.into_iter().chain(ids).chain([merge_first]).collect();
            Ok(Pipeline { path, content: jenkins(&of_suite(text, &suite), keys), steps })
        }
    }
}

fn image(what: &str) -> String {
    format!("name an image with promptgate and git in {what}: {}", super::page("docs/install.md"))
}

fn variable(keys: &str) -> Vec<String> {
    if keys.is_empty() {
        Vec::new()
    } else {
        vec![format!("set {keys} as a masked variable of the pipeline")]
    }
}

/// The text of an example with the names of these keys; without any, it loses the words about them.
fn with_keys(text: &str, keys: &[String], words: &str) -> String {
    if keys.is_empty() {
        text.replace(words, "")
    } else {
        text.replace("OPENAI_API_KEY", &keys.join(" and "))
    }
}

/// The id of a credential in Jenkins.
fn id(key: &str) -> String {
    key.to_lowercase().replace('_', "-")
}

/// The Jenkinsfile with these keys.
fn jenkins(text: &str, keys: &[String]) -> String {
    let is_of_block = |line: &str| {
        ["environment {", "OPENAI_API_KEY"].iter().any(|start| line.trim_start().starts_with(start))
    };
    let mut result = String::new();
    let mut is_inside = false;
    for line in text.lines() {
        let is_end = is_inside && line.trim() == "}";
        is_inside |= is_of_block(line);
        if line.trim_start().starts_with("OPENAI_API_KEY") {
            let indent: String = line.chars().take_while(|c| *c == ' ').collect();
            result.extend(keys.iter().map(|key| format!("{indent}{key} = credentials('{}')\n", id(key))));
        } else if !(keys.is_empty() && is_inside) {
            result.push_str(&format!("{line}\n"));
        }
        is_inside &= !is_end;
    }
    if keys.is_empty() { result.replace(", and the key as a \"secret text\" credential", "") } else { result }
}

fn is_own(path: &Path, name: &str) -> bool {
    path.file_name().is_some_and(|own| own == name)
}

/// The path as the user would write it: relative to the current folder where it is below it.
pub(super) fn shorter(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    match path.strip_prefix(&here) {
        Ok(rest) if rest.as_os_str().is_empty() => PathBuf::from("."),
        Ok(rest) => rest.to_owned(),
        Err(_) => path.to_owned(),
    }
}

/// The file of a system, or where it has one already, another one and the step that makes use of it.
fn beside(own: &Path, other: &Path, step: impl Fn(String) -> String) -> (PathBuf, Vec<String>) {
    let is_gate =
        |text: String| ["promptgate run", "promptgate ci"].iter().any(|command| text.contains(command));
    let has_gate = own.is_file() && std::fs::read_to_string(own).is_ok_and(is_gate);
    if exists(own) && !has_gate {
        let shown = other.display().to_string();
        (other.to_owned(), vec![step(shown)])
    } else {
        (own.to_owned(), Vec::new())
    }
}

/// The commands for the suite in a folder, which is `.` for that of the repository.
fn of_suite(text: &str, suite: &str) -> String {
    if suite == "." {
        return text.to_owned();
    }
    ["run", "ci"].iter().fold(text.to_owned(), |text, command| {
        let (without, with) =
            (format!("promptgate {command} --"), format!("promptgate {command} {suite} --"));
        text.replace(&without, &with)
    })
}

fn github(suite: &str, branch: &str, action: Option<&str>, keys: &[String]) -> String {
    let text = include_str!("../../../examples/ci/github-simple.yml");
    let mut result = String::new();
    let mut is_action = false;
    for (index, line) in text.lines().enumerate() {
        is_action |= line.contains(PLACEHOLDER);
        if index == 0 {
            result.push_str("# The gate of every pull request. Make `prompt gate` a required check.\n");
        } else if let (Some(action), Some((before, _))) = (action, line.split_once(PLACEHOLDER)) {
            result.push_str(&format!("{before}{action}\n"));
        } else if keys.is_empty() && line == "        env:" {
            // It would be empty.
        } else if line.trim_start().starts_with("OPENAI_API_KEY:") {
            let indent: String = line.chars().take_while(|c| *c == ' ').collect();
            result.extend(keys.iter().map(|key| format!("{indent}{key}: ${{{{ secrets.{key} }}}}\n")));
        } else {
            result.push_str(&line.replace("branches: [main]", &format!("branches: [\"{branch}\"]")));
            result.push('\n');
            if line.trim() == "with:" && suite != "." && is_action {
                result.push_str(&format!("          config: \"{suite}\"\n"));
            }
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workflow_has_suite_branch_action_and_keys() {
        let action = "acme/gate@0123456789012345678901234567890123456789";
        let text = github(
            "a/b",
            "trunk",
            Some(action),
            &["OPENAI_API_KEY".to_owned(), "ANTHROPIC_API_KEY".to_owned()],
        );
        for line in [
            "      - uses: acme/gate@0123456789012345678901234567890123456789\n        with:\n",
            "          config: \"a/b\"\n",
            "          ANTHROPIC_API_KEY: ${{ secrets.ANTHROPIC_API_KEY }}\n",
            "    branches: [\"trunk\"] # fills",
        ] {
            assert_eq!(text.matches(line).count(), 1, "{line}:\n{text}");
        }
        let plain = github(".", "main", None, &["OPENAI_API_KEY".to_owned()]);
        assert!(plain.contains(PLACEHOLDER) && !plain.contains("config:"), "{plain}");
        let keyless = github(".", "main", None, &[]);
        assert!(!keyless.contains("API_KEY") && !keyless.contains("env:"), "{keyless}");
    }

    #[test]
    fn jenkinsfile_has_a_credential_for_each_key() {
        let text = include_str!("../../../examples/ci/Jenkinsfile");
        let two = jenkins(text, &["GEMINI_API_KEY".to_owned(), "OPENAI_API_KEY".to_owned()]);
        assert!(two.contains("GEMINI_API_KEY = credentials('gemini-api-key')\n"), "{two}");
        assert!(two.contains("OPENAI_API_KEY = credentials('openai-api-key')\n"), "{two}");
        assert_eq!(jenkins(text, &["OPENAI_API_KEY".to_owned()]), text);
        let none = jenkins(text, &[]);
        assert!(!none.contains("environment") && !none.contains("credential"), "{none}");
        assert_eq!(none.matches('{').count(), none.matches('}').count(), "{none}");
    }
}
