//! The commands of docs/good-cases.md and the output that it shows.

use super::{blocks, read, shell};
use crate::support::Folder;

#[test]
fn commands_of_good_cases_print_what_the_page_shows() {
    let count = shell::run(Folder::new().path(), &blocks(&read("docs/good-cases.md")), &[], &[]);
    assert_eq!(count, 2);
}
