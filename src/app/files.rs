//! Files that are written whole or not at all, and bounded reads of small files.

use std::fs::File;
use std::io::{BufWriter, Read as _, Seek as _, SeekFrom, Write};
use std::path::Path;

use serde::Serialize;
use tempfile::NamedTempFile;

use super::{Failure, Watched};
use promptgate_core::model::{Diagnostic, Place};

/// Writes a file through a temporary one beside it, so that a reader never sees half of it.
pub(super) fn write_whole(
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let shown = path.display().to_string();
    let failed = |error: std::io::Error| Failure::writing(&shown, &error);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut file = temporary(folder).map_err(failed)?;
    {
        let mut watched = Watched::new(file.as_file_mut());
        let mut buffered = BufWriter::new(&mut watched);
        let written = content(&mut buffered).and_then(|()| buffered.flush());
        drop(buffered);
        written.map_err(|error| failed(watched.cause(error)))?;
    }
    make_readable(file.as_file()).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Writes a text as a file, whole or not at all.
pub(crate) fn write_text(path: &Path, text: &str) -> Result<(), Failure> {
    write_whole(path, |out| out.write_all(text.as_bytes()))
}

/// A value as JSON in several lines, without commands of a CI runner; `what` names it in messages.
pub(crate) fn pretty_json(value: &impl Serialize, what: &str) -> Result<String, Failure> {
    let mut text = Vec::new();
    promptgate_report::write_json(value, &mut text)
        .and_then(|()| String::from_utf8(text).map_err(std::io::Error::other))
        .map_err(|error| Failure::Internal(format!("could not write {what}: {error}")))
}

/// Creates a temporary file in a folder; also a probe of whether files can be written there.
pub(super) fn temporary(folder: &Path) -> std::io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(".promptgate-").tempfile_in(folder)
}

/// How a symbolic link in place of a file is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Links {
    /// Followed.
    Follow,
    /// Refused: it could lead to a file whose text a message would show.
    Refuse,
}

/// The text of a file of at most `limit` bytes; `what` names it in messages.
///
/// # Errors
/// A message where it is missing, not a regular file, too large, or not UTF-8.
pub(super) fn read_text(path: &Path, what: &str, limit: u64, links: Links) -> Result<String, String> {
    let cannot = |error: std::io::Error| format!("cannot read this {what}: {error}");
    let facts = match links {
        Links::Follow => std::fs::metadata(path),
        Links::Refuse => std::fs::symlink_metadata(path),
    };
    let facts = facts.map_err(cannot)?;
    if facts.is_symlink() {
        return Err(format!("this is a symbolic link, not a {what}"));
    }
    // A pipe or a device may never end.
    if !facts.is_file() {
        return Err("this is not a file".to_owned());
    }
    let too_large = || {
        let (size, unit) = if limit >= 1 << 30 { (limit >> 30, "GiB") } else { (limit >> 20, "MiB") };
        format!("this {what} is larger than {size} {unit}")
    };
    // A file that is too large is refused before it is read, unless it grows in the meantime.
    let size = usize::try_from(facts.len()).ok().filter(|_| facts.len() <= limit).ok_or_else(too_large)?;
    let mut bytes = Vec::with_capacity(size);
    File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes)).map_err(cannot)?;
    if bytes.len() as u64 > limit {
        return Err(too_large());
    }
    let mut text = String::from_utf8(bytes).map_err(|_| format!("this {what} is not UTF-8 text"))?;
    // Editors and shells of Windows write a byte order mark.
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

/// Appends to a file of the CI runner, on a new line.
///
/// # Errors
/// It cannot be written, or is not a regular file: a device may have no end, and a pipe no reader.
pub(super) fn append(path: &Path, text: &str) -> std::io::Result<()> {
    if is_special(path) {
        return Err(std::io::Error::other("this is not a regular file"));
    }
    let mut file = File::options().read(true).append(true).create(true).open(path)?;
    let mut last = [b'\n'];
    if file.metadata()?.len() > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    // One write: a full disk leaves no half of a line break.
    let start = if last == [b'\n'] { "" } else { "\n" };
    file.write_all(format!("{start}{text}").as_bytes())
}

/// Refuses a path that leads to anything but a regular file; `name` is where it was named.
///
/// # Errors
/// A device, a pipe or a folder.
pub(super) fn refuse_special(path: &Path, name: &str) -> Result<(), Diagnostic> {
    if !is_special(path) {
        return Ok(());
    }
    Err(Diagnostic::new(format!("{} is not a regular file", path.display()))
        .at(Place::file(name))
        .help(format!("set {name} to the path of a file, or leave it unset outside GitHub Actions")))
}

/// Whether a path leads to anything but a regular file. A device or a pipe would be replaced by a file.
pub(super) fn is_special(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|facts| !facts.is_file())
}

/// Creates a folder with a .gitignore for everything in it.
pub(super) fn make_ignored(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join(".gitignore"), "*\n")
}

/// Temporary files are private to the user; a report is like any other file.
#[cfg(unix)]
fn make_readable(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_file: &File) -> std::io::Result<()> {
    Ok(())
}
