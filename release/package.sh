#!/usr/bin/env bash
# Packs a built promptgate into the archive that the action downloads, with a .sha256 file next to it.
#
# Usage: release/package.sh TARGET BINARY DIR
set -euo pipefail

target=$1 binary=$2 folder=$3
root=$(cd "$(dirname "$0")/.." && pwd)
version=$(sed -n 's/^version = "\([0-9.]*\)"$/\1/p' "$root/Cargo.toml" | head -n 1)
archive=promptgate-$version-$target.tar.gz
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cp "$binary" "$root/LICENSE-MIT" "$root/LICENSE-APACHE" "$root/README.md" "$work/"
chmod 755 "$work/$(basename "$binary")"
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
cd "$work"
tar -czf "$archive" -- "$(basename "$binary")" LICENSE-MIT LICENSE-APACHE README.md
if command -v sha256sum >/dev/null; then sha256sum "$archive"; else shasum -a 256 "$archive"; fi |
    sed 's/^\([0-9a-f]*\)[ *]*/\1  /' >"$archive.sha256"
mv "$archive" "$archive.sha256" "$folder/"
echo "$folder/$archive"
