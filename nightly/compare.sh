#!/bin/sh
# Measures two programs on this machine, one after the other, and compares. What drifts between the two
# falls on the second; the comparison's intervals come from launches and do not know of that, so what is
# small should be looked at twice.
#
#   BASE, HEAD  the two programs (needed)
#   OUT         the folder of what comes out (needed)
#   MATRIX      the matrix file; default: matrices/nightly.yaml
#   FILTER      only jobs that match; default: model=tiny.en, so that it takes minutes
#
# In OUT: base/ and head/, each with plan.json and journal.jsonl, and comparison.md. Exit status: 3 if a
# run went wrong, 1 if something became worse, else 0.
set -eu

: "${BASE:?name the program of the base}"
: "${HEAD:?name the program of the head}"
: "${OUT:?name a folder}"
: "${MATRIX:=matrices/nightly.yaml}"
: "${FILTER:=model=tiny.en}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$OUT"
status=0

measure() {
    "$1" run "$MATRIX" --filter "$FILTER" --out "$2" --history "$work/history.db" || {
        code=$?
        # A gate that fails is no fault of the measurement.
        [ "$code" -eq 1 ] || status=$code
    }
}

# Whatever must be fetched is fetched before anything is timed.
"$HEAD" download "$MATRIX" --filter "$FILTER" > /dev/null
measure "$BASE" "$work/base"
measure "$HEAD" "$work/head"

for side in base head; do
    if [ -f "$work/$side/journal.jsonl" ]; then
        mkdir -p "$OUT/$side"
        cp "$work/$side/plan.json" "$work/$side/journal.jsonl" "$OUT/$side/"
    fi
done
[ "$status" -eq 0 ] || exit "$status"
"$HEAD" compare "$OUT/base" "$OUT/head" --gate --format markdown > "$OUT/comparison.md" || status=$?
exit "$status"
