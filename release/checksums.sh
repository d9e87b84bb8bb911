#!/usr/bin/env bash
# Writes action/checksums.txt: where the releases of a repository are, and the SHA-256 of the archives in a folder. What
# the file says of other versions stays, so that the input `version` of the action can name them.
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
    echo "$repository is not of the form OWNER/REPOSITORY" >&2
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
        echo "$folder has no $archive" >&2
        exit 1
    }
    printf '%s  %s\n' "$(sha256 "$folder/$archive")" "$archive" >>"$new"
done
grep -v -e '^#' -e "  promptgate-${version//./\\.}-" "$file" >>"$new" || true
cat "$new" >"$file"
