//! Reads files from the work tree or from a commit, with one interface.

mod confine;
mod globbing;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use promptgate_core::model::{Diagnostic, Place};

use globbing::glob_in_folder;

use crate::git::{CommitCheck, GitError, Repository, find_in_commit, glob_in_commit, short, too_large};

/// Default maximum size of a file: 64 MiB.
pub const FILE_LIMIT: u64 = 64 << 20;

/// Maximum number of files that a glob may match.
const MAX_MATCHES: usize = 10_000;

/// A source of files; paths are relative to the folder of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree {
    /// Files on disk. Absolute paths, `..` and symbolic links are followed, unless the tree is guarded.
    WorkTree {
        /// Folder of the configuration.
        root: PathBuf,
        /// If set, only files below this folder are read, never `.git` or through symbolic links.
        within: Option<PathBuf>,
        /// If set, files must have the content of this commit, apart from line endings.
        commit_check: Option<CommitCheck>,
    },
    /// Files of a commit, read through the git program; never outside the repository or through symbolic links.
    Commit {
        /// The repository, with paths relative to the folder of the configuration.
        repository: Repository,
        /// Full object name.
        commit: String,
        /// Name of the commit in messages and reports: `main`, `merge-base`.
        reference: String,
    },
}

impl Tree {
    /// The work tree, with paths relative to a folder.
    pub fn work_tree(root: impl Into<PathBuf>) -> Self {
        Self::WorkTree { root: root.into(), within: None, commit_check: None }
    }

    /// Returns the same work tree, whose files must have the content of a commit: a filter in `.gitattributes` or an
    /// earlier step could otherwise present content that differs from the merged one.
    ///
    /// # Errors
    /// If the tree is not in a repository.
    pub fn checked_against(self, commit: &str) -> Result<Self, Diagnostic> {
        match self {
            Self::WorkTree { root, within, .. } => {
                let commit_check = Some(CommitCheck::new(&root, commit)?);
                Ok(Self::WorkTree { root, within, commit_check })
            }
            commit @ Self::Commit { .. } => Ok(commit),
        }
    }

    /// The work tree, for untrusted paths: those outside the repository (or the folder, if there is none), in `.git`,
    /// or through a symbolic link are rejected.
    ///
    /// # Errors
    /// If the folder or its repository cannot be read.
    pub fn guarded(root: &Path) -> Result<Self, Diagnostic> {
        let canonicalize = |path: &Path| {
            fs::canonicalize(path).map_err(|error| {
                Diagnostic::new(format!("cannot be read: {error}"))
                    .at(Place::file(path.display().to_string()))
            })
        };
        let root = canonicalize(if root.as_os_str().is_empty() { Path::new(".") } else { root })?;
        let within = match Repository::discover(&root) {
            Ok(repository) => canonicalize(repository.top())?,
            Err(GitError::Absent(_)) => root.clone(),
            Err(error) => return Err(error.into()),
        };
        Ok(Self::WorkTree { root, within: Some(within), commit_check: None })
    }

    /// Returns the same tree with paths relative to the folder of one of its files.
    ///
    /// # Errors
    /// If the path leaves the repository.
    pub fn in_folder_of(&self, file: &str) -> Result<Self, Diagnostic> {
        match self {
            Self::WorkTree { root, within, commit_check } => {
                let path = root.join(file);
                let folder = path.parent().unwrap_or(root);
                let commit_check = commit_check.as_ref().map(|it| it.in_folder_of(file)).transpose()?;
                Ok(Self::WorkTree { root: folder.to_owned(), within: within.clone(), commit_check })
            }
            Self::Commit { repository, commit, reference } => Ok(Self::Commit {
                repository: repository.in_folder_of(file)?,
                commit: commit.clone(),
                reference: reference.clone(),
            }),
        }
    }

    /// Name of a file in messages and reports: `prompts/support.md`, `git:main:prompts/support.md`.
    pub fn describe(&self, path: &str) -> String {
        match self {
            Self::WorkTree { .. } => path.to_owned(),
            Self::Commit { reference, .. } => format!("git:{reference}:{path}"),
        }
    }

    /// The folder that paths are relative to; for a commit, the folder from which its repository was opened.
    pub fn folder(&self) -> &Path {
        match self {
            Self::WorkTree { root, .. } => root,
            Self::Commit { repository, .. } => repository.folder(),
        }
    }

