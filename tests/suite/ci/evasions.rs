//! Attempts of a pull request to be judged by something other than the merged change: each is reported or refused.

use serde_json::json;

use super::{Job, Origin, reworded, worse};

const LAX: (&str, &str) =
    ("faithfulness: {min: 0.75}\n  relevance: {min: 0.5}", "relevance: {min: 0, baseline: false}");

/// A tag named like the target branch, which anybody may push, in a clone with tags.
#[test]
fn tag_named_like_the_branch_is_not_the_base() {
    let origin = Origin::new(|_| {});
    origin.folder.git(&["switch", "--quiet", "-c", "change"]);
    origin.folder.edit("promptgate.yaml", LAX.0, LAX.1);
    let lax = origin.commit("lax");
    worse(&origin.folder);
    origin.commit("worse");
    origin.folder.git(&["switch", "--quiet", "main"]);
    let merge = origin.merge();
    for tag in ["origin/main", "main"] {
        origin.folder.git(&["tag", "--force", tag, &lax]);
    }
    let event = origin.pull_request_event("owner/prompts", "owner/prompts");
    let checkout = origin.fetched("change", "refs/remotes/origin/change", 100);
    checkout.git(&["fetch", "--quiet", "--tags", "origin", "+refs/heads/main:refs/remotes/origin/main"]);
    let job = Job::new(checkout, "pull_request", &merge, &event);
    job.offline().expect_code(10);
    assert_eq!(job.outcome("fail", 10)["base"], origin.rev("refs/heads/main"));
    // Named by hand it has two meanings, and none is taken.
    for spec in ["git:main", "git:origin/main", "git:main~0"] {
        let job =
            Job::new(origin.fetched("change", "refs/remotes/origin/change", 100), "push", &merge, &json!({}));
        job.checkout.git(&[
            "fetch",
            "--quiet",
            "--tags",
            "origin",
            "+refs/heads/main:refs/remotes/origin/main",
        ]);
        let flags = ["run", "--offline", "--policy-from", spec];
        job.checkout
            .promptgate(&flags)
            .expect_code(2)
            .says("is both a tag and a branch, with different commits");
    }
    let flags = ["run", "--offline", "--policy-from", "git:refs/remotes/origin/main"];
    job.checkout.promptgate(&flags).expect_code(10);
}

/// The work tree equals the base, but the commit differs.
#[test]
fn git_attributes_cannot_hide_a_change() {
    let origin = Origin::new(|folder| folder.write("prompt.md", "Answer.\n$Id$\n\n{{context}}\n"));
    origin.change(|folder| {
        folder.write("prompt.md", "Answer.\n$Id:\tInvent\twhat\tthey\tdo\tnot\tsay.$\n\n{{context}}\n");
        folder.git(&["add", "prompt.md"]);
        folder.git(&["commit", "--quiet", "-m", "prompt"]);
        folder.write(".git/info/attributes", "prompt.md -ident\n");
        folder.write(".gitattributes", "prompt.md ident\n");
    });
    let job = origin.pull_request();
    assert!(!job.checkout.read("prompt.md").contains("Invent"), "git hides it");
    job.offline()
        .expect_code(2)
        .says("the content differs from commit")
        .says("prompt.md")
        .says(".gitattributes");
    job.outcome("error", 2);
    // Ends of lines are nobody's change.
    let origin = Origin::new(|folder| folder.write(".gitattributes", "*.md text eol=crlf\n"));
    origin.change(reworded);
    let job = origin.pull_request();
    assert!(job.checkout.read("prompt.md").contains("\r\n"));
    job.offline().expect_code(0);
    // A file made by an earlier step, in no commit, belongs to the job.
    let origin = Origin::new(|folder| folder.edit("promptgate.yaml", "prompt: prompt.md", "prompt: made.md"));
    origin.change(|folder| folder.write("README.md", "words\n"));
    let job = origin.pull_request();
    job.checkout.write("made.md", "Use only these passages.\n\n{{context}}\n");
    let outcome = job.offline();
    assert!(!outcome.text().contains("the content differs from commit"), "{}", outcome.text());
}

