//! A ledger on a branch of a git repository that shares no history with any other.
//!
//! An append creates a commit from objects and pushes it as compare-and-swap; the work tree, the index, HEAD and the
//! hooks of the user are never touched. Reading uses the last fetched commit.

mod commit;
mod fetch;
mod history;
mod process;
mod push;
mod reader;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::sleep;

use promptgate_core::text::Secret;
use promptgate_release::ports::{Addition, History, LedgerStore, PortResult, Tip, Verification};
use promptgate_release::{Name, PortError, RELEASES_FILE, Record, Releases, State, Version};

use super::blocking;
use super::layout::{
    damaged, events_path, history, parse_record, prepare, read_events, record_path, state_path,
};
use super::observer::Observer;
use super::releases::{self, Source as _};
use super::retry::{MAX_ATTEMPTS, pause};
use super::verification::{self, Derived, StateAge};
use commit::Append;
use fetch::Depth;
use process::Git;
use push::Pushed;
use reader::Reader;

/// The branch of a ledger where none is configured.
pub const DEFAULT_BRANCH: &str = "promptgate";
/// The remote of a ledger where none is configured.
pub const DEFAULT_REMOTE: &str = "origin";

/// A ledger on a branch, which need not exist before the first append.
#[derive(Debug, Clone)]
pub struct GitBranch {
    git: Arc<Git>,
    observer: Observer,
}

impl GitBranch {
    /// A ledger on `branch` at `remote`, a remote of the repository that contains `folder` or an address.
    pub fn new(folder: impl Into<PathBuf>, remote: &str, branch: &str) -> Self {
        let git = Git::new(folder.into(), remote.to_owned(), branch.to_owned());
        Self { git: Arc::new(git), observer: Observer::default() }
    }

    /// Authenticates with a token where the remote is reached by https.
    #[must_use]
    pub fn with_token(mut self, token: Secret) -> Self {
        Arc::make_mut(&mut self.git).set_token(token);
        self
    }

    #[cfg(test)]
    pub(super) fn observed(mut self, on_point: Arc<dyn Fn(&'static str) + Send + Sync>) -> Self {
        self.observer.on_point = Some(on_point);
        self
    }

    fn reader(&self) -> Result<Option<Reader<'_>>, PortError> {
        Reader::open(&self.git, &self.git.tracking())
    }

    fn history_blocking(&self, name: &Name) -> Result<History, PortError> {
        let Some(mut reader) = self.reader()? else { return Ok(History::default()) };
        let events = reader.file(&events_path(name))?.unwrap_or_default();
        read_events(&events, name).map(history)
    }

    fn state_blocking(&self, name: &Name) -> Result<Option<State>, PortError> {
        match self.reader()? {
            Some(mut reader) => reader.state(name),
            None => Ok(None),
        }
    }

    fn record_blocking(&self, name: &Name, version: Version) -> Result<Option<Record>, PortError> {
        let Some(mut reader) = self.reader()? else { return Ok(None) };
        let state = reader.state(name)?;
        let Some(published) = state.as_ref().and_then(|state| state.versions.get(&version)) else {
            return Ok(None);
        };
        let path = record_path(name, version);
        let text = reader.file(&path)?;
        let text = text.ok_or_else(|| damaged(&path, "the record of a published version is missing"))?;
        parse_record(&text, name, version, published).map(Some)
    }

    fn names_blocking(&self) -> Result<Vec<Name>, PortError> {
        self.reader()?.map_or_else(|| Ok(Vec::new()), |mut reader| reader.names())
    }

    fn releases_blocking(&self) -> Result<Releases, PortError> {
        match self.reader()? {
            Some(mut reader) => releases::read(&mut reader, StateAge::Newest),
            None => Ok(Releases::default()),
        }
    }

    fn append_blocking(
        &self,
        name: &Name,
        addition: &Addition,
        expected: Option<&Tip>,
    ) -> Result<Tip, PortError> {
        for attempt in 1..=MAX_ATTEMPTS {
            let mut reader = self.reader()?;
            self.observer.reached("read");
            let (base, events) = match &mut reader {
                None => (None, String::new()),
                Some(reader) => {
                    (Some(reader.tip.clone()), reader.file(&events_path(name))?.unwrap_or_default())
                }
            };
            let writes = prepare(name, &events, addition, expected)?;
            // Of the tip that is appended to: a writer of another name may have moved it.
            let rebuilt = match &mut reader {
                Some(reader) => releases::rebuild(reader, Some((name, writes.entry.clone())))?,
                None => releases::first(name, writes.entry.clone()),
            };
            drop(reader);
            let append =
                Append { name, events: &events, writes: &writes, releases: rebuilt.text()?, addition };
            let commit = self.git.create_commit(base.as_deref(), &append)?;
            self.observer.reached("committed");
            match self.git.push(base.as_deref(), &commit, &self.observer)? {
                Pushed::Stored => {
                    self.git.record_push(base.as_deref(), &commit)?;
                    self.observer.reached("recorded");
                    return Ok(writes.tip);
                }
                // Only if the same name moved, there is something to decide again.
                Pushed::Moved if attempt < MAX_ATTEMPTS => sleep(pause(attempt) / 4),
                Pushed::Moved => {}
            }
        }
        Err(PortError::Conflict("ledger"))
    }

    fn verify_blocking(&self, name: &Name) -> Result<Verification, PortError> {
        let Some(mut reader) = self.reader()? else { return Ok(Verification::default()) };
        let events = reader.file(&events_path(name))?.unwrap_or_default();
        let state = reader.file(&state_path(name))?;
        let releases = reader.file(RELEASES_FILE)?;
        let derived =
            Derived { state: state.as_deref(), releases: releases.as_deref(), age: StateAge::Newest };
        let record = |version| reader.file(&record_path(name, version));
        let chain = verification::verify(name, &events, derived, record)?;
        let commits = history::verify_commits(&self.git, &mut reader, name, &events)?;
        history::verify_releases(&self.git, &mut reader)?;
        Ok(Verification { history: history(chain), commits: Some(commits) })
    }
}

impl LedgerStore for GitBranch {
    fn location(&self) -> String {
        self.git.shown()
    }

    fn is_local(&self) -> bool {
        false
    }

    fn refresh(&self) -> PortResult<'_, ()> {
        let this = self.clone();
        blocking(move || this.git.fetch(Depth::Clone).map(drop))
    }

    fn names(&self) -> PortResult<'_, Vec<Name>> {
        let this = self.clone();
        blocking(move || this.names_blocking())
    }

    fn history<'a>(&'a self, name: &'a Name) -> PortResult<'a, History> {
        let (this, name) = (self.clone(), name.clone());
        blocking(move || this.history_blocking(&name))
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
        blocking(move || this.releases_blocking())
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
