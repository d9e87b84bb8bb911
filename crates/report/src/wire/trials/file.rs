//! trials.jsonl: the trials of a large run, one per line, read back as strictly as report.json.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Write};
use std::path::Path;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::super::digest;
use super::super::v1::{CUT, Case, MAX_LISTED, Report, wrong_trials};
use super::{CaseFields, FileSpool, Requests, Trial, Trials, parse};
use promptgate_core::model::{Diagnostic, Diagnostics, Place, Role, SpoolPlace};
use promptgate_core::text::neutral;

/// Maximum length of a line in bytes.
const MAX_LINE: u64 = 64 << 20;

const TOGETHER: &str = "a large run writes report.json and this file into one folder: take both as `promptgate run` \
                        wrote them, or run again";

/// The file beside report.json with all trials of a large run, one per line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrialsFile {
    /// Its name, in the folder of report.json; never a path.
    pub name: String,
    /// `sha256:…` of its bytes.
    pub digest: String,
    /// Number of its lines, each a trial.
    pub lines: usize,
}

/// Writes the trials of a report, case by case; returns the number of lines.
///
/// # Errors
/// The trials cannot be read or written.
pub(crate) fn write_lines(report: &Report, out: &mut impl Write) -> io::Result<usize> {
    for case in &report.cases {
        let sent = case.requests.fields(report.messages.shared())?;
        let mut fields = CaseFields {
            case: case.id.clone(),
            query: Some(case.query.clone()),
            context: case.context.clone(),
            expected: case.expected.clone(),
            requests: sent.requests,
            messages: sent.messages,
        };
        for trial in case.trials.json() {
            out.write_all(fields.line(&trial?)?.as_bytes())?;
            fields = CaseFields { case: fields.case, ..CaseFields::default() };
        }
    }
    Ok(report.trials())
}

