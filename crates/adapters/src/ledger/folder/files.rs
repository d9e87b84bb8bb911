//! Files below a folder, replaced as a whole and synced.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// The folder of files that are not yet in their place.
pub(super) const STAGING: &str = "staging";

/// Bytes that are read at once from the end of a file.
const BLOCK: u64 = 16 * 1024;

/// A file that cannot be read.
#[derive(Debug)]
pub(super) enum FileError {
    /// By the operating system.
    Io(io::Error),
    /// As text.
    NotText,
}

/// The files below a folder. Paths are relative to it, with `/`.
#[derive(Debug, Clone)]
pub(super) struct Files {
    root: PathBuf,
}

/// A file that was written, and is not yet in its place.
#[derive(Debug)]
pub(super) struct Replacement {
    staged: PathBuf,
    target: PathBuf,
}

impl Files {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Refuses a path that leaves the folder through a symbolic link: one could come with a repository, and point at any
    /// of the user's files.
    fn confine(&self, path: &str) -> io::Result<()> {
        let mut part = self.root.clone();
        for below in path.split('/').filter(|below| !below.is_empty()) {
            part.push(below);
            if part.is_symlink() {
                let message =
                    format!("`{below}` is a symbolic link, expected a file or a folder of a ledger");
                return Err(io::Error::new(ErrorKind::InvalidInput, message));
            }
        }
        Ok(())
    }

    /// The text of a file; `None` if it does not exist.
    pub(super) fn read(&self, path: &str) -> Result<Option<String>, FileError> {
        self.confine(path).map_err(FileError::Io)?;
        match fs::read(self.root.join(path)) {
            Ok(bytes) => String::from_utf8(bytes).map(Some).map_err(|_| FileError::NotText),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(FileError::Io(error)),
        }
    }

    /// The last line of a file without its line feed, empty if that is missing; `None` if the file is empty or does not
    /// exist.
    pub(super) fn last_line(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        self.confine(path)?;
        let mut file = match File::open(self.root.join(path)) {
            Ok(file) => file,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut start = file.seek(SeekFrom::End(0))?;
        let mut end: Vec<u8> = Vec::new();
        while start > 0 {
            let length = start.min(BLOCK);
            start -= length;
            file.seek(SeekFrom::Start(start))?;
            let mut block = Vec::new();
            (&file).take(length).read_to_end(&mut block)?;
            block.append(&mut end);
            end = block;
            let Some(line) = end.strip_suffix(b"\n") else { return Ok(Some(Vec::new())) };
            if let Some(feed) = line.iter().rposition(|byte| *byte == b'\n') {
                return Ok(Some(line[feed + 1..].to_vec()));
            }
        }
        Ok(end.strip_suffix(b"\n").map(<[u8]>::to_vec))
    }

    /// The paths of all files below a folder.
    pub(super) fn paths(&self, folder: &str) -> io::Result<Vec<String>> {
        let mut paths = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            let entries = match fs::read_dir(self.root.join(&folder)) {
                Ok(entries) => entries,
                Err(error) if is_missing(&error) => continue,
                Err(error) => return Err(error),
            };
            for entry in entries {
                let entry = entry?;
                let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    folders.push(path);
                } else if kind.is_file() {
                    paths.push(path);
                }
            }
        }
        Ok(paths)
    }

    /// Creates the folder.
    pub(super) fn create_root(&self) -> io::Result<()> {
        fs::create_dir_all(&self.root)
    }

    /// Removes files that were staged by a process that was killed.
    pub(super) fn clear_staging(&self) -> io::Result<()> {
        match fs::remove_dir_all(self.root.join(STAGING)) {
            Err(error) if !is_missing(&error) => Err(error),
            _ => Ok(()),
        }
    }

    /// Writes the new text of a file beside its place.
    pub(super) fn stage(&self, path: &str, text: &str) -> io::Result<Replacement> {
        self.confine(path)?;
        self.confine(STAGING)?;
        let (folders, _) = path.rsplit_once('/').unwrap_or_default();
        self.create_folders(folders)?;
        self.create_folders(STAGING)?;
        let staged = self.root.join(STAGING).join(path.replace('/', "%"));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&staged)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        Ok(Replacement { staged, target: self.root.join(path) })
    }

    /// Creates folders that do not exist, and syncs those that they are in.
    fn create_folders(&self, path: &str) -> io::Result<()> {
        let mut folder = self.root.clone();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let parent = folder.clone();
            folder.push(part);
            match fs::create_dir(&folder) {
                Ok(()) => sync_folder(&parent)?,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Replacement {
    /// Moves the file to its place.
    pub(super) fn store(self) -> io::Result<()> {
        fs::rename(&self.staged, &self.target)?;
        self.target.parent().map_or(Ok(()), sync_folder)
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(()) // only Unix opens a folder as a file
}
