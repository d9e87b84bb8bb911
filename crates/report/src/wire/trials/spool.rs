//! The spool of a run: its trials as lines of trials.jsonl, in a temporary file until the report is written.
//!
//! The file has no name, so it disappears with the process.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::{CaseFields, Trial};
use promptgate_core::model::{Role, SpoolPlace, TrialText};
use promptgate_core::port::Spool;

/// Bytes to write and to read at once. A system call costs more than an entry.
const BLOCK: usize = 1 << 17;

/// A spool in a file.
pub struct FileSpool(Mutex<Buffered>);

/// The file with its buffers.
struct Buffered {
    file: File,
    /// Bytes in the file.
    written: u64,
    /// The bytes after those. They stay in memory while the file cannot be written.
    tail: Vec<u8>,
    /// The block that was read last, with its offset.
    window: (u64, Vec<u8>),
}

impl FileSpool {
    /// An empty spool in a folder.
    ///
    /// # Errors
    /// No file can be created there.
    pub fn new(folder: &Path) -> io::Result<Self> {
        Ok(Self::over(tempfile::tempfile_in(folder)?, 0))
    }

    /// A spool over a trials.jsonl.
    ///
    /// # Errors
    /// The size of the file is not known.
    pub(super) fn of(file: File) -> io::Result<Self> {
        let written = file.metadata()?.len();
        Ok(Self::over(file, written))
    }

    fn over(file: File, written: u64) -> Self {
        Self(Mutex::new(Buffered { file, written, tail: Vec::new(), window: (0, Vec::new()) }))
    }

    /// The line at a place.
    pub(super) fn line(&self, place: SpoolPlace) -> io::Result<String> {
        let mut buffered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = buffered.read(place)?.to_vec();
        String::from_utf8(bytes).map_err(io::Error::other)
    }

    /// Adds a line.
    ///
    /// # Errors
    /// It is too long.
    pub(super) fn put_line(&self, line: &str) -> io::Result<SpoolPlace> {
        let length = u32::try_from(line.len()).map_err(io::Error::other)?;
        let mut buffered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let offset = buffered.written + buffered.tail.len() as u64;
        buffered.tail.extend_from_slice(line.as_bytes());
        if buffered.tail.len() >= BLOCK {
            buffered.write();
        }
        Ok(SpoolPlace { offset, length })
    }

    /// The trial at a place.
    pub(super) fn trial(&self, place: SpoolPlace) -> io::Result<Trial> {
        Ok(serde_json::from_str(&self.line(place)?)?)
    }
}

impl Spool for FileSpool {
    fn put(&self, case: &str, role: Role, repeat: u32, text: &TrialText) -> io::Result<SpoolPlace> {
        let trial = serde_json::to_string(&Trial::completed(text, role, repeat))?;
        let line = CaseFields { case: case.to_owned(), ..CaseFields::default() }.line(&trial)?;
        self.put_line(&line)
    }

    fn get(&self, place: SpoolPlace) -> io::Result<TrialText> {
        self.trial(place)?.text().map_err(io::Error::other)
    }
}

impl Buffered {
    /// Moves the tail into the file. It stays in memory where the file system is full.
    fn write(&mut self) {
        // Reads move the position.
        let written =
            self.file.seek(SeekFrom::Start(self.written)).and_then(|_| self.file.write_all(&self.tail));
        if written.is_ok() {
            self.written += self.tail.len() as u64;
            self.tail.clear();
        }
    }

    fn read(&mut self, place: SpoolPlace) -> io::Result<&[u8]> {
        let length = place.length as usize;
        if place.offset >= self.written {
            return part(&self.tail, self.written, place.offset, length);
        }
        let (start, window) = &self.window;
        if place.offset < *start || place.offset + u64::from(place.length) > start + window.len() as u64 {
            // Trials end out of order, so some of the next ones are before this one. One far from the last, as in a merge
            // of many shards, says nothing about the next.
            let (near, end) = (BLOCK as u64, start + window.len() as u64);
            let is_near = place.offset + near >= *start && place.offset <= end + near;
            let before = if is_near { BLOCK as u64 / 4 } else { 0 };
            let start = place.offset.saturating_sub(before);
            let bytes = (place.offset - start) as usize + if is_near { length.max(BLOCK) } else { length };
            self.file.seek(SeekFrom::Start(start))?;
            self.window.0 = start;
            self.window.1.clear();
            (&self.file).take(bytes as u64).read_to_end(&mut self.window.1)?;
        }
        part(&self.window.1, self.window.0, place.offset, length)
    }
}

