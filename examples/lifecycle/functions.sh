#!/bin/sh
# Shared by the offline examples, which source it: $0 is the example.
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

# Copies the suite into the temporary folder, as a repository whose configuration ends with standard input.
begin() {
    cp -R "$suite/." "$folder"
    cd "$folder"
    git init -q .
    act_as carol
    cat >>promptgate.yaml
    # What production serves is the baseline, and promptgate assigns the versions.
    sed '/^baseline:/d' promptgate.yaml >promptgate.yaml.new
    mv promptgate.yaml.new promptgate.yaml
    sed '/^version:/d' prompts/support.md >prompts/support.md.new
    mv prompts/support.md.new prompts/support.md
    printf 'ledger\npromptgate-report\n.promptgate\nmetrics.json\n' >.gitignore
    git add .
    git commit -q -m 'Release the prompt'
}
