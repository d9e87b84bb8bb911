//! docs/tutorial.md, command by command, and the pull request that it promises.

use super::shell;
use super::{blocks, read};
use crate::ci::Origin;
use crate::support::{Folder, KEY, MockServer};

#[test]
fn tutorial_ends_in_a_red_pull_request_and_a_real_run() {
    let page = read("docs/tutorial.md");
    let folder = Folder::new();
    folder.git(&["init", "--quiet", "--bare", "origin.git"]);
    let origin = folder.path().join("origin.git").display().to_string();
    let server = MockServer::start(&[]);
    let key = format!("export OPENAI_API_KEY={KEY} OPENAI_BASE_URL={}", server.base_url);
    let blocks = blocks(&page);
    let count = shell::run(
        folder.path(),
        &blocks,
        &[
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", &format!("url.{origin}.insteadOf")),
            ("GIT_CONFIG_VALUE_0", "https://github.com/YOU/bicycle-shop.git"),
        ],
        &[("export OPENAI_API_KEY=YOUR_KEY", &key)],
    );
    assert!(count >= 14, "{count} commands");

    // The first push of the branch, as the job on the pull request sees it.
    let clone = Folder::new();
    clone.git(&["clone", "--quiet", &origin, "."]);
    clone.git(&["branch", "--quiet", "change", "origin/warmer-tone~1"]);
    let job = Origin { folder: clone }.pull_request().with("PROMPTGATE_OFFLINE", "true");
    crate::support::finish(job.command(&[])).expect_code(10);
    job.outcome("fail", 10);
    assert!(job.comment().contains("within <ins>30</ins> days"), "{}", job.comment());

    // The second push.
    let clone = Folder::new();
    clone.git(&["clone", "--quiet", &origin, "."]);
    clone.git(&["branch", "--quiet", "change", "origin/warmer-tone"]);
    let job = Origin { folder: clone }.pull_request().with("PROMPTGATE_OFFLINE", "true");
    crate::support::finish(job.command(&[])).expect_code(0);
    job.outcome("pass", 0);
}
