#!/usr/bin/env bash
# Ends the job as the gate decided. A gate that left no code did not decide, and that is a failure.
set -euo pipefail

if [[ ! $EXIT_CODE =~ ^[0-9]{1,3}$ ]]; then
    echo "::error title=promptgate::the gate ended before it reported a verdict"
    exit 1
fi
echo "promptgate: ${VERDICT:-no verdict}, exit code $EXIT_CODE"
exit "$EXIT_CODE"
