//! Untrusted text in a log line, an annotation or an output adds no workflow command and no further output.
#![no_main]

use libfuzzer_sys::fuzz_target;
use promptgate_adapters::github::{Annotation, Level, Outputs, log};
use promptgate_core::text::neutral;
use promptgate_testing::runner;

fuzz_target!(|text: &str| {
    for shown in [log(text), neutral::terminal(text), neutral::guarded(text)] {
        assert!(!runner::has_command(&shown), "{shown:?}");
    }
    let annotation = Annotation {
        level: Level::Error,
        title: text.to_owned(),
        message: text.to_owned(),
        file: Some(text.to_owned()),
        lines: Some((1, 2)),
    };
    let command = annotation.command();
    assert_eq!(runner::lines(&command).len(), 1, "{command:?}");
    let parsed = runner::second_form(&command).expect("one command");
    assert_eq!(parsed.name, "error");
    assert!(!runner::has_command(&parsed.data), "{command:?}");
    let mut outputs = Outputs::default();
    outputs.add("verdict", "fail");
    outputs.add("report-json", text);
    let parsed_outputs = runner::outputs(&outputs.text());
    assert_eq!(parsed_outputs.len() + outputs.refused().len(), 2, "{parsed_outputs:?}");
    assert_eq!(parsed_outputs[0], ("verdict".to_owned(), "fail".to_owned()));
});
