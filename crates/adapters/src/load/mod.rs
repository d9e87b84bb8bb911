//! Datasets, prompts and baselines, read from the work tree or from a commit.
//!
//! [`Tree`] is where files come from, [`dataset()`] and [`prompt()`] turn them into the model's plain data with
//! the place of everything kept for messages, [`baseline()`] finds out what a candidate is compared with.
//! Nothing here runs anything from a file, reads an environment variable or follows a name in a value.
//!
//! Whether a prompt's variables are defined is the template room's question; whether a case has what a judge
//! needs, the command line's.

mod baseline;
mod csv;
mod dataset;
mod diagnostics;
mod digest;
mod field;
mod git;
mod prompt;
mod row;
mod tree;

pub use baseline::{Baseline, BaselineSpec, baseline, trusted_baseline};
pub use dataset::{DATASET_LIMIT, DatasetSource, dataset};
pub use diagnostics::LoadError;
pub use digest::{digest, digest_of_bytes};
pub use git::{Changed, MergeBase, NoMergeBase, NoRepository, Repository, Resolved};
pub use prompt::{PROMPT_LIMIT, PromptBytes, PromptSource, fetch_prompt, find_prompt, parse_prompt, prompt};
pub use tree::{FILE_LIMIT, Tree, decode};

/// Something that was loaded, with what a reader should know about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded<T> {
    /// What was asked for.
    pub value: T,
    /// Things that are legal and may not be meant, one sentence each.
    pub warnings: Vec<String>,
}
