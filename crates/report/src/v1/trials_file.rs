//! The trials of a large run, in a file beside report.json: one to a line, and read back as strictly as the report.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Write};
use std::path::Path;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::read::{LISTED, described, wrong_trials};
use super::trial::CUT;
use super::{Case, Report, Role, Trial, Trials};
use crate::spool::FileSpool;
use promptgate_core::model::{Diagnostic, Diagnostics, Place, SpoolPlace};
use promptgate_core::text::neutral;

/// The longest line that is read, in bytes.
const MAX_LINE: u64 = 64 << 20;

const TOGETHER: &str = "a large run leaves report.json and this file in one folder: take both as `promptgate run` \
                        wrote them, or run again";

/// A file beside report.json that holds all trials of a large run, each on a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrialsFile {
    /// Its name, in the folder of report.json; never a path.
    pub name: String,
    /// `sha256:…` of its bytes.
    pub digest: String,
    /// Its lines, each a trial.
    pub lines: usize,
}

/// What stands on a line before the fields of its trial.
#[derive(Serialize)]
struct Head<'a> {
    case: &'a str,
    /// On the first line of a case.
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<&'a str>,
    /// As well.
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<&'a [String]>,
    /// As well.
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<&'a str>,
}

/// What a line says beside its trial.
#[derive(Deserialize)]
struct Owner {
    case: String,
    #[serde(default)]
    query: Option<String>,
    #[serde(default)]
    context: Option<Arc<[String]>>,
    #[serde(default)]
    expected: Option<String>,
}

/// Writes the trials of a report, case by case; returns how many lines they are.
///
/// # Errors
/// Those of the writer, and of the spool that the trials are in.
pub fn write_lines(report: &Report, out: &mut impl Write) -> io::Result<usize> {
    let mut lines = 0;
    for case in &report.cases {
        for (place, trial) in case.trials.texts().enumerate() {
            let first = place == 0;
            let mut line = serde_json::to_string(&Head {
                case: &case.id,
                query: first.then_some(case.query.as_str()),
                context: case.context.as_deref().filter(|_| first),
                expected: case.expected.as_deref().filter(|_| first),
            })?;
            // One object of both.
            line.pop();
            line.push(',');
            line.push_str(trial?.strip_prefix('{').unwrap_or_default());
            line.push('\n');
            out.write_all(line.as_bytes())?;
            lines += 1;
        }
    }
    Ok(lines)
}

/// Whether text is a line as [`write_lines`] writes it.
pub fn is_line(text: &[u8]) -> bool {
    serde_json::from_slice::<Owner>(text).is_ok() && serde_json::from_slice::<Trial>(text).is_ok()
}

/// Finds the trials of a report in the file beside it that it speaks of; without one there is nothing to do.
///
/// # Errors
/// [`Diagnostics`] where the file cannot be opened, or is not to the byte the one that the report was written with.
pub(super) fn find(
    report: &mut Report,
    file: &str,
    open: impl FnOnce(&str) -> io::Result<File>,
) -> Result<(), Diagnostics> {
    let Some(reference) = &report.trials_file else { return Ok(()) };
    if !is_bare(&reference.name) {
        let name = neutral::terminal(&reference.name);
        let message =
            format!("`trials_file.name` is `{name}`, which is not the name of a file in this folder");
        return Err(Diagnostic::new(message).at(Place::file(file)).help("make the report again").into());
    }
    let beside = Path::new(file).with_file_name(&reference.name).display().to_string();
    let unreadable = |error: io::Error| {
        let message = format!("the trials of {} cannot be read: {error}", neutral::terminal(file));
        Diagnostic::new(message).at(Place::file(&beside)).help(TOGETHER)
    };
    let trials_file = open(&reference.name).map_err(unreadable)?;
    let mut reading = Reading::new(report, &beside);
    let mut reader = BufReader::with_capacity(1 << 16, &trials_file);
    let mut line = Vec::new();
    loop {
        line.clear();
        reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut line).map_err(unreadable)?;
        if line.is_empty() {
            break;
        }
        reading.line(&line);
    }
    drop(reader);
    let found = reading.finish(file)?;
    let spool = Arc::new(FileSpool::of(trials_file).map_err(unreadable)?);
    for (case, found) in report.cases.iter_mut().zip(found) {
        let elsewhere = case.trials.is_empty() && !found.places.is_empty();
        if let Some(query) = found.query {
            case.query = query;
            case.context = found.context;
            case.expected = found.expected;
        }
        case.trials = Trials::placed(found.places, &spool, elsewhere);
    }
    Ok(())
}

/// Whether a name is that of a file in the same folder, on every system.
fn is_bare(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\\', ':', '\0'])
}

/// The question of a case, which the report itself may have in short.
fn whole_query(case: &Case, query: Option<String>) -> Result<String, String> {
    let id = || neutral::terminal(&case.id);
    let start = case.query.strip_suffix(CUT).unwrap_or(&case.query);
    match query {
        Some(query) if query.starts_with(start) => Ok(query),
        Some(_) => Err(format!("case `{}` has another `query` than in the report", id())),
        None => Err(format!("the first trial of case `{}` needs its `query`", id())),
    }
}

