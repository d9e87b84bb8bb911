//! The files of a report: written into a folder, and read back.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::evaluate::Decided;
use super::files::{Links, make_ignored, read_text, temporary, write_whole};
use super::{Failure, Redacting, suites};
use promptgate_adapters::files::digest_of_bytes;
use promptgate_core::model::{Diagnostic, Place, Run};
use promptgate_core::text::{Redactor, is_out_of_space};
pub(crate) use promptgate_report::DEFAULT_FOLDER;
use promptgate_report::{Digesting, Format, KEPT, LARGE, Report, Style, TRIALS_FILE, TrialsFile};

/// Largest report.json that is read, in bytes.
const MAX_BYTES: u64 = 1 << 30;

/// Bytes of a file's first line that are read to see whether it is a trial.
const MAX_PROBE: u64 = 64 << 20;

/// A report whose files are written.
pub(crate) struct Reported {
    /// The report.
    pub(crate) report: Report,
    /// Knows the secrets of the run.
    pub(crate) redactor: Arc<Redactor>,
    /// The paths of its files.
    pub(crate) files: Vec<PathBuf>,
    /// The files that could not be written, and answers that could not be cached.
    pub(crate) unwritten: Vec<Failure>,
}

/// Makes the report of a decided run, and writes its files where there is a folder. A verdict that cannot be written can
/// still be printed.
pub(crate) fn report(mut decided: Decided, exit_code: u8, folder: Option<&Path>) -> Reported {
    let mut unwritten: Vec<Failure> = std::mem::take(&mut decided.unwritten);
    let (mut report, redactor) = decided.report(exit_code);
    let written = folder.map_or(Ok(Vec::new()), |folder| write(&mut report, folder, &redactor, LARGE));
    let files = written.unwrap_or_else(|failure| {
        folder.into_iter().for_each(remove_all);
        unwritten.push(failure);
        Vec::new()
    });
    Reported { report, redactor, files, unwritten }
}

/// Removes the files of a report of which some could not be written, and those of an earlier run among them: their
/// verdict must not be taken for that of this one.
pub(super) fn remove_all(folder: &Path) {
    for (name, _) in Format::files() {
        // A file that cannot be removed either is named in the error.
        let _ = std::fs::remove_file(folder.join(name));
    }
    let _ = remove_earlier(&folder.join(TRIALS_FILE));
}

/// Creates the folder of the reports and tries to write there, before a run costs anything.
pub(crate) fn prepare(folder: &Path) -> Result<(), Failure> {
    // The report of a partial run is in a folder of the whole one's.
    if let Some(whole) = folder.parent().filter(|_| folder.ends_with(super::partial::FOLDER)) {
        make(whole)?;
    }
    make(folder)?;
    suites::discard(folder);
    let names = Format::files().map(|(name, _)| name).chain([TRIALS_FILE]);
    match names.map(|name| folder.join(name)).find(|path| path.is_dir()) {
        Some(path) => Err(unwritable(folder, &format!("{} is a folder", path.display()))),
        None => Ok(()),
    }
}

/// Creates a folder, and tries to write there.
fn make(folder: &Path) -> Result<(), Failure> {
    // A link could come with the repository and lead anywhere.
    if folder.is_symlink() {
        let diagnostic = Diagnostic::new("the folder of the reports is a link");
        return Err(diagnostic
            .at(Place::file(folder.display().to_string()))
            .help("name the folder itself with `--out`")
            .into());
    }
    // A folder that the user names, or that exists, may well be committed.
    let made = match folder.ends_with(DEFAULT_FOLDER) && !folder.exists() {
        true => make_ignored(folder),
        false => std::fs::create_dir_all(folder),
    };
    match made.and_then(|()| temporary(folder)) {
        Ok(_) => Ok(()),
        Err(error) if is_out_of_space(&error) => {
            Err(Failure::writing(&format!("a report into {}", folder.display()), &error))
        }
        Err(error) => Err(unwritable(folder, &error.to_string())),
    }
}

