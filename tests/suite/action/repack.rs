//! Packages for other installers, made from the archives of a release. Their clients install them in `.ci/installers`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::support::{Folder, repository};

pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");
pub(super) const TARGETS: [&str; 5] = [
    "aarch64-apple-darwin",
    "aarch64-unknown-linux-musl",
    "x86_64-apple-darwin",
    "x86_64-pc-windows-msvc",
    "x86_64-unknown-linux-musl",
];

/// The header of an executable for a target, which is all that is read of it.
fn executable(target: &str, dynamic: bool) -> Vec<u8> {
    let is_x86 = target.starts_with("x86_64");
    let mut data = vec![0; 128];
    let mut write = |at: usize, bytes: &[u8]| data[at..at + bytes.len()].copy_from_slice(bytes);
    if target.contains("linux") {
        write(0, b"\x7fELF\x02\x01\x01");
        write(18, &[if is_x86 { 62 } else { 183 }]);
        // A program header after the file's: the interpreter of a dynamic executable, else a segment to load.
        write(32, &[64]);
        write(54, &[56, 0, 1, 0, 64, 0, 0, 0]);
        write(64, &[if dynamic { 3 } else { 1 }]);
    } else if target.contains("apple") {
        write(0, b"\xcf\xfa\xed\xfe");
        write(4, &[if is_x86 { 7 } else { 12 }, 0, 0, 1]);
        write(16, &[1]);
        // LC_BUILD_VERSION: macOS 10.12 or 11.0.
        write(32, &[0x32, 0, 0, 0, 24, 0, 0, 0, 1, 0, 0, 0]);
        write(44, if is_x86 { &[0, 12, 10, 0] } else { &[0, 0, 11, 0] });
    } else {
        write(0, b"MZ");
        write(0x3c, &[0x40]);
        write(0x40, b"PE\0\0\x64\x86");
    }
    data
}

fn archive_name(target: &str) -> String {
    format!("promptgate-{VERSION}-{target}.tar.gz")
}

fn binary_name(target: &str) -> &'static str {
    if target.contains("windows") { "promptgate.exe" } else { "promptgate" }
}

/// Packs an executable as the release workflow does.
fn pack(folder: &Folder, target: &str, content: &[u8]) {
    let binary = folder.path().join(binary_name(target));
    std::fs::write(&binary, content).expect("a file");
    let output = Command::new("bash")
        .args(["release/package.sh", target])
        .args([&binary, &folder.path().join("dist")])
        .current_dir(repository())
        .output()
        .expect("bash runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A folder with the archives of a release in `dist`, and root certificates.
pub(super) fn release() -> Folder {
    let folder = Folder::new();
    for target in TARGETS {
        pack(&folder, target, &executable(target, false));
    }
    folder.write("roots.pem", "-----BEGIN CERTIFICATE-----\n");
    folder
}

/// `release/repack acme/promptgate dist OUT`; `None` with a message where Python is not installed.
fn repack(folder: &Folder, out: &str, arguments: &[&str], epoch: Option<&str>) -> Option<Output> {
    let mut command = Command::new("python3");
    command.arg(repository().join("release/repack")).args(["acme/promptgate", "dist", out]);
    command.args(["--ca-certificates", "roots.pem"]).args(arguments);
    command.current_dir(folder.path()).env_remove("SOURCE_DATE_EPOCH");
    if let Some(epoch) = epoch {
        command.env("SOURCE_DATE_EPOCH", epoch);
    }
    match command.output() {
        Ok(output) => Some(output),
        Err(error) => {
            assert_ne!(std::env::var("PROMPTGATE_REQUIRE_ALL").as_deref(), Ok("1"), "python3: {error}");
            use std::io::Write as _;
            let _ = std::io::stderr().write_all(b"skipped release/repack: python3 is not installed\n");
            None
        }
    }
}

/// Names and contents of the files that were written.
fn files(folder: &Folder, out: &str) -> BTreeMap<String, Vec<u8>> {
    std::fs::read_dir(folder.path().join(out))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (path.file_name().expect("a name").to_string_lossy().into_owned(), read(&path)))
        .collect()
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).expect("a file")
}

