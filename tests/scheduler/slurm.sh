#!/bin/sh
# A stand-in for Slurm's commands, called by each of their names: jobs run on this machine, one task after
# the other, and the queue is a folder of files ($STAND_IN). A file of the name of a command in $STAND_IN/fail
# makes that command fail, once for each line, with what the line says; one in $STAND_IN/slow makes it take
# so many seconds more.
set -u
command=$(basename "$0")
state=$STAND_IN
echo "$command $*" >> "$state/calls"

if [ -s "$state/fail/$command" ]; then
    head -n 1 "$state/fail/$command" >&2
    tail -n +2 "$state/fail/$command" > "$state/fail/rest"
    mv "$state/fail/rest" "$state/fail/$command"
    exit 1
fi

if [ -s "$state/slow/$command" ]; then
    # So that nothing of it stays when the test is over.
    timeout "$(cat "$state/slow/$command")" tail --pid="$(cut -d ' ' -f 4 "/proc/$$/stat")" -f /dev/null
fi

case $command in
scontrol)
    case "$*" in
    *"show job"*)
        # What was called back is forgotten at once.
        ls "$state"/jobs/"${*##* }".* > /dev/null 2>&1 && exit 0
        echo "slurm_load_jobs error: Invalid job id specified" >&2
        exit 1
        ;;
    esac
    echo "MaxArraySize            = ${MAX_ARRAY:-1001}"
    echo "AccountingStorageType   = accounting_storage/none"
    echo "ProctrackType           = proctrack/cgroup"
    echo "SLURM_VERSION           = 99.0"
    ;;
sbatch)
    # What a file names is refused when it is handed over.
    case "$*" in
    *--test-only*) exit 0 ;;
    *"$(cat "$state/refuse" 2>/dev/null || echo nothing is refused)"*)
        echo "sbatch: error: QOSMaxSubmitJobPerUserLimit" >&2
        exit 1
        ;;
    esac
    name="" array="" output=/dev/null
    while [ $# -gt 0 ]; do
        case $1 in
        --job-name=*) name=${1#*=} ;;
        --array=1-*) array=${1#--array=1-} ;;
        --output=*) output=${1#*=} ;;
        --dependency=*) exit_after=yes ;;
        --*) ;;
        *) break ;;
        esac
        shift
    done
    id=$(($(cat "$state/last" 2>/dev/null || echo 100) + 1))
    echo "$id" > "$state/last"
    echo "$id"
    # What depends on others is left to whoever looks after the run.
    [ -z "${exit_after:-}" ] || exit 0
    count=${array:-1}
    for task in $(seq "$count"); do echo "PENDING|Resources|" > "$state/jobs/$id.$task.$name"; done
    (
        for task in $(seq "$count"); do
            file=$state/jobs/$id.$task.$name
            [ -e "$file" ] || continue
            echo "RUNNING|None|node$task" > "$file"
            log=$(echo "$output" | sed "s/%A/$id/; s/%a/$task/")
            SLURM_ARRAY_TASK_ID=$task SLURMD_NODENAME=node$task setsid sh "$@" > "$log" 2>&1 &
            echo $! > "$state/process.$id"
            wait $!
            case $? in 0) ended=COMPLETED ;; *) ended=FAILED ;; esac
            [ -e "$file" ] && echo "$ended|None|node$task" > "$file"
        done
    ) > /dev/null 2>&1 &
    ;;
squeue)
    # A file has it say nothing, once for each line.
    if [ -s "$state/empty" ]; then
        tail -n +2 "$state/empty" > "$state/rest"
        mv "$state/rest" "$state/empty"
        exit 0
    fi
    for file in "$state"/jobs/*; do
        [ -e "$file" ] || continue
        base=$(basename "$file")
        id=${base%%.*}
        rest=${base#*.}
        # A job that is called back at this moment is none any more.
        { IFS='|' read -r word reason node < "$file"; } 2> /dev/null || continue
        echo "$id|${rest%%.*}|${rest#*.}|$word|$reason|$node"
    done
    ;;
scancel)
    for id in "$@"; do
        rm -f "$state"/jobs/"$id".*
        [ ! -e "$state/process.$id" ] || kill -- "-$(cat "$state/process.$id")" 2>/dev/null
    done
    exit 0
    ;;
esac
