//! Whatever stands in a table, a heading, a list or a fence, a forge finds nothing in it that acts, and the document
//! keeps its shape.
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
    let reading = forge::read(&document(text), None);
    assert!(reading.acts.is_empty(), "{:?} in {}", reading.acts, document(text));
    assert_eq!(reading.shape, forge::read(&document("tame"), None).shape, "{}", document(text));
});