    /// Full object name of the commit; `None` for the work tree.
    pub fn commit(&self) -> Option<&str> {
        match self {
            Self::WorkTree { .. } => None,
            Self::Commit { commit, .. } => Some(commit),
        }
    }

    /// Whether the change under test could have written the files, as it can in the work tree.
    pub fn is_writable_by_change(&self) -> bool {
        matches!(self, Self::WorkTree { .. })
    }

    /// Whether the evaluated commit holds a file; `None` if the tree is not compared with a commit.
    pub fn is_in_evaluated_commit(&self, path: &str) -> Option<bool> {
        match self {
            Self::WorkTree { commit_check: Some(check), .. } => Some(check.holds(path)),
            Self::WorkTree { commit_check: None, .. } | Self::Commit { .. } => None,
        }
    }

    /// Reads a file of at most [`FILE_LIMIT`] bytes.
    ///
    /// # Errors
    /// If the file is missing or cannot be read.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, Diagnostic> {
        self.read_limited(path, FILE_LIMIT)
    }

    /// Reads a text file of at most [`FILE_LIMIT`] bytes, without a byte order mark.
    ///
    /// # Errors
    /// As [`Tree::read`] and [`decode`].
    pub fn read_text(&self, path: &str) -> Result<String, Diagnostic> {
        let bytes = self.read(path)?;
        decode(&self.describe(path), &bytes).map(Cow::into_owned)
    }

    /// Reads a file of at most `limit` bytes.
    ///
    /// # Errors
    /// As [`Tree::read`].
    pub fn read_limited(&self, path: &str, limit: u64) -> Result<Vec<u8>, Diagnostic> {
        self.find(path, limit)?.ok_or_else(|| self.not_found(path))
    }

    /// Reads a file of at most `limit` bytes, `None` if it does not exist.
    ///
    /// # Errors
    /// If the path exists but is not a readable file.
    pub fn find(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Diagnostic> {
        let shown = self.describe(path);
        if path.is_empty() || path.contains('\0') {
            return Err(Diagnostic::new("a path is empty or contains a NUL character").help("set a path"));
        }
        let bytes = match self {
            Self::WorkTree { root, within, commit_check } => {
                let full = match within {
                    Some(top) => confine::confine(top, root, path)?,
                    None => root.join(path),
                };
                let bytes = find_in_folder(&full, path, limit)?;
                if let Some(check) = commit_check {
                    check.verify(path, bytes.as_deref(), limit)?;
                }
                bytes
            }
            Self::Commit { repository, commit, .. } => {
                find_in_commit(repository, commit, path, &shown, limit)?
            }
        };
        if let Some(bytes) = &bytes
            && bytes.starts_with(b"version https://git-lfs.github.com/spec/")
        {
            return Err(Diagnostic::new("is a Git LFS pointer, not the file content")
                .at(Place::file(&shown))
                .help("run `git lfs pull` for the work tree; LFS files cannot be read from a commit"));
        }
        Ok(bytes)
    }

    /// Returns the files that match a glob, in byte order of their paths. A pattern that is also the path of an
    /// existing file matches that file. A leading dot must be matched explicitly; `**` spans folders.
    ///
    /// # Errors
    /// If the pattern is invalid, a folder cannot be read, or more than 10,000 files match.
    pub fn glob(&self, pattern: &str) -> Result<Vec<String>, Diagnostic> {
        let mut paths = match self {
            Self::WorkTree { root, within, commit_check } => {
                // Matched files are checked again when they are read.
                if let Some(top) = within {
                    confine::confine(top, root, pattern)?;
                }
                let mut paths = glob_in_folder(root, pattern)?;
                if let Some(check) = commit_check {
                    check.add_missing(pattern, &mut paths)?;
                }
                paths
            }
            Self::Commit { repository, commit, .. } => glob_in_commit(repository, commit, pattern)?,
        };
        paths.sort();
        if paths.len() > MAX_MATCHES {
            return Err(Diagnostic::new(format!("`{pattern}` matches {} files", paths.len()))
                .help(format!("narrow it down to at most {MAX_MATCHES}")));
        }
        Ok(paths)
    }

    /// The diagnostic about a file that does not exist.
    pub fn not_found(&self, path: &str) -> Diagnostic {
        let diagnostic = Diagnostic::new("file not found").at(Place::file(self.describe(path)));
        match self {
            Self::WorkTree { root, .. } => {
                let full = root.join(path);
                diagnostic.help(match similar_name(&full) {
                    Some(name) => format!("the path resolves to {}; did you mean `{name}`?", full.display()),
                    None => format!(
                        "the path resolves to {}; paths are relative to the configuration",
                        full.display()
                    ),
                })
            }
            Self::Commit { commit, .. } => diagnostic.help(format!(
                "it is not in commit {}; paths are relative to the configuration",
                short(commit)
            )),
        }
    }
}

