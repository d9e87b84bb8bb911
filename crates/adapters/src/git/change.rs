//! The commits of a change, the people they name, and the object names of files.

use std::fs;

use super::{EntryKind, Repository, git, is_object_name};
use promptgate_core::model::Diagnostic;

/// Fields of a commit in the output of `git log`, each ended by a null byte: neither a name nor a message can hold one.
const FORMAT: &str =
    "--format=%H%x00%an%x00%ae%x00%cn%x00%ce%x00%(trailers:key=Co-authored-by,valueonly=true,unfold=true)";
const FIELDS: usize = 6;

/// A person, as a commit or a configuration names them; anybody can write any name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name.
    pub name: String,
    /// The email address.
    pub email: String,
}

/// A commit of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeCommit {
    /// Full object name.
    pub commit: String,
    /// The author, then the co-authors of the message.
    pub authors: Vec<Person>,
    /// The committer.
    pub committer: Person,
}

/// The commits of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeHistory {
    /// All of them, the newest first.
    Complete(Vec<ChangeCommit>),
    /// The clone is shallow, and some of them may be missing.
    Shallow,
}

impl Repository {
    /// Returns the commits up to `commit` that changed one of `paths` (relative to the root) and are not in `since`.
    /// Without `since`, these are the commits that the last change of the main line brought, a merge with all of its
    /// branch. Where `since` is not in a complete clone because history was rewritten, no commit is excluded.
    ///
    /// # Errors
    /// If git fails, or a commit is not a full object name or not in the clone.
    pub fn change(
        &self,
        since: Option<&str>,
        commit: &str,
        paths: &[String],
    ) -> Result<ChangeHistory, Diagnostic> {
        if !is_object_name(commit) || since.is_some_and(|since| !is_object_name(since)) {
            return Err(Diagnostic::new("the commits of a change must be full object names"));
        }
        let since = match since {
            Some(since) => match self.commit_of(since)? {
                None if self.shallow => return Ok(ChangeHistory::Shallow),
                known => known,
            },
            None => {
                let last = self.log(&["--first-parent", "-m", "-1"], commit, None, paths)?;
                let Some(last) = last.into_iter().next() else {
                    return Ok(if self.shallow {
                        ChangeHistory::Shallow
                    } else {
                        ChangeHistory::Complete(Vec::new())
                    });
                };
                let before = self.commit_of(&format!("{}^1", last.commit))?;
                if before.is_none() && !self.is_shallow_within(&last.commit, None)? {
                    return Ok(ChangeHistory::Complete(vec![last]));
                }
                before
            }
        };
        if self.is_shallow_within(commit, since.as_deref())? {
            return Ok(ChangeHistory::Shallow);
        }
        Ok(ChangeHistory::Complete(self.log(&[], commit, since.as_deref(), paths)?))
    }

    /// Returns the authors, co-authors and committer of one commit.
    ///
    /// # Errors
    /// If git fails, or the commit is not a full object name or not in the clone.
    pub fn people_of(&self, commit: &str) -> Result<Option<ChangeCommit>, Diagnostic> {
        if !is_object_name(commit) {
            return Err(Diagnostic::new("the commits of a change must be full object names"));
        }
        Ok(self.log(&["--no-walk"], commit, None, &[])?.into_iter().next())
    }

    /// Returns the object names of files (relative to the root) in a commit; `None` for what is not a regular file.
    ///
    /// # Errors
    /// If git fails, or the commit is not a full object name or not in the clone.
    pub fn blob_names(&self, commit: &str, paths: &[String]) -> Result<Vec<Option<String>>, Diagnostic> {
        if !is_object_name(commit) {
            return Err(Diagnostic::new("the commit of files must be a full object name"));
        }
        let name = |path: &String| {
            let entry = self.entry(commit, path)?;
            Ok(entry.filter(|entry| entry.kind == EntryKind::File).map(|entry| entry.object))
        };
        paths.iter().map(name).collect()
    }

