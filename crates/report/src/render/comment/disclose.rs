//! Disclosure of model and dataset text in comments.

/// The amount of model and dataset text in a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Disclose {
    /// Numbers, names and ids only: no text of models, the dataset, or servers, which may quote either.
    Numbers,
    /// Question and reason of a case, each cut to one line.
    #[default]
    Excerpts,
    /// Also the answers of the worst cases.
    Full,
}
