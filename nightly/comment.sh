#!/bin/sh
# Compares two records that a stranger's program wrote, with a program of our own, and comments the
# result. The records are read within limits of time, memory and size, and without the token.
#
#   EARMARK     the program (needed)
#   COMPARISON  the folder with base/ and head/, as unpack.py left it (needed)
#   and what comment.py needs
set -eu

: "${EARMARK:?name the program}"
: "${COMPARISON:?name the folder with base/ and head/}"

here=$(dirname "$0")
text=$(mktemp)
trap 'rm -f "$text"' EXIT

status=0
(
    unset GH_TOKEN GITHUB_TOKEN
    # Kibibytes of memory, and blocks of what is written.
    ulimit -v 4194304
    ulimit -f 65536
    timeout 120 "$EARMARK" compare "$COMPARISON/base" "$COMPARISON/head" --format markdown > "$text"
) || status=$?
# 1 says that something became worse, which is what the comment is for.
if [ "$status" -gt 1 ]; then
    echo "the records cannot be compared (status $status)" >&2
    exit 1
fi
"$here/comment.py" "$text"
