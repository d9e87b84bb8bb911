//! What a cache holds, and how to make it smaller.

use std::collections::BTreeMap;

use redb::{ReadableDatabase, ReadableTable};

use super::guard::guarded;
use super::record::Record;
use super::{Cache, Shelf, diagnostic};
use promptgate_core::model::Diagnostic;

/// What a cache holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Answers, by the model that was asked.
    pub answers: BTreeMap<String, Shelved>,
    /// Judgements, by the model that was asked.
    pub verdicts: BTreeMap<String, Shelved>,
    /// Size of the file in bytes.
    pub file_bytes: u64,
}

/// Entries of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shelved {
    /// How many.
    pub entries: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the oldest was kept, in seconds since 1970 (UTC).
    pub oldest: u64,
    /// When the newest was kept.
    pub newest: u64,
}

impl Cache {
    /// Counts what is in the file.
    ///
    /// # Errors
    /// A cache that cannot be read.
    pub fn statistics(&self) -> Result<Statistics, Diagnostic> {
        let mut statistics = Statistics {
            file_bytes: std::fs::metadata(&self.path).map(|facts| facts.len()).unwrap_or_default(),
            ..Statistics::default()
        };
        for shelf in Shelf::ALL {
            let by_model = match shelf {
                Shelf::Answers => &mut statistics.answers,
                Shelf::Verdicts => &mut statistics.verdicts,
            };
            self.each(shelf, |record, bytes| {
                let shelved = by_model.entry(record.model).or_insert_with(|| Shelved {
                    oldest: record.at,
                    newest: record.at,
                    ..Shelved::default()
                });
                shelved.entries += 1;
                shelved.bytes += bytes;
                shelved.oldest = shelved.oldest.min(record.at);
                shelved.newest = shelved.newest.max(record.at);
            })?;
        }
        Ok(statistics)
    }

    /// Removes what was kept before a time, in seconds since 1970 (UTC), and gives the room back; how many there were.
    ///
    /// # Errors
    /// A cache that cannot be read or written; then nothing is removed.
    pub fn prune(mut self, before: u64) -> Result<u64, Diagnostic> {
        self.close()?;
        // The file shrinks only while nobody reads.
        *super::lock(&self.shared.tables) = None;
        let remove = || -> Result<u64, redb::Error> {
            let mut removed = 0;
            let writing = self.database.begin_write()?;
            for shelf in Shelf::ALL {
                let mut table = writing.open_table(shelf.table())?;
                table.retain(|_, value| {
                    // What cannot be read is damage, which is not for pruning to hide.
                    let stays = Record::read(value).is_none_or(|record| record.at >= before);
                    removed += u64::from(!stays);
                    stays
                })?;
            }
            writing.commit()?;
            Ok(removed)
        };
        let removed = guarded(remove)
            .map_err(|error| diagnostic(&self.path, format!("the cache cannot be pruned: {error}")))?;
        if let Some(database) = std::sync::Arc::get_mut(&mut self.database) {
            database
                .compact()
                .map_err(|error| diagnostic(&self.path, format!("the cache cannot be compacted: {error}")))?;
        }
        Ok(removed)
    }

    /// Makes every entry so many seconds older, as if it had been kept then: for trying what age does. How many there
    /// were.
    ///
    /// # Errors
    /// A cache that cannot be read or written.
    pub fn backdate(&self, seconds: u64) -> Result<u64, Diagnostic> {
        let mut changed = 0;
        let age = || -> Result<(), redb::Error> {
            let writing = self.database.begin_write()?;
            for shelf in Shelf::ALL {
                let mut table = writing.open_table(shelf.table())?;
                let mut older = Vec::new();
                for entry in table.iter()? {
                    let (key, value) = entry?;
                    older.extend(Record::read(value.value()).map(|record| (*key.value(), record)));
                }
                for (key, record) in older {
                    let record = Record { at: record.at.saturating_sub(seconds), ..record };
                    table.insert(&key, record.write().as_slice())?;
                    changed += 1;
                }
            }
            writing.commit()?;
            Ok(())
        };
        guarded(age)
            .map_err(|error| diagnostic(&self.path, format!("the cache cannot be written: {error}")))?;
        Ok(changed)
    }

    fn each(&self, shelf: Shelf, mut see: impl FnMut(Record, u64)) -> Result<(), Diagnostic> {
        let mut all = || -> Result<bool, redb::Error> {
            let reading = self.database.begin_read()?;
            let table = reading.open_table(shelf.table())?;
            for entry in table.iter()? {
                let (_, value) = entry?;
                let bytes = value.value();
                let Some(record) = Record::read(bytes) else { return Ok(false) };
                see(record, bytes.len() as u64);
            }
            Ok(true)
        };
        let unreadable = |why: &str| {
            diagnostic(&self.path, format!("the cache cannot be read: {why}")).help(super::DAMAGED)
        };
        match guarded(&mut all) {
            Ok(true) => Ok(()),
            Ok(false) => Err(unreadable("an entry's checksum is wrong")),
            Err(error) => Err(unreadable(&error.to_string())),
        }
    }
}
