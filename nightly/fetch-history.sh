#!/bin/sh
# Takes what earlier nights left on a branch into NIGHTS: history.jsonl and the reports of the site.
#
#   NIGHTS      the folder of everything that stays (needed)
#   REPOSITORY  where the branch is, as git names it; default: origin
#   BRANCH      default: history
#
# Without the branch there is nothing to take, as before the first night.
set -eu

: "${NIGHTS:?name the folder of everything that stays}"
: "${REPOSITORY:=origin}"
: "${BRANCH:=history}"

mkdir -p "$NIGHTS"
found=0
git ls-remote --exit-code "$REPOSITORY" "refs/heads/$BRANCH" > /dev/null || found=$?
if [ "$found" -eq 2 ]; then
    echo "there is no branch $BRANCH yet"
    exit 0
fi
[ "$found" -eq 0 ]
git fetch --quiet --no-tags --depth=1 "$REPOSITORY" "refs/heads/$BRANCH"
git archive FETCH_HEAD | tar -x -C "$NIGHTS"
