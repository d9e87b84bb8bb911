#!/bin/sh
# The life of a prompt from an edit to all users, offline: the gate, staging and its limits, an approval, a rollout in steps,
# production and its limits; then a bad version, which is rolled back at 5 %. It needs git and promptgate, no key and no network,
# and works on a copy of golden/customer-support in a temporary folder:
#
#   sh examples/lifecycle/rollout.sh
#
# PROMPTGATE names another executable. The model and the traffic are simulated. Holds are left out, so that a rollout takes
# seconds; a schedule would call `rollout advance` every six hours.
set -eu
. "$(dirname -- "$0")/functions.sh"

# What the schedule runs.
advance() {
    expect "$1" rollout advance support/reply --allow-simulated
}

# Changes the prompt, evaluates it and publishes it, as the merge of a pull request does.
change() {
    edit "$1; s/^reason:.*/reason: $2/" "$2"
    expect 0 run --offline --quiet
    expect 0 publish --report promptgate-report/report.json --allow-simulated
}

# The figures of a version: requests, faithful answers, errors.
figures() {
    printf '{"units": %s, "metrics": {"faithfulness": {"share": {"successes": %s, "n": %s}}' "$1" "$2" "$1"
    printf ', "error_rate": {"share": {"successes": %s, "n": %s}}}}' "$3" "$1"
}

# Writes what a warehouse would: the scored requests of two versions since now, four figures each.
traffic() {
    {
        printf '{"schema": "promptgate.metrics/v1", "name": "support/reply", '
        printf '"from": "%s", "to": "%s", "versions": ' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$(date -u +%Y-12-31T23:59:59Z)"
        printf '{"%s": %s, "%s": %s}}\n' "$1" "$(figures "$2" "$3" "$4")" "$5" "$(figures "$6" "$7" "$8")"
    } >metrics.json
    printf '\n# %s served %s requests, %s answers faithful, %s errors; %s served %s, %s, %s\n' "$@"
}

begin <<'YAML'
release:
  name: support/reply
  ledger: {path: ledger}
  approvers: [bob]
  levels: {minor: {approvals: 1}}
  sources: {warehouse: {json: metrics.json}}
  guardrails:
    - {name: faithfulness, better: higher, margin: 0.05, source: warehouse}
    - {name: error_rate, better: lower, margin: 0.02, source: warehouse}
  staging: {limits: {error_rate: 0.05}}
  monitor: {limits: {faithfulness: 0.80}, action: rollback}
  rollouts:
    canary:
      - {percent: 5, hold: 0s, min_samples: 400}
      - {percent: 25, hold: 0s, min_samples: 1000}
      - {percent: 50, hold: 0s, min_samples: 1000}
      - {percent: 100}
  settle: 0s # applications here cache nothing
  lag: 0s # and scores are never late
YAML
printf '{"schema": "promptgate.metrics/v1", "name": "support/reply", "from": "%s", "to": "%s", "versions": {}}\n' \
    "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$(date -u +%Y-12-31T23:59:59Z)" >metrics.json

step 'The first version goes to production once somebody else approves it'
expect 0 run --offline --quiet
expect 0 publish --report promptgate-report/report.json --allow-simulated
advance 0
advance 0
act_as bob
expect 0 approve support/reply 1.0.0
act_as carol
advance 0

step 'A change is gated, published and staged'
change 's/in at most three sentences/in at most two sentences/' 'answers are shorter'
traffic 1.0.0 20000 18000 300 1.1.0 0 0 0
advance 0
traffic 1.0.0 20000 18000 300 1.1.0 60 55 1
advance 0
act_as bob
expect 0 approve support/reply 1.1.0
act_as carol
advance 0
expect 0 assign support/reply --unit user-3

traffic 1.0.0 7600 6840 114 1.1.0 400 362 6
advance 0
traffic 1.0.0 3000 2700 45 1.1.0 1000 902 15
advance 0
traffic 1.0.0 1000 900 15 1.1.0 1000 905 14
advance 0

step 'Production is monitored'
traffic 1.0.0 100 90 1 1.1.0 5000 4510 70
advance 0

step 'A change that the gate passes, and that answers worse in production'
change 's/in at most two sentences/in at most two short sentences/' 'answers are even shorter'
advance 0
traffic 1.1.0 20000 18000 300 1.2.0 60 55 1
advance 0
act_as bob
expect 0 approve support/reply 1.2.0
act_as carol
advance 0
traffic 1.1.0 7600 6840 114 1.2.0 400 310 6
advance 10
advance 0

step 'Everything that happened'
expect 0 status support/reply
expect 0 log support/reply
expect 0 log --verify
