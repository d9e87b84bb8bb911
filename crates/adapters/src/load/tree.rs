//! Where files are read: the work tree or a commit, in the same way.

mod committed;
mod inside;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use promptgate_core::model::{Diagnostic, Place};

use committed::Committed;

use super::git::{Entry, EntryKind, NoRepository, Repository, short};

/// Bytes of a file that is read without a limit of its own: 64 MiB.
pub const FILE_LIMIT: u64 = 64 << 20;

/// Files that one glob may match.
const MATCHES_LIMIT: usize = 10_000;

/// A place to read files from; paths are relative to the folder of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree {
    /// The files as they lie there. Absolute paths, `..` and symbolic links are followed, unless it is guarded.
    WorkTree {
        /// The folder of the configuration.
        root: PathBuf,
        /// Nothing outside this folder, nothing of git's own and no symbolic link is read.
        within: Option<PathBuf>,
        /// A file that this commit holds has to be as it stands there, line ends aside.
        committed: Option<Box<Committed>>,
    },
    /// The files of a commit, read through the git program. Nothing outside the repository, no symbolic links.
    Commit {
        /// The repository, seen from the folder of the configuration.
        repository: Repository,
        /// The full object name.
        commit: String,
        /// The name it was asked for by, for readers: `main`, `merge-base`.
        reference: String,
    },
}

impl Tree {
    /// The work tree, seen from a folder.
    pub fn work_tree(root: impl Into<PathBuf>) -> Self {
        Self::WorkTree { root: root.into(), within: None, committed: None }
    }

    /// The same work tree, of which only what a commit holds counts: a filter that `.gitattributes` names, or a step
    /// before this one, could show something else than what is merged.
    ///
    /// # Errors
    /// A mistake where there is no repository.
    pub fn held_to(self, commit: &str) -> Result<Self, Diagnostic> {
        match self {
            Self::WorkTree { root, within, .. } => {
                let committed = Some(Box::new(Committed::of(&root, commit)?));
                Ok(Self::WorkTree { root, within, committed })
            }
            commit @ Self::Commit { .. } => Ok(commit),
        }
    }

    /// The work tree, seen from a folder, of which somebody else chooses the paths: what lies outside the repository
    /// (without one, outside the folder), in `.git`, or behind a symbolic link is refused.
    ///
    /// # Errors
    /// A mistake where the folder, or its repository, cannot be read.
    pub fn guarded(root: &Path) -> Result<Self, Diagnostic> {
        let real = |path: &Path| {
            fs::canonicalize(path).map_err(|error| {
                Diagnostic::new(format!("cannot be read: {error}"))
                    .at(Place::file(path.display().to_string()))
            })
        };
        let root = real(if root.as_os_str().is_empty() { Path::new(".") } else { root })?;
        let within = match Repository::discover(&root) {
            Ok(repository) => real(repository.top())?,
            Err(NoRepository::Absent(_)) => root.clone(),
            Err(NoRepository::Unreadable(diagnostic)) => return Err(diagnostic),
        };
        Ok(Self::WorkTree { root, within: Some(within), committed: None })
    }

    /// The same tree, seen from the folder of one of its files.
    ///
    /// # Errors
    /// A path that leaves the repository.
    pub fn beside(&self, file: &str) -> Result<Self, Diagnostic> {
        match self {
            Self::WorkTree { root, within, committed } => {
                let path = root.join(file);
                let folder = path.parent().unwrap_or(root);
                let committed = match committed {
                    Some(held) => Some(Box::new(held.beside(file)?)),
                    None => None,
                };
                Ok(Self::WorkTree { root: folder.to_owned(), within: within.clone(), committed })
            }
            Self::Commit { repository, commit, reference } => {
                let full = in_repository(repository, file)?;
                let prefix = full.rsplit_once('/').map_or("", |(folder, _)| folder);
                Ok(Self::Commit {
                    repository: repository.seen_from(prefix),
                    commit: commit.clone(),
                    reference: reference.clone(),
                })
            }
        }
    }

    /// How a file of this tree is named to readers: `prompts/support.md`, `git:main:prompts/support.md`.
    pub fn describe(&self, path: &str) -> String {
        match self {
            Self::WorkTree { .. } => path.to_owned(),
            Self::Commit { reference, .. } => format!("git:{reference}:{path}"),
        }
    }

