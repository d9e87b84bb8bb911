//! Statistics and pruning.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use redb::{ReadableDatabase, ReadableTable};

use super::diagnostics::{DAMAGED_HELP, WRONG_CHECKSUM, diagnostic};
use super::guard::guarded;
use super::handle::Cache;
use super::record::{Record, now};
use super::state::lock;
use super::table::{Table, Writable};
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
            let mut count = || -> Result<bool, redb::Error> {
                let open = self.database.begin_read()?.open_table(table.definition())?;
                for entry in open.iter()? {
                    let (_, value) = entry?;
                    let Some(record) = Record::read(value.value()) else { return Ok(false) };
                    let stats = by_model.entry(record.model).or_insert_with(|| TableStats {
                        oldest: record.at,
                        newest: record.at,
                        ..TableStats::default()
                    });
                    stats.entries += 1;
                    stats.bytes += value.value().len() as u64;
                    stats.oldest = stats.oldest.min(record.at);
                    stats.newest = stats.newest.max(record.at);
                }
                Ok(true)
            };
            let reason = match guarded(&mut count) {
                Ok(true) => continue,
                Ok(false) => WRONG_CHECKSUM.to_owned(),
                Err(error) => error.to_string(),
            };
            return Err(
                diagnostic(&self.path, format!("the cache cannot be read: {reason}")).help(DAMAGED_HELP)
            );
        }
        Ok(statistics)
    }

    /// Removes entries older than `age`, shrinks the file and returns their number.
    ///
    /// # Errors
    /// The cache cannot be read or written; then nothing is removed.
    pub fn prune(self, age: Duration) -> Result<u64, Diagnostic> {
        let now = now();
        self.remove(|record| record.is_older_than(age, now))
    }

    /// Removes all entries, shrinks the file and returns their number.
    ///
    /// # Errors
    /// As [`Cache::prune`].
    pub fn clear(self) -> Result<u64, Diagnostic> {
        self.remove(|_| true)
    }

    fn remove(mut self, is_removed: impl Fn(&Record) -> bool) -> Result<u64, Diagnostic> {
        self.close()?;
        // Open readers would keep the file from shrinking.
        *lock(&self.shared.readers) = None;
        let mut removed = 0;
        self.edit("pruned", |table| {
            table.retain(|_, value| {
                // Damaged entries stay: pruning must not hide damage.
                let stays = Record::read(value).is_none_or(|record| !is_removed(&record));
                removed += u64::from(!stays);
                stays
            })?;
            Ok(())
        })?;
        if let Some(database) = Arc::get_mut(&mut self.database) {
            database
                .compact()
                .map_err(|error| diagnostic(&self.path, format!("the cache cannot be compacted: {error}")))?;
        }
        Ok(removed)
    }

    /// Makes every entry older by `seconds`, or newer where that is negative, and returns their number; lets tests exercise `max_age` without waiting.
    ///
    /// # Errors
    /// The cache cannot be read or written.
    pub fn backdate(&self, seconds: i64) -> Result<u64, Diagnostic> {
        let mut changed = 0;
        self.edit("written", |table| {
            let mut older = Vec::new();
            for entry in table.iter()? {
                let (key, value) = entry?;
                older.extend(Record::read(value.value()).map(|record| (*key.value(), record)));
            }
            for (key, record) in older {
                let record = Record { at: record.at.saturating_add_signed(-seconds), ..record };
                table.insert(&key, record.write().as_slice())?;
                changed += 1;
            }
            Ok(())
        })?;
        Ok(changed)
    }

    /// Changes both tables in one commit; `verb` completes the error message.
    fn edit(
        &self,
        verb: &str,
        mut edit: impl FnMut(&mut Writable<'_>) -> Result<(), redb::Error>,
    ) -> Result<(), Diagnostic> {
        let edit_all = || -> Result<(), redb::Error> {
            let transaction = self.database.begin_write()?;
            for table in Table::ALL {
                edit(&mut transaction.open_table(table.definition())?)?;
            }
            Ok(transaction.commit()?)
        };
        guarded(edit_all)
            .map_err(|error| diagnostic(&self.path, format!("the cache cannot be {verb}: {error}")))
    }
}
