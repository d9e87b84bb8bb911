#!/usr/bin/env bash
# Writes action/checksums.txt: the address of a repository's releases and the SHA-256 of the archives in a folder. Keeps
# the checksums of other versions, so that the action's input `version` can select them.
#
# Usage: release/checksums.sh OWNER/REPOSITORY DIR
set -euo pipefail

repository=$1 folder=$2
root=$(cd "$(dirname "$0")/.." && pwd)
file=$root/action/checksums.txt
version=$(sed -n 's/^version = "\([0-9.]*\)"$/\1/p' "$root/Cargo.toml" | head -n 1)
targets=(aarch64-apple-darwin aarch64-unknown-linux-musl x86_64-apple-darwin x86_64-pc-windows-msvc
    x86_64-unknown-linux-musl)

[[ $repository =~ ^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$ ]] || {
    echo "invalid repository $repository: expected OWNER/REPOSITORY" >&2
    exit 2
}
sha256() {
    if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}
new=$(mktemp)
trap 'rm -f "$new"' EXIT
echo "# https://github.com/$repository/releases/download" >"$new"
for target in "${targets[@]}"; do
    archive=promptgate-$version-$target.tar.gz
    [[ -f $folder/$archive ]] || {
        echo "$archive is missing in $folder" >&2
        exit 1
    }
    printf '%s  %s\n' "$(sha256 "$folder/$archive")" "$archive" >>"$new"
done
grep -v -e '^#' -e "  promptgate-${version//./\\.}-" "$file" >>"$new" || true
cat "$new" >"$file"
