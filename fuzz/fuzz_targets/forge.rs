//! Untrusted text in a table, a heading, a list or a code block has no active content and keeps the document's
//! structure.
#![no_main]

use libfuzzer_sys::fuzz_target;
use promptgate_core::text::neutral;
use promptgate_testing::forge;

fn document(text: &str) -> String {
    let (shown, block) = (neutral::markdown(text), neutral::fenced(text));
    format!(
        "### x{shown}\n\n| a | b |\n| --- | --- |\n| x{shown} | y |\n\n* x{shown}\n\n{block}\n\nthe end\n"
    )
}

fuzz_target!(|text: &str| {
    let parsed = forge::read(&document(text), None);
    assert!(parsed.active.is_empty(), "{:?} in {}", parsed.active, document(text));
    assert_eq!(parsed.shape, forge::read(&document("tame"), None).shape, "{}", document(text));
});
