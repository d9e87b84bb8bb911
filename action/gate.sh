#!/usr/bin/env bash
# Runs the gate, records its exit code and succeeds, so that the following steps can save its files and comment.
set -euo pipefail

cache_checksum() {
    # Do not follow a symbolic link: it could point to an endless file.
    if [[ -n $CACHE_FILE && -f $CACHE_FILE && ! -L $CACHE_FILE ]]; then cksum <"$CACHE_FILE"; fi
}

before=$(cache_checksum)
code=0
"$EXECUTABLE" ci || code=$?
# Written last, so that it overrides anything the program wrote.
printf 'exit-code=%s\n' "$code" >>"$GITHUB_OUTPUT"
# A page that cannot be copied is in the artifact of all reports all the same.
if [[ -f $PROMPTGATE_OUT/report.html ]] && cp -- "$PROMPTGATE_OUT/report.html" "$PAGE"; then
    printf 'page=%s\n' "$PAGE" >>"$GITHUB_OUTPUT"
fi
if [[ $(cache_checksum) != "$before" ]]; then printf 'cache-changed=true\n' >>"$GITHUB_OUTPUT"; fi
