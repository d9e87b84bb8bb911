//! `target`: an application that answers in place of a prompt with a model.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::HeaderValue;
use super::endpoint::{WrittenHeader, base_url, headers, variable};
use super::load::{Placed, Reader};
use super::scalar::{Ordered, WrittenDuration};
use promptgate_core::model::Place;

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
const DEFAULT_WORKERS: usize = 4;
const MAX_WORKERS: usize = 256;

/// What is evaluated: a prompt with a model, or an application that answers each case.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Target")]
pub(super) enum WrittenTarget {
    /// A prompt with a model, the default.
    Prompt(PromptTarget),
    /// An application.
    Application(Box<WrittenApplication>),
}

/// The default target.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum PromptTarget {
    /// A prompt with a model.
    Prompt,
}

/// An application: a command, an HTTP server, or answers that were recorded.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Application")]
pub(super) struct WrittenApplication {
    /// A program with its arguments, started in the folder of this file. It reads a case as a line of JSON from standard
    /// input and writes its answer as one to standard output, for as long as it lives.
    #[schemars(length(min = 1))]
    command: Option<Vec<String>>,
    /// A server.
    http: Option<WrittenHttp>,
    /// Path of a JSONL file with an answer for each case, relative to this file.
    #[schemars(length(min = 1))]
    answers: Option<String>,
    /// Processes of the command; 4 by default. Of `http`, the requests in flight.
    #[schemars(range(min = 1, max = 256))]
    workers: Option<usize>,
    /// A program with its arguments that runs once for each variant before its first case, such as [uv, sync, --frozen].
    setup: Vec<String>,
    /// Environment variables that the application gets, besides PATH, HOME, TMPDIR and LANG.
    env: Vec<String>,
    /// Timeout of one answer; 60s by default.
    timeout: Option<WrittenDuration>,
    /// Files and folders, relative to this file, that determine the answers; all files of the repository by default.
    inputs: Vec<String>,
    /// Whether answers may come from the cache; true by default.
    cache: Option<bool>,
    /// Whether the same case always gets the same answer; false by default. Equal repeats then show that there is no noise, and
    /// without a judge there is one look at 2 repeats, unless `gate` says otherwise.
    deterministic: bool,
}

/// A server that answers over HTTP.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "HttpTarget", extend("required" = ["url", "output"]))]
pub(super) struct WrittenHttp {
    /// A program with its arguments that starts the server. `{port}` is a free port, also in `url`; without it, the server
    /// is there already.
    #[schemars(length(min = 1))]
    start: Option<Vec<String>>,
    /// URL that every case is posted to.
    #[schemars(length(min = 1))]
    url: String,
    /// Path that answers with 2xx once the server is ready; by default the server is ready when its port is open.
    ready: Option<String>,
    /// Body of the request, with placeholders such as {{query}}, {{context}} and {{vars.tier}}; the whole case by default.
    body: Option<Value>,
    /// Additional headers, by name: {env: VARIABLE} for a secret, which `target.env` has to list, {value: TEXT} otherwise.
    headers: Ordered<WrittenHeader>,
    /// Path of the answer in the response: $.answer
    #[schemars(length(min = 1))]
    output: String,
    /// Path of the passages that were retrieved: $.sources[*].text
    contexts: Option<String>,
    /// Path of the calls of tools.
    tool_calls: Option<String>,
    /// Path of the tokens.
    usage: Option<String>,
}

/// An application.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetSettings {
    /// How it is called.
    pub kind: TargetKind,
    /// A command that runs once for each variant; empty for none.
    pub setup: Vec<String>,
    /// Paths that determine the answers, relative to the configuration; empty for the whole repository.
    pub inputs: Vec<String>,
    /// Environment variables that it gets.
    pub env: Vec<Placed<String>>,
    /// Timeout of one answer.
    pub timeout: Duration,
    /// Processes, or requests in flight; at least 1.
    pub workers: usize,
    /// Whether answers may come from the cache.
    pub cache: bool,
    /// Whether the same case always gets the same answer.
    pub deterministic: bool,
    /// The place of the key.
    pub place: Place,
}

/// How an application is called.
#[derive(Debug, Clone, PartialEq)]
pub enum TargetKind {
    /// A command with its arguments.
    Command(Vec<String>),
    /// A server.
    Http(Box<HttpSettings>),
    /// A file of recorded answers.
    Answers(Placed<String>),
}

/// A server that answers over HTTP.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpSettings {
    /// The command that starts it; `None` for a server that is there already.
    pub start: Option<Vec<String>>,
    /// The URL, with `{port}`.
    pub url: String,
    /// The path that answers with 2xx once it is ready.
    pub ready: Option<String>,
    /// The template of the body; `None` for the whole case.
    pub body: Option<Value>,
    /// Additional headers.
    pub headers: Vec<(String, HeaderValue)>,
    /// The path of the answer.
    pub output: String,
    /// The path of the passages.
    pub contexts: Option<String>,
    /// The path of the calls of tools.
    pub tool_calls: Option<String>,
    /// The path of the tokens.
    pub usage: Option<String>,
}

