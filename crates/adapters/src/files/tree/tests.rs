use super::*;
use crate::git::fixture::Fixture;

fn at(fixture: &Fixture, folder: &str, reference: &str) -> Tree {
    let repository = Repository::discover(&fixture.path().join(folder)).unwrap();
    let commit = repository.resolve(reference).unwrap().commit;
    Tree::Commit { repository, commit, reference: reference.to_owned() }
}

#[test]
fn work_tree_reads_files_on_disk() {
    let fixture = Fixture::new();
    fixture.write("config/a.txt", "one");
    fixture.write("b.txt", "two");
    let tree = Tree::work_tree(fixture.path().join("config"));
    assert_eq!(tree.read("a.txt").unwrap(), b"one");
    assert_eq!(tree.read("../b.txt").unwrap(), b"two");
    assert_eq!(tree.read(fixture.path().join("b.txt").to_str().unwrap()).unwrap(), b"two");
    assert_eq!(tree.find("gone.txt", 9).unwrap(), None);
    assert_eq!(tree.find("a.txt/below", 9).unwrap(), None);
    let diagnostic = tree.read("a.tx").unwrap_err();
    assert!(diagnostic.to_string().contains("did you mean `a.txt`?"), "{diagnostic}");
}

#[test]
fn unreadable_paths_get_a_specific_error() {
    let fixture = Fixture::new();
    fixture.write("folder/a.txt", "one");
    let tree = Tree::work_tree(fixture.path());
    assert!(tree.read("folder").unwrap_err().message.contains("is a folder"));
    assert!(tree.read("").is_err());
    assert!(tree.read("a\0b").is_err());
    assert!(tree.read_limited("folder/a.txt", 2).unwrap_err().message.contains("larger than"));
    #[cfg(unix)]
    {
        let status = std::process::Command::new("mkfifo").arg(fixture.path().join("pipe")).status();
        if status.is_ok_and(|status| status.success()) {
            assert!(tree.read("pipe").unwrap_err().message.contains("is a pipe"));
        }
        std::os::unix::fs::symlink("nowhere", fixture.path().join("dangling")).unwrap();
        assert!(tree.read("dangling").unwrap_err().message.contains("symbolic link"));
    }
    fixture.write("pointer.md", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n");
    assert!(tree.read("pointer.md").unwrap_err().message.contains("Git LFS"));
}

#[test]
fn other_encodings_are_recognized() {
    assert_eq!(decode("f", b"\xef\xbb\xbfhi").unwrap(), "hi");
    assert_eq!(decode("f", b"\xff\xfeh\0i\0").unwrap(), "hi");
    assert_eq!(decode("f", b"\xfe\xff\0h\0i").unwrap(), "hi");
    for broken in [&b"\xff\xfeh\0i"[..], b"\xff\xfe\x3d\xd8h\0", b"\xff\xfe\0\0"] {
        assert!(decode("f", broken).unwrap_err().help.unwrap().contains("UTF-8"));
    }
    assert!(decode("f", b"h\0i\0").unwrap_err().message.contains("UTF-16"));
    let diagnostic = decode("f", b"one\ntwo\nna\xefve\n").unwrap_err();
    assert_eq!(diagnostic.to_string(), "f:3: is not UTF-8 (help: save it as UTF-8)");
}

#[test]
fn commit_reads_committed_files() {
    let fixture = Fixture::new();
    fixture.write("suite/prompts/a.md", "old\n");
    fixture.write("top.md", "top\n");
    fixture.write("suite/name with: odd*chars é.md", "odd\n");
    fixture.commit("one");
    fixture.write("suite/prompts/a.md", "new\n");
    fixture.git(&["rm", "--quiet", "top.md"]);
    fixture.commit("two");
    let tree = at(&fixture, "suite", "HEAD~1");
    assert_eq!(tree.read("prompts/a.md").unwrap(), b"old\n");
    assert_eq!(tree.read("./prompts/../prompts//a.md").unwrap(), b"old\n");
    assert_eq!(tree.read("../top.md").unwrap(), b"top\n");
    assert_eq!(tree.read("name with: odd*chars é.md").unwrap(), b"odd\n");
    let absolute = fixture.path().canonicalize().unwrap().join("top.md");
    assert_eq!(tree.read(absolute.to_str().unwrap()).unwrap(), b"top\n");
    assert_eq!(tree.describe("prompts/a.md"), "git:HEAD~1:prompts/a.md");
    assert_eq!(at(&fixture, "suite", "HEAD").find("../top.md", 9).unwrap(), None);
    assert!(at(&fixture, "suite", "HEAD").read("../top.md").unwrap_err().message.contains("file not found"));
}

#[test]
fn commit_rejects_links_and_paths_outside_the_repository() {
    let fixture = Fixture::new();
    fixture.write("suite/a.md", "a");
    fixture.write("real/b.md", "b");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("/etc/hostname", fixture.path().join("link.md")).unwrap();
        std::os::unix::fs::symlink("real", fixture.path().join("linked")).unwrap();
    }
    fixture.commit("one");
    let tree = at(&fixture, "suite", "HEAD");
    assert!(tree.read("../../x").unwrap_err().message.contains("outside"));
    assert!(tree.read("/etc/hostname").unwrap_err().message.contains("outside"));
    assert!(tree.read("..").is_err());
    assert!(tree.read("../real").unwrap_err().message.contains("is a folder"));
    #[cfg(unix)]
    {
        assert!(tree.read("../link.md").unwrap_err().message.contains("symbolic link"));
        // An error, not `None`: a prompt behind a link is not new.
        assert!(tree.find("../linked/b.md", 9).unwrap_err().message.contains("symbolic link"));
    }
    assert_eq!(tree.find("a.md/below", 9).unwrap_err().message, "`suite/a.md` is a file in that commit");
    assert!(tree.read_limited("a.md", 0).unwrap_err().message.contains("larger"));
}

