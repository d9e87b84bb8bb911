#!/usr/bin/env bash
# Runs the gate, records its exit code and succeeds, so that what it leaves is kept and told before the job fails.
set -euo pipefail

state() {
    # Never through a link: it could lead to what has no end.
    if [[ -n $STORE && -f $STORE && ! -L $STORE ]]; then cksum <"$STORE"; fi
}

before=$(state)
code=0
"$EXECUTABLE" ci || code=$?
# Last, so that it counts whatever the program wrote.
printf 'exit-code=%s\n' "$code" >>"$GITHUB_OUTPUT"
if [[ $(state) != "$before" ]]; then printf 'store-changed=true\n' >>"$GITHUB_OUTPUT"; fi
