#!/usr/bin/env bash
# Slurm: an array with a task for each shard, and a job that decides once all of them ended. Requires promptgate on the
# PATH of the nodes, the suite and OUT on a shared file system, and the key in a file that only you can read.
#
#   bash slurm.sh SUITE OUT [SHARDS]
#
# Writes OUT/shards and OUT/report; the exit code of the second job is the verdict. To run shard 3 of 8 again:
# cd SUITE && promptgate run --shard 3/8 --no-cache --out OUT/shards
#SBATCH --job-name=promptgate
#SBATCH --cpus-per-task=1
#SBATCH --time=02:00:00
set -euo pipefail

key_file=${PROMPTGATE_KEY_FILE:-$HOME/.config/promptgate/key}

submit() { # SUITE OUT [SHARDS]
    local suite=${1:?usage: slurm.sh SUITE OUT [SHARDS]} out=${2:?usage: slurm.sh SUITE OUT [SHARDS]} shards=${3:-8} array
    mkdir -p "$out"
    suite=$(cd "$suite" && pwd) out=$(cd "$out" && pwd)
    # The variables of this shell stay here. PROMPTGATE_SHARDS keeps a task that is submitted again by itself from running
    # the whole suite. At most 16 tasks run at once.
    array=$(sbatch --parsable --export=HOME,PATH,PROMPTGATE_KEY_FILE="$key_file",PROMPTGATE_SHARDS="$shards" \
        --array="0-$((shards - 1))%16" --mem=1G --output="$out/shard-%a.log" "$0" shard "$suite" "$out")
    sbatch --export=HOME,PATH --dependency="afterany:${array%%;*}" --mem=8G --output="$out/gate.log" \
        "$0" gate "$suite" "$out"
}

# The cache belongs to one process at a time, so the shards go without.
shard() { # SUITE OUT
    OPENAI_API_KEY=$(<"$key_file")
    export OPENAI_API_KEY
    cd "$1"
    promptgate run --shard auto --no-cache --out "$2/shards"
}

gate() { # SUITE OUT
    cd "$1"
    promptgate merge "$2/shards" --out "$2/report"
}

case ${1:-} in
    shard | gate) "$@" ;;
    *) submit "$@" ;;
esac
