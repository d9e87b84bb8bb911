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

# shellcheck source=action/functions.sh
. "$action/action/functions.sh"

# Names the source that this action is: its commit, or a digest of its files where a branch, a tag or a folder selects it.
# Both change with the source, so that a build in the cache is always of the same source.
name_source() {
    if [[ ${ACTION_REF:-} =~ ^[0-9a-f]{40}$ ]]; then
        printf '%s' "$ACTION_REF"
    else
        (cd -- "$action" && find . \( -name .git -o -name target \) -prune -o -type f -print0 | LC_ALL=C sort -z |
            xargs -0 cksum | sha256 | sed 's/^/tree-/')
    fi
}

# Has the next steps build from source instead, if the workflow allows it.
build_or_fail() {
    [[ $INPUT_FALLBACK == source ]] || fail "$1; set fallback: source to build it with cargo"
    [[ -z $INPUT_VERSION || $INPUT_VERSION == "$own" ]] || fail "$1; only version $own can be built from this action"
    local source file=$folder/bin/promptgate$suffix cache=false
    source=$(name_source)
    echo "$1: using the source of this action"
    if command -v cygpath >/dev/null; then file=$(cygpath -m "$file"); fi
    # Other events can run untrusted content in the cache scope of the default branch.
    case $GITHUB_EVENT_NAME in
    pull_request | merge_group | push | workflow_dispatch | schedule) cache=true ;;
    esac
    {
        printf 'build=true\n'
        printf 'build-source=%s\n' "$source"
        printf 'build-file=%s\n' "$file"
        printf 'build-cache=%s\n' "$cache"
        printf 'build-key=promptgate-build-v1-%s-%s-%s\n' "$RUNNER_OS" "$RUNNER_ARCH" "$source"
        # Exists after the build.
        printf 'executable=%s\n' "$file"
    } >>"$GITHUB_OUTPUT"
    exit 0
}

if [[ -n ${PROMPTGATE_BINARY:-} ]]; then use_binary "$PROMPTGATE_BINARY"; fi

own=$(own_version)
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
