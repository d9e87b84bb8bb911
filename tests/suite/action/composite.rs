//! A small runner of composite actions: it executes the steps of an action.yml as GitHub's runner does, each in its own
//! bash with its own output file. `uses:` steps are recorded, and those of the cache are simulated.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use promptgate_core::document::Document;
use serde_json::Value;

use super::expression::Context;

/// Entries of `actions/cache` between jobs: files by key, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    pub(crate) entries: Vec<(String, Vec<u8>)>,
}

/// A job that uses the action once.
pub(crate) struct Job<'a> {
    /// Where action.yml is.
    pub(crate) action: PathBuf,
    /// The checked-out repository.
    pub(crate) workspace: &'a Path,
    /// `RUNNER_TEMP`.
    pub(crate) temporary: &'a Path,
    /// `with:` of the step.
    pub(crate) inputs: BTreeMap<String, String>,
    /// Variables of the job and the step.
    pub(crate) environment: BTreeMap<String, String>,
}

/// The outcome of a step.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: String,
    /// The exit code of a script; 0 for an action; `None` where it was skipped.
    pub(crate) code: Option<i32>,
    /// Both streams.
    pub(crate) log: String,
    /// Its job summary.
    pub(crate) summary: String,
    /// The action of a `uses:` step, with its inputs.
    pub(crate) uses: Option<(String, BTreeMap<String, String>)>,
}

/// The outcome of the job.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) steps: Vec<Step>,
    /// Outputs of the action.
    pub(crate) outputs: BTreeMap<String, String>,
    /// Lines that were added to the PATH.
    pub(crate) path: String,
    /// The code of the last step that failed; 0 where none did.
    pub(crate) code: i32,
}

impl Done {
    #[track_caller]
    pub(crate) fn step(&self, name: &str) -> &Step {
        self.steps.iter().find(|step| step.name == name).unwrap_or_else(|| panic!("no step {name}"))
    }

    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}", self.log());
        self
    }

    /// Asserts an output.
    #[track_caller]
    pub(crate) fn expect_output(self, name: &str, value: &str) -> Self {
        assert_eq!(self.outputs[name], value, "{}", self.log());
        self
    }

    /// All logs.
    pub(crate) fn log(&self) -> String {
        let one = |step: &Step| format!("== {} ({:?})\n{}", step.name, step.code, step.log);
        self.steps.iter().map(one).collect()
    }
}

impl Job<'_> {
    /// Executes the steps in order.
    pub(crate) fn run(&self, cache: &mut Cache) -> Done {
        let file = self.action.join("action.yml");
        let text = std::fs::read_to_string(&file).expect("action.yml");
        let action = Document::yaml("action.yml", &text).expect("YAML").into_value();
        assert_eq!(action["runs"]["using"], "composite");
        let mut context = self.context(&action);
        let mut steps = Vec::new();
        let mut code = 0;
        let path = self.temporary.join("path-file");
        std::fs::write(&path, "").expect("a file");
        for (number, step) in action["runs"]["steps"].as_array().expect("steps").iter().enumerate() {
            let known = [
                "name",
                "id",
                "if",
                "shell",
                "env",
                "run",
                "uses",
                "with",
                "working-directory",
                "continue-on-error",
            ];
            for key in step.as_object().expect("a step").keys() {
                assert!(known.contains(&key.as_str()), "this runner does not know {key}");
            }
            let mut done = Step {
                name: text_of(&step["name"]),
                code: None,
                log: String::new(),
                summary: String::new(),
                uses: None,
            };
            let mut outputs = BTreeMap::new();
            if context.runs(step["if"].as_str()) {
                if step["uses"].is_string() {
                    outputs = use_action(step, &context, &mut done, cache);
                } else {
                    outputs = self.script(number, step, &context, &mut done, &path);
                }
                let failed = done.code != Some(0);
                if failed && step["continue-on-error"] != true {
                    context.failed = true;
                    code = done.code.unwrap_or(1);
                }
            }
            if let Some(id) = step["id"].as_str() {
                context.outputs.insert(id.to_owned(), outputs);
            }
            steps.push(done);
        }
        let outputs = action["outputs"].as_object().expect("outputs").iter();
        let outputs =
            outputs.map(|(name, output)| (name.clone(), context.fill(&text_of(&output["value"])))).collect();
        Done { steps, outputs, path: std::fs::read_to_string(path).expect("a file"), code }
    }

    fn context(&self, action: &Value) -> Context {
        let mut context = Context::default();
        let job = [
            ("github.action_ref", "GITHUB_ACTION_REF"),
            ("github.token", "GITHUB_TOKEN_OF_THE_JOB"),
            ("strategy.job-index", "JOB_INDEX"),
        ];
        for (name, variable) in job {
            let value = self.environment.get(variable).cloned().unwrap_or_default();
            context.values.insert(name.to_owned(), value);
        }
        let declared = action["inputs"].as_object().expect("inputs");
        for name in self.inputs.keys() {
            assert!(declared.contains_key(name), "action.yml has no input {name}");
        }
        for (name, input) in declared {
            let default = context.fill(&text_of(&input["default"]));
            context.inputs.insert(name.clone(), self.inputs.get(name).cloned().unwrap_or(default));
        }
        context
    }

    /// A `run:` step, as `bash --noprofile --norc -eo pipefail FILE`.
    fn script(
        &self,
        number: usize,
        step: &Value,
        context: &Context,
        done: &mut Step,
        path: &Path,
    ) -> BTreeMap<String, String> {
        assert_eq!(step["shell"], "bash", "every script names its shell");
        let script = text_of(&step["run"]);
        assert!(!script.contains("${{"), "an expression in a script can be a command: {script}");
        let files =
            ["script", "output", "summary"].map(|kind| self.temporary.join(format!("{kind}-{number}")));
        let [file, output, summary] = &files;
        std::fs::write(file, script).expect("a script");
        for empty in [output, summary] {
            std::fs::write(empty, "").expect("a file");
        }
        let folder = self
            .workspace
            .join(step["working-directory"].as_str().map_or_else(String::new, |of| context.fill(of)));
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail"]).arg(file).current_dir(folder);
        command.env_clear().stdin(Stdio::null());
        for name in ["PATH", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.envs(&self.environment);
        for (name, value) in step["env"].as_object().into_iter().flatten() {
            command.env(name, context.fill(&text_of(value)));
        }
        command
            .env("GITHUB_ACTION_PATH", &self.action)
            .env("GITHUB_WORKSPACE", self.workspace)
            .env("RUNNER_TEMP", self.temporary)
            .env("GITHUB_OUTPUT", output)
            .env("GITHUB_STEP_SUMMARY", summary)
            .env("GITHUB_PATH", path);
        let ended = command.output().expect("bash runs");
        let streams = [ended.stdout, ended.stderr].concat();
        done.log = String::from_utf8_lossy(&streams).into_owned();
        done.code = Some(ended.status.code().unwrap_or(1));
        done.summary = std::fs::read_to_string(summary).expect("a summary");
        outputs_of(&std::fs::read_to_string(output).expect("outputs"))
    }
}

