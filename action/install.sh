#!/usr/bin/env bash
# Downloads the release of promptgate that belongs to this action and verifies its SHA-256 against checksums.txt next to
# this script. Pinning the action by commit therefore pins the program.
#
# PROMPTGATE_BINARY uses an installed promptgate instead, without download or verification: for images that include one,
# and for the tests of the action. PROMPTGATE_RELEASE_URL sets a mirror, with the same checksums.
set -euo pipefail

action=$GITHUB_ACTION_PATH
checksums=$action/action/checksums.txt
folder=$RUNNER_TEMP/promptgate-bin

fail() {
    echo "::error title=promptgate::$1"
    exit 1
}

# Passes the path of the program to the following steps, and with setup-only to the rest of the job.
use_binary() {
    "$1" --version
    printf 'executable=%s\n' "$1" >>"$GITHUB_OUTPUT"
    if [[ $INPUT_SETUP_ONLY == true ]]; then
        local directory
        directory=$(dirname -- "$1")
        if command -v cygpath >/dev/null; then directory=$(cygpath -w "$directory"); fi
        printf '%s\n' "$directory" >>"$GITHUB_PATH"
    fi
    exit 0
}

# Builds from source instead, if the workflow allows it.
build_or_fail() {
    [[ $INPUT_FALLBACK == source ]] || fail "$1; set fallback: source to build it with cargo"
    [[ -z $INPUT_VERSION || $INPUT_VERSION == "$own" ]] || fail "$1; only version $own can be built from this action"
    echo "$1; building from the source of this action"
    # Build in the action's own folder: files in the workspace, which a pull request controls, can choose the toolchain
    # or change cargo's settings.
    (cd -- "$action" && env -u RUSTUP_TOOLCHAIN cargo install --locked --quiet --path . --root "$folder")
    use_binary "$folder/bin/promptgate$suffix"
}

sha256() {
    if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

if [[ -n ${PROMPTGATE_BINARY:-} ]]; then use_binary "$PROMPTGATE_BINARY"; fi

own=$(sed -n 's/^version = "\([0-9.]*\)"$/\1/p' "$action/Cargo.toml" | head -n 1)
version=${INPUT_VERSION:-$own}
suffix=
target=
case $RUNNER_OS-$RUNNER_ARCH in
Linux-X64) target=x86_64-unknown-linux-musl ;;
Linux-ARM64) target=aarch64-unknown-linux-musl ;;
macOS-X64) target=x86_64-apple-darwin ;;
macOS-ARM64) target=aarch64-apple-darwin ;;
# Windows on ARM64 runs the x86-64 build.
Windows-*) target=x86_64-pc-windows-msvc suffix=.exe ;;
esac
[[ -n $target ]] || build_or_fail "no release of promptgate for $RUNNER_OS on $RUNNER_ARCH"

archive=promptgate-$version-$target.tar.gz
expected=$(sed -n "s/^\([0-9a-f]\{64\}\)  $archive\$/\1/p" "$checksums")
[[ -n $expected ]] || build_or_fail "no checksum for $archive in this action"
# The first line has the address of the releases.
releases=$(sed -n '1s/^# \(https:\/\/.*\)$/\1/p' "$checksums")
releases=${PROMPTGATE_RELEASE_URL:-$releases}
# A mirror may use plain HTTP: the checksum protects the download.
protocols='=https'
if [[ -n ${PROMPTGATE_RELEASE_URL:-} ]]; then protocols='=https,http'; fi

mkdir -p "$folder"
cd "$folder"
curl --proto "$protocols" --tlsv1.2 --fail --silent --show-error --location --retry 5 --connect-timeout 20 \
    --max-time 300 --output "$archive" "$releases/v$version/$archive" ||
    build_or_fail "could not download $archive"
actual=$(sha256 "$archive")
# Do not fall back to a source build: a mismatch needs a person.
[[ $actual == "$expected" ]] || fail "checksum mismatch for $archive: expected SHA-256 $expected, found $actual"
tar -xzf "$archive" "promptgate$suffix"
use_binary "$PWD/promptgate$suffix"
