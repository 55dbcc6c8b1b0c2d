#!/bin/sh
# Puts what a night left on a branch: history.jsonl and the site with its reports. A commit for each
# night; nothing is ever rewritten, and a night that was put there meanwhile is kept.
#
#   NIGHTS      the folder of what the night left (needed)
#   REPOSITORY  where the branch is, as git names it; default: the folder's own origin
#   BRANCH      default: history
set -eu

: "${NIGHTS:?name the folder of what the night left}"
: "${REPOSITORY:=origin}"
: "${BRANCH:=history}"

NIGHTS=$(cd "$NIGHTS" && pwd)
place=$(mktemp -d)
trap 'git worktree remove --force "$place/branch" 2> /dev/null || true; rm -rf "$place"' EXIT

for try in 1 2 3; do
    git worktree remove --force "$place/branch" 2> /dev/null || true
    found=0
    git ls-remote --exit-code "$REPOSITORY" "refs/heads/$BRANCH" > /dev/null || found=$?
    if [ "$found" -eq 0 ]; then
        git fetch --quiet --no-tags --depth=1 "$REPOSITORY" "refs/heads/$BRANCH"
        git worktree add --quiet --detach "$place/branch" FETCH_HEAD
    elif [ "$found" -eq 2 ]; then
        # The first night begins the branch, with no file of the project in it.
        root=$(git -c user.name=earmark -c user.email=earmark@localhost commit-tree \
            -m "history: begun" "$(git hash-object -t tree /dev/null)")
        git worktree add --quiet --detach "$place/branch" "$root"
    else
        exit "$found"
    fi
    # Lines of nights that are there already and not here stay, each once.
    known="$place/branch/history.jsonl"
    touch "$known"
    cat "$known" "$NIGHTS/history.jsonl" | awk 'NF && !seen[$0]++' > "$place/lines"
    mv "$place/lines" "$known"
    rm -rf "$place/branch/site"
    cp -R "$NIGHTS/site" "$place/branch/site"
    git -C "$place/branch" add --all
    if git -C "$place/branch" diff --cached --quiet; then
        echo "nothing is new"
        exit 0
    fi
    git -C "$place/branch" -c user.name=earmark -c user.email=earmark@localhost \
        -c core.hooksPath=/dev/null commit --quiet -m "history: a night"
    commit=$(git -C "$place/branch" rev-parse HEAD)
    if git push --quiet "$REPOSITORY" "$commit:refs/heads/$BRANCH"; then
        exit 0
    fi
    echo "another night was put there meanwhile; once more (try $try)" >&2
done
exit 1
