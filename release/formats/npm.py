"""Packages for npm: one for each platform with its binary, and one with the command that runs it."""

import json
from pathlib import Path

from .archives import LICENSES
from .tar import compress, pack
from .wheel import PACKAGE, SUMMARY

WRAPPER = Path(__file__).with_name("npm_wrapper.js")


def platform_package(archive):
    """Returns the name of the package of an archive."""
    system, cpu, libc = archive.platform
    return f"{PACKAGE}-{system}-{cpu}" + ("-gnu" if libc == "glibc" else "")


def write(archives, repository, epoch, folder):
    """Writes all packages and returns their paths, that of the command last."""
    paths = []
    for archive in archives:
        system, cpu, libc = archive.platform
        fields = {
            "description": f"The binary of {PACKAGE} for {system} on {cpu}",
            "os": [system],
            # Windows on ARM runs programs for x86-64.
            "cpu": ["x64", "arm64"] if system == "win32" else [cpu],
            **({"libc": [libc]} if libc else {}),
            "preferUnplugged": True,
        }
        files = [(f"bin/{archive.binary_name}", archive.binary, 0o755), license_files(archive)]
        paths.append(write_package(platform_package(archive), archive, fields, files, repository, epoch, folder))
    newest = archives[0]
    fields = {
        "description": SUMMARY,
        "keywords": ["llm", "prompt", "evaluation", "ci", "testing"],
        "bin": {"promptgate": "bin/promptgate.js"},
        "engines": {"node": ">=18"},
        "optionalDependencies": {platform_package(archive): archive.version for archive in archives},
    }
    files = [
        ("bin/promptgate.js", WRAPPER.read_bytes(), 0o755),
        ("README.md", newest.texts["README.md"], 0o644),
        license_files(newest),
    ]
    paths.append(write_package(PACKAGE, newest, fields, files, repository, epoch, folder))
    return paths


def license_files(archive):
    """The license files of an archive."""
    return [(name, archive.texts[name], 0o644) for name in LICENSES]


def write_package(name, archive, fields, files, repository, epoch, folder):
    """Writes one package, as `npm pack` names it."""
    manifest = {
        "name": name,
        "version": archive.version,
        "license": "MIT OR Apache-2.0",
        "repository": {"type": "git", "url": f"git+https://github.com/{repository}.git"},
        **fields,
    }
    flat = []
    for entry in files:
        flat += entry if isinstance(entry, list) else [entry]
    flat.insert(0, ("package.json", (json.dumps(manifest, indent=2) + "\n").encode(), 0o644))
    path = folder / f"{name}-{archive.version}.tgz"
    path.write_bytes(compress(pack([(f"package/{file}", data, mode) for file, data, mode in flat], epoch)))
    return path
