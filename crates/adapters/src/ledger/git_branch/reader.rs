//! Reads objects of one commit with one git process.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use promptgate_release::{Name, PortError, State};

use super::super::layout::{EVENTS, StateFile, damaged, name_of_events, state_path};
use super::super::releases::Source;
use super::process::Git;

/// The files of the last fetched commit of a ledger.
pub(super) struct Reader<'g> {
    git: &'g Git,
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    /// The commit.
    pub(super) tip: String,
}

/// An object of a repository.
pub(super) struct Object {
    id: String,
    kind: String,
    pub(super) content: Vec<u8>,
}

impl<'g> Reader<'g> {
    /// Opens the commit that a reference points at; `None` if it does not exist.
    ///
    /// # Errors
    /// [`PortError::Damaged`] if the commit is not that of a ledger.
    pub(super) fn open(git: &'g Git, reference: &str) -> Result<Option<Self>, PortError> {
        git.check()?;
        let mut command = git.command(&["cat-file", "--batch"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| git.not_started(&error))?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let stdout = stdout.ok_or_else(|| git.local_error("no output"))?;
        let mut reader = Self { git, child, stdin, stdout: BufReader::new(stdout), tip: String::new() };
        // All files are read from this commit, even if the reference moves meanwhile.
        let Some(commit) = reader.object(reference)? else { return Ok(None) };
        let not_a_ledger = |found: &str| {
            damaged(
                &git.shown(),
                &format!(
                    "not a ledger: expected a folder `{EVENTS}`, found {found} (help: set `ledger: {{git: {{branch: NAME}}}}` to a branch that only promptgate writes)"
                ),
            )
        };
        if commit.kind != "commit" {
            return Err(not_a_ledger(&format!("a {}", commit.kind)));
        }
        reader.tip = commit.id;
        match reader.object(&format!("{}:{EVENTS}", reader.tip))? {
            Some(object) if object.kind == "tree" => Ok(Some(reader)),
            Some(_) => Err(not_a_ledger("a file of that name")),
            None => Err(not_a_ledger("other files")),
        }
    }

    /// The text of a file; `None` if it does not exist.
    pub(super) fn file(&mut self, path: &str) -> Result<Option<String>, PortError> {
        let Some(object) = self.object(&format!("{}:{path}", self.tip))? else { return Ok(None) };
        if object.kind != "blob" {
            return Err(damaged(path, "expected a file, found a folder"));
        }
        String::from_utf8(object.content).map(Some).map_err(|_| damaged(path, "not UTF-8"))
    }

    /// An object by its name; `None` if it does not exist.
    pub(super) fn object(&mut self, name: &str) -> Result<Option<Object>, PortError> {
        let written = self.stdin.as_mut().map(|stdin| stdin.write_all(format!("{name}\n").as_bytes()));
        let mut header = String::new();
        // A process that cannot start its work closes both; its message says why.
        if !matches!(written, Some(Ok(()))) || !matches!(self.stdout.read_line(&mut header), Ok(1..)) {
            return Err(self.failure());
        }
        let fields: Vec<&str> = header.trim_end().rsplitn(3, ' ').collect();
        let [size, kind, id] = fields.as_slice() else { return Ok(None) }; // NAME missing
        let Ok(size) = size.parse::<usize>() else { return Ok(None) };
        let (kind, id) = ((*kind).to_owned(), (*id).to_owned());
        let mut content = vec![0; size + 1];
        if self.stdout.read_exact(&mut content).is_err() {
            return Err(self.failure());
        }
        content.truncate(size);
        Ok(Some(Object { id, kind, content }))
    }

    fn failure(&mut self) -> PortError {
        self.stdin = None;
        let mut text = String::new();
        if let Some(stderr) = &mut self.child.stderr {
            let _ = stderr.read_to_string(&mut text); // an unreadable message leaves an empty one
        }
        self.git.local_error(&text)
    }
}

impl Source for Reader<'_> {
    fn names(&mut self) -> Result<Vec<Name>, PortError> {
        let folder = format!("{EVENTS}/");
        let arguments = ["ls-tree", "-r", "-z", "--name-only", "--full-tree", &self.tip, "--", &folder];
        let paths = self.git.text(&mut self.git.command(&arguments), &[])?;
        let mut names: Vec<Name> = paths.split('\0').filter_map(name_of_events).collect();
        names.sort();
        Ok(names)
    }

    fn state(&mut self, name: &Name) -> Result<Option<State>, PortError> {
        let path = state_path(name);
        let Some(text) = self.file(&path)? else { return Ok(None) };
        StateFile::parse(&text, &path).map(|file| Some(file.state))
    }

    fn file(&mut self, path: &str) -> Result<Option<String>, PortError> {
        Reader::file(self, path)
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        self.stdin = None; // ends the process
        let _ = self.child.wait();
    }
}
