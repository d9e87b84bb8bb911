#!/bin/sh
# The life of a prompt, offline: edit, gate, publish, staging, production, edit again, and rollback. It needs git and
# promptgate, no key and no network, and works on a copy of golden/customer-support in a temporary folder:
#
#   sh examples/lifecycle/offline.sh
#
# PROMPTGATE names another executable. The model is simulated, and so its evaluations count only because of
# --allow-simulated, which the ledger records.
set -eu
. "$(dirname -- "$0")/functions.sh"

begin <<'YAML'
release:
  name: support/reply
  ledger: {path: ledger}
  registry: embedded
  approvers: [bob]
YAML

step 'The first version: thresholds decide, and somebody else approves'
expect 0 check
expect 0 run --offline --quiet
expect 0 publish --report promptgate-report/report.json --allow-simulated
expect 0 promote support/reply --to staging --allow-simulated
expect 11 promote support/reply --to production --allow-simulated
act_as bob
expect 0 approve support/reply 1.0.0
act_as carol
expect 0 promote support/reply --to production --allow-simulated

step 'A change: compared with what production serves'
edit 's/in at most three sentences/in at most two sentences/; s/^reason:.*/reason: answers are shorter/' 'Answer in two sentences'
expect 0 check
expect 0 run --offline --quiet
expect 0 publish --report promptgate-report/report.json --allow-simulated
expect 0 promote support/reply --to staging --allow-simulated
expect 0 promote support/reply --to production --allow-simulated

step 'A change that the gate refuses is not published'
printf '$ cp prompts/quiet-regression.md prompts/support.md\n'
sed '/^version:/d' prompts/quiet-regression.md >prompts/support.md
commit 'Answer in a warmer tone'
expect 10 run --offline --quiet
expect 10 publish --report promptgate-report/report.json --allow-simulated

step 'Production is rolled back at once, whatever the gate says'
expect 0 rollback support/reply --reason 'customers miss the third sentence'
expect 0 get support/reply@production --var 'context=KB-1: Returns are free.' --var 'query=Are returns free?'
expect 0 status support/reply
expect 0 log support/reply
expect 0 log --verify