/// A file of a tar archive.
pub(super) fn member(archive: &Path, name: &str) -> Vec<u8> {
    let output = Command::new("tar").arg("-xOf").arg(archive).arg(name).output().expect("tar runs");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn json_of(archive: &Path, name: &str) -> Value {
    serde_json::from_slice(&member(archive, name)).expect("JSON")
}

#[test]
fn release_is_repacked_for_all_its_platforms() {
    let folder = release();
    let Some(output) = repack(&folder, "out", &[], None) else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names: Vec<String> = files(&folder, "out").into_keys().collect();
    let wheel = |tags: &str| format!("promptgate_cli-{VERSION}-py3-none-{tags}.whl");
    let npm = |platform: &str| format!("promptgate-cli{platform}-{VERSION}.tgz");
    let mut expected = vec![
        wheel("macosx_10_12_x86_64"),
        wheel("macosx_11_0_arm64"),
        wheel("manylinux2014_aarch64.musllinux_1_1_aarch64"),
        wheel("manylinux2014_x86_64.musllinux_1_1_x86_64"),
        wheel("win_amd64.win_arm64"),
        npm("-darwin-arm64"),
        npm("-darwin-x64"),
        npm("-linux-arm64"),
        npm("-linux-x64"),
        npm("-win32-x64"),
        npm(""),
        format!("promptgate-{VERSION}.oci.tar"),
    ];
    expected.sort();
    assert_eq!(names, expected);
    let printed = String::from_utf8_lossy(&output.stdout).lines().count();
    assert_eq!(printed, expected.len());
}

#[test]
fn npm_packages_name_their_platforms_and_run_no_script() {
    let folder = release();
    pack(&folder, "x86_64-unknown-linux-gnu", &executable("x86_64-unknown-linux-gnu", true));
    let Some(output) = repack(&folder, "out", &["--only", "npm"], None) else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let manifest = |platform: &str| {
        let path = folder.path().join(format!("out/promptgate-cli{platform}-{VERSION}.tgz"));
        json_of(&path, "package/package.json")
    };
    for (platform, os, cpu, libc) in [
        ("-darwin-arm64", "darwin", json!(["arm64"]), Value::Null),
        ("-linux-x64", "linux", json!(["x64"]), Value::Null),
        ("-linux-x64-gnu", "linux", json!(["x64"]), json!(["glibc"])),
        ("-win32-x64", "win32", json!(["x64", "arm64"]), Value::Null),
    ] {
        let package = manifest(platform);
        assert_eq!(
            (&package["os"], &package["cpu"], &package["libc"]),
            (&json!([os]), &cpu, &libc),
            "{platform}"
        );
        assert_eq!(package["scripts"], Value::Null);
        assert_eq!(package["repository"]["url"], "git+https://github.com/acme/promptgate.git");
    }
    let command = manifest("");
    assert_eq!(command["bin"], json!({"promptgate": "bin/promptgate.js"}));
    assert_eq!((&command["scripts"], &command["dependencies"]), (&Value::Null, &Value::Null));
    let platforms = command["optionalDependencies"].as_object().expect("platforms");
    assert_eq!(platforms.len(), TARGETS.len() + 1);
    assert!(platforms.values().all(|version| version == VERSION), "{platforms:?}");
}

#[test]
fn image_has_both_architectures_and_no_root() {
    let folder = release();
    let Some(output) = repack(&folder, "out", &["--only", "image"], None) else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let image = folder.path().join(format!("out/promptgate-{VERSION}.oci.tar"));
    let blob = |descriptor: &Value| {
        let digest = descriptor["digest"].as_str().expect("a digest");
        json_of(&image, &digest.replace("sha256:", "blobs/sha256/"))
    };
    let top = json_of(&image, "index.json");
    assert_eq!(top["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"], VERSION);
    let index = blob(&top["manifests"][0]);
    let manifests = index["manifests"].as_array().expect("manifests");
    let architectures: Vec<&Value> =
        manifests.iter().map(|manifest| &manifest["platform"]["architecture"]).collect();
    assert_eq!(architectures, ["amd64", "arm64"]);
    for manifest in manifests {
        let config = blob(&blob(manifest)["config"]);
        assert_eq!(config["architecture"], manifest["platform"]["architecture"]);
        assert_eq!(config["config"]["User"], "65534:65534");
        assert_eq!(config["config"]["Entrypoint"], json!(["/usr/local/bin/promptgate"]));
        let source = &config["config"]["Labels"]["org.opencontainers.image.source"];
        assert_eq!(source, "https://github.com/acme/promptgate");
    }
}

#[test]
fn same_archives_give_the_same_bytes() {
    let folder = release();
    let epoch = Some("1700000000");
    for (out, epoch) in [("first", epoch), ("second", epoch), ("later", Some("1700000060"))] {
        let Some(output) = repack(&folder, out, &[], epoch) else { return };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(files(&folder, "first"), files(&folder, "second"));
    let (first, later) = (files(&folder, "first"), files(&folder, "later"));
    assert!(first.iter().all(|(name, bytes)| later[name] != *bytes), "the time is in every package");
    // Without the variable the time is that of the archives.
    for out in ["third", "fourth"] {
        repack(&folder, out, &[], None);
    }
    assert_eq!(files(&folder, "third"), files(&folder, "fourth"));
}

#[test]
fn archives_that_cannot_be_trusted_are_refused() {
    const LINUX: &str = "x86_64-unknown-linux-musl";
    type Change = fn(&Folder, &Path);
    let cases: [(&str, Change, &[&str]); 10] = [
        (
            "no archive promptgate-VERSION",
            |folder, _| std::fs::remove_dir_all(folder.path().join("dist")).expect("a folder"),
            &[],
        ),
        (
            "sha256: not found",
            |folder, archive| {
                let name = archive.file_name().expect("a name").to_string_lossy();
                std::fs::remove_file(folder.path().join(format!("dist/{name}.sha256"))).expect("a file");
            },
            &[],
        ),
        (".sha256 says", |_, archive| std::fs::write(archive, "other").expect("a file"), &[]),
        ("checksums.txt says None", |_, _| {}, &["--checksums", "checksums.txt"]),
        ("cannot be read", |_, _| {}, &["--checksums", "missing.txt"]),
        (
            "expected a binary for x86_64-unknown-linux-musl, found ELF for aarch64",
            |folder, _| {
                pack(folder, LINUX, &executable("aarch64-unknown-linux-musl", false));
            },
            &[],
        ),
        ("found not an executable", |folder, _| pack(folder, LINUX, b"#!/bin/sh\n"), &[]),
        ("the binary is not static", |folder, _| pack(folder, LINUX, &executable(LINUX, true)), &[]),
        (
            "unknown target riscv64gc-unknown-linux-musl",
            |folder, _| {
                pack(folder, "riscv64gc-unknown-linux-musl", b"");
            },
            &[],
        ),
        (
            "archives of several versions: 0.0.9, ",
            |folder, archive| {
                let older = "promptgate-0.0.9-x86_64-unknown-linux-musl.tar.gz";
                let checksum = folder.read(&format!("dist/{}.sha256", archive_name(LINUX)));
                folder.write(&format!("dist/{older}.sha256"), &checksum.replace(&archive_name(LINUX), older));
                std::fs::copy(archive, folder.path().join("dist").join(older)).expect("a file");
            },
            &[],
        ),
    ];
    for (message, change, arguments) in cases {
        let folder = release();
        folder.write("checksums.txt", "# https://github.com/acme/promptgate/releases/download\n");
        change(&folder, &folder.path().join("dist").join(archive_name(LINUX)));
        let Some(output) = repack(&folder, "out", arguments, None) else { return };
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(message) && text.contains("\nhelp: "), "{message}: {text}");
        assert!(!folder.path().join("out").exists(), "{message}");
    }
}

#[test]
fn invalid_arguments_are_refused() {
    let folder = release();
    folder.write("empty.pem", "none\n");
    for (arguments, epoch, message) in [
        (&["--only", "deb"][..], None, "unknown format deb"),
        (&["--ca-certificates", "missing.pem"], None, "missing.pem: cannot be read"),
        (&["--ca-certificates", "empty.pem"], None, "empty.pem: no certificate in it"),
        (&[], Some("yesterday"), "invalid value yesterday"),
    ] {
        let Some(output) = repack(&folder, "out", arguments, epoch) else { return };
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(message) && text.contains("\nhelp: "), "{text}");
    }
}