fn unwritable(folder: &Path, why: &str) -> Failure {
    Diagnostic::new(format!("no report can be written here: {why}"))
        .at(Place::file(folder.display().to_string()))
        .help("name a folder that can be written to with `--out`")
        .into()
}

/// Writes the files of all formats and, for a run with more than `max_trials` trials, trials.jsonl; returns their paths.
fn write(
    report: &mut Report,
    folder: &Path,
    redactor: &Redactor,
    max_trials: usize,
) -> Result<Vec<PathBuf>, Failure> {
    let beside = folder.join(TRIALS_FILE);
    let large = report.trials() > max_trials;
    if large {
        write_trials(report, &beside, redactor)?;
    }
    let mut paths = Vec::new();
    // report.json comes last, since it names the trials file beside it in a large run.
    for (name, format) in Format::files().rev() {
        let path = folder.join(name);
        write_whole(&path, |file| {
            let mut file = Redacting::new(file, redactor);
            let style = Style { redactor: redactor.clone(), ..Style::default() };
            promptgate_report::write(report, format, &mut file, style)?;
            file.finish()
        })?;
        paths.insert(0, path);
    }
    if large {
        paths.push(beside);
    } else {
        remove_earlier(&beside)?;
    }
    Ok(paths)
}

/// Writes the trials, and makes the report refer to their file.
fn write_trials(report: &mut Report, path: &Path, redactor: &Redactor) -> Result<(), Failure> {
    let mut file = TrialsFile { name: TRIALS_FILE.to_owned(), digest: String::new(), lines: 0 };
    write_whole(path, |out| {
        let mut digesting = Digesting::new(out);
        let mut redacting = Redacting::new(&mut digesting, redactor);
        file.lines = promptgate_report::write_trials(report, &mut redacting)?;
        redacting.finish()?;
        file.digest = digesting.digest();
        Ok(())
    })?;
    report.leave_trials_to(file, KEPT);
    Ok(())
}

/// Removes the trials of an earlier, larger run, which no report refers to any more. A file of that name with other
/// content is left alone.
pub(super) fn remove_earlier(path: &Path) -> Result<(), Failure> {
    let Ok(file) = open_file(path) else { return Ok(()) };
    let mut first = Vec::new();
    let read = BufReader::new(file).take(MAX_PROBE).read_until(b'\n', &mut first);
    if read.is_err() || !promptgate_report::is_line(&first) {
        return Ok(());
    }
    std::fs::remove_file(path).map_err(|error| Failure::writing(&path.display().to_string(), &error))
}

/// The style of a terminal or a log, with the paths of the report's files; it shows no answers.
pub(crate) fn style(redactor: &Redactor, width: usize, color: bool, files: &[PathBuf]) -> Style {
    let files = files.iter().map(|path| path.display().to_string()).collect();
    Style { width, color, files, redactor: redactor.clone(), ..Style::default() }
}

/// The path of a report: a report.json, the one in a folder, or by default the last one. `command` names a report instead.
///
/// # Errors
/// No report of an earlier run.
pub(crate) fn locate(named: Option<&Path>, command: &str) -> Result<PathBuf, Failure> {
    match named {
        Some(folder) if folder.is_dir() => Ok(in_folder(folder)),
        Some(file) => Ok(file.to_owned()),
        None => {
            let path = in_folder(Path::new(DEFAULT_FOLDER));
            if path.exists() {
                return Ok(path);
            }
            Err(Diagnostic::new(format!("no report of an earlier run: {} does not exist", path.display()))
                .help(format!("run the suite with `promptgate run`, or name a report: `{command}`"))
                .into())
        }
    }
}

/// The path of the report.json in a folder.
pub(crate) fn in_folder(folder: &Path) -> PathBuf {
    folder.join(Format::Json.file_name().unwrap_or_default())
}

/// Reads a report.json.
///
/// # Errors
/// A file that cannot be read, or is not a report.
pub(crate) fn read(path: &Path) -> Result<Report, Failure> {
    Ok(read_with_digest(path)?.0)
}

