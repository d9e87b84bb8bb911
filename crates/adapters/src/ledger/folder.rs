//! A ledger in a folder.
//!
//! An append locks the folder, writes the records, replaces the file of the events, and then the state and the assignments
//! of all names. Each file is written beside its place, synced and renamed. A process that is killed before the events were
//! replaced has appended nothing; one that is killed after has appended everything, and what is derived from the events is
//! derived again until the next append.

mod files;

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::PathBuf;

use promptgate_release::chain;
use promptgate_release::ports::{Addition, History, LedgerStore, PortResult, Tip, Verification};
use promptgate_release::{Digest, Name, PortError, RELEASES_FILE, Record, Releases, State, Version};

use super::blocking;
use super::layout::{
    EVENTS, STATE, StateFile, VERSIONS, damaged, events_path, fold, history, name_of_events, parse_record,
    prepare, read_events, record_path, state_path,
};
use super::observer::Observer;
use super::releases::{self, Source};
use super::verification::{self, Derived, StateAge};
use files::{FileError, Files};

/// The file that a writer locks.
const LOCK: &str = "ledger.lock";

/// A ledger in a folder, which need not exist before the first append.
#[derive(Debug, Clone)]
pub struct Folder {
    files: Files,
    observer: Observer,
}

impl Folder {
    /// A ledger at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { files: Files::new(path.into()), observer: Observer::default() }
    }

    #[cfg(test)]
    pub(super) fn observed(mut self, on_point: std::sync::Arc<dyn Fn(&'static str) + Send + Sync>) -> Self {
        self.observer.on_point = Some(on_point);
        self
    }

    fn read(&self, path: &str) -> Result<Option<String>, PortError> {
        match self.files.read(path) {
            Ok(text) => Ok(text),
            Err(FileError::Io(error)) => Err(self.failed("read", path, &error)),
            Err(FileError::NotText) => Err(damaged(path, "not UTF-8")),
        }
    }

    fn failed(&self, action: &str, path: &str, error: &std::io::Error) -> PortError {
        let path = self.files.root().join(path);
        let help = match error.kind() {
            ErrorKind::StorageFull => " (help: free disk space and run again; nothing was appended)",
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                " (help: run as a user who may write to the ledger's folder; reading needs no write access)"
            }
            _ => "",
        };
        PortError::Unavailable(format!("{} could not be {action}: {error}{help}", path.display()))
    }

    /// Refuses a folder with other contents, whose files an append could replace.
    fn check_is_ledger(&self) -> Result<(), PortError> {
        let entries = match fs::read_dir(self.files.root()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(self.failed("read", "", &error)),
        };
        let mut foreign = None;
        let mut has_events = false;
        for entry in entries {
            let name = entry.map_err(|error| self.failed("read", "", &error))?.file_name();
            let name = name.to_string_lossy().into_owned();
            // A link could come with a repository and point at any of the user's files.
            if self.files.root().join(&name).is_symlink() {
                return Err(damaged(&name, "expected a file or a folder of a ledger, found a symbolic link"));
            }
            has_events |= name == EVENTS;
            if ![LOCK, EVENTS, VERSIONS, STATE, RELEASES_FILE, files::STAGING].contains(&name.as_str()) {
                foreign = Some(name);
            }
        }
        match foreign {
            Some(name) if !has_events => Err(PortError::Invalid(format!(
                "{} is not a ledger: it has no folder `{EVENTS}`, but `{name}` (help: name a folder that is empty or \
                 does not exist)",
                self.location()
            ))),
            _ => Ok(()),
        }
    }

    fn lock(&self) -> Result<File, PortError> {
        let failed = |error| self.failed("locked", LOCK, &error);
        self.files.create_root().map_err(failed)?;
        let path = self.files.root().join(LOCK);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(file)
    }

    fn append_blocking(
        &self,
        name: &Name,
        addition: &Addition,
        expected: Option<&Tip>,
    ) -> Result<Tip, PortError> {
        self.check_is_ledger()?;
        self.observer.reached("before the lock");
        let lock = self.lock()?;
        self.observer.reached("locked");
        self.files.clear_staging().map_err(|error| self.failed("removed", files::STAGING, &error))?;
        let path = events_path(name);
        let events = self.read(&path)?.unwrap_or_default();
        let writes = prepare(name, &events, addition, expected)?;
        // Of all names: another writer may have been interrupted before it wrote its own.
        let rebuilt = releases::rebuild(&mut &*self, Some((name, writes.entry.clone())));
        let releases = rebuilt.and_then(|rebuilt| rebuilt.text()).unwrap_or_default();
        for (path, text) in &writes.records {
            self.replace(path, text, ["record staged", "record stored"])?;
        }
        self.replace(&path, &(events + &writes.lines), ["events staged", "events stored"])?;
        // The events are appended. What is derived from them and cannot be written is derived by readers.
        let _ = self.replace(&state_path(name), &writes.state, ["state staged", "state stored"]);
        if let Some(text) = releases {
            let _ = self.replace(RELEASES_FILE, &text, ["releases staged", "releases stored"]);
        }
        drop(lock);
        self.observer.reached("unlocked");
        Ok(writes.tip)
    }

    fn replace(&self, path: &str, text: &str, [staged, stored]: [&'static str; 2]) -> Result<(), PortError> {
        let failed = |error| self.failed("written", path, &error);
        let replacement = self.files.stage(path, text).map_err(failed)?;
        self.observer.reached(staged);
        replacement.store().map_err(failed)?;
        self.observer.reached(stored);
        Ok(())
    }

    /// The digest of the last line of the events, without reading the others; `None` for an unknown name.
    fn tip(&self, name: &Name) -> Result<Option<Digest>, PortError> {
        let path = events_path(name);
        let line = self.files.last_line(&path).map_err(|error| self.failed("read", &path, &error))?;
        // A line that is cut off is damage, which `history` locates.
        Ok(line.map(|line| chain::digest(&String::from_utf8_lossy(&line))))
    }

    fn state_blocking(&self, name: &Name) -> Result<Option<State>, PortError> {
        let path = state_path(name);
        // The state is read first: an append in between then makes the tip newer, never the state.
        let stored = self.read(&path)?;
        let Some(tip) = self.tip(name)? else { return Ok(None) };
        if let Some(stored) = stored.and_then(|text| StateFile::parse(&text, &path).ok())
            && stored.tip == tip
        {
            return Ok(Some(stored.state));
        }
        let events = self.read(&events_path(name))?.unwrap_or_default();
        fold(&read_events(&events, name)?, name).map(Some)
    }

    fn record_blocking(&self, name: &Name, version: Version) -> Result<Option<Record>, PortError> {
        let state = self.state_blocking(name)?;
        let Some(published) = state.as_ref().and_then(|state| state.versions.get(&version)) else {
            return Ok(None); // a record alone is left of an append that was interrupted
        };
        let path = record_path(name, version);
        let text = self.read(&path)?;
        let text = text.ok_or_else(|| damaged(&path, "the record of a published version is missing"))?;
        parse_record(&text, name, version, published).map(Some)
    }

    fn names_blocking(&self) -> Result<Vec<Name>, PortError> {
        self.check_is_ledger()?;
        let paths = self.files.paths(EVENTS).map_err(|error| self.failed("read", EVENTS, &error))?;
        let mut names: Vec<Name> = paths.iter().filter_map(|path| name_of_events(path)).collect();
        names.sort();
        Ok(names)
    }

    fn verify_blocking(&self, name: &Name) -> Result<Verification, PortError> {
        self.check_is_ledger()?;
        let state = self.read(&state_path(name))?;
        let releases = self.read(RELEASES_FILE)?;
        let events = self.read(&events_path(name))?.unwrap_or_default();
        let record = |version| self.read(&record_path(name, version));
        let derived =
            Derived { state: state.as_deref(), releases: releases.as_deref(), age: StateAge::AnyEvent };
        let chain = verification::verify(name, &events, derived, record)?;
        Ok(Verification { history: history(chain), commits: None })
    }
}