/// Records a `uses:` step, and simulates those of the cache.
fn use_action(
    step: &Value,
    context: &Context,
    done: &mut Step,
    cache: &mut Cache,
) -> BTreeMap<String, String> {
    let name = text_of(&step["uses"]);
    let (repository, commit) = name.split_once('@').expect("a pinned action");
    assert!(
        commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{name} is not pinned"
    );
    let with: BTreeMap<String, String> = step["with"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), context.fill(&text_of(value))))
        .collect();
    let mut outputs = BTreeMap::new();
    match repository {
        "actions/cache/restore" => {
            let (key, prefix, path) = (&with["key"], with.get("restore-keys"), Path::new(&with["path"]));
            let mut newest = cache.entries.iter().rev();
            let found = newest
                .clone()
                .find(|(of, _)| of == key)
                .or_else(|| newest.find(|(of, _)| prefix.is_some_and(|prefix| of.starts_with(prefix))));
            if let Some((_, bytes)) = found {
                std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
                std::fs::write(path, bytes).expect("a file");
                // The cache keeps modes; a file that may be run can also be read.
                #[cfg(unix)]
                {
                    use std::os::unix::fs::PermissionsExt as _;
                    let mode = std::fs::Permissions::from_mode(0o755);
                    std::fs::set_permissions(path, mode).expect("permissions");
                }
            }
        }
        "actions/cache/save" => {
            let bytes = std::fs::read(&with["path"]).expect("a cache to save");
            if !cache.entries.iter().any(|(key, _)| *key == with["key"]) {
                cache.entries.push((with["key"].clone(), bytes));
            }
        }
        "actions/upload-artifact" => {
            let path = Path::new(&with["path"]);
            // Its name is that of the file, which has to be one.
            let is_page = with.get("archive").is_some_and(|archive| archive == "false");
            assert!(!is_page || path.is_file(), "{}", path.display());
            let id = if is_page { 12 } else { 11 };
            let url = format!("https://github.example/acme/prompts/actions/runs/1001/artifacts/{id}");
            outputs.insert("artifact-url".to_owned(), url);
        }
        other => panic!("this runner does not know {other}"),
    }
    done.code = Some(0);
    done.uses = Some((repository.to_owned(), with));
    outputs
}

/// The outputs in a file as the runner reads them: a later line wins.
fn outputs_of(text: &str) -> BTreeMap<String, String> {
    let mut outputs = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        match (line.find('='), line.find("<<")) {
            (Some(at), heredoc) if heredoc.is_none_or(|heredoc| at < heredoc) => {
                outputs.insert(line[..at].to_owned(), line[at + 1..].to_owned());
            }
            (_, Some(at)) => {
                let end = &line[at + 2..];
                let value: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
                outputs.insert(line[..at].to_owned(), value.join("\n"));
            }
            _ => assert!(line.is_empty(), "not an output: {line}"),
        }
    }
    outputs
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
