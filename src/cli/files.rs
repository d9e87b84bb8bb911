//! Files that a command leaves: whole or not at all.

use std::io::{BufWriter, Write};
use std::path::Path;

use super::error::Failure;

/// Writes a file by way of a temporary one beside it, so that a reader never sees half of it.
pub(super) fn write_whole(
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let shown = path.display().to_string();
    let failed = |error: std::io::Error| Failure::writing(&shown, &error);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut file = tempfile::Builder::new().prefix(".promptgate-").tempfile_in(folder).map_err(failed)?;
    {
        let mut buffered = BufWriter::new(file.as_file_mut());
        content(&mut buffered).map_err(failed)?;
        buffered.flush().map_err(failed)?;
    }
    make_readable(file.as_file()).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Makes a folder of our own with a .gitignore for all of it.
pub(super) fn make_ignored(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join(".gitignore"), "*\n")
}

/// Temporary files are private to the user; a report is like any other file.
#[cfg(unix)]
fn make_readable(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_file: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}
