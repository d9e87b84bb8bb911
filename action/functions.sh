# Functions of install.sh and build.sh. Sourced, not run.
# shellcheck shell=bash

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

# The version in the Cargo.toml of the action.
own_version() {
    sed -n 's/^version = "\([0-9.]*\)"$/\1/p' "$GITHUB_ACTION_PATH/Cargo.toml" | head -n 1
}

# Prints the SHA-256 of a file, or of standard input.
sha256() {
    if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi | cut -d ' ' -f 1
}
