"""Archives of a release: verified, read, and checked against the target in their name."""

import hashlib
import io
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path

from .binary import inspect
from .failure import Failure

# Target: system, processor and C library, as npm names them. A static binary needs no C library.
TARGETS = {
    "aarch64-apple-darwin": ("darwin", "arm64", None),
    "aarch64-unknown-linux-gnu": ("linux", "arm64", "glibc"),
    "aarch64-unknown-linux-musl": ("linux", "arm64", None),
    "x86_64-apple-darwin": ("darwin", "x64", None),
    "x86_64-pc-windows-msvc": ("win32", "x64", None),
    "x86_64-unknown-linux-gnu": ("linux", "x64", "glibc"),
    "x86_64-unknown-linux-musl": ("linux", "x64", None),
}
NAME = re.compile(r"promptgate-(\d+\.\d+\.\d+)-(.+)\.tar\.gz")
TEXTS = ("LICENSE-MIT", "LICENSE-APACHE", "README.md")
LICENSES = TEXTS[:2]


@dataclass
class Archive:
    """A verified archive, unpacked."""

    path: Path
    version: str
    target: str
    binary: bytes
    binary_name: str
    # What the headers of the binary say.
    facts: object
    # Contents of TEXTS, by name.
    texts: dict
    # Seconds since 1970 of the newest file.
    modified: int

    @property
    def platform(self):
        """System, processor and C library."""
        return TARGETS[self.target]


def read_all(folder, checksums):
    """Returns the archives of a folder, sorted by target. `checksums` is a file like action/checksums.txt, or None."""
    found = sorted(path for path in folder.iterdir() if NAME.fullmatch(path.name)) if folder.is_dir() else []
    if not found:
        raise Failure(folder, "no archive promptgate-VERSION-TARGET.tar.gz", "make one with release/package.sh")
    listed = read_checksums(checksums) if checksums else None
    archives = [read(path, listed, checksums) for path in found]
    versions = sorted({archive.version for archive in archives})
    if len(versions) != 1:
        raise Failure(folder, f"archives of several versions: {', '.join(versions)}", "keep those of one release")
    return archives


def read_checksums(file):
    """Returns the SHA-256 of each archive that a file lists."""
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise Failure(file, f"cannot be read: {error.strerror}", "name a file like action/checksums.txt") from error
    rows = (line.split() for line in lines if not line.startswith("#"))
    return {row[1]: row[0] for row in rows if len(row) == 2}


def read(path, listed, checksums):
    """Returns one archive whose checksums are right."""
    version, target = NAME.fullmatch(path.name).groups()
    if target not in TARGETS:
        raise Failure(path, f"unknown target {target}", f"expected one of {', '.join(sorted(TARGETS))}")
    data = path.read_bytes()
    verify(path, data, listed, checksums)
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
            members = {member.name: member for member in tar.getmembers() if member.isfile()}
            contents = {name: tar.extractfile(member).read() for name, member in members.items()}
    except (tarfile.TarError, OSError, EOFError) as error:
        raise Failure(path, f"cannot be unpacked: {error}", "make it again with release/package.sh") from error
    binary_name = "promptgate.exe" if target.endswith("-windows-msvc") else "promptgate"
    missing = [name for name in (binary_name, *TEXTS) if name not in contents]
    if missing:
        raise Failure(path, f"{', '.join(missing)} missing", "make it again with release/package.sh")
    return Archive(
        path=path,
        version=version,
        target=target,
        binary=contents[binary_name],
        binary_name=binary_name,
        facts=inspect(path, target, contents[binary_name]),
        texts={name: contents[name] for name in TEXTS},
        modified=max(int(member.mtime) for member in members.values()),
    )


def verify(path, data, listed, checksums):
    """Compares the SHA-256 of an archive with its .sha256 file, and with the list of the action."""
    actual = hashlib.sha256(data).hexdigest()
    beside = path.with_name(path.name + ".sha256")
    if not beside.is_file():
        raise Failure(beside, "not found", "download it from the release with the archive")
    expected = read_checksums(beside).get(path.name)
    if expected != actual:
        raise Failure(path, f"SHA-256 is {actual}, but {beside.name} says {expected}", "download both again")
    if listed is not None and listed.get(path.name) != actual:
        raise Failure(
            path, f"SHA-256 is {actual}, but {checksums} says {listed.get(path.name)}", "repack archives of this release"
        )
