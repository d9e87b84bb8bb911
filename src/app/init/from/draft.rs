//! A suite before it is written, in the same form whatever it was imported from.

use serde_json::{Map, Value};

use promptgate_core::document::Document;
use promptgate_core::model::{Diagnostic, Place};

use super::names::Names;
use super::original::Original;
use super::template::{self, Dialect};

/// The result of a conversion.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// Name of the suite.
    pub(super) name: String,
    /// Prompts; the first is the candidate.
    pub(super) prompts: Vec<DraftPrompt>,
    /// The model or application that answers.
    pub(super) answerer: Answerer,
    /// The judge, where the source names one.
    pub(super) judge: Option<Model>,
    /// `transform` of the configuration.
    pub(super) transform: Map<String, Value>,
    /// `metrics` of the configuration.
    pub(super) metrics: Map<String, Value>,
    /// `limits` of the configuration.
    pub(super) limits: Map<String, Value>,
    /// Checks of every answer that the source has for all cases.
    pub(super) checks: Vec<DraftCheck>,
    /// The cases.
    pub(super) cases: Vec<DraftCase>,
    /// Further files by path.
    pub(super) files: Vec<(String, String)>,
    /// Lines for the configuration about other prompts and models.
    pub(super) alternatives: Vec<String>,
    /// Parts without a counterpart, and the text to write in their place.
    pub(super) notes: Vec<Diagnostic>,
    /// The column of the question, where a prompt inserts it under another name than `query`.
    pub(super) question: Option<String>,
    /// Files whose cases were copied, with how many each has.
    pub(super) copied: Vec<(Original, usize)>,
    /// Number of assertions that were carried.
    pub(super) carried: usize,
    /// Names of variables there, and where a scorer finds the value in a case here.
    pub(super) names: Map<String, Value>,
    /// Environment variables that scorers read.
    pub(super) scorer_env: Vec<String>,
}

/// The model or application that answers the cases.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Answerer {
    /// Nothing that could be carried.
    #[default]
    Unknown,
    /// A model behind an endpoint.
    Model(Model),
    /// An application: the value of `target`.
    Target(Value),
}

/// A model with its endpoint.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Model {
    /// Its name at the endpoint.
    pub(super) name: String,
    /// `parameters` of the configuration.
    pub(super) parameters: Map<String, Value>,
    /// `endpoint` of the configuration; empty for OpenAI's.
    pub(super) endpoint: Map<String, Value>,
}

/// A prompt.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct DraftPrompt {
    /// Name of its file, without extension.
    pub(super) label: String,
    /// Its messages, in the syntax of the source until they are translated.
    pub(super) messages: Vec<DraftMessage>,
    /// Further keys of the file: name, description.
    pub(super) front_matter: Map<String, Value>,
    /// Parts that have no counterpart, with their lines.
    pub(super) problems: Vec<(Place, String)>,
    /// The file that has it, and nothing else.
    pub(super) original: Option<Original>,
    /// Whether the suite is about that file, and not about a copy of it.
    pub(super) is_original: bool,
}

/// A message of a prompt.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct DraftMessage {
    pub(super) role: String,
    pub(super) text: String,
    /// The first line of the text.
    pub(super) place: Place,
}

impl DraftPrompt {
    /// A prompt of one message of the user, as tools send a text.
    pub(super) fn of_user(label: String, text: String, place: Place) -> Self {
        let message = DraftMessage { role: "user".to_owned(), text, place };
        Self { label, messages: vec![message], ..Self::default() }
    }

    /// The names of its variables.
    pub(super) fn names(&self, dialect: Dialect) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for name in self.messages.iter().flat_map(|message| template::names(&message.text, dialect)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// Translates its messages; `rename` gives a variable its name here.
    pub(super) fn translate(&mut self, dialect: Dialect, rename: &dyn Fn(&str) -> String) {
        for message in &mut self.messages {
            let translated = template::translate(&message.text, dialect, rename);
            for problem in translated.problems {
                let mut place = Place { excerpt: None, column: None, length: 0, ..message.place.clone() };
                place.line = place.line.map(|line| line + problem.line);
                self.problems.push((place, problem.written));
            }
            message.text = translated.text.trim_end().to_owned();
        }
    }
}

/// The place of a text's first line: below the indicator of a block in YAML.
pub(super) fn text_place(document: &Document, pointer: &str) -> Place {
    let place = document.place(pointer);
    let start = place.column.unwrap_or(1).saturating_sub(1);
    let mark = place.excerpt.as_deref().and_then(|line| line.chars().nth(start));
    let line = place.line.map(|line| line + usize::from(mark.is_some_and(|mark| matches!(mark, '|' | '>'))));
    Place { line, column: None, excerpt: None, length: 0, ..place }
}

/// A check with a name from the source.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DraftCheck {
    /// Exactly one check: its key and value.
    pub(super) body: Value,
    /// The name of a metric.
    pub(super) name: Option<String>,
}

/// A language of scorers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Language {
    JavaScript,
    Python,
}

/// An assertion in code.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Code {
    pub(super) language: Language,
    /// Its entry in the data of the scorer.
    pub(super) entry: Value,
}

/// A case.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct DraftCase {
    pub(super) id: String,
    pub(super) group: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) query: Option<String>,
    pub(super) context: Option<Value>,
    pub(super) expected: Option<Value>,
    pub(super) vars: Map<String, Value>,
    pub(super) checks: Vec<DraftCheck>,
    pub(super) criteria: Vec<Value>,
    pub(super) code: Vec<Code>,
}

impl Draft {
    /// Adds a note, once for each place and message.
    pub(super) fn note(&mut self, place: &Place, message: impl Into<String>, help: impl Into<String>) {
        self.push_note(Diagnostic::new(message).at(place.clone()).help(help));
    }

    /// Translates a prompt, with a note for each part that is logic; the suite is about the original where that can be read as
    /// it is.
    pub(super) fn translate(&mut self, prompt: &mut DraftPrompt, dialect: Dialect, names: &Names) {
        prompt.is_original = prompt.can_stay(dialect, names);
        if prompt.is_original {
            self.question = names.question();
        }
        prompt.translate(dialect, &|name| names.here(name));
        for (place, written) in prompt.problems.clone() {
            let help = "write the finished text into a column of the dataset and insert it by name, or write a prompt for each branch";
            self.note(&place, format!("`{written}` is not a plain variable"), help);
        }
    }

    /// As [`Draft::note`].
    pub(super) fn push_note(&mut self, note: Diagnostic) {
        let is_same = |other: &Diagnostic| other.message == note.message && other.place == note.place;
        if !self.notes.iter().any(is_same) {
            self.notes.push(note);
        }
    }
}

/// A name for files, ids and checks: letters, digits, `-` and `_`.
pub(in crate::app::init) fn slug(text: &str) -> String {
    let mut slug = String::new();
    for character in text.chars() {
        if character.is_ascii_alphanumeric() || matches!(character, '_' | '-') {
            slug.push(character.to_ascii_lowercase());
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_matches('-').chars().take(60).collect::<String>().trim_end_matches('-').to_owned()
}

/// `name`, or `name-2` and so on where it is taken; adds it to those taken.
pub(in crate::app::init) fn unique(name: &str, taken: &mut Vec<String>) -> String {
    let mut result = name.to_owned();
    let mut number = 1;
    while taken.contains(&result) {
        number += 1;
        result = format!("{name}-{number}");
    }
    taken.push(result.clone());
    result
}
