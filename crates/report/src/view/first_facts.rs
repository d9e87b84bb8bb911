//! Notices of the run, which come before the numbers.

use super::NO_BASELINE;
use crate::v1::Report;

/// Notices that a page shows first. It explains a missing baseline by itself.
pub(crate) fn page_notices(report: &Report) -> impl Iterator<Item = &str> {
    report.notices.iter().map(String::as_str).filter(|notice| !notice.starts_with(NO_BASELINE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use crate::{Format, Style, write};

    fn rendered(report: &Report, format: Format) -> String {
        let mut out = Vec::new();
        write(report, format, &mut out, Style::default()).unwrap();
        // Without the characters that neutralize markup.
        String::from_utf8(out).unwrap().replace(['\u{200B}', '\\'], "")
    }

    #[test]
    fn notices_come_first_in_every_rendering() {
        let mut report = fixtures::pass();
        report.notices = vec!["candidate and baseline are equal: <b>nothing</b> can show".to_owned()];
        let terminal = rendered(&report, Format::Terminal);
        assert!(terminal.starts_with("note"), "{terminal}");
        assert!(terminal.lines().next().is_some_and(|line| line.contains("are equal")), "{terminal}");
        let markdown = rendered(&report, Format::Markdown);
        let second = markdown.lines().filter(|line| !line.is_empty()).nth(1);
        assert!(
            second.is_some_and(|line| line.starts_with("**Note:** candidate and baseline")),
            "{markdown}"
        );
        assert!(!markdown.contains("<b>"));
        assert!(rendered(&report, Format::Html).contains("candidate and baseline are equal"));
    }
}
