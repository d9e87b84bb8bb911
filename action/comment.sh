#!/usr/bin/env bash
# Writes the pull request comment. A failure here is a warning; the job ends with the gate's exit code.
set -euo pipefail

if [[ ! -e $REPORT/ci.json ]]; then
    echo "no comment: the gate wrote no ci.json"
    exit 0
fi
# The page alone opens in a browser; the artifact of all reports is a download.
export PROMPTGATE_REPORT_URL=${PAGE_URL:-${ARTIFACT_URL:-}}
code=0
"$EXECUTABLE" comment "$REPORT" || code=$?
if [[ $code != 0 ]]; then
    echo "::warning title=promptgate::could not write the comment (exit code $code); see the job summary for the report"
fi
