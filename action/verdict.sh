#!/usr/bin/env bash
# Ends the job with the gate's exit code. A gate without an exit code did not decide, which is a failure.
set -euo pipefail

if [[ ! $EXIT_CODE =~ ^[0-9]{1,3}$ ]]; then
    echo "::error title=promptgate::the gate ended without a verdict; see the log of the Gate step"
    exit 1
fi
echo "promptgate: ${VERDICT:-no verdict}, exit code $EXIT_CODE"
exit "$EXIT_CODE"
