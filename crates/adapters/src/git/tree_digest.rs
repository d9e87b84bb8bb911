//! The digest of the files of a commit or of the work tree, which identifies the code of an application.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::process::{self, GitOutput, spawn_error};
use super::{Repository, is_object_name};
use promptgate_core::model::Diagnostic;

impl Repository {
    /// Returns the digest of the files of a commit below `inputs`, paths relative to the folder; of all its files where
    /// there are none.
    ///
    /// # Errors
    /// If git fails.
    pub fn digest_of_commit(&self, commit: &str, inputs: &[String]) -> Result<String, Diagnostic> {
        let listed = self.list(commit, inputs)?;
        Ok(hex(&listed.stdout))
    }

    /// Returns the same digest for the work tree: tracked files as they are, and untracked ones that are not ignored. It is
    /// that of the commit where nothing was changed. The repository is not written to.
    ///
    /// # Errors
    /// If git fails, or a temporary folder cannot be made.
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
        let _ = std::fs::copy(self.folder.join(own_index), &index);
        let objects = std::path::absolute(self.folder.join(objects)).map_err(|error| failed(&error))?;
        let run = |arguments: &[&str]| self.with_index(&index, scratch.path(), &objects, arguments);
        for arguments in [&["add", "--all"][..], &["write-tree"]] {
            let output = run(arguments)?;
            if !output.success {
                return Err(failed(&output.error()));
            }
            let tree = output.text();
            if is_object_name(&tree) {
                let arguments = self.listing(&tree, inputs)?;
                let listed = run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())?;
                return if listed.success { Ok(hex(&listed.stdout)) } else { Err(failed(&listed.error())) };
            }
        }
        Err(failed(&"no tree was written"))
    }

    fn list(&self, tree: &str, inputs: &[String]) -> Result<GitOutput, Diagnostic> {
        let arguments = self.listing(tree, inputs)?;
        self.read_commit(tree, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn listing(&self, tree: &str, inputs: &[String]) -> Result<Vec<String>, Diagnostic> {
        let mut arguments: Vec<String> =
            ["ls-tree", "-z", "-r", "--full-tree", tree, "--"].map(str::to_owned).to_vec();
        for input in inputs {
            arguments.push(self.path_from_root(input)?);
        }
        Ok(arguments)
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

fn hex(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
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
        fixture.write("app/new.py", "print(2)\n");
        assert_ne!(repository.digest_of_work_tree(&inputs).unwrap(), app, "untracked files count");
        assert_eq!(fixture.git(&["count-objects"]), objects, "the repository is not written to");
        assert_eq!(fixture.git(&["diff", "--cached", "--name-only"]), "", "the index is not written to");
    }
}
