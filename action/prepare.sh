#!/usr/bin/env bash
# Validates the inputs that the program does not read, and sets the values that the steps share.
set -euo pipefail

fail() {
    echo "::error title=promptgate::$1"
    exit 2
}

# Succeeds if the text is one line of safe characters. A line break in an output could set another output.
is_safe() {
    case $1 in
    *[!A-Za-z0-9._/:\\\ ~@+-]*) return 1 ;;
    esac
}

set_output() {
    is_safe "$2" || fail "$1 contains a character that cannot be passed between steps"
    printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"
}

# Expressions compare strings case-insensitively, but scripts do not; reject `False` early.
for name in upload-report cache setup-only; do
    variable="INPUT_$(printf '%s' "$name" | tr 'a-z-' 'A-Z_')"
    case ${!variable} in
    true | false) ;;
    *) fail "invalid input $name: expected true or false" ;;
    esac
done
case $INPUT_FALLBACK in
none | source) ;;
*) fail "invalid input fallback: expected none or source" ;;
esac
[[ -z $INPUT_VERSION || $INPUT_VERSION =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] ||
    fail "invalid input version: expected X.Y.Z"
[[ $INPUT_COMMENT_KEY =~ ^[A-Za-z0-9_-]{0,40}$ ]] ||
    fail "invalid input comment-key: expected at most 40 letters, digits, - and _"
[[ -z $INPUT_SHARD || -z $INPUT_MERGE ]] || fail "the inputs shard and merge cannot be combined"
[[ -d $INPUT_WORKING_DIRECTORY ]] || fail "invalid input working-directory: not a folder"
# A symbolic link from a pull request could point to another suite with its own policy.
part=$INPUT_WORKING_DIRECTORY
while [[ -n $part && $part != . && $part != / && $part != "${GITHUB_WORKSPACE:-/}" ]]; do
    [[ ! -L ${part%/} ]] || fail "invalid input working-directory: contains a symbolic link"
    part=$(dirname -- "$part")
done

if [[ $INPUT_SETUP_ONLY == true ]]; then
    set_output gate false
    exit 0
fi
set_output gate true

# A folder of the runner, which a pull request cannot write to; remove the files of an earlier use.
key=${INPUT_COMMENT_KEY:-default}
report="$RUNNER_TEMP/promptgate-report-$key"
rm -rf -- "$report"
set_output report "$report"

kind=report
[[ -z $INPUT_SHARD ]] || kind=shard
job=$(printf '%s' "${GITHUB_JOB:-job}" | tr -c 'A-Za-z0-9_-' '-')
index=${JOB_INDEX:-0}
set_output artifact "promptgate-$kind-$job-$index-$key"
set_output upload "$INPUT_UPLOAD_REPORT"
# The name of an artifact has to be unique in the run.
page="$RUNNER_TEMP/promptgate-$job-$index-$key.html"
rm -f -- "$page"
set_output page "$page"
if [[ $kind == shard ]]; then set_output comment false; else set_output comment true; fi

# The cache file is next to the configuration. If that cannot be found, or is a symbolic link, caching is off.
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
cache_file=
if [[ -n $folder && ! -L $folder/.promptgate && ! -L $folder/.promptgate/cache.redb ]]; then
    cache_file=$folder/.promptgate/cache.redb
fi
if [[ -n $cache_file ]] && command -v cygpath >/dev/null; then cache_file=$(cygpath -w "$cache_file"); fi
# Other events can run untrusted content in the cache scope of the default branch: no caching for them.
case $GITHUB_EVENT_NAME in
pull_request | merge_group | push | workflow_dispatch | schedule) safe=true ;;
*) safe=false ;;
esac
if [[ $INPUT_CACHE == true && $safe == true && -z $INPUT_MERGE && -n $cache_file ]] && is_safe "$cache_file"; then
    prefix="promptgate-v1-$RUNNER_OS-$job-$key-$index-"
    set_output cache true
    set_output cache-file "$cache_file"
    set_output cache-prefix "$prefix"
    set_output cache-key "$prefix$GITHUB_RUN_ID-$GITHUB_RUN_ATTEMPT"
else
    set_output cache false
fi
