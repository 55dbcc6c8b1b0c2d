#!/bin/sh
# Does one part of a plan, in a folder of its own for each attempt.
#
#   EARMARK   the program (needed)
#   PLAN      plan.json (needed)
#   PARTS     the folder of parts (needed); earlier attempts at this part lie in it already
#   NAME, SHARD, REQUIRES  of the part, as the job matrix has them (needed)
#   ATTEMPT   the number of the attempt (needed)
#
# Exit status: 0 if all of its benchmarks are recorded, however they ended; else that of the run.
set -eu

: "${EARMARK:?name the program}"
: "${PLAN:?name the plan}"
: "${PARTS:?name the folder of parts}"
: "${NAME:?name the part}"
: "${SHARD:?say which part it is, such as 1/4}"
: "${REQUIRES:?say what it requires, or none}"
: "${ATTEMPT:?say which attempt it is}"

part="$PARTS/$NAME.attempt-$ATTEMPT"
status=0
"$EARMARK" run "$PLAN" --shard "$SHARD" --requires "$REQUIRES" --no-history --out "$part" || status=$?
# A benchmark that failed is a result; only trouble of our own is a failure of the part.
case $status in
0 | 1 | 3) ;;
*) exit "$status" ;;
esac