/// Attaches the trials in the file that a report names, if it names one; `open` opens a file in its folder.
///
/// # Errors
/// [`Diagnostics`] where the file cannot be opened, or differs from the one that the report was written with.
pub(in super::super) fn attach(
    report: &mut Report,
    file: &str,
    open: impl FnOnce(&str) -> io::Result<File>,
) -> Result<(), Diagnostics> {
    let Some(reference) = &report.trials_file else { return Ok(()) };
    if !is_bare(&reference.name) {
        let name = neutral::terminal(&reference.name);
        let message = format!("`trials_file.name` must name a file in this folder, found `{name}`");
        return Err(Diagnostic::new(message).at(Place::file(file)).help("run again").into());
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
    let (own, shared) = (std::mem::take(&mut reading.own), std::mem::take(&mut reading.referenced));
    let lines = reading.finish(file)?;
    report.unshare_messages(own, &shared);
    let spool = Arc::new(FileSpool::of(trials_file).map_err(unreadable)?);
    for (case, lines) in report.cases.iter_mut().zip(lines) {
        let left_out = case.trials.is_empty() && !lines.places.is_empty();
        if let Some(query) = lines.query {
            case.query = query;
            case.context = lines.context;
            case.expected = lines.expected;
        }
        let first = lines.places.first().filter(|_| lines.has_requests);
        if let Some((_, place)) = first {
            case.requests = Requests::placed(*place, &spool, report.messages.shared());
        }
        case.trials = Trials::placed(lines.places, &spool, left_out);
    }
    report.keep_messages();
    Ok(())
}

/// Whether a name is that of a file in the same folder, on every system.
fn is_bare(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\\', ':', '\0'])
}

/// The full question of a case, whose start must match the report.
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
struct CaseLines {
    places: Vec<(Role, SpoolPlace)>,
    query: Option<String>,
    context: Option<Arc<[String]>>,
    expected: Option<String>,
    /// Whether its first line has the messages that were sent for it.
    has_requests: bool,
}

/// A file of trials while it is read.
struct Reading<'a> {
    report: &'a Report,
    /// The file's name in diagnostics.
    name: &'a str,
    hasher: Sha256,
    lines: usize,
    /// Offset of the line in bytes.
    offset: u64,
    /// Index of the current case.
    at: usize,
    /// The lines of every case.
    cases: Vec<CaseLines>,
    /// The trials of the current case.
    trials: Vec<Trial>,
    diagnostics: Vec<Diagnostic>,
    /// Digests of messages of the report that a line has as well, since only one case has them.
    own: BTreeSet<String>,
    /// Digests of messages of the report that lines refer to.
    referenced: BTreeSet<String>,
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
            cases: report.cases.iter().map(|_| CaseLines::default()).collect(),
            trials: Vec::new(),
            diagnostics: Vec::new(),
            own: BTreeSet::new(),
            referenced: BTreeSet::new(),
        }
    }

    /// Reads the next line. After many errors only the digest matters, since it shows whether the file was replaced.
    fn line(&mut self, line: &[u8]) {
        self.hasher.update(line);
        self.lines += 1;
        if self.diagnostics.len() < MAX_LISTED
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
        let length = u32::try_from(line.len()).map_err(|_| "this line is too long".to_owned())?;
        let (fields, trial) = parse(line)?;
        if self.case().is_none_or(|case| case.id != fields.case) {
            self.advance_to(&fields.case)?;
        }
        let Some(case) = self.case() else { return Ok(()) };
        let Some(lines) = self.cases.get_mut(self.at) else { return Ok(()) };
        if self.trials.is_empty() {
            lines.query = Some(whole_query(case, fields.query)?);
            (lines.context, lines.expected) = (fields.context, fields.expected);
            lines.has_requests = fields.requests.is_some();
            let known = self.report.messages.shared();
            self.own.extend(fields.messages.into_keys().filter(|digest| known.contains_key(digest)));
            let digests =
                fields.requests.into_iter().flat_map(|of| of.candidate.into_iter().chain(of.baseline));
            self.referenced.extend(digests.filter(|digest| known.contains_key(digest)));
        }
        lines.places.push((trial.role, SpoolPlace { offset: self.offset, length }));
        self.trials.push(trial);
        Ok(())
    }

    fn case(&self) -> Option<&'a Case> {
        self.report.cases.get(self.at)
    }

    /// Advances to the case of a line, past cases without lines.
    fn advance_to(&mut self, id: &str) -> Result<(), String> {
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

    /// Checks the trials of the current case, all of which were read.
    fn close(&mut self) {
        let trials = std::mem::take(&mut self.trials);
        let Some(case) = self.case() else { return };
        let mut wrong = wrong_trials(self.report, case, &mut trials.iter());
        let in_report: Vec<_> = case.trials.readable().collect();
        if !in_report.is_empty() && !in_report.iter().map(|trial| &**trial).eq(trials.iter()) {
            let id = neutral::terminal(&case.id);
            wrong.push(format!("the trials of case `{id}` differ from those in the report"));
        }
        for message in wrong {
            self.refuse(message);
        }
    }

    /// The lines of every case.
    fn finish(mut self, file: &str) -> Result<Vec<CaseLines>, Diagnostics> {
        while self.at < self.report.cases.len() && self.diagnostics.len() < MAX_LISTED {
            self.close();
            self.at += 1;
        }
        let Some(reference) = &self.report.trials_file else { return Ok(self.cases) };
        let digest = digest(self.hasher);
        if reference.digest != digest {
            let message = format!(
                "these are not the trials of {}: expected {} lines with the digest {}, found {} with {digest}",
                neutral::terminal(file),
                reference.lines,
                neutral::terminal(&reference.digest),
                self.lines
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
            return Ok(self.cases);
        }
        self.diagnostics.truncate(MAX_LISTED);
        Err(Diagnostics(self.diagnostics))
    }
}

/// A writer that computes the digest of its bytes.
pub struct Digesting<W> {
    out: W,
    hasher: Sha256,
}

impl<W: Write> Digesting<W> {
    /// A writer to `out`.
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
