#!/usr/bin/env bash
# Writes the comment of the pull request. Whatever becomes of it, the verdict is the last step's.
set -euo pipefail

if [[ ! -e $REPORT/ci.json ]]; then
    echo "the gate left nothing to comment on"
    exit 0
fi
code=0
"$EXECUTABLE" comment "$REPORT" || code=$?
if [[ $code != 0 ]]; then
    echo "::warning title=promptgate::the comment could not be written (exit code $code); the report is in the summary"
fi