    /// The folder of the work tree that paths are relative to; of a commit, that of the configuration whose
    /// repository it is read through.
    pub fn folder(&self) -> &Path {
        match self {
            Self::WorkTree { root, .. } => root,
            Self::Commit { repository, .. } => repository.folder(),
        }
    }

    /// The commit, in full; `None` for the work tree.
    pub fn commit(&self) -> Option<&str> {
        match self {
            Self::WorkTree { .. } => None,
            Self::Commit { commit, .. } => Some(commit),
        }
    }

    /// Whether the change under test could have written its files: not those of a commit.
    pub fn is_writable_by_change(&self) -> bool {
        matches!(self, Self::WorkTree { .. })
    }

    /// The bytes of a file of at most [`FILE_LIMIT`].
    ///
    /// # Errors
    /// A mistake where nothing is there, or what is there is no readable file.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, Diagnostic> {
        self.read_limited(path, FILE_LIMIT)
    }

    /// The text of a file of at most [`FILE_LIMIT`]; UTF-8, without a byte order mark.
    ///
    /// # Errors
    /// As [`Tree::read`], and for other encodings.
    pub fn read_text(&self, path: &str) -> Result<String, Diagnostic> {
        let bytes = self.read(path)?;
        decode(&self.describe(path), &bytes).map(str::to_owned)
    }

    /// The bytes of a file of at most `limit` bytes.
    ///
    /// # Errors
    /// As [`Tree::read`].
    pub fn read_limited(&self, path: &str, limit: u64) -> Result<Vec<u8>, Diagnostic> {
        self.find(path, limit)?.ok_or_else(|| self.absent(path))
    }

    /// The bytes of a file of at most `limit` bytes; `None` where nothing is at that path.
    ///
    /// # Errors
    /// A mistake where something is there that is no readable file.
    pub fn find(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Diagnostic> {
        let shown = self.describe(path);
        if path.is_empty() || path.contains('\0') {
            return Err(Diagnostic::new("a path is empty or holds a NUL character").help("name a file"));
        }
        let bytes = match self {
            Self::WorkTree { root, within, committed } => {
                let full = match within {
                    Some(top) => inside::inside(top, root, path)?,
                    None => root.join(path),
                };
                let bytes = find_in_folder(&full, path, limit)?;
                if let Some(held) = committed {
                    held.refuse_another(path, bytes.as_deref(), limit)?;
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
            return Err(Diagnostic::new("is a Git LFS pointer, not the file itself")
                .at(Place::file(&shown))
                .help(
                    "run `git lfs pull` for the work tree; in a commit only files outside LFS can be read",
                ));
        }
        Ok(bytes)
    }

    /// The files that a glob matches, in byte order of their paths; a pattern that is the name of a file is
    /// that file. Names that start with a dot are matched by a dot only, `**` spans folders.
    ///
    /// # Errors
    /// A malformed pattern, a folder that cannot be read, or more than 10,000 matches. No match is no error.
    pub fn glob(&self, pattern: &str) -> Result<Vec<String>, Diagnostic> {
        let mut paths = match self {
            Self::WorkTree { root, within, committed } => {
                // What a pattern matches is held to the same when it is read.
                if let Some(top) = within {
                    inside::inside(top, root, pattern)?;
                }
                let mut found = glob_in_folder(root, pattern)?;
                if let Some(held) = committed {
                    held.add_missing(pattern, &mut found)?;
                }
                found
            }
            Self::Commit { repository, commit, .. } => glob_in_commit(repository, commit, pattern)?,
        };
        paths.sort();
        if paths.len() > MATCHES_LIMIT {
            return Err(Diagnostic::new(format!("`{pattern}` matches {} files", paths.len()))
                .help(format!("narrow it down to at most {MATCHES_LIMIT}")));
        }
        Ok(paths)
    }

    fn absent(&self, path: &str) -> Diagnostic {
        let diagnostic = Diagnostic::new("there is no such file").at(Place::file(self.describe(path)));
        match self {
            Self::WorkTree { root, .. } => {
                let looked = root.join(path);
                diagnostic.help(match nearest(&looked) {
                    Some(name) => format!("looked for {}; did you mean `{name}`?", looked.display()),
                    None => {
                        format!("looked for {}; paths are relative to the configuration", looked.display())
                    }
                })
            }
            Self::Commit { commit, .. } => diagnostic.help(format!(
                "commit {} does not hold it; paths are relative to the configuration",
                short(commit)
            )),
        }
    }
}

/// UTF-8 without a byte order mark.
///
/// # Errors
/// A mistake that names the encoding where it can be told, else the line of the first bad byte.
pub fn decode<'b>(file: &str, bytes: &'b [u8]) -> Result<&'b str, Diagnostic> {
    let utf16 = [[0xff, 0xfe], [0xfe, 0xff]].iter().any(|mark| bytes.starts_with(mark))
        || bytes.get(..64).unwrap_or(bytes).contains(&0);
    if utf16 {
        return Err(Diagnostic::new("is not UTF-8 but looks like UTF-16 or a binary file")
            .at(Place::file(file))
            .help("save it as UTF-8"));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let line = |end: usize| {
        let before = bytes.get(..end).unwrap_or_default();
        Place::line(file, 1 + before.iter().filter(|byte| **byte == b'\n').count())
    };
    if let Some(end) = bytes.iter().position(|byte| *byte == 0) {
        return Err(Diagnostic::new("holds a NUL character: it is no text")
            .at(line(end))
            .help("save it as UTF-8"));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        Diagnostic::new("is not UTF-8").at(line(error.valid_up_to())).help("save it as UTF-8")
    })
}