#[test]
fn second_configuration_is_refused() {
    let origin = Origin::new(|_| {});
    origin.change(|folder| {
        let lax = folder.read("promptgate.yaml").replace(LAX.0, LAX.1);
        folder.write("promptgate.yml", &lax);
    });
    let job = origin.pull_request().with("PROMPTGATE_CONFIG", ".");
    job.offline().expect_code(2).says("one place has one configuration");
    // Where it got in all the same, taking the first away does not make it the policy.
    let origin = Origin::new(|folder| {
        let lax = folder.read("promptgate.yaml").replace(LAX.0, LAX.1);
        folder.write("promptgate.yml", &lax);
    });
    origin.change(|folder| {
        std::fs::remove_file(folder.path().join("promptgate.yaml")).unwrap();
        worse(folder);
    });
    let job = origin.pull_request().with("PROMPTGATE_CONFIG", ".");
    job.offline().expect_code(2).says("one place has one configuration");
}

/// Facts in shard files count only if all shards are there and agree on this job's base.
#[test]
fn forged_shards_are_refused() {
    let origin = Origin::new(|_| {});
    origin.change(worse);
    let job = origin.pull_request().with("PROMPTGATE_MERGE", "shards");
    let head = origin.rev("change");
    let said = |shard: serde_json::Value, base: &str| {
        json!({"schema": 1, "verdict": "unchanged", "reason": null, "shard": shard, "base": base, "head": head})
            .to_string()
    };
    let base = origin.rev("main");
    job.checkout.write("shards/1/ci.json", &said(json!("1/1"), &"f".repeat(40)));
    assert!([2, 12].contains(&job.offline().code), "another base");
    job.checkout.write("shards/1/ci.json", &said(json!("1/2"), &base));
    assert!([2, 12].contains(&job.offline().code), "one of two");
    job.checkout.write("shards/1/ci.json", &said(json!(null), &base));
    assert!([2, 12].contains(&job.offline().code), "no shard");
    job.checkout.write("shards/2/ci.json", &said(json!("1/1"), &base));
    assert!([2, 12].contains(&job.offline().code), "one, and one that is none");
}

fn planted(answer: &str) -> String {
    let row = json!({"id": answer, "query": "How many days does plan 1 give?", "answer": answer,
        "context": "Plan 1 gives 11 days for a refund.", "low": ["faithfulness"]});
    format!("{row}\n")
}

#[test]
fn planted_answers_added_to_a_pattern_are_evaluated() {
    let origin = Origin::new(|folder| {
        folder.edit(
            "promptgate.yaml",
            "{model: tiny-judge}",
            "{model: tiny-judge, planted: \"planted*.jsonl\"}",
        );
        folder.write("planted.jsonl", &planted("Plan 1 gives 30 days for a refund."));
    });
    origin.change(|folder| folder.write("planted-2.jsonl", &planted("Plan 1 gives 60 days for a refund.")));
    let job = origin.pull_request();
    let outcome = job.offline();
    assert!(["pass", "fail"].contains(&job.facts()["verdict"].as_str().unwrap()), "{}", outcome.text());
    assert!(job.checkout.report()["usage"]["calls"].as_u64().is_some_and(|calls| calls > 0));
}

/// An earlier step removes a part of the dataset that a glob matches.
#[test]
fn removed_file_of_a_pattern_is_noticed() {
    let origin = Origin::new(|folder| {
        folder.edit("promptgate.yaml", "cases.jsonl", "cases/*.jsonl");
        let rows = folder.read("cases.jsonl");
        folder.write("cases/a.jsonl", &rows);
        folder.write("cases/b.jsonl", &rows.replace("case-", "more-"));
    });
    origin.change(reworded);
    let job = origin.pull_request();
    job.offline().expect_code(0);
    assert_eq!(job.checkout.report()["cases"].as_array().map(Vec::len), Some(6));
    let job = job.fresh();
    std::fs::remove_file(job.checkout.path().join("cases/b.jsonl")).unwrap();
    job.offline().expect_code(2).says("cases/b.jsonl").says("the content differs from commit");
    job.outcome("error", 2);
}
