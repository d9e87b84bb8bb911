//! `transform`: transformations of every answer before it is graded.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use promptgate_core::transform::{Extraction, JsonPath, Transform};

use super::endpoint::variable;
use super::load::{Placed, Reader};
use super::scalar::WrittenDuration;

const COMMAND: &str = "/transform/command";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
const DEFAULT_WORKERS: usize = 2;
const MAX_WORKERS: usize = 256;

/// Transformations of every answer before it is graded, in the order of these keys.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Transform")]
pub(super) struct WrittenTransform {
    /// Whether reasoning in front of an answer is removed: <think>, <thinking>, the channels of gpt-oss. The report keeps
    /// it. By default true.
    strip_reasoning: Option<bool>,
    /// The part that is graded: fenced (the only fenced code block), json (the only JSON value, also within text) or
    /// fenced_or_bare (the only fenced code block, if there is one). The whole answer by default.
    extract: Option<Extraction>,
    /// The field of a JSON answer that is graded, such as $.answer.text. The whole answer by default.
    #[schemars(length(min = 1))]
    json_path: Option<String>,
    /// Whether white space around the answer is removed. By default false.
    trim: Option<bool>,
    /// A program that transforms every answer after all of these. It runs from the policy's commit, in the folder of its
    /// configuration.
    command: Option<WrittenTransformCommand>,
    /// Whether checks that search for texts (contains, not_contains, starts_with, ends_with, one_of) read typographic
    /// spaces, quotes and dashes as plain ones, unless they say otherwise. By default true.
    normalize_unicode: Option<bool>,
}

/// A program that transforms answers.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "TransformCommand", extend("required" = ["run"]))]
struct WrittenTransformCommand {
    /// The program with its arguments. It reads an answer with its case as a line of JSON from standard input and writes
    /// {"output": TEXT} as one to standard output, for as long as it lives.
    #[schemars(length(min = 1), inner(length(min = 1)))]
    run: Vec<String>,
    /// Environment variables that it gets, besides PATH, HOME, TMPDIR and LANG.
    env: Vec<String>,
    /// Timeout of one answer; 30s by default.
    timeout: Option<WrittenDuration>,
    /// Maximum number of its processes; 2 by default.
    #[schemars(range(min = 1, max = 256))]
    workers: Option<usize>,
}

/// A program that transforms answers.
#[derive(Debug, Clone, PartialEq)]
pub struct TransformCommandSettings {
    /// The program with its arguments.
    pub run: Vec<String>,
    /// Environment variables that it gets.
    pub env: Vec<Placed<String>>,
    /// Timeout of one answer.
    pub timeout: Duration,
    /// Maximum number of processes; at least 1.
    pub workers: usize,
}

/// Transformations of every answer before it is graded.
#[derive(Debug, Clone, PartialEq)]
pub struct TransformSettings {
    /// Those of the answer itself.
    pub answer: Transform,
    /// The program that comes after them.
    pub command: Option<TransformCommandSettings>,
    /// Whether checks that search for texts ignore typography by default.
    pub normalize_unicode: bool,
}

impl WrittenTransform {
    pub(super) fn resolve(self, reader: &mut Reader<'_>) -> TransformSettings {
        let json_path = self.json_path.filter(|path| !path.is_empty()).and_then(|path| {
            let parsed = JsonPath::parse(&path);
            let invalid = |error: String| {
                let help = "expected names and numbers of items, like `$.answer.items[0]`";
                reader.report("/transform/json_path", format!("`transform.json_path`: {error}"), help);
            };
            parsed.map_err(invalid).ok()
        });
        TransformSettings {
            answer: Transform {
                strip_reasoning: self.strip_reasoning.unwrap_or(true),
                extract: self.extract,
                json_path,
                trim: self.trim.unwrap_or(false),
            },
            command: self.command.and_then(|command| command.resolve(reader)),
            normalize_unicode: self.normalize_unicode.unwrap_or(true),
        }
    }
}

impl WrittenTransformCommand {
    /// Resolves the program; `None` where one is written without `run`, which is reported already.
    fn resolve(self, reader: &mut Reader<'_>) -> Option<TransformCommandSettings> {
        if self.timeout.is_some_and(|timeout| timeout.0.is_zero()) {
            let message = "a timeout of 0 leaves no time for an answer";
            reader.report(&format!("{COMMAND}/timeout"), message, "write it like `30s`");
        }
        let env = self.env.into_iter().enumerate();
        let env = env
            .filter_map(|(index, name)| variable(reader, &format!("{COMMAND}/env/{index}"), name))
            .collect();
        (!self.run.is_empty()).then(|| TransformCommandSettings {
            env,
            run: self.run,
            timeout: self.timeout.map_or(DEFAULT_TIMEOUT, |timeout| timeout.0),
            workers: self.workers.unwrap_or(DEFAULT_WORKERS).clamp(1, MAX_WORKERS),
        })
    }
}