/// The part of `bytes`, which start at `start`, from `offset` on.
fn part(bytes: &[u8], start: u64, offset: u64, length: usize) -> io::Result<&[u8]> {
    let from = usize::try_from(offset - start).unwrap_or(usize::MAX);
    bytes.get(from..from.saturating_add(length)).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::fixtures::{self, Parts};
    use crate::{Format, Report, Style, write};
    use promptgate_core::model::{TextLocation, TrialResult};

    fn put(spool: &FileSpool, text: &TrialText) -> io::Result<SpoolPlace> {
        spool.put("case", Role::Candidate, 0, text)
    }

    #[test]
    fn entries_come_back_from_buffer_and_file() {
        let folder = tempfile::tempdir().unwrap();
        let spool = FileSpool::new(folder.path()).unwrap();
        let run = fixtures::pass().to_run().unwrap();
        let texts: Vec<TrialText> = run
            .trials
            .iter()
            .filter_map(|trial| match &trial.result {
                TrialResult::Completed(answered) => answered.in_memory().cloned(),
                TrialResult::Missing(_) => None,
            })
            .collect();
        let places: Vec<SpoolPlace> = texts.iter().map(|text| put(&spool, text).unwrap()).collect();
        for (place, text) in places.iter().zip(&texts).rev() {
            assert_eq!(&spool.get(*place).unwrap(), text);
        }
        // Also from the file, and from another part of it than the last.
        for _ in 0..3 {
            let more = 1 + 2 * BLOCK / places[0].length as usize;
            for number in 0..more {
                assert!(put(&spool, &texts[number % texts.len()]).is_ok());
            }
            for (place, text) in places.iter().zip(&texts) {
                assert_eq!(&spool.get(*place).unwrap(), text);
            }
            let last = put(&spool, &texts[0]).unwrap();
            assert_eq!(spool.get(last).unwrap(), texts[0]);
        }
        let beyond = SpoolPlace { offset: u64::from(u32::MAX), length: 7 };
        assert!(spool.get(beyond).is_err());
        // The file has no name that could be left behind.
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn spilled_report_equals_report_from_memory() {
        for whole in [fixtures::pass(), fixtures::fail(), fixtures::incomplete(), fixtures::panel()] {
            let parts = Parts::of(&whole);
            let folder = tempfile::tempdir().unwrap();
            let spool = Arc::new(FileSpool::new(folder.path()).unwrap());
            let mut run = parts.run.clone();
            for trial in &mut run.trials {
                let case = &run.cases[trial.case];
                // Variants with the same request share one line.
                let role = if case.shared { Role::Candidate } else { trial.role };
                if let TrialResult::Completed(answered) = &mut trial.result {
                    let text = answered.in_memory().unwrap();
                    let place = spool.put(&case.id, role, trial.repeat, text).unwrap();
                    answered.text = TextLocation::Spilled(place);
                }
            }
            let spilled = Report::undecided(&run, parts.policy.clone(), Some(&spool));
            let spilled = spilled.decided(&parts.decision, parts.exit_code);
            for format in Format::ALL {
                let text = |report: &Report| {
                    let mut text = Vec::new();
                    write(report, format, &mut text, Style::default()).unwrap();
                    String::from_utf8(text).unwrap()
                };
                assert_eq!(text(&spilled), text(&whole), "{format}");
            }
            let lines = |report: &Report| {
                let mut lines = Vec::new();
                crate::write_trials(report, &mut lines).unwrap();
                String::from_utf8(lines).unwrap()
            };
            assert_eq!(lines(&spilled), lines(&whole));
        }
    }
}
