//! Disclosure of model and dataset text in comments.

/// The amount of model and dataset text in a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Disclose {
    /// Numbers, names and ids only: no text of models, the dataset, or servers, which may quote either.
    Numbers,
    /// Also the prompt diff and, for the worst cases, excerpts of question, both answers, reasons and judge quotes.
    #[default]
    Excerpts,
    /// Also questions and answers of the worst cases at length.
    Full,
}

impl Disclose {
    /// The default of a repository: everything where only its members read it, and excerpts where anybody might.
    pub fn of_repository(is_private: Option<bool>) -> Self {
        if is_private == Some(true) { Self::Full } else { Self::Excerpts }
    }
}
