//! Tables of the commands that read a ledger: statuses, logs, versions and differences.
//!
//! Everything but names, versions, labels and digests is untrusted: whoever may append to a ledger chose it.

mod diff;
mod log;
mod rollout;
mod rollout_plan;
mod show;
mod status;

use std::io::{self, Write};

pub use diff::write_diff;
pub use log::{write_log, write_verification};
pub use rollout::write_rollout;
pub use rollout_plan::{write_rollout_plan, write_rollout_simulation};
pub use show::write_show;
pub use status::write_status;

use super::line_writer::LineWriter;
use super::{MIN_WIDTH, Style};
use crate::view::minute;
use promptgate_core::text::neutral;

fn writer<'a>(out: &'a mut dyn Write, style: &'a Style) -> LineWriter<'a> {
    let width = u16::try_from(style.width.max(MIN_WIDTH)).unwrap_or(u16::MAX);
    LineWriter { out, width, color: style.color, redactor: &style.redactor }
}

/// Untrusted text as part of a line, at most `limit` characters.
fn short(text: &str, limit: usize) -> String {
    neutral::clip(&neutral::terminal(text), limit)
}

/// The first twelve digits of a digest.
fn short_digest(digest: &str) -> String {
    let digits = digest.strip_prefix("sha256:").unwrap_or(digest);
    neutral::terminal(digits).chars().take(12).collect()
}

/// Writes a labelled line; the text wraps beside the label.
fn field(writer: &mut LineWriter<'_>, label: &str, text: &str) -> io::Result<()> {
    writer.labelled(FIELD, label, text, super::line_writer::DIM)
}

/// Width of the labels of fields.
const FIELD: u16 = 14;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_short() {
        assert_eq!(short_digest("sha256:0123456789abcdef"), "0123456789ab");
        assert_eq!(short_digest("0123"), "0123");
    }
}