fn too_large(shown: &str, limit: u64) -> Diagnostic {
    let mebibytes = limit >> 20;
    Diagnostic::new(format!("is larger than {mebibytes} MiB"))
        .at(Place::file(shown))
        .help("split it, or cut it down")
}

/// The bytes of the file at `full`, which messages call `path`.
fn find_in_folder(full: &Path, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Diagnostic> {
    let failed = |error: &std::io::Error| {
        let diagnostic = Diagnostic::new(format!("cannot be read: {error}")).at(Place::file(path));
        match error.kind() {
            ErrorKind::PermissionDenied => diagnostic.help("allow this user to read it"),
            _ => diagnostic,
        }
    };
    let metadata = match fs::metadata(full) {
        Ok(metadata) => metadata,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            if fs::symlink_metadata(full).is_ok_and(|metadata| metadata.is_symlink()) {
                return Err(Diagnostic::new("is a symbolic link to something that is not there")
                    .at(Place::file(path)));
            }
            return Ok(None);
        }
        Err(error) => return Err(failed(&error)),
    };
    // Opening a pipe would wait for ever, so look before.
    if metadata.is_dir() {
        return Err(Diagnostic::new("is a folder, not a file")
            .at(Place::file(path))
            .help("name the file in it"));
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

/// The name in the same folder that is nearest to the one that is not there.
fn nearest(path: &Path) -> Option<String> {
    let wanted = path.file_name()?.to_str()?.to_lowercase();
    let mut names: Vec<String> = fs::read_dir(path.parent()?)
        .ok()?
        .take(1_000)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&wanted, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= (wanted.chars().count() / 4).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

fn find_in_commit(
    repository: &Repository,
    commit: &str,
    path: &str,
    shown: &str,
    limit: u64,
) -> Result<Option<Vec<u8>>, Diagnostic> {
    let full = in_repository(repository, path)?;
    let Some(entry) = repository.entry(commit, &full)? else {
        // A link or submodule on the way hides what is below it: that is not the same as absent.
        for (end, _) in full.match_indices('/') {
            match repository.entry(commit, &full[..end])? {
                Some(Entry { kind: EntryKind::Folder, .. }) => {}
                Some(entry) => return Err(no_file(&entry, shown)),
                None => break,
            }
        }
        return Ok(None);
    };
    if entry.kind != EntryKind::File {
        return Err(no_file(&entry, shown));
    }
    match repository.blob(commit, &entry, limit)? {
        Ok(bytes) => Ok(Some(bytes)),
        Err(_) => Err(too_large(shown, limit)),
    }
}

fn no_file(entry: &Entry, shown: &str) -> Diagnostic {
    let (what, help) = match entry.kind {
        EntryKind::File => ("a file", "name a path that does not go through a file"),
        EntryKind::Folder => ("a folder, not a file", "name the file in it"),
        EntryKind::Link => {
            ("a symbolic link", "links are not followed in a commit: name the file it points to")
        }
        EntryKind::Submodule => ("a submodule", "submodules are not read: keep the file in this repository"),
    };
    Diagnostic::new(format!("`{}` is {what} in that commit", entry.path)).at(Place::file(shown)).help(help)
}

/// A path relative to the configuration, as a path from the top of the repository.
fn in_repository(repository: &Repository, path: &str) -> Result<String, Diagnostic> {
    let slashed = if cfg!(windows) { path.replace('\\', "/") } else { path.to_owned() };
    let outside = || {
        Diagnostic::new(format!("`{path}` lies outside the git repository"))
            .help("a commit holds the files of its repository only: name one of these")
    };
    let mut parts: Vec<&str> = Vec::new();
    let relative = if Path::new(path).is_absolute() {
        let top = fs::canonicalize(repository.top()).unwrap_or_else(|_| repository.top().to_owned());
        let below = Path::new(path)
            .strip_prefix(&top)
            .or_else(|_| Path::new(path).strip_prefix(repository.top()))
            .map_err(|_| outside())?;
        below.to_str().ok_or_else(outside)?.replace('\\', "/")
    } else {
        parts.extend(repository.prefix().split('/').filter(|part| !part.is_empty()));
        slashed
    };
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().ok_or_else(outside)?;
            }
            name => parts.push(name),
        }
    }
    if parts.is_empty() {
        return Err(Diagnostic::new(format!("`{path}` is the top folder of the repository, not a file")));
    }
    Ok(parts.join("/"))
}