impl WrittenTarget {
    /// Resolves the target; `None` for a prompt.
    pub(super) fn resolve(self, reader: &mut Reader<'_>) -> Option<TargetSettings> {
        let written = match self {
            Self::Prompt(PromptTarget::Prompt) => return None,
            Self::Application(written) => *written,
        };
        // A key with an invalid value is reported already.
        let kinds = ["/target/command", "/target/http", "/target/answers"];
        if kinds.iter().filter(|key| reader.has(key)).count() != 1 {
            let help = "write `target: {command: [python, -m, app.answer]}`, `target: {http: {url: …, output: $.answer}}` \
                        or `target: {answers: answers.jsonl}`";
            reader.report("/target", "a target must have one of `command`, `http` and `answers`", help);
        }
        if written.timeout.is_some_and(|timeout| timeout.0.is_zero()) {
            let message = "a timeout of 0 leaves no time for an answer";
            reader.report("/target/timeout", message, "write it like `60s`");
        }
        let env = written.env.into_iter().enumerate();
        let env: Vec<Placed<String>> =
            env.filter_map(|(index, name)| variable(reader, &format!("/target/env/{index}"), name)).collect();
        let kind = match (written.command, written.http, written.answers) {
            (Some(command), ..) => TargetKind::Command(command),
            (None, Some(http), _) => TargetKind::Http(Box::new(http.resolve(reader, &env))),
            (None, None, Some(path)) => TargetKind::Answers(reader.placed("/target/answers", path)),
            // Reported above.
            (None, None, None) => return None,
        };
        Some(TargetSettings {
            kind,
            setup: written.setup,
            inputs: written.inputs,
            env,
            timeout: written.timeout.map_or(DEFAULT_TIMEOUT, |timeout| timeout.0),
            workers: written.workers.unwrap_or(DEFAULT_WORKERS).clamp(1, MAX_WORKERS),
            cache: written.cache.unwrap_or(true),
            deterministic: written.deterministic,
            place: reader.document.key_place("/target"),
        })
    }
}

impl WrittenHttp {
    fn resolve(self, reader: &mut Reader<'_>, env: &[Placed<String>]) -> HttpSettings {
        // A port makes it a URL for the checks that every URL has.
        base_url(reader, "/target/http/url", self.url.replace("{port}", "1"));
        if self.start.is_some() != self.url.contains("{port}") && !self.url.is_empty() {
            let (message, help) = if self.start.is_some() {
                (
                    "a server that is started gets a free port, and `url` has no `{port}`",
                    "http://127.0.0.1:{port}/answer",
                )
            } else {
                ("`{port}` has no value without `start`", "http://127.0.0.1:8000/answer")
            };
            reader.report("/target/http/url", message, format!("write `url: \"{help}\"`"));
        }
        let headers = headers(reader, "/target/http/headers", self.headers);
        for (name, value) in &headers {
            if let HeaderValue::Env(variable) = value
                && !env.iter().any(|listed| listed.value == variable.value)
            {
                let at = format!("/target/http/headers/{name}/env");
                let message = format!("{} is not listed in `target.env`", variable.value);
                let help = "list it there: a pull request gets the variables of the base's list alone";
                reader.report(&at, message, help);
            }
        }
        HttpSettings {
            start: self.start,
            url: self.url,
            ready: self.ready,
            body: self.body,
            headers,
            output: self.output,
            contexts: self.contexts,
            tool_calls: self.tool_calls,
            usage: self.usage,
        }
    }
}

impl TargetSettings {
    /// Returns the target of a change under the policy of its base, which chooses variables, timeout, processes, cache and whether
    /// equal answers are expected. A
    /// base without a target gives no variables.
    #[must_use]
    pub fn under(self, base: Option<&Self>) -> Self {
        match base {
            None => Self { env: Vec::new(), deterministic: false, ..self },
            Some(base) => Self {
                env: base.env.clone(),
                timeout: base.timeout,
                workers: base.workers,
                cache: base.cache,
                deterministic: base.deterministic,
                ..self
            },
        }
    }

    /// Returns the name of its kind with an article, for people.
    pub fn kind_name(&self) -> &'static str {
        match &self.kind {
            TargetKind::Command(_) => "a command",
            TargetKind::Http(_) => "a server",
            TargetKind::Answers(_) => "recorded answers",
        }
    }

    /// Returns the command line, address or path, for people.
    pub fn describe(&self) -> String {
        match &self.kind {
            TargetKind::Command(command) => command.join(" "),
            TargetKind::Http(http) => match &http.start {
                Some(start) => start.join(" "),
                None => http.url.clone(),
            },
            TargetKind::Answers(path) => path.value.clone(),
        }
    }

    /// Returns the variables that the application and one of these endpoints would share.
    pub fn shared_variables<'a>(&'a self, keys: &'a [String]) -> impl Iterator<Item = &'a Placed<String>> {
        self.env.iter().filter(|name| keys.contains(&name.value))
    }
}
