//! How much a comment says of what models and the dataset say.

/// How much of questions, answers and reasons may be seen where a comment is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Disclose {
    /// Numbers, names and ids alone: no text of a model, of the dataset, or of a server, which may repeat either.
    Numbers,
    /// The question and the reason of a case, each cut to a line.
    #[default]
    Excerpts,
    /// The answers of the worst cases as well.
    Full,
}
