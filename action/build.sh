#!/usr/bin/env bash
# Builds promptgate from the source of this action, unless the step before restored the build of the same source from the
# cache.
set -euo pipefail

# shellcheck source=action/functions.sh
. "$GITHUB_ACTION_PATH/action/functions.sh"

own=$(own_version)
if [[ -f $BUILD_FILE ]] && found=$("$BUILD_FILE" --version) && [[ $found == "promptgate $own" ]]; then
    echo "using promptgate $own, built from source at $BUILD_SOURCE by an earlier job"
    use_binary "$BUILD_FILE"
fi
later="cached for later runs"
if [[ $BUILD_CACHE != true ]]; then later="not cached: the event $GITHUB_EVENT_NAME can run untrusted content"; fi
echo "building promptgate from source at $BUILD_SOURCE (about 7 minutes on two cores, $later)"
start=$SECONDS
# Build in the action's own folder: files in the workspace, which a pull request controls, can choose the toolchain or
# change cargo's settings.
(cd -- "$GITHUB_ACTION_PATH" &&
    env -u RUSTUP_TOOLCHAIN cargo install --locked --quiet --force --path . --root "$RUNNER_TEMP/promptgate-bin") ||
    fail "building promptgate from source failed after $((SECONDS - start)) s; it needs a Rust toolchain: see the log above"
echo "built in $((SECONDS - start)) s"
printf 'built=true\n' >>"$GITHUB_OUTPUT"
use_binary "$BUILD_FILE"
