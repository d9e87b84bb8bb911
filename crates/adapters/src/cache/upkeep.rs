//! Statistics and pruning.

use std::collections::BTreeMap;
use std::sync::Arc;

use redb::{ReadableDatabase, ReadableTable};

use super::diagnostics::{DAMAGED_HELP, WRONG_CHECKSUM, diagnostic};
use super::guard::guarded;
use super::handle::Cache;
use super::record::Record;
use super::state::lock;
use super::table::Table;
use promptgate_core::model::Diagnostic;

/// Number, size and age of the entries of a cache, by model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Completions of variants.
    pub completions: BTreeMap<String, TableStats>,
    /// Responses of judges.
    pub judgements: BTreeMap<String, TableStats>,
    /// Size of the file.
    pub file_bytes: u64,
}

/// Number, size and age of the entries of one table and model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TableStats {
    /// Number of entries.
    pub entries: u64,
    /// Size of their values.
    pub bytes: u64,
    /// Time of the oldest entry, in seconds since 1970 (UTC).
    pub oldest: u64,
    /// Time of the newest entry, in seconds since 1970 (UTC).
    pub newest: u64,
}

impl Cache {
    /// Counts the entries in the file.
    ///
    /// # Errors
    /// The cache cannot be read.
    pub fn statistics(&self) -> Result<Statistics, Diagnostic> {
        let mut statistics = Statistics {
            file_bytes: std::fs::metadata(&self.path).map(|metadata| metadata.len()).unwrap_or_default(),
            ..Statistics::default()
        };
        for table in Table::ALL {
            let by_model = match table {
                Table::Completions => &mut statistics.completions,
                Table::Judgements => &mut statistics.judgements,
            };
            self.for_each(table, |record, bytes| {
                let stats = by_model.entry(record.model).or_insert_with(|| TableStats {
                    oldest: record.at,
                    newest: record.at,
                    ..TableStats::default()
                });
                stats.entries += 1;
                stats.bytes += bytes;
                stats.oldest = stats.oldest.min(record.at);
                stats.newest = stats.newest.max(record.at);
            })?;
        }
        Ok(statistics)
    }

    /// Removes entries older than `before` (seconds since 1970, UTC), shrinks the file and returns their number.
    ///
    /// # Errors
    /// The cache cannot be read or written; then nothing is removed.
    pub fn prune(mut self, before: u64) -> Result<u64, Diagnostic> {
        self.close()?;
        // Open readers would keep the file from shrinking.
        *lock(&self.shared.readers) = None;
        let remove = || -> Result<u64, redb::Error> {
            let mut removed = 0;
            let transaction = self.database.begin_write()?;
            for table in Table::ALL {
                let mut open = transaction.open_table(table.definition())?;
                open.retain(|_, value| {
                    // Damaged entries stay: pruning must not hide damage.
                    let stays = Record::read(value).is_none_or(|record| record.at >= before);
                    removed += u64::from(!stays);
                    stays
                })?;
            }
            transaction.commit()?;
            Ok(removed)
        };
        let removed = guarded(remove)
            .map_err(|error| diagnostic(&self.path, format!("the cache cannot be pruned: {error}")))?;
        if let Some(database) = Arc::get_mut(&mut self.database) {
            database
                .compact()
                .map_err(|error| diagnostic(&self.path, format!("the cache cannot be compacted: {error}")))?;
        }
        Ok(removed)
    }

    /// Makes every entry older by `seconds` and returns their number; lets tests exercise `max_age` without waiting.
    ///
    /// # Errors
    /// The cache cannot be read or written.
    pub fn backdate(&self, seconds: u64) -> Result<u64, Diagnostic> {
        let mut changed = 0;
        let age = || -> Result<(), redb::Error> {
            let transaction = self.database.begin_write()?;
            for table in Table::ALL {
                let mut open = transaction.open_table(table.definition())?;
                let mut older = Vec::new();
                for entry in open.iter()? {
                    let (key, value) = entry?;
                    older.extend(Record::read(value.value()).map(|record| (*key.value(), record)));
                }
                for (key, record) in older {
                    let record = Record { at: record.at.saturating_sub(seconds), ..record };
                    open.insert(&key, record.write().as_slice())?;
                    changed += 1;
                }
            }
            transaction.commit()?;
            Ok(())
        };
        guarded(age)
            .map_err(|error| diagnostic(&self.path, format!("the cache cannot be written: {error}")))?;
        Ok(changed)
    }

    fn for_each(&self, table: Table, mut visit: impl FnMut(Record, u64)) -> Result<(), Diagnostic> {
        let mut visit_all = || -> Result<bool, redb::Error> {
            let transaction = self.database.begin_read()?;
            let open = transaction.open_table(table.definition())?;
            for entry in open.iter()? {
                let (_, value) = entry?;
                let bytes = value.value();
                let Some(record) = Record::read(bytes) else { return Ok(false) };
                visit(record, bytes.len() as u64);
            }
            Ok(true)
        };
        let unreadable = |reason: &str| {
            diagnostic(&self.path, format!("the cache cannot be read: {reason}")).help(DAMAGED_HELP)
        };
        match guarded(&mut visit_all) {
            Ok(true) => Ok(()),
            Ok(false) => Err(unreadable(WRONG_CHECKSUM)),
            Err(error) => Err(unreadable(&error.to_string())),
        }
    }
}
