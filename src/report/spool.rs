//! The spool of a run: what was said, in a temporary file until the report is written.
//!
//! Every entry is a trial as the report has it. The file has no name, so it is gone with the process.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::v1::{self, Role};
use crate::model::{Spoken, SpoolPlace};
use crate::port::Spool;

/// A spool in a file.
pub struct FileSpool(Mutex<Ends>);

struct Ends {
    file: File,
    /// Bytes written.
    end: u64,
}

impl FileSpool {
    /// An empty one in a folder.
    ///
    /// # Errors
    /// No file can be made there.
    pub fn new(folder: &Path) -> io::Result<Self> {
        Ok(Self(Mutex::new(Ends { file: tempfile::tempfile_in(folder)?, end: 0 })))
    }

    /// The trials that a file holds already, as JSON at places that are known.
    pub(super) fn of(file: File) -> Self {
        Self(Mutex::new(Ends { file, end: 0 }))
    }
}

impl Spool for FileSpool {
    fn put(&self, spoken: &Spoken) -> io::Result<SpoolPlace> {
        let text = serde_json::to_vec(&v1::Trial::of(spoken, Role::Candidate, 0))?;
        let length = u32::try_from(text.len()).map_err(io::Error::other)?;
        let mut ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let offset = ends.end;
        // A reader has been elsewhere in between.
        ends.file.seek(SeekFrom::Start(offset))?;
        ends.file.write_all(&text)?;
        ends.end += u64::from(length);
        Ok(SpoolPlace { offset, length })
    }

    fn get(&self, place: SpoolPlace) -> io::Result<Spoken> {
        self.trial(place)?.spoken().map_err(io::Error::other)
    }
}

impl FileSpool {
    /// The trial at a place, as the report has it; whose it is, is not kept.
    pub(super) fn trial(&self, place: SpoolPlace) -> io::Result<v1::Trial> {
        let mut text = vec![0; place.length as usize];
        {
            let mut ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            ends.file.seek(SeekFrom::Start(place.offset))?;
            ends.file.read_exact(&mut text)?;
        }
        Ok(serde_json::from_slice(&text)?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{TrialResult, Words};
    use crate::report::{Format, Report, Style, sample, write};

    #[test]
    fn what_was_put_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let spool = FileSpool::new(folder.path()).unwrap();
        let said: Vec<Spoken> = sample::pass()
            .run
            .trials
            .iter()
            .filter_map(|trial| match &trial.result {
                TrialResult::Answered(answered) => answered.here().cloned(),
                TrialResult::Missing(_) => None,
            })
            .collect();
        let places: Vec<SpoolPlace> = said.iter().map(|spoken| spool.put(spoken).unwrap()).collect();
        for (place, spoken) in places.iter().zip(&said).rev() {
            assert_eq!(&spool.get(*place).unwrap(), spoken);
        }
        let beyond = SpoolPlace { offset: u64::from(u32::MAX), length: 7 };
        assert!(spool.get(beyond).is_err());
        // The file has no name that could be left behind.
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_report_from_a_spool_is_that_from_memory() {
        for parts in [sample::pass(), sample::fail(), sample::incomplete()] {
            let whole = parts.report();
            let folder = tempfile::tempdir().unwrap();
            let spool = Arc::new(FileSpool::new(folder.path()).unwrap());
            let mut run = parts.run.clone();
            for trial in &mut run.trials {
                if let TrialResult::Answered(answered) = &mut trial.result {
                    let place = spool.put(answered.here().unwrap()).unwrap();
                    answered.words = Words::Spooled(place);
                }
            }
            let (analysis, decision) = (&parts.analysis, &parts.decision);
            let policy = parts.policy.clone();
            let spooled = Report::spooled(&run, analysis, decision, policy, parts.exit_code, Some(&spool));
            for format in Format::ALL {
                let text = |report: &Report| {
                    let mut text = Vec::new();
                    write(report, format, &mut text, Style::default()).unwrap();
                    String::from_utf8(text).unwrap()
                };
                assert_eq!(text(&spooled), text(&whole), "{format}");
            }
        }
    }
}