    /// Returns the user that git's configuration names; either part may be empty.
    ///
    /// # Errors
    /// If git cannot be run.
    pub fn user(&self) -> Result<Person, Diagnostic> {
        let value = |key: &str| Ok::<_, Diagnostic>(self.git(&["config", "--get", key])?.text());
        Ok(Person { name: value("user.name")?, email: value("user.email")? })
    }

    /// Whether the clone lacks parents of a commit that is in `commit` and not in `since`.
    fn is_shallow_within(&self, commit: &str, since: Option<&str>) -> Result<bool, Diagnostic> {
        if !self.shallow {
            return Ok(false);
        }
        let excluded = since.map(|since| format!("^{since}"));
        let mut arguments = vec!["rev-list", "--max-parents=0", "--end-of-options", commit];
        arguments.extend(excluded.as_deref());
        let roots = self.read_commit(commit, &arguments)?.text();
        let file = self.git(&["rev-parse", "--git-path", "shallow"])?.text();
        let boundary = fs::read_to_string(self.folder.join(file))
            .map_err(|error| Diagnostic::new(format!("could not read the boundary of the clone: {error}")))?;
        Ok(roots.lines().any(|root| boundary.lines().any(|line| line == root)))
    }

    fn log(
        &self,
        options: &[&str],
        commit: &str,
        since: Option<&str>,
        paths: &[String],
    ) -> Result<Vec<ChangeCommit>, Diagnostic> {
        let excluded = since.map(|since| format!("^{since}"));
        let mut arguments =
            vec!["log", "-z", "--no-patch", "--no-show-signature", "--encoding=UTF-8", FORMAT];
        arguments.extend(options);
        arguments.extend(["--end-of-options", commit]);
        arguments.extend(excluded.as_deref());
        arguments.push("--");
        arguments.extend(paths.iter().map(String::as_str));
        // Paths are relative to the root.
        let output = git(&self.top, &arguments).map_err(Diagnostic::from)?;
        if !output.success {
            let message = format!("git could not list the commits of the change: {}", output.error());
            return Err(Diagnostic::new(message).help("check out all history, with `fetch-depth: 0`"));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let fields: Vec<&str> = text.split('\0').collect();
        Ok(fields.chunks_exact(FIELDS).filter_map(parse).collect())
    }
}

fn parse(fields: &[&str]) -> Option<ChangeCommit> {
    let [commit, name, email, committer, committer_email, co_authors] = fields else { return None };
    let person = |name: &str, email: &str| Person { name: name.to_owned(), email: email.to_owned() };
    let mut authors = vec![person(name, email)];
    authors.extend(co_authors.lines().filter_map(trailer));
    Some(ChangeCommit {
        commit: (*commit).to_owned(),
        authors,
        committer: person(committer, committer_email),
    })
}

/// Parses `Name <address>`.
fn trailer(text: &str) -> Option<Person> {
    let (name, rest) = text.trim().rsplit_once('<')?;
    let email = rest.strip_suffix('>')?.trim();
    (!email.is_empty()).then(|| Person { name: name.trim().to_owned(), email: email.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    fn open(fixture: &Fixture) -> Repository {
        Repository::discover(&fixture.path()).unwrap()
    }

    fn paths(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn by(fixture: &Fixture, name: &str, path: &str, message: &str) -> String {
        fixture.write(path, message);
        fixture.git(&["add", "--all"]);
        let author = format!("{name} <{}@example.com>", name.to_lowercase());
        fixture.git(&["commit", "--quiet", "--author", &author, "-m", message]);
        fixture.git(&["rev-parse", "HEAD"])
    }

    fn emails(history: ChangeHistory) -> Vec<String> {
        let ChangeHistory::Complete(commits) = history else { panic!("shallow") };
        commits.into_iter().flat_map(|commit| commit.authors).map(|person| person.email).collect()
    }

    #[test]
    fn change_since_a_version_is_every_commit_on_its_paths() {
        let fixture = Fixture::new();
        let first = by(&fixture, "Ann", "a/prompt.md", "one");
        by(
            &fixture,
            "Bob",
            "a/prompt.md",
            "two\n\nCo-authored-by: Cy Co <cy@example.com>\nco-authored-by: x",
        );
        by(&fixture, "Dan", "other.md", "unrelated");
        let last = by(&fixture, "Eve", "a/promptgate.yaml", "three");
        let repository = Repository::discover(&fixture.path().join("a")).unwrap();
        let both = paths(&["a/prompt.md", "a/promptgate.yaml"]);
        let found = emails(repository.change(Some(&first), &last, &both).unwrap());
        assert_eq!(found, ["eve@example.com", "bob@example.com", "cy@example.com"]);
        // Without a version before: the last change alone.
        assert_eq!(emails(repository.change(None, &last, &both).unwrap()), ["eve@example.com"]);
        assert_eq!(
            emails(repository.change(None, &last, &paths(&["a/prompt.md"])).unwrap()),
            ["bob@example.com", "cy@example.com"]
        );
        // A version whose commit was rewritten excludes nothing.
        let gone = "1".repeat(40);
        assert_eq!(emails(repository.change(Some(&gone), &last, &both).unwrap()).len(), 4);
        assert!(repository.change(Some("main"), &last, &both).is_err());
        assert!(repository.change(None, "--all", &both).is_err());
        assert!(repository.change(None, &gone, &both).is_err());
        let people = repository.people_of(&last).unwrap().unwrap();
        assert_eq!(people.committer.email, "tester@example.com");
    }

    #[test]
    fn last_change_of_the_main_line_is_a_whole_branch() {
        let fixture = Fixture::new();
        by(&fixture, "Ann", "prompt.md", "one");
        fixture.git(&["checkout", "--quiet", "-b", "change"]);
        by(&fixture, "Bob", "prompt.md", "two");
        by(&fixture, "Cy", "prompt.md", "three");
        fixture.git(&["checkout", "--quiet", "main"]);
        by(&fixture, "Dan", "other.md", "meanwhile");
        fixture.git(&["merge", "--quiet", "--no-ff", "-m", "merge", "change"]);
        let merge = fixture.git(&["rev-parse", "HEAD"]);
        let found = emails(open(&fixture).change(None, &merge, &paths(&["prompt.md"])).unwrap());
        assert_eq!(found, ["cy@example.com", "bob@example.com"]);
    }

    #[test]
    fn shallow_history_is_never_taken_for_all_of_it() {
        let origin = Fixture::new();
        let first = by(&origin, "Ann", "prompt.md", "one");
        by(&origin, "Bob", "prompt.md", "two");
        let last = by(&origin, "Cy", "prompt.md", "three");
        let prompt = paths(&["prompt.md"]);
        for (depth, since, complete) in [
            ("--depth=1", None, false),
            ("--depth=1", Some(&first), false),
            ("--depth=2", Some(&first), false),
            ("--depth=2", None, true),
            ("--depth=3", Some(&first), true),
        ] {
            let clone = Fixture::clone_of(&origin, &[depth]);
            let history = open(&clone).change(since.map(String::as_str), &last, &prompt).unwrap();
            let expected = if since.is_some() { 2 } else { 1 };
            match history {
                ChangeHistory::Complete(commits) => {
                    assert!(complete && commits.len() == expected, "{depth} {since:?}");
                }
                ChangeHistory::Shallow => assert!(!complete, "{depth} {since:?}"),
            }
        }
    }

    #[test]
    fn only_regular_files_have_a_blob_name() {
        let fixture = Fixture::new();
        fixture.write("a/one.md", "one");
        fixture.write("a/same.md", "one");
        let commit = fixture.commit("start");
        let names = open(&fixture)
            .blob_names(&commit, &paths(&["a/one.md", "a/same.md", "a", "missing.md", "*.md"]))
            .unwrap();
        assert!(names[0].is_some() && names[0] == names[1]);
        assert_eq!(names[2..], [None, None, None]);
    }

    #[test]
    fn trailers_without_an_address_name_nobody() {
        assert_eq!(trailer("Ann A <ann@example.com>").unwrap().email, "ann@example.com");
        for text in ["", "Ann", "Ann <", "Ann <>", "Ann <ann@example.com> and more"] {
            assert_eq!(trailer(text), None, "{text}");
        }
    }
}
