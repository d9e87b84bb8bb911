"""Wheels for PyPI: the binary as a script, which pip and uv put on the PATH."""

import base64
import hashlib
import time
import zipfile

from .archives import LICENSES
from .failure import Failure

PACKAGE = "promptgate-cli"
MACHINES = {"x64": "x86_64", "arm64": "aarch64"}
SUMMARY = "The gate that a prompt change has to pass before it is merged"


def platform_tags(archive):
    """Returns the platforms that a wheel is installed on, sorted."""
    system, cpu, libc = archive.platform
    machine = MACHINES[cpu]
    needs = archive.facts.needs
    if system == "win32":
        # Windows on ARM runs programs for x86-64.
        return ["win_amd64", "win_arm64"]
    if system == "darwin":
        if not needs:
            raise Failure(archive.path, "the binary does not say which macOS it needs", "link it with Apple's linker")
        # From macOS 11 on, tags name the major version only.
        major, minor = needs if needs[0] < 11 else (needs[0], 0)
        return [f"macosx_{major}_{minor}_{'arm64' if cpu == 'arm64' else machine}"]
    if libc is None:
        # Static: any Linux.
        return [f"manylinux2014_{machine}", f"musllinux_1_1_{machine}"]
    oldest = max(needs, (2, 17))
    return [f"manylinux_{oldest[0]}_{oldest[1]}_{machine}"]


def write(archive, repository, epoch, folder):
    """Writes the wheel of an archive and returns its path."""
    tags = platform_tags(archive)
    stem = f"{PACKAGE.replace('-', '_')}-{archive.version}"
    info = f"{stem}.dist-info"
    files = [(f"{stem}.data/scripts/{archive.binary_name}", archive.binary, 0o755)]
    files += [(f"{info}/licenses/{name}", archive.texts[name], 0o644) for name in LICENSES]
    files += [
        (f"{info}/METADATA", metadata(archive, repository).encode(), 0o644),
        (f"{info}/WHEEL", wheel_file(tags).encode(), 0o644),
    ]
    rows = [f"{name},sha256={digest(data)},{len(data)}\n" for name, data, _ in files]
    files.append((f"{info}/RECORD", "".join([*rows, f"{info}/RECORD,,\n"]).encode(), 0o644))
    path = folder / f"{stem}-py3-none-{'.'.join(tags)}.whl"
    # A ZIP file has no time before 1980.
    when = time.gmtime(max(epoch, 315532800))[:6]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as wheel:
        for name, data, mode in files:
            entry = zipfile.ZipInfo(name, when)
            entry.create_system = 3  # Unix, whose modes follow
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(entry, data)
    return path


def digest(data):
    """The SHA-256 as RECORD has it."""
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def metadata(archive, repository):
    """The core metadata, with the README as the description."""
    url = f"https://github.com/{repository}"
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {PACKAGE}",
        f"Version: {archive.version}",
        f"Summary: {SUMMARY}",
        "License-Expression: MIT OR Apache-2.0",
        *(f"License-File: {name}" for name in LICENSES),
        "Keywords: llm,prompt,evaluation,ci,testing",
        "Classifier: Environment :: Console",
        "Classifier: Topic :: Software Development :: Testing",
        f"Project-URL: Repository, {url}",
        f"Project-URL: Changelog, {url}/blob/main/CHANGELOG.md",
        "Requires-Python: >=3.8",
        "Description-Content-Type: text/markdown",
        "",
        archive.texts["README.md"].decode(),
    ]
    return "\n".join(lines)


def wheel_file(tags):
    """The description of the wheel itself."""
    lines = ["Wheel-Version: 1.0", "Generator: promptgate-repack", "Root-Is-Purelib: false"]
    return "\n".join([*lines, *(f"Tag: py3-none-{tag}" for tag in tags), ""])
