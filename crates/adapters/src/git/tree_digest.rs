//! The digest of the files of a commit or of the work tree, which identifies the code of an application.

use std::path::Path;

use super::Repository;
use super::process::{self, GitOutput, spawn_error};
use crate::files::digest_of_bytes;
use promptgate_core::model::Diagnostic;

impl Repository {
    /// Returns the digest of the files of a commit below `inputs`, paths relative to the folder; of all its files where
    /// there are none, or where one of them is not in the commit.
    ///
    /// # Errors
    /// If git fails.
    pub fn digest_of_commit(&self, commit: &str, inputs: &[String]) -> Result<String, Diagnostic> {
        let list = |arguments: &[&str]| self.read_commit(commit, arguments);
        let listed = self.listed(commit, inputs, list)?;
        match listed.iter().any(|(_, files)| files.is_empty()) {
            true => Ok(digest(&self.listed(commit, &[], list)?)),
            false => Ok(digest(&listed)),
        }
    }

    /// Returns the same digest for the work tree: tracked files as they are, and untracked ones that are not ignored. It is
    /// that of the commit where nothing was changed. The repository is not written to.
    ///
    /// # Errors
    /// If git fails, a temporary folder cannot be made, or one of the inputs has no file that counts.
    pub fn digest_of_work_tree(&self, inputs: &[String]) -> Result<String, Diagnostic> {
        let failed = |error: &dyn std::fmt::Display| {
            Diagnostic::new(format!("git could not read the work tree: {error}"))
        };
        let scratch = tempfile::tempdir().map_err(|error| failed(&error))?;
        let index = scratch.path().join("index");
        let own = self.git(&["rev-parse", "--git-path", "index", "--git-path", "objects"])?;
        let text = own.text();
        let (own_index, objects) = text.split_once('\n').ok_or_else(|| failed(&"no index"))?;
        // Its times let git skip files that have not changed. Without an index every file is read.
        let own_index = self.folder.join(own_index);
        if std::fs::copy(&own_index, &index).is_ok() {
            // A file that is no older than the index is read, since it may have changed after it. A copy that is newer than
            // the index would hide that.
            let modified = own_index.metadata().and_then(|metadata| metadata.modified());
            let copy = std::fs::File::options().write(true).open(&index);
            let kept = modified.and_then(|time| copy.and_then(|copy| copy.set_modified(time)));
            kept.map_err(|error| failed(&error))?;
        }
        let objects = std::path::absolute(self.folder.join(objects)).map_err(|error| failed(&error))?;
        let run = |arguments: &[&str]| self.with_index(&index, scratch.path(), &objects, arguments);
        let run_well = |arguments: &[&str]| {
            let output = run(arguments)?;
            if output.success { Ok(output.text()) } else { Err(failed(&output.error())) }
        };
        run_well(&["add", "--all"])?;
        let tree = run_well(&["write-tree"])?;
        let listed = self.listed(&tree, inputs, run)?;
        match listed.iter().find(|(_, files)| files.is_empty()) {
            Some((input, _)) => Err(nothing_in(input)),
            None => Ok(digest(&listed)),
        }
    }

    /// The entries of a tree below each input; all of them where there are none.
    fn listed(
        &self,
        tree: &str,
        inputs: &[String],
        list: impl Fn(&[&str]) -> Result<GitOutput, Diagnostic>,
    ) -> Result<Vec<(String, Vec<u8>)>, Diagnostic> {
        let all = ["ls-tree", "-z", "-r", "--full-tree", tree];
        let below = |input: &str, arguments: &[&str]| {
            let output = list(arguments)?;
            if !output.success {
                return Err(Diagnostic::new(format!("git could not list the files: {}", output.error())));
            }
            Ok((input.to_owned(), output.stdout))
        };
        if inputs.is_empty() {
            // A repository may be empty.
            let (_, mut files) = below("", &all)?;
            files.push(0);
            return Ok(vec![(String::new(), files)]);
        }
        let one = |input: &String| {
            let path = self.path_from_root(input)?;
            below(input, &[&all[..], &["--", &path]].concat())
        };
        inputs.iter().map(one).collect()
    }

