//! Diagnostics: errors of the user in flags, configuration, dataset or prompts.

use std::fmt;

/// The location of an error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// The file as named by the user, or another source such as `--min`.
    pub file: String,
    /// Line, counted from 1; `None` for the whole file.
    pub line: Option<usize>,
    /// Column in characters, counted from 1.
    pub column: Option<usize>,
    /// The text of that line, shown below the message.
    pub excerpt: Option<String>,
    /// Number of marked characters of the excerpt, from `column` on; 0 marks a position.
    pub length: usize,
}

impl Place {
    /// A whole file, or a flag.
    pub fn file(file: impl Into<String>) -> Self {
        Self { file: file.into(), ..Self::default() }
    }

    /// A line of a file, counted from 1.
    pub fn line(file: impl Into<String>, line: usize) -> Self {
        Self { file: file.into(), line: Some(line), ..Self::default() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
            if let Some(column) = self.column {
                write!(f, ":{column}")?;
            }
        }
        Ok(())
    }
}

/// An error of the user with its location and a hint. Contains no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The location, if any.
    pub place: Option<Place>,
    /// The message: lower case, without a full stop.
    pub message: String,
    /// The next step.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A diagnostic without location and help.
    pub fn new(message: impl Into<String>) -> Self {
        Self { place: None, message: message.into(), help: None }
    }

    /// Sets the location.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Sets the location if there is none.
    #[must_use]
    pub fn or_at(mut self, place: &Place) -> Self {
        self.place.get_or_insert_with(|| place.clone());
        self
    }

    /// Sets the next step.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(help) = &self.help {
            write!(f, " (help: {help})")?;
        }
        Ok(())
    }
}

/// All diagnostics of one operation; not empty when returned as an error.
#[derive(Debug, Clone, PartialEq, Eq, Default, thiserror::Error)]
#[error("{}", .0.iter().map(Diagnostic::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Sets the location of diagnostics that have none.
    #[must_use]
    pub fn at(self, place: &Place) -> Self {
        Self(self.0.into_iter().map(|diagnostic| diagnostic.or_at(place)).collect())
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}