#[test]
fn glob_matches_the_same_files_in_work_tree_and_commit() {
    let fixture = Fixture::new();
    for path in
        ["suite/b.jsonl", "suite/a.jsonl", "suite/.hidden.jsonl", "suite/deep/c.jsonl", "suite/deep/d.csv"]
    {
        fixture.write(path, "x");
    }
    fixture.write("other/e.jsonl", "x");
    fixture.write("suite/odd[1].jsonl", "x");
    fixture.commit("one");
    for tree in [Tree::work_tree(fixture.path().join("suite")), at(&fixture, "suite", "HEAD")] {
        let glob = |pattern: &str| tree.glob(pattern).unwrap();
        assert_eq!(glob("*.jsonl"), ["a.jsonl", "b.jsonl", "odd[1].jsonl"]);
        assert_eq!(glob("[ab].jsonl"), ["a.jsonl", "b.jsonl"]);
        assert_eq!(glob("deep/*.jsonl"), ["deep/c.jsonl"]);
        assert_eq!(glob("**/*.jsonl"), ["a.jsonl", "b.jsonl", "deep/c.jsonl", "odd[1].jsonl"]);
        assert_eq!(glob("../other/*.jsonl"), ["../other/e.jsonl"]);
        assert_eq!(glob("odd[1].jsonl"), ["odd[1].jsonl"], "an existing file of that name");
        assert_eq!(glob("a.jsonl"), ["a.jsonl"]);
        assert!(glob("*.yaml").is_empty());
        assert!(glob("gone.jsonl").is_empty());
        assert!(tree.glob("a[*.jsonl").unwrap_err().message.contains("invalid glob pattern"));
        for path in glob("**/*.jsonl") {
            assert_eq!(tree.read(&path).unwrap(), b"x");
        }
    }
}

#[test]
fn guarded_tree_stays_inside_its_repository() {
    let fixture = Fixture::new();
    fixture.write("suite/a.txt", "one");
    fixture.write("shared/b.txt", "two");
    fixture.write("shared/c.txt", "three");
    let tree = Tree::guarded(&fixture.path().join("suite")).unwrap();
    assert_eq!(tree.read("a.txt").unwrap(), b"one");
    assert_eq!(tree.read("../shared/b.txt").unwrap(), b"two");
    assert_eq!(
        tree.read(fixture.path().canonicalize().unwrap().join("suite/a.txt").to_str().unwrap()).unwrap(),
        b"one"
    );
    assert_eq!(tree.glob("../shared/*.txt").unwrap().len(), 2);
    assert_eq!(tree.find("gone/x.txt", 9).unwrap(), None);
    for path in ["../../x", "/etc/hostname", "../suite/../../x", "../.git/config", "../.GIT/HEAD"] {
        assert!(tree.read(path).is_err(), "{path}");
        assert!(tree.glob(path).is_err(), "{path}");
    }
    assert!(tree.glob("../../*").unwrap_err().message.contains("outside the repository"));
    #[cfg(unix)]
    {
        let link = |target: &str, name: &str| {
            std::os::unix::fs::symlink(target, fixture.path().join(name)).unwrap();
        };
        link("/etc/hostname", "suite/out.txt");
        link("../shared", "suite/in");
        link("nowhere", "suite/dangling");
        for path in ["out.txt", "in/b.txt", "dangling"] {
            assert!(tree.read(path).unwrap_err().message.contains("is a symbolic link"), "{path}");
        }
        for path in tree.glob("*.txt").unwrap() {
            assert_eq!(tree.read(&path).is_ok(), path == "a.txt", "{path}");
        }
        // `..` is resolved lexically: `in/..` is the folder of the link, not of its target.
        assert_eq!(tree.read("in/../a.txt").unwrap(), b"one");
    }
    // Without a repository, paths are confined to the folder.
    let folder = tempfile::TempDir::new().unwrap();
    fs::create_dir(folder.path().join("suite")).unwrap();
    fs::write(folder.path().join("x.txt"), "x").unwrap();
    assert!(Tree::guarded(&folder.path().join("suite")).unwrap().read("../x.txt").is_err());
    assert!(Tree::guarded(&folder.path().join("gone")).is_err());
}

#[test]
fn in_folder_of_makes_paths_relative_to_that_folder() {
    let fixture = Fixture::new();
    fixture.write("suite/prompt.md", "suite");
    fixture.write("policy/schema.json", "{}");
    fixture.write("top.json", "[]");
    fixture.commit("start");
    for tree in [at(&fixture, "suite", "HEAD"), Tree::work_tree(fixture.path().join("suite"))] {
        assert_eq!(tree.in_folder_of("../policy/strict.yaml").unwrap().read("schema.json").unwrap(), b"{}");
        assert_eq!(tree.in_folder_of("../strict.yaml").unwrap().read("top.json").unwrap(), b"[]");
        assert_eq!(tree.in_folder_of("promptgate.yaml").unwrap().read("prompt.md").unwrap(), b"suite");
    }
    let tree = at(&fixture, "suite", "HEAD");
    assert_eq!(tree.folder(), fixture.path().join("suite"));
    assert!(tree.in_folder_of("../../x.yaml").is_err());
}