    /// Runs git with an index and a folder for new objects of its own.
    fn with_index(
        &self,
        index: &Path,
        scratch: &Path,
        objects: &Path,
        arguments: &[&str],
    ) -> Result<GitOutput, Diagnostic> {
        let mut command = process::command(&self.top);
        command.args(arguments).env("GIT_INDEX_FILE", index);
        command.env("GIT_OBJECT_DIRECTORY", scratch).env("GIT_ALTERNATE_OBJECT_DIRECTORIES", objects);
        process::output(&mut command, &[]).map_err(|error| spawn_error(&self.top, &error).into())
    }
}

/// An input that names no file would not tell two versions apart.
fn nothing_in(input: &str) -> Diagnostic {
    Diagnostic::new(format!("`{input}` of `target.inputs` has no file that git knows or would add"))
        .help("correct the path; files that git ignores do not count, so leave `inputs` out if the answers depend on one")
}

fn digest(listed: &[(String, Vec<u8>)]) -> String {
    digest_of_bytes(&listed.iter().flat_map(|(_, files)| files.iter().copied()).collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use crate::git::Repository;
    use crate::git::fixture::Fixture;

    #[test]
    fn work_tree_has_the_digest_of_its_commit_until_a_file_changes() {
        let fixture = Fixture::new();
        fixture.write("app/answer.py", "print(1)\n");
        fixture.write("docs/readme.md", "a\n");
        fixture.write(".gitignore", "*.log\n");
        let commit = fixture.commit("first");
        let repository = Repository::discover(&fixture.path()).unwrap();
        let all = repository.digest_of_commit(&commit, &[]).unwrap();
        assert_eq!(repository.digest_of_work_tree(&[]).unwrap(), all);
        fixture.write("app/run.log", "ignored\n");
        assert_eq!(repository.digest_of_work_tree(&[]).unwrap(), all, "ignored files do not count");

        let objects = fixture.git(&["count-objects"]);
        fixture.write("docs/readme.md", "b\n");
        let inputs = ["app".to_owned()];
        assert_ne!(repository.digest_of_work_tree(&[]).unwrap(), all);
        let app = repository.digest_of_commit(&commit, &inputs).unwrap();
        assert_eq!(repository.digest_of_work_tree(&inputs).unwrap(), app, "docs is not an input");
        let error = repository.digest_of_work_tree(&["app".to_owned(), "ap".to_owned()]).unwrap_err();
        assert!(error.message.contains("`ap` of `target.inputs`"), "{error:?}");
        let ignored = repository.digest_of_work_tree(&["app/run.log".to_owned()]).unwrap_err();
        assert!(ignored.help.is_some_and(|help| help.contains("ignores")));
        fixture.write("app/new.py", "print(2)\n");
        assert_ne!(repository.digest_of_work_tree(&inputs).unwrap(), app, "untracked files count");
        assert_eq!(fixture.git(&["count-objects"]), objects, "the repository is not written to");
        assert_eq!(fixture.git(&["diff", "--cached", "--name-only"]), "", "the index is not written to");

        // An input that the commit lacks makes all of its files count.
        let whole = repository.digest_of_commit(&commit, &["app/run.log".to_owned()]).unwrap();
        fixture.write("docs/readme.md", "c\n");
        let next = fixture.commit("second");
        assert_ne!(repository.digest_of_commit(&next, &["app/run.log".to_owned()]).unwrap(), whole);
    }

    #[test]
    fn change_of_the_same_size_within_a_second_counts() {
        let fixture = Fixture::new();
        for number in 0..20 {
            fixture.write("answer", format!("kb-{}", number % 9));
            let commit = fixture.commit("next");
            fixture.write("answer", format!("kb-{}", number % 9 + 1));
            let repository = Repository::discover(&fixture.path()).unwrap();
            let committed = repository.digest_of_commit(&commit, &[]).unwrap();
            assert_ne!(repository.digest_of_work_tree(&[]).unwrap(), committed, "{number}");
        }
    }
}
