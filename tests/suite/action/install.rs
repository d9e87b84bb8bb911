//! The install step: only a released archive with its checksum is run.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use super::world::{GOOD, World};
use crate::support::repository;

/// Serves one file, and 404 for every other path.
fn serve(path: &'static str, file: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = Vec::new();
            let mut buffer = [0; 1024];
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                let Ok(read @ 1..) = stream.read(&mut buffer) else { break };
                request.extend_from_slice(&buffer[..read]);
            }
            let found = String::from_utf8_lossy(&request).starts_with(&format!("GET {path} "));
            let (status, body) = if found { ("200 OK", &file[..]) } else { ("404 Not Found", &b""[..]) };
            let head =
                format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
        }
    });
    url
}

/// A script in place of the program, so that the test packs no large binary.
const PROGRAM: &str = "#!/bin/sh\necho promptgate 9.8.7\n";
const ARCHIVE: &str = "promptgate-9.8.7-x86_64-unknown-linux-musl.tar.gz";

/// The action at a release 9.8.7, with its archives.
pub(super) fn released(world: &mut World) -> Vec<u8> {
    let folder = world.folder().path().join("action");
    for name in ["action.yml", "README.md", "LICENSE-MIT", "LICENSE-APACHE"] {
        copy(&repository().join(name), &folder.join(name));
    }
    for room in ["action", "release"] {
        for entry in std::fs::read_dir(repository().join(room)).expect("scripts") {
            let path = entry.expect("a script").path();
            // The formats of release/repack are of no use to the action.
            if path.is_dir() {
                continue;
            }
            copy(&path, &folder.join(room).join(path.file_name().expect("a name")));
        }
    }
    world.folder().write("action/Cargo.toml", "[package]\nname = \"promptgate\"\nversion = \"9.8.7\"\n");
    world.folder().write("built/promptgate", PROGRAM);
    world.folder().write("built/promptgate.exe", PROGRAM);
    for (target, binary) in [
        ("x86_64-unknown-linux-musl", "promptgate"),
        ("aarch64-unknown-linux-musl", "promptgate"),
        ("x86_64-apple-darwin", "promptgate"),
        ("aarch64-apple-darwin", "promptgate"),
        ("x86_64-pc-windows-msvc", "promptgate.exe"),
    ] {
        run(&folder, &["release/package.sh", target, &format!("../built/{binary}"), "../dist"]);
    }
    run(&folder, &["release/checksums.sh", "acme/promptgate", "../dist"]);
    world.action = folder;
    world.set("PROMPTGATE_BINARY", "").with("setup-only", "true");
    std::fs::read(world.folder().path().join("dist").join(ARCHIVE)).expect("an archive")
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.parent().expect("a parent")).expect("a folder");
    std::fs::copy(from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
}

fn run(folder: &Path, arguments: &[&str]) {
    let output = Command::new("bash").args(arguments).current_dir(folder).output().expect("bash runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn released_archive_is_installed() {
    let mut world = World::of(|folder| folder.write("prompt.md", GOOD));
    let archive = released(&mut world);
    let url = serve("/v9.8.7/promptgate-9.8.7-x86_64-unknown-linux-musl.tar.gz", archive);
    world.set("PROMPTGATE_RELEASE_URL", &url);
    let done = world.job().expect_code(0);
    assert!(done.step("Install promptgate").log.contains("promptgate 9.8.7"), "{}", done.log());
    // Nothing but the installation, and the job finds it.
    for name in ["Restore the cache", "Gate", "Comment", "Verdict"] {
        assert_eq!(done.step(name).code, None, "{name}");
    }
    assert!(Path::new(done.path.trim()).join("promptgate").is_file(), "{}", done.path);
}

#[test]
fn wrong_checksum_is_refused_and_never_run() {
    let mut world = World::of(|folder| folder.write("prompt.md", GOOD));
    released(&mut world);
    world.folder().write("built/promptgate", "#!/bin/sh\necho gotcha\n");
    run(
        &world.action,
        &["release/package.sh", "x86_64-unknown-linux-musl", "../built/promptgate", "../other"],
    );
    let other = std::fs::read(world.folder().path().join("other").join(ARCHIVE)).expect("an archive");
    let url = serve("/v9.8.7/promptgate-9.8.7-x86_64-unknown-linux-musl.tar.gz", other);
    // Building from source is no way around it.
    for fallback in ["none", "source"] {
        world.set("PROMPTGATE_RELEASE_URL", &url).with("fallback", fallback).with("setup-only", "false");
        let done = world.job();
        let log = &done.step("Install promptgate").log;
        assert!(log.contains("checksum mismatch for") && !log.contains("gotcha"), "{}", done.log());
        assert_eq!(done.step("Install promptgate").code, Some(1));
        assert_eq!(done.step("Gate").code, None);
        assert_eq!(done.step("Verdict").code, Some(1));
        assert_ne!(done.code, 0);
    }
}

#[test]
fn archive_without_a_checksum_is_not_fetched() {
    let mut world = World::of(|folder| folder.write("prompt.md", GOOD));
    released(&mut world);
    world.set("PROMPTGATE_RELEASE_URL", "http://127.0.0.1:9");
    world.with("version", "1.2.3");
    let done = world.job().expect_code(1);
    assert!(
        done.log().contains("no checksum for promptgate-1.2.3-x86_64-unknown-linux-musl"),
        "{}",
        done.log()
    );
    // Another version is not what this source is.
    world.with("fallback", "source");
    let done = world.job().expect_code(1);
    assert!(done.log().contains("only version 9.8.7 can be built"), "{}", done.log());
    world.with("version", "").with("fallback", "none").set("RUNNER_ARCH", "RISCV64");
    let done = world.job().expect_code(1);
    assert!(done.log().contains("no release of promptgate for Linux on RISCV64"), "{}", done.log());
}

#[test]
fn new_release_keeps_earlier_checksums() {
    let mut world = World::of(|folder| folder.write("prompt.md", GOOD));
    released(&mut world);
    let earlier = world.folder().read("action/action/checksums.txt");
    assert_eq!(earlier.lines().count(), 6, "{earlier}");
    assert!(earlier.starts_with("# https://github.com/acme/promptgate/releases/download\n"), "{earlier}");
    // Again, the same.
    run(&world.action, &["release/checksums.sh", "acme/promptgate", "../dist"]);
    assert_eq!(world.folder().read("action/action/checksums.txt"), earlier);
    world.folder().edit("action/Cargo.toml", "9.8.7", "9.9.0");
    for target in [
        "x86_64-unknown-linux-musl",
        "aarch64-unknown-linux-musl",
        "x86_64-apple-darwin",
        "aarch64-apple-darwin",
        "x86_64-pc-windows-msvc",
    ] {
        run(&world.action, &["release/package.sh", target, "../built/promptgate", "../dist"]);
    }
    run(&world.action, &["release/checksums.sh", "acme/promptgate", "../dist"]);
    let later = world.folder().read("action/action/checksums.txt");
    assert_eq!(later.lines().count(), 11, "{later}");
    assert!(earlier.lines().all(|line| later.contains(line)), "{later}");
}
