#!/bin/sh
# The life of a prompt, offline: edit, gate, publish, staging, production, edit again, and rollback. It needs git and
# promptgate, no key and no network, and works on a copy of golden/customer-support in a temporary folder:
#
#   sh examples/lifecycle/offline.sh
#
# PROMPTGATE names another executable. The model is simulated, and so its evaluations count only because of
# --allow-simulated, which the ledger records.
set -eu

promptgate=${PROMPTGATE:-promptgate}
suite=$(CDPATH='' cd -- "$(dirname -- "$0")/../../golden/customer-support" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# The commands act as the user of this machine, also where a CI job runs this script.
unset CI GITHUB_ACTIONS GITLAB_CI || true
export GIT_CONFIG_GLOBAL=/dev/null

# Acts as somebody from here on.
act_as() {
    git config user.name "$1"
    git config user.email "$1@example.com"
}

step() {
    printf '\n# %s\n' "$*"
}

# Prints a command of promptgate, and runs it. The exit code is the expected one, or the script ends.
expect() {
    code=$1
    shift
    printf '$ promptgate'
    for word in "$@"; do
        case $word in
            *[!A-Za-z0-9_./:=@+-]*) printf " '%s'" "$word" ;;
            *) printf ' %s' "$word" ;;
        esac
    done
    printf '\n'
    found=0
    "$promptgate" "$@" || found=$?
    if [ "$found" -ne "$code" ]; then
        printf 'exit %s, expected %s\n' "$found" "$code" >&2
        exit 1
    fi
    if [ "$found" -ne 0 ]; then
        printf '(exit %s)\n' "$found"
    fi
}

# Prints a change of the prompt, makes it, and commits it.
edit() {
    printf '$ sed -i %s prompts/support.md\n' "'$1'"
    sed "$1" prompts/support.md >prompts/support.md.new
    mv prompts/support.md.new prompts/support.md
    commit "$2"
}

commit() {
    printf '$ git commit -a -m %s\n' "'$1'"
    git commit -q -a -m "$1"
}

cp -R "$suite/." "$folder"
cd "$folder"
git init -q .
act_as carol
cat >>promptgate.yaml <<'YAML'
release:
  name: support/reply
  ledger: {path: ledger}
  registry: embedded
  approvers: [bob]
YAML
# What production serves is the baseline, and promptgate assigns the versions.
sed '/^baseline:/d' promptgate.yaml >promptgate.yaml.new
mv promptgate.yaml.new promptgate.yaml
sed '/^version:/d' prompts/support.md >prompts/support.md.new
mv prompts/support.md.new prompts/support.md
printf 'ledger\npromptgate-report\n.promptgate\n' >.gitignore
git add .
git commit -q -m 'Release the prompt'

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
