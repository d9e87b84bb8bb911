"""Headers of executables: the processor, the C library and the oldest system that they need."""

import struct
from dataclasses import dataclass

from .failure import Failure

ELF_MACHINES = {62: "x86_64", 183: "aarch64"}
PE_MACHINES = {0x8664: "x86_64"}
MACH_CPUS = {0x01000007: "x86_64", 0x0100000C: "aarch64"}
INTERPRETER = 3  # PT_INTERP
VERSION_NEEDS = 0x6FFFFFFE  # SHT_GNU_verneed
MINIMUM_MACOS = 0x24  # LC_VERSION_MIN_MACOSX
BUILD_VERSION = 0x32  # LC_BUILD_VERSION


@dataclass
class Facts:
    """Facts of one executable."""

    format: str
    machine: str
    # Whether an ELF file loads shared libraries.
    dynamic: bool = False
    # The newest version of glibc that an ELF file asks for, or the oldest macOS that a Mach-O file runs on.
    needs: tuple = ()


def inspect(path, target, data):
    """Returns the facts of a binary, which have to be those of its target."""
    try:
        facts = parse(data)
    except (struct.error, IndexError, UnicodeDecodeError):
        facts = None
    expected = {"linux": "ELF", "apple": "Mach-O"}
    format = next((name for part, name in expected.items() if f"-{part}-" in f"-{target}-"), "PE")
    machine = target.split("-")[0]
    if facts is None or (facts.format, facts.machine) != (format, machine):
        found = f"{facts.format} for {facts.machine}" if facts else "not an executable"
        raise Failure(path, f"expected a binary for {target}, found {found}", "build it with --target")
    if target.endswith("-musl") and facts.dynamic:
        raise Failure(path, "the binary is not static", "build it for musl, which links statically")
    return facts


def parse(data):
    """Returns the facts of an executable, or None."""
    if data[:6] == b"\x7fELF\x02\x01":
        return parse_elf(data)
    if data[:4] == b"\xcf\xfa\xed\xfe":
        return parse_mach(data)
    if data[:2] == b"MZ":
        (header,) = struct.unpack_from("<I", data, 0x3C)
        if data[header : header + 4] == b"PE\0\0":
            (machine,) = struct.unpack_from("<H", data, header + 4)
            return Facts("PE", PE_MACHINES.get(machine, hex(machine)))
    return None


def parse_elf(data):
    """Reads program headers for an interpreter and section headers for versions of symbols."""
    (machine,) = struct.unpack_from("<H", data, 18)
    programs, sections = struct.unpack_from("<QQ", data, 32)
    program_size, program_count, section_size, section_count = struct.unpack_from("<HHHH", data, 54)
    kinds = [struct.unpack_from("<I", data, programs + i * program_size)[0] for i in range(program_count)]
    needs = ()
    headers = [struct.unpack_from("<IIQQQQII", data, sections + i * section_size) for i in range(section_count)]
    for header in headers:
        if header[1] == VERSION_NEEDS:
            names = headers[header[6]][4]
            needs = max([needs, *glibc_versions(data, header[4], header[7], names)])
    return Facts("ELF", ELF_MACHINES.get(machine, str(machine)), INTERPRETER in kinds, needs)


def glibc_versions(data, at, files, names):
    """Yields the versions GLIBC_X.Y in a section of needed versions: one list of versions for each library."""
    for _ in range(files):
        _, count, _, first, following = struct.unpack_from("<HHIII", data, at)
        entry = at + first
        for _ in range(count):
            _, _, _, name, step = struct.unpack_from("<IHHII", data, entry)
            start = names + name
            text = data[start : data.index(b"\0", start)].decode("ascii")
            if text.startswith("GLIBC_2."):
                yield tuple(int(part) for part in text[len("GLIBC_") :].split("."))
            entry += step
        at += following


def parse_mach(data):
    """Reads the load commands for the oldest supported macOS."""
    (cpu,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<I", data, 16)
    at = 32
    needs = ()
    for _ in range(count):
        command, size = struct.unpack_from("<II", data, at)
        if command in (MINIMUM_MACOS, BUILD_VERSION):
            (version,) = struct.unpack_from("<I", data, at + (8 if command == MINIMUM_MACOS else 12))
            needs = (version >> 16, version >> 8 & 0xFF)
        at += size
    return Facts("Mach-O", MACH_CPUS.get(cpu, hex(cpu)), needs=needs)
