//! Datasets, prompts and baselines, read from the work tree or from a commit.
//!
//! [`Tree`] reads files; [`dataset()`] and [`parse_prompt`] parse them and keep source locations for diagnostics;
//! [`baseline()`] resolves the variant that the candidate is compared with. Loading never executes file content,
//! reads environment variables or follows references inside values.
//!
//! Template variables and the inputs that judges require are validated elsewhere.

mod baseline;
mod conversation;
mod csv;
mod dataset;
mod defaults;
mod diagnostics;
mod digest;
mod field;
mod images;
mod messages;
mod nested;
mod prompt;
mod referenced;
mod row;
mod signature;
mod tree;

pub use baseline::{Baseline, BaselineSpec, baseline, trusted_baseline};
pub use dataset::{
    DATASET_LIMIT, DatasetBytes, DatasetFile, DatasetSource, MustPassDefault, TurnGrading, dataset,
    fetch_dataset, parse_dataset, parse_valid_rows,
};
pub use defaults::{check_default, check_file_field};
pub use diagnostics::LoadError;
pub use digest::{digest, digest_of_bytes, equal_cases};
pub use images::{IMAGE_LIMIT, Images, fetch_images, resolve_images};
pub use prompt::{
    FrontMatter, PROMPT_LIMIT, ParsedPrompt, PromptBytes, PromptSource, fetch_prompt, find_prompt,
    inline_prompt, parse_prompt, prompt_text,
};
pub use referenced::{VALUE_LIMIT, read_values};
pub use tree::{FILE_LIMIT, Tree, decode};

/// A loaded value with its warnings.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded<T> {
    /// The loaded value.
    pub value: T,
    /// Valid input that is probably unintended, one sentence each.
    pub warnings: Vec<String>,
}