/// Whether a text starts with a byte order mark of UTF-16.
pub(super) fn is_utf16(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff])
}

/// Decodes UTF-8, or UTF-16 with a byte order mark as spreadsheets and Windows write it, and removes the mark.
///
/// # Errors
/// If the bytes are neither: with the encoding if it is recognized, else with the line of the first invalid byte.
pub fn decode<'b>(file: &str, bytes: &'b [u8]) -> Result<Cow<'b, str>, Diagnostic> {
    if is_utf16(bytes) {
        return decode_utf16(file, bytes).map(Cow::Owned);
    }
    if bytes.get(..64).unwrap_or(bytes).contains(&0) {
        return Err(Diagnostic::new("is not UTF-8; it looks like UTF-16 or a binary file")
            .at(Place::file(file))
            .help("save it as UTF-8"));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let line = |end: usize| {
        let before = bytes.get(..end).unwrap_or_default();
        Place::line(file, 1 + before.iter().filter(|byte| **byte == b'\n').count())
    };
    if let Some(end) = bytes.iter().position(|byte| *byte == 0) {
        return Err(Diagnostic::new("contains a NUL character, so it is not text")
            .at(line(end))
            .help("save it as UTF-8"));
    }
    std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|error| {
        Diagnostic::new("is not UTF-8").at(line(error.valid_up_to())).help("save it as UTF-8")
    })
}

/// Decodes UTF-16 after its byte order mark.
fn decode_utf16(file: &str, bytes: &[u8]) -> Result<String, Diagnostic> {
    let invalid = |what: &str| Diagnostic::new(what).at(Place::file(file)).help("save it as UTF-8");
    let little = bytes.starts_with(&[0xff, 0xfe]);
    let (pairs, rest) = bytes.get(2..).unwrap_or_default().as_chunks::<2>();
    if !rest.is_empty() {
        return Err(invalid("starts like UTF-16, but has an odd number of bytes"));
    }
    let units =
        pairs.iter().map(|pair| if little { u16::from_le_bytes(*pair) } else { u16::from_be_bytes(*pair) });
    let text: Result<String, _> = char::decode_utf16(units).collect();
    let text = text.map_err(|_| invalid("starts like UTF-16, but holds half a character"))?;
    if text.contains('\0') {
        return Err(invalid("contains a NUL character, so it is not text"));
    }
    Ok(text)
}

/// Reads the file at `full`. Diagnostics name it `path`.
fn find_in_folder(full: &Path, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Diagnostic> {
    let failed = |error: &std::io::Error| {
        let diagnostic = Diagnostic::new(format!("cannot be read: {error}")).at(Place::file(path));
        match error.kind() {
            ErrorKind::PermissionDenied => diagnostic.help("grant this user read permission"),
            _ => diagnostic,
        }
    };
    let metadata = match fs::metadata(full) {
        Ok(metadata) => metadata,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            if fs::symlink_metadata(full).is_ok_and(|metadata| metadata.is_symlink()) {
                return Err(Diagnostic::new("is a symbolic link to a missing file").at(Place::file(path)));
            }
            return Ok(None);
        }
        Err(error) => return Err(failed(&error)),
    };
    // Opening a pipe would block, so check the file type first.
    if metadata.is_dir() {
        return Err(Diagnostic::new("is a folder, not a file")
            .at(Place::file(path))
            .help("use a file in it"));
    }
    if !metadata.is_file() {
        return Err(Diagnostic::new("is a pipe, a socket or a device, not a file").at(Place::file(path)));
    }
    if metadata.len() > limit {
        return Err(too_large(path, limit));
    }
    let mut bytes = Vec::new();
    let file = File::open(full).map_err(|error| failed(&error))?;
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
    if bytes.len() as u64 > limit {
        return Err(too_large(path, limit));
    }
    Ok(Some(bytes))
}

/// Returns the most similar file name in the folder of a missing file.
fn similar_name(path: &Path) -> Option<String> {
    let missing = path.file_name()?.to_str()?.to_lowercase();
    let mut names: Vec<String> = fs::read_dir(path.parent()?)
        .ok()?
        .take(1_000)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&missing, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= (missing.chars().count() / 4).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
