//! Text from and to the outside: secrets, redaction, neutralizing of untrusted text, strict JSON, differences, counts, and
//! reasoning in front of answers.

pub(crate) mod edit_script;
pub mod json;
pub mod neutral;
mod number;
pub mod reasoning;
mod redact;
mod secret;
mod word_diff;

pub use number::{count, counted};
pub use redact::Redactor;
pub use secret::Secret;
pub use word_diff::{Piece, PieceKind, line_diff, word_diff};

/// Returns the message of the last error in a chain of sources, which is the most specific one.
pub fn root_cause(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(next) = last.source() {
        last = next;
    }
    last.to_string()
}

/// Whether a write failed because the disk, a quota or a size limit has no space left.
pub fn is_out_of_space(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// Returns why something could not be written, with the words of people for a full disk.
pub fn write_error(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::StorageFull => format!("the disk is full ({error})"),
        std::io::ErrorKind::QuotaExceeded => format!("the disk quota is used up ({error})"),
        std::io::ErrorKind::FileTooLarge => format!("the disk or a limit allows no larger file ({error})"),
        _ => error.to_string(),
    }
}

/// Returns the entries of a word list: one a line, where `#` starts a comment.
pub fn word_list<T: FromIterator<&'static str>>(file: &'static str) -> T {
    file.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}