const OPTIONS: glob::MatchOptions = glob::MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

fn malformed(pattern: &str, error: &glob::PatternError) -> Diagnostic {
    Diagnostic::new(format!("`{pattern}` is no pattern: {}", error.msg))
        .help("`*` matches within a folder, `**` folders, `?` one character, `[ab]` one of these")
}

fn glob_in_folder(root: &Path, pattern: &str) -> Result<Vec<String>, Diagnostic> {
    if !is_pattern(pattern) || fs::symlink_metadata(root.join(pattern)).is_ok() {
        return Ok(if root.join(pattern).exists() { vec![pattern.to_owned()] } else { Vec::new() });
    }
    let prefix = if Path::new(pattern).is_absolute() || root.as_os_str().is_empty() {
        String::new()
    } else {
        let root = root.to_str().ok_or_else(|| {
            Diagnostic::new("the folder of the configuration has a name that is not UTF-8").help("rename it")
        })?;
        format!("{}/", glob::Pattern::escape(root.trim_end_matches('/')))
    };
    let matches = glob::glob_with(&format!("{prefix}{pattern}"), OPTIONS)
        .map_err(|error| malformed(pattern, &error))?;
    let mut paths = Vec::new();
    for found in matches {
        let found = found.map_err(|error| {
            Diagnostic::new(format!(
                "`{pattern}`: {} cannot be read: {}",
                error.path().display(),
                error.error()
            ))
        })?;
        if !found.is_file() {
            continue;
        }
        let relative = found.strip_prefix(root).unwrap_or(&found);
        let Some(text) = relative.to_str() else {
            return Err(Diagnostic::new(format!("`{pattern}` matches a file whose name is not UTF-8"))
                .help("rename that file"));
        };
        paths.push(text.to_owned());
        if paths.len() > MATCHES_LIMIT {
            break;
        }
    }
    Ok(paths)
}

fn glob_in_commit(repository: &Repository, commit: &str, pattern: &str) -> Result<Vec<String>, Diagnostic> {
    let found = repository.entry(commit, &in_repository(repository, pattern)?)?;
    if found.is_some() || !is_pattern(pattern) {
        return Ok(found.map(|_| pattern.to_owned()).into_iter().collect());
    }
    // What stands before the first part with a pattern is a folder, and is put back before each match.
    let start = pattern.find(['*', '?', '[']).unwrap_or(pattern.len());
    let folder = pattern.get(..start).and_then(|head| head.rfind('/')).map_or("", |slash| &pattern[..slash]);
    let rest = pattern.get(folder.len()..).unwrap_or_default().trim_start_matches('/');
    let base = if folder.is_empty() {
        repository.prefix().to_owned()
    } else {
        in_repository(repository, &format!("{folder}/.")).unwrap_or_default()
    };
    let compiled = glob::Pattern::new(rest).map_err(|error| malformed(pattern, &error))?;
    let mut paths = Vec::new();
    for entry in repository.files(commit, &base)? {
        let below = if base.is_empty() {
            Some(entry.path.as_str())
        } else {
            entry.path.strip_prefix(&base).and_then(|rest| rest.strip_prefix('/'))
        };
        let Some(below) = below.filter(|below| compiled.matches_with(below, OPTIONS)) else { continue };
        if entry.kind == EntryKind::File {
            paths.push(if folder.is_empty() { below.to_owned() } else { format!("{folder}/{below}") });
        }
    }
    Ok(paths)
}
