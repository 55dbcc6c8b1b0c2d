#!/bin/sh
# Puts the parts of a plan together, and reports.
#
#   EARMARK  the program (needed)
#   PARTS    the folder of parts (needed)
#   OUT      the run folder that is made of them (needed)
#
# Exit status: that of `earmark merge`: 3 if something is missing, 1 if a gate was not passed. If that is 0,
# then 3 if a job failed, as `earmark run` would say of all of it.
set -eu

: "${EARMARK:?name the program}"
: "${PARTS:?name the folder of parts}"
: "${OUT:?name a folder}"

status=0
"$EARMARK" merge "$PARTS" --out "$OUT" --no-history --to csv,html,markdown,junit || status=$?
if [ -n "${GITHUB_STEP_SUMMARY:-}" ] && [ -f "$OUT/report.md" ]; then
    # A summary holds 1 MiB.
    head -c 1000000 "$OUT/report.md" >> "$GITHUB_STEP_SUMMARY"
fi
[ "$status" -eq 0 ] || exit "$status"
# How runs ended says nothing of all of it, because a later attempt does only what is missing.
if grep -Eq '<testsuites [^>]*(failures|errors)="[1-9]' "$OUT/junit.xml"; then
    echo "a benchmark failed: see the report" >&2
    exit 3
fi
