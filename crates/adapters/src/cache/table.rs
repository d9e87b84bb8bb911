//! The tables of the cache file, and the creation of an empty one.

use std::path::{Path, PathBuf};

use redb::{
    Database, ReadOnlyTable, ReadTransaction, ReadableDatabase, TableDefinition, TableError, WriteTransaction,
};

use super::guard::guarded;

/// Version of the keys and values; caches of other versions are rejected.
pub(super) const FORMAT: u64 = 1;
/// Size limit of redb's page cache in memory.
const PAGE_CACHE_BYTES: usize = 8 << 20;

type Definition = TableDefinition<'static, &'static [u8; 32], &'static [u8]>;
pub(super) type Reader = ReadOnlyTable<&'static [u8; 32], &'static [u8]>;
pub(super) type Writable<'t> = redb::Table<'t, &'static [u8; 32], &'static [u8]>;

const METADATA: TableDefinition<'static, &'static str, u64> = TableDefinition::new("about");
const FORMAT_KEY: &str = "format";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Table {
    Completions,
    Judgements,
}

impl Table {
    pub(super) const ALL: [Self; 2] = [Self::Completions, Self::Judgements];

    pub(super) fn definition(self) -> Definition {
        match self {
            Self::Completions => TableDefinition::new("answers"),
            Self::Judgements => TableDefinition::new("verdicts"),
        }
    }
}

/// Both tables, open for reading: opening them costs more than a lookup.
pub(super) struct Readers([Reader; 2]);

impl Readers {
    pub(super) fn open(transaction: &ReadTransaction) -> Result<Self, redb::Error> {
        let [completions, judgements] = Table::ALL.map(|table| transaction.open_table(table.definition()));
        Ok(Self([completions?, judgements?]))
    }

    pub(super) fn get(&self, table: Table) -> &Reader {
        let [completions, judgements] = &self.0;
        match table {
            Table::Completions => completions,
            Table::Judgements => judgements,
        }
    }
}

pub(super) fn open(path: &Path) -> Result<Database, redb::Error> {
    Ok(Database::builder().set_cache_size(PAGE_CACHE_BYTES).open(path)?)
}

/// Creates an empty cache under a temporary name and renames it, so that no reader ever sees an incomplete file.
pub(super) fn create(path: &Path) -> Result<(), redb::Error> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let temporary = PathBuf::from(name);
    // A process killed during creation leaves this file behind.
    match std::fs::remove_file(&temporary) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    guarded(|| {
        let database = Database::builder().set_cache_size(PAGE_CACHE_BYTES).create(&temporary)?;
        let transaction = database.begin_write()?;
        write_format(&transaction, FORMAT)?;
        for table in Table::ALL {
            transaction.open_table(table.definition())?;
        }
        Ok(transaction.commit()?)
    })?;
    Ok(std::fs::rename(&temporary, path)?)
}

pub(super) fn write_format(transaction: &WriteTransaction, format: u64) -> Result<(), redb::Error> {
    transaction.open_table(METADATA)?.insert(FORMAT_KEY, format)?;
    Ok(())
}

/// Returns the version in the file; `None` where it has none.
pub(super) fn read_format(database: &Database) -> Result<Option<u64>, redb::Error> {
    let transaction = database.begin_read()?;
    match transaction.open_table(METADATA) {
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
        Ok(table) => Ok(table.get(FORMAT_KEY)?.map(|version| version.value())),
    }
}
