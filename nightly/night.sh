#!/bin/sh
# One night: measure, look back, write the site. The same for cron, systemd and a workflow.
#
#   NIGHTS   the folder of everything that stays (needed)
#   MATRIX   the matrix file; default: matrices/nightly.yaml. Its lock file lies beside it.
#   EARMARK  the program; default: earmark
#   KEEP     how long run folders stay; default: 90d. Their trends stay in any case.
#   TITLE    what the site is called
#
# In NIGHTS: runs/ (a folder for each night), history.db and history.jsonl, site/ (published as it is),
# change-points.json and change-points.md (what is new).
#
# Exit status: that of the run, if it is not 0; else 1 if something became worse; else 0. All steps are
# done in any case but one: with status 2 nothing was started.
set -eu

: "${NIGHTS:?name the folder of everything that stays}"
: "${MATRIX:=matrices/nightly.yaml}"
: "${EARMARK:=earmark}"
: "${KEEP:=90d}"
: "${TITLE:=Earmark: nights}"

mkdir -p "$NIGHTS/runs"
# Every command below uses this history, and no other.
EARMARK_HISTORY="$NIGHTS/history.db"
export EARMARK_HISTORY

run="$NIGHTS/runs/$(date -u +%Y%m%dT%H%M%SZ)"
status=0
"$EARMARK" run "$MATRIX" --locked --out "$run" || status=$?
[ "$status" -ne 2 ] || exit 2

# Those of the last days, so that a night whose message was lost is told by the next one; what was told
# is known by its id. A longer time would need the database itself, and not only its lines.
worse=0
"$EARMARK" history check --since 5d --format json > "$NIGHTS/change-points.json.new" || worse=$?
# Where even a first run could not be put into the history, there is nothing to look back on.
[ "$worse" -le 1 ] || exit $((status ? status : worse))
mv "$NIGHTS/change-points.json.new" "$NIGHTS/change-points.json"
worse=0
"$EARMARK" history check --format markdown > "$NIGHTS/change-points.md.new" || worse=$?
[ "$worse" -le 1 ] || exit $((status ? status : worse))
mv "$NIGHTS/change-points.md.new" "$NIGHTS/change-points.md"

"$EARMARK" history prune --keep "$KEEP" --runs "$NIGHTS/runs"
"$EARMARK" history site "$NIGHTS/site" --title "$TITLE" > /dev/null

# A step of a workflow tells the next ones that there is something to keep.
[ -z "${GITHUB_OUTPUT:-}" ] || echo "done=true" >> "$GITHUB_OUTPUT"
[ "$status" -ne 0 ] || status=$worse
exit "$status"
