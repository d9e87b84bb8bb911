//! The release that a candidate would become, in one line.

use crate::v1::Report;

/// `support/reply 2.3.1 → 2.4.0, minor: full gate, no approval`; `None` without `release:`.
pub(crate) fn release_line(report: &Report) -> Option<String> {
    report.release.as_ref().map(ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use crate::v1::{Release, ReleaseControls, ReleaseGate, ReleaseLevel};
    use crate::{Format, Style, write};

    fn report(edit: impl Fn(&mut Release)) -> Report {
        let mut report = fixtures::pass();
        let mut release = Release {
            name: "support/reply".to_owned(),
            production: Some("2.3.1".to_owned()),
            version: Some("2.4.0".to_owned()),
            published: false,
            level: Some(ReleaseLevel::Minor),
            least_level: Some(ReleaseLevel::Minor),
            reasons: Vec::new(),
            requires: Some(ReleaseControls { gate: ReleaseGate::Full, approvals: 0 }),
            examined: Some(ReleaseGate::Full),
            inconclusive_passes: false,
            commit: None,
        };
        edit(&mut release);
        report.release = Some(release);
        report
    }

    #[test]
    fn line_names_versions_level_and_controls() {
        let line = |edit: &dyn Fn(&mut Release)| release_line(&report(edit)).unwrap();
        assert_eq!(line(&|_| {}), "support/reply 2.3.1 → 2.4.0, minor: full gate, no approval");
        let patch = |release: &mut Release| {
            release.level = Some(ReleaseLevel::Patch);
            release.requires = Some(ReleaseControls { gate: ReleaseGate::Checks, approvals: 2 });
        };
        assert_eq!(line(&patch), "support/reply 2.3.1 → 2.4.0, patch: checks alone, 2 approvals");
        let first = |release: &mut Release| {
            (release.production, release.version) = (None, Some("1.0.0".to_owned()));
            release.requires = Some(ReleaseControls { gate: ReleaseGate::Full, approvals: 1 });
        };
        assert_eq!(line(&first), "support/reply → 1.0.0, first version: full gate, 1 approval");
        let equal = |release: &mut Release| (release.level, release.requires) = (None, None);
        assert_eq!(line(&equal), "support/reply 2.3.1: what production serves, nothing to publish");
        let published = |release: &mut Release| release.published = true;
        assert_eq!(
            line(&published),
            "support/reply 2.3.1 → 2.4.0, minor: full gate, no approval; published already"
        );
        assert!(line(&|release| release.version = None).contains("→ no valid version, minor"));
        assert_eq!(release_line(&fixtures::no_baseline()), None);
    }

    #[test]
    fn every_rendering_shows_the_line() {
        let report = report(|_| {});
        for format in [Format::Terminal, Format::Markdown, Format::Html, Format::Junit] {
            let mut out = Vec::new();
            write(&report, format, &mut out, Style::default()).unwrap();
            // Without the characters that neutralize markup.
            let text = String::from_utf8(out).unwrap().replace(['\u{200B}', '\\'], "");
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.contains("2.3.1 → 2.4.0, minor: full gate, no approval"), "{format:?}:\n{text}");
        }
    }
}
