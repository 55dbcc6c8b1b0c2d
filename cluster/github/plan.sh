#!/bin/sh
# Plans a matrix for other machines, and divides the plan among them.
#
#   EARMARK  the program (needed)
#   MATRIX   the matrix file (needed)
#   OUT      the folder for plan.json and parts.json (needed)
#   SITE     the site file: the labels of runners for what is required; default: none
#   SHARDS   into how many parts; default: 4
#   LOCKED   true: refuse what is not in the lock file beside the matrix; default: false
#
# For the next jobs of a workflow it writes `parts=…`, the job matrix, to GITHUB_OUTPUT.
set -eu

: "${EARMARK:?name the program}"
: "${MATRIX:?name the matrix file}"
: "${OUT:?name a folder}"

mkdir -p "$OUT"
set --
[ "${LOCKED:-false}" != true ] || set -- --locked
[ -z "${SITE:-}" ] || set -- "$@" --site "$SITE"
"$EARMARK" plan "$@" --format json -- "$MATRIX" > "$OUT/plan.json"

set --
[ -z "${SITE:-}" ] || set -- "$@" --site "$SITE"
"$EARMARK" plan "$@" --format github --shards "${SHARDS:-4}" -- "$OUT/plan.json" > "$OUT/parts.json"
[ -z "${GITHUB_OUTPUT:-}" ] || printf 'parts=%s\n' "$(cat "$OUT/parts.json")" >> "$GITHUB_OUTPUT"