impl Source for &Folder {
    fn names(&mut self) -> Result<Vec<Name>, PortError> {
        self.names_blocking()
    }

    fn state(&mut self, name: &Name) -> Result<Option<State>, PortError> {
        self.state_blocking(name)
    }

    fn file(&mut self, path: &str) -> Result<Option<String>, PortError> {
        self.read(path)
    }
}

impl LedgerStore for Folder {
    fn location(&self) -> String {
        format!("folder {}", self.files.root().display())
    }

    fn is_local(&self) -> bool {
        true
    }

    fn refresh(&self) -> PortResult<'_, ()> {
        let this = self.clone();
        blocking(move || this.check_is_ledger())
    }

    fn names(&self) -> PortResult<'_, Vec<Name>> {
        let this = self.clone();
        blocking(move || this.names_blocking())
    }

    fn history<'a>(&'a self, name: &'a Name) -> PortResult<'a, History> {
        let (this, name) = (self.clone(), name.clone());
        blocking(move || {
            let events = this.read(&events_path(&name))?.unwrap_or_default();
            read_events(&events, &name).map(history)
        })
    }

    fn state<'a>(&'a self, name: &'a Name) -> PortResult<'a, Option<State>> {
        let (this, name) = (self.clone(), name.clone());
        blocking(move || this.state_blocking(&name))
    }

    fn record<'a>(&'a self, name: &'a Name, version: Version) -> PortResult<'a, Option<Record>> {
        let (this, name) = (self.clone(), name.clone());
        blocking(move || this.record_blocking(&name, version))
    }

    fn releases(&self) -> PortResult<'_, Releases> {
        let this = self.clone();
        blocking(move || releases::read(&mut &this, StateAge::AnyEvent))
    }

    fn append<'a>(
        &'a self,
        name: &'a Name,
        addition: &'a Addition,
        expected: Option<&'a Tip>,
    ) -> PortResult<'a, Tip> {
        let (this, name, addition, expected) =
            (self.clone(), name.clone(), addition.clone(), expected.cloned());
        blocking(move || this.append_blocking(&name, &addition, expected.as_ref()))
    }

    fn verify<'a>(&'a self, name: &'a Name) -> PortResult<'a, Verification> {
        let (this, name) = (self.clone(), name.clone());
        blocking(move || this.verify_blocking(&name))
    }
}