/// Reads a report.json, with `sha256:…` of its bytes.
///
/// # Errors
/// As [`read`].
pub(super) fn read_with_digest(path: &Path) -> Result<(Report, String), Failure> {
    let file = path.display().to_string();
    let refuse = |message: String| {
        Failure::from(
            Diagnostic::new(message)
                .at(Place::file(file.clone()))
                .help("name a report.json that `promptgate run` wrote"),
        )
    };
    let text = read_text(path, "report", MAX_BYTES, Links::Follow).map_err(refuse)?;
    let open = |name: &str| open_file(&path.with_file_name(name));
    Ok((promptgate_report::read(&file, &text, open)?, digest_of_bytes(text.as_bytes())))
}

/// Reads a report.json and its run.
///
/// # Errors
/// As [`read`], and a report whose parts contradict each other.
pub(super) fn read_run(path: &Path) -> Result<(Report, Run), Failure> {
    let report = read(path)?;
    let place = Place::file(path.display().to_string());
    let run = report.to_run().map_err(|diagnostics| diagnostics.at(&place))?;
    Ok((report, run))
}

/// Opens a regular file: opening a pipe would block.
fn open_file(path: &Path) -> io::Result<File> {
    match std::fs::metadata(path)?.is_file() {
        true => File::open(path),
        false => Err(io::Error::other("this is not a file")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use promptgate_core::text::Secret;
    use promptgate_report::v1::Trial;

    fn failed() -> Report {
        read(Path::new("tests/fixtures/reports/fail.json")).unwrap()
    }

    fn text(folder: &Path, name: &str) -> String {
        std::fs::read_to_string(folder.join(name)).unwrap()
    }

    #[test]
    fn trials_file_is_written_for_large_runs_and_removed_for_small() {
        let folder = tempfile::tempdir().unwrap();
        let redactor = Redactor::new(&[]);
        let mut report = failed();
        let trials = report.trials();
        let files = write(&mut report, folder.path(), &redactor, trials - 1).unwrap();
        let names = |files: &[PathBuf]| -> Vec<String> {
            files.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
        };
        let of_formats: Vec<&str> = Format::files().map(|(name, _)| name).collect();
        assert_eq!(names(&files), [of_formats.as_slice(), &["trials.jsonl"]].concat());
        assert_eq!(text(folder.path(), "trials.jsonl").lines().count(), trials);
        assert_eq!(read(&folder.path().join("report.json")).unwrap(), report);

        let mut smaller = failed();
        let files = write(&mut smaller, folder.path(), &redactor, trials).unwrap();
        assert_eq!(names(&files), of_formats);
        assert!(!folder.path().join("trials.jsonl").exists());
        assert_eq!(read(&folder.path().join("report.json")).unwrap(), failed());

        // A file that promptgate did not write is left alone.
        std::fs::write(folder.path().join("trials.jsonl"), "{\"mine\": 1}\n").unwrap();
        write(&mut smaller, folder.path(), &redactor, trials).unwrap();
        assert_eq!(text(folder.path(), "trials.jsonl"), "{\"mine\": 1}\n");
    }

    #[test]
    fn secrets_are_redacted_in_every_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut report = failed();
        let key = "sk-canary-7f3a9b2c";
        for case in &mut report.cases {
            let edited =
                |trial: Trial| Trial { output: Some(format!("the key is {key}, or is it")), ..trial };
            let trials: Vec<Trial> = case.trials.readable().map(|trial| edited(trial.into_owned())).collect();
            case.trials = trials.into();
        }
        let redactor = Redactor::new(&[Secret::new(key.to_owned())]);
        write(&mut report, folder.path(), &redactor, 0).unwrap();
        for name in ["report.json", "report.html", "trials.jsonl"] {
            let text = text(folder.path(), name);
            assert!(!text.contains(key) && text.contains("the key is [redacted], or is it"), "{name}");
        }
        read(&folder.path().join("report.json")).unwrap();
    }
}
