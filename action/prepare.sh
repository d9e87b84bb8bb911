#!/usr/bin/env bash
# Holds the inputs of the action that the program does not read to their form, and names what the steps share.
set -euo pipefail

refuse() {
    echo "::error title=promptgate::$1"
    exit 2
}

# Whatever is an output has to be one line of harmless characters: a second line could be another output.
harmless() {
    case $1 in
    *[!A-Za-z0-9._/:\\\ ~@+-]*) return 1 ;;
    esac
}

say() {
    harmless "$2" || refuse "$1 has a character that cannot be passed between steps"
    printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"
}

# GitHub compares without regard to case: a `False` that means nothing would be found out late.
for name in upload-report cache setup-only; do
    variable="INPUT_$(printf '%s' "$name" | tr 'a-z-' 'A-Z_')"
    case ${!variable} in
    true | false) ;;
    *) refuse "the input $name is neither true nor false" ;;
    esac
done
case $INPUT_FALLBACK in
none | source) ;;
*) refuse "the input fallback is neither none nor source" ;;
esac
[[ -z $INPUT_VERSION || $INPUT_VERSION =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] ||
    refuse "the input version is not of the form 1.2.3"
[[ $INPUT_COMMENT_KEY =~ ^[A-Za-z0-9_-]{0,40}$ ]] ||
    refuse "the input comment-key has more than 40 characters, or others than letters, digits, - and _"
[[ -z $INPUT_SHARD || -z $INPUT_MERGE ]] || refuse "the inputs shard and merge exclude each other"
[[ -d $INPUT_WORKING_DIRECTORY ]] || refuse "the input working-directory names no folder"
# A link that a pull request puts there would lead to a suite, and a policy, of its own.
part=$INPUT_WORKING_DIRECTORY
while [[ -n $part && $part != . && $part != / && $part != "${GITHUB_WORKSPACE:-/}" ]]; do
    [[ ! -L ${part%/} ]] || refuse "the input working-directory leads through a symbolic link"
    part=$(dirname -- "$part")
done

if [[ $INPUT_SETUP_ONLY == true ]]; then
    say gate false
    exit 0
fi
say gate true

# A folder of the runner: a pull request can put nothing there, and what an earlier use left is gone.
key=${INPUT_COMMENT_KEY:-default}
report="$RUNNER_TEMP/promptgate-report-$key"
rm -rf -- "$report"
say report "$report"

kind=report
[[ -z $INPUT_SHARD ]] || kind=shard
job=$(printf '%s' "${GITHUB_JOB:-job}" | tr -c 'A-Za-z0-9_-' '-')
index=${JOB_INDEX:-0}
say artifact "promptgate-$kind-$job-$index-$key"
say upload "$INPUT_UPLOAD_REPORT"
if [[ $kind == shard ]]; then say comment false; else say comment true; fi

# The store is where the configuration is. Where that cannot be told, or the folder is a link, there is no cache.
folder=$INPUT_WORKING_DIRECTORY
if [[ -d $folder/$INPUT_CONFIG ]]; then
    folder=$folder/$INPUT_CONFIG
else
    folder=$(dirname -- "$folder/$INPUT_CONFIG")
fi
folder=$(cd -- "$folder" 2>/dev/null && pwd) || folder=
if [[ -z $INPUT_CONFIG ]]; then
    while [[ -n $folder && ! -e $folder/promptgate.yaml && ! -e $folder/promptgate.yml ]]; do folder=${folder%/*}; done
fi
store=
if [[ -n $folder && ! -L $folder/.promptgate && ! -L $folder/.promptgate/store.redb ]]; then
    store=$folder/.promptgate/store.redb
fi
if [[ -n $store ]] && command -v cygpath >/dev/null; then store=$(cygpath -w "$store"); fi
# Other events run in the scope of the default branch with what strangers wrote: a cache is not for them.
case $GITHUB_EVENT_NAME in
pull_request | merge_group | push | workflow_dispatch | schedule) safe=true ;;
*) safe=false ;;
esac
if [[ $INPUT_CACHE == true && $safe == true && -z $INPUT_MERGE && -n $store ]] && harmless "$store"; then
    prefix="promptgate-v1-$RUNNER_OS-$job-$key-$index-"
    say cache true
    say store "$store"
    say cache-prefix "$prefix"
    say cache-key "$prefix$GITHUB_RUN_ID-$GITHUB_RUN_ATTEMPT"
else
    say cache false
fi