/// The lines of one case.
#[derive(Default)]
struct Found {
    places: Vec<(Role, u32, SpoolPlace)>,
    query: Option<String>,
    context: Option<Arc<[String]>>,
    expected: Option<String>,
}

/// A file of trials while it is read.
struct Reading<'a> {
    report: &'a Report,
    /// How the file is called in mistakes.
    name: &'a str,
    hasher: Sha256,
    lines: usize,
    /// Bytes before the line.
    offset: u64,
    /// The case that lines are of.
    at: usize,
    found: Vec<Found>,
    /// The trials of that case.
    trials: Vec<Trial>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Reading<'a> {
    fn new(report: &'a Report, name: &'a str) -> Self {
        Self {
            report,
            name,
            hasher: Sha256::new(),
            lines: 0,
            offset: 0,
            at: 0,
            found: report.cases.iter().map(|_| Found::default()).collect(),
            trials: Vec::new(),
            diagnostics: Vec::new(),
        }
    }

    /// Takes the next line in. After the first mistakes only the digest is of interest: it says whose fault they are.
    fn line(&mut self, line: &[u8]) {
        self.hasher.update(line);
        self.lines += 1;
        if self.diagnostics.len() < LISTED
            && let Err(message) = self.trial(line)
        {
            self.refuse(message);
        }
        self.offset += line.len() as u64;
    }

    fn refuse(&mut self, message: String) {
        let place = Place::line(self.name, self.lines);
        self.diagnostics.push(Diagnostic::new(message).at(place).help(TOGETHER));
    }

    fn trial(&mut self, line: &[u8]) -> Result<(), String> {
        let broken = |error: &serde_json::Error| format!("this line is no trial: {}", described(error));
        let owner: Owner = serde_json::from_slice(line).map_err(|error| broken(&error))?;
        let trial: Trial = serde_json::from_slice(line).map_err(|error| broken(&error))?;
        if self.case().is_none_or(|case| case.id != owner.case) {
            self.turn_to(&owner.case)?;
        }
        let Some(case) = self.case() else { return Ok(()) };
        let Some(found) = self.found.get_mut(self.at) else { return Ok(()) };
        if self.trials.is_empty() {
            found.query = Some(whole_query(case, owner.query)?);
            (found.context, found.expected) = (owner.context, owner.expected);
        }
        let length = u32::try_from(line.len()).map_err(|_| "this line is too long".to_owned())?;
        found.places.push((trial.role, trial.repeat, SpoolPlace { offset: self.offset, length }));
        self.trials.push(trial);
        Ok(())
    }

    fn case(&self) -> Option<&'a Case> {
        self.report.cases.get(self.at)
    }

    /// Goes on to the case of a line, and over those that have none.
    fn turn_to(&mut self, id: &str) -> Result<(), String> {
        let Some(later) = self.report.cases.iter().skip(self.at).position(|case| case.id == id) else {
            let id = neutral::terminal(id);
            return Err(format!("case `{id}` is not in the report, or not in its order"));
        };
        for _ in 0..later {
            self.close();
            self.at += 1;
        }
        Ok(())
    }

    /// What the trials of a case contradict, once all of them are there.
    fn close(&mut self) {
        let trials = std::mem::take(&mut self.trials);
        let Some(case) = self.case() else { return };
        let mut wrong = wrong_trials(self.report, case, &mut trials.iter());
        let kept: Vec<_> = case.trials.readable().collect();
        if !kept.is_empty() && !kept.iter().map(|trial| &**trial).eq(trials.iter()) {
            let id = neutral::terminal(&case.id);
            wrong.push(format!("the trials of case `{id}` are not those that the report itself holds"));
        }
        for message in wrong {
            self.refuse(message);
        }
    }

    /// The places of all trials, by case.
    fn finish(mut self, file: &str) -> Result<Vec<Found>, Diagnostics> {
        while self.at < self.report.cases.len() && self.diagnostics.len() < LISTED {
            self.close();
            self.at += 1;
        }
        let Some(reference) = &self.report.trials_file else { return Ok(self.found) };
        let digest = digest(self.hasher);
        if reference.digest != digest {
            let message = format!(
                "these are not the trials that {} was written with: they are {} lines with the digest {digest}, not {} \
                 with {}",
                neutral::terminal(file),
                self.lines,
                reference.lines,
                neutral::terminal(&reference.digest)
            );
            return Err(Diagnostic::new(message).at(Place::file(self.name)).help(TOGETHER).into());
        }
        if reference.lines != self.lines {
            let message = format!(
                "`trials_file.lines` is {}, but {} has {}",
                reference.lines,
                neutral::terminal(self.name),
                self.lines
            );
            return Err(Diagnostic::new(message).at(Place::file(file)).help(TOGETHER).into());
        }
        if self.diagnostics.is_empty() {
            return Ok(self.found);
        }
        self.diagnostics.truncate(LISTED);
        Err(Diagnostics(self.diagnostics))
    }
}

fn digest(hasher: Sha256) -> String {
    let hex: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// A writer that knows the digest of what went through it.
pub struct Digesting<W> {
    out: W,
    hasher: Sha256,
}

impl<W: Write> Digesting<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out, hasher: Sha256::new() }
    }

    /// `sha256:…` of all bytes so far.
    pub fn digest(self) -> String {
        digest(self.hasher)
    }
}

impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hasher.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
