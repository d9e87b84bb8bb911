#!/usr/bin/env bash
# Fetches the release of promptgate that belongs to this action, and takes it only if its SHA-256 is the one that
# stands in checksums.txt beside this script. Whoever pins the action by its commit has pinned the program too.
#
# PROMPTGATE_BINARY names a promptgate that is there already, and nothing is fetched or verified: for images that bring
# their own, and for the tests of the action. PROMPTGATE_RELEASE_URL names a mirror; the checksums hold for it as well.
set -euo pipefail

action=$GITHUB_ACTION_PATH
checksums=$action/action/checksums.txt
folder=$RUNNER_TEMP/promptgate-bin

refuse() {
    echo "::error title=promptgate::$1"
    exit 1
}

# Tells the steps after this one, and with setup-only those of the job, where the program is.
found() {
    "$1" --version
    printf 'executable=%s\n' "$1" >>"$GITHUB_OUTPUT"
    if [[ $INPUT_SETUP_ONLY == true ]]; then
        local place
        place=$(dirname -- "$1")
        if command -v cygpath >/dev/null; then place=$(cygpath -w "$place"); fi
        printf '%s\n' "$place" >>"$GITHUB_PATH"
    fi
    exit 0
}

# What cannot be fetched can be built, where the workflow says so.
or_source() {
    [[ $INPUT_FALLBACK == source ]] || refuse "$1; set fallback: source to build it with cargo"
    [[ -z $INPUT_VERSION || $INPUT_VERSION == "$own" ]] || refuse "$1; only version $own can be built from this action"
    echo "$1: building it from the source of this action"
    # In the action's own folder: what a pull request puts into the workspace may choose the toolchain, or settings of
    # cargo, for whoever calls it there.
    (cd -- "$action" && env -u RUSTUP_TOOLCHAIN cargo install --locked --quiet --path . --root "$folder")
    found "$folder/bin/promptgate$suffix"
}

sha256() {
    if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

if [[ -n ${PROMPTGATE_BINARY:-} ]]; then found "$PROMPTGATE_BINARY"; fi

own=$(sed -n 's/^version = "\([0-9.]*\)"$/\1/p' "$action/Cargo.toml" | head -n 1)
version=${INPUT_VERSION:-$own}
suffix=
target=
case $RUNNER_OS-$RUNNER_ARCH in
Linux-X64) target=x86_64-unknown-linux-musl ;;
Linux-ARM64) target=aarch64-unknown-linux-musl ;;
macOS-X64) target=x86_64-apple-darwin ;;
macOS-ARM64) target=aarch64-apple-darwin ;;
# Windows on ARM64 runs it as well.
Windows-*) target=x86_64-pc-windows-msvc suffix=.exe ;;
esac
[[ -n $target ]] || or_source "there is no release of promptgate for $RUNNER_OS on $RUNNER_ARCH"

archive=promptgate-$version-$target.tar.gz
expected=$(sed -n "s/^\([0-9a-f]\{64\}\)  $archive\$/\1/p" "$checksums")
[[ -n $expected ]] || or_source "no checksum of $archive is known to this action"
# The first line says where the releases are.
releases=$(sed -n '1s/^# \(https:\/\/.*\)$/\1/p' "$checksums")
releases=${PROMPTGATE_RELEASE_URL:-$releases}
# A mirror may have no certificate: what counts is the checksum.
protocols='=https'
if [[ -n ${PROMPTGATE_RELEASE_URL:-} ]]; then protocols='=https,http'; fi

mkdir -p "$folder"
cd "$folder"
curl --proto "$protocols" --tlsv1.2 --fail --silent --show-error --location --retry 5 --connect-timeout 20 \
    --max-time 300 --output "$archive" "$releases/v$version/$archive" ||
    or_source "$archive could not be fetched"
actual=$(sha256 "$archive")
# This is no case for building from source: somebody should look.
[[ $actual == "$expected" ]] || refuse "$archive is not what was released: SHA-256 $actual, not $expected"
tar -xzf "$archive" "promptgate$suffix"
found "$PWD/promptgate$suffix"
