"""Assigns a unit to a variant of a rollout, as promptgate does (gb2)."""


def fnv1a32(text: str) -> int:
    value = 0x811C9DC5
    data = text.encode("utf-16-le", "surrogatepass")
    for low, high in zip(data[::2], data[1::2]):
        value = (value ^ (high << 8 | low)) * 0x01000193 & 0xFFFFFFFF
    return value


def bucket(salt: str, unit: str) -> int:
    return fnv1a32(str(fnv1a32(salt + unit))) % 10_000


def version(entry: dict, unit: str) -> str:
    """The version of a unit; entry is prompts[NAME] of releases.json."""
    treated = unit != "" and bucket(entry["salt"], unit) < entry["basis_points"]
    return entry["treatment"] if treated else entry["control"]
