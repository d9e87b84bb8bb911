//! The spool of a run: what was said, in a temporary file until the report is written.
//!
//! Every entry is a trial as the report has it. The file has no name, so it is gone with the process.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::v1::{self, Role};
use promptgate_core::model::{SpoolPlace, TrialText};
use promptgate_core::port::Spool;

/// Entries gather up to so many bytes before they are written, and are read by as many: a call of the system for each
/// would cost more than the entry.
const BLOCK: usize = 1 << 17;

/// How the text of an entry begins; whose trial it is, is not kept.
const BEGIN: &str = r#"{"role":"candidate","repeat":0,"#;

/// A spool in a file.
pub struct FileSpool(Mutex<Ends>);

struct Ends {
    file: File,
    /// Bytes in the file.
    written: u64,
    /// What comes after them. It stays here while the file cannot be written.
    tail: Vec<u8>,
    /// What was read last, and where it begins.
    window: (u64, Vec<u8>),
}

impl FileSpool {
    /// An empty one in a folder.
    ///
    /// # Errors
    /// No file can be made there.
    pub fn new(folder: &Path) -> io::Result<Self> {
        Ok(Self::over(tempfile::tempfile_in(folder)?, 0))
    }

    /// The trials that a file holds already, as JSON at places that are known.
    ///
    /// # Errors
    /// The file's size is not known.
    pub(super) fn of(file: File) -> io::Result<Self> {
        let written = file.metadata()?.len();
        Ok(Self::over(file, written))
    }

    fn over(file: File, written: u64) -> Self {
        Self(Mutex::new(Ends { file, written, tail: Vec::new(), window: (0, Vec::new()) }))
    }

    /// The JSON of the trial at a place, on one line, as that of this side and repeat.
    pub(super) fn text(&self, place: SpoolPlace, role: Role, repeat: u32) -> io::Result<String> {
        let text = self.read(place)?;
        match text.strip_prefix(BEGIN) {
            Some(rest) => Ok(format!(r#"{{"role":"{}","repeat":{repeat},{rest}"#, role.as_str())),
            None => Ok(serde_json::to_string(&self.trial(place, role, repeat)?)?),
        }
    }

    /// The trial at a place, as that of this side and repeat.
    pub(super) fn trial(&self, place: SpoolPlace, role: Role, repeat: u32) -> io::Result<v1::Trial> {
        Ok(v1::Trial { role, repeat, ..serde_json::from_str(&self.read(place)?)? })
    }

    fn read(&self, place: SpoolPlace) -> io::Result<String> {
        let mut ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = ends.read(place)?.to_vec();
        String::from_utf8(bytes).map_err(io::Error::other)
    }
}

impl Spool for FileSpool {
    fn put(&self, spoken: &TrialText) -> io::Result<SpoolPlace> {
        let text = serde_json::to_vec(&v1::Trial::of(spoken, Role::Candidate, 0))?;
        let length = u32::try_from(text.len()).map_err(io::Error::other)?;
        let mut ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let offset = ends.written + ends.tail.len() as u64;
        ends.tail.extend_from_slice(&text);
        if ends.tail.len() >= BLOCK {
            ends.write();
        }
        Ok(SpoolPlace { offset, length })
    }

    fn get(&self, place: SpoolPlace) -> io::Result<TrialText> {
        self.trial(place, Role::Candidate, 0)?.spoken().map_err(io::Error::other)
    }
}

impl Ends {
    /// Moves the tail into the file; where that is full, it stays as it is.
    fn write(&mut self) {
        // A reader has been elsewhere in between.
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
            // Trials end out of order: some of those that come next stand before this one.
            let start = place.offset.saturating_sub(BLOCK as u64 / 4);
            let wanted = (place.offset - start) as usize + length.max(BLOCK);
            self.file.seek(SeekFrom::Start(start))?;
            self.window.0 = start;
            self.window.1.clear();
            (&self.file).take(wanted as u64).read_to_end(&mut self.window.1)?;
        }
        part(&self.window.1, self.window.0, place.offset, length)
    }
}

/// What `bytes`, which begin at `start`, hold from `offset` on.
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

    #[test]
    fn what_was_put_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let spool = FileSpool::new(folder.path()).unwrap();
        let run = fixtures::pass().to_run().unwrap();
        let said: Vec<TrialText> = run
            .trials
            .iter()
            .filter_map(|trial| match &trial.result {
                TrialResult::Completed(answered) => answered.in_memory().cloned(),
                TrialResult::Missing(_) => None,
            })
            .collect();
        let places: Vec<SpoolPlace> = said.iter().map(|spoken| spool.put(spoken).unwrap()).collect();
        for (place, spoken) in places.iter().zip(&said).rev() {
            assert_eq!(&spool.get(*place).unwrap(), spoken);
        }
        // Also from the file, and from another part of it than the last.
        for _ in 0..3 {
            let more = 1 + 2 * BLOCK / places[0].length as usize;
            for number in 0..more {
                assert!(spool.put(&said[number % said.len()]).is_ok());
            }
            for (place, spoken) in places.iter().zip(&said) {
                assert_eq!(&spool.get(*place).unwrap(), spoken);
            }
            let last = spool.put(&said[0]).unwrap();
            assert_eq!(spool.get(last).unwrap(), said[0]);
        }
        let beyond = SpoolPlace { offset: u64::from(u32::MAX), length: 7 };
        assert!(spool.get(beyond).is_err());
        // The file has no name that could be left behind.
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_report_from_a_spool_is_that_from_memory() {
        for whole in [fixtures::pass(), fixtures::fail(), fixtures::incomplete(), fixtures::panel()] {
            let parts = Parts::of(&whole);
            let folder = tempfile::tempdir().unwrap();
            let spool = Arc::new(FileSpool::new(folder.path()).unwrap());
            let mut run = parts.run.clone();
            for trial in &mut run.trials {
                if let TrialResult::Completed(answered) = &mut trial.result {
                    let place = spool.put(answered.in_memory().unwrap()).unwrap();
                    answered.text = TextLocation::Spilled(place);
                }
            }
            let (analysis, decision) = (&parts.analysis, &parts.decision);
            let policy = parts.policy.clone();
            let spilled = Report::spilled(&run, analysis, decision, policy, parts.exit_code, Some(&spool));
            for format in Format::ALL {
                let text = |report: &Report| {
                    let mut text = Vec::new();
                    write(report, format, &mut text, Style::default()).unwrap();
                    String::from_utf8(text).unwrap()
                };
                assert_eq!(text(&spilled), text(&whole), "{format}");
            }
        }
    }
}
