#!/usr/bin/env python3
"""Comments a comparison on the pull request whose head was measured.

    comment.py COMPARISON.md

REPOSITORY is OWNER/NAME. HEAD_SHA, HEAD_OWNER and HEAD_BRANCH come from the event, never from what was
measured; the pull request is the open one of that branch whose head is that commit. `gh` is used with its
token. There is one comment for a pull request, which is brought up to date.

The text is this program's own rendering of what a stranger's program wrote down. What is left in it that
GitHub would act on is taken away here once more.
"""

import json
import os
import re
import subprocess
import sys
import urllib.parse

MARK = "<!-- earmark comparison -->"
# A comment holds 65,536 characters.
LONGEST = 60_000


def gh(*arguments, data=None):
    """Asks GitHub; returns what it answers."""
    command = ["gh", "api", *arguments]
    if data is not None:
        command += ["--input", "-"]
    done = subprocess.run(
        command,
        input=None if data is None else json.dumps(data),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def harmless(text):
    """Returns Markdown in which nothing mentions, links, loads or is HTML."""
    # Controls, and marks that turn the direction of text around.
    text = re.sub(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u061c\u2028-\u202e\u2060-\u2069\ufeff]", "", text
    )
    # Issues, before anything below writes a number sign of its own.
    text = text.replace("&", "&amp;")
    text = re.sub(r"#(?=\d)", "#&#8203;", text)
    text = re.sub(r"(?i)\bgh-(?=\d)", "GH&#8209;", text)
    # Links, images and footnotes are made of brackets; a table or a heading is not.
    text = text.replace("<", "&lt;").replace("[", "&#91;").replace("]", "&#93;")
    # Addresses that become links on their own, people and teams: an empty space breaks them.
    text = re.sub(r"(?i)\b(https?|ftp|mailto|xmpp):", r"\1:&#8203;", text)
    text = re.sub(r"(?i)\bwww\.", "www.&#8203;", text)
    text = text.replace("@", "@&#8203;")
    if len(text) > LONGEST:
        text = text[:LONGEST].rsplit("\n", 1)[0] + "\n\n… and more."
    return text


def pull_request(repository):
    """Returns the number of the open pull request whose head was measured, or None."""
    sha = os.environ["HEAD_SHA"]
    if not re.fullmatch(r"[0-9a-f]{40}", sha):
        sys.exit(f"no commit: {sha!r}")
    head = f"{os.environ['HEAD_OWNER']}:{os.environ['HEAD_BRANCH']}"
    query = urllib.parse.urlencode({"state": "open", "head": head, "per_page": 100})
    for found in json.loads(gh(f"repos/{repository}/pulls?{query}")):
        if found["head"]["sha"] == sha:
            return int(found["number"])
    return None


def main():
    repository = os.environ["REPOSITORY"]
    number = pull_request(repository)
    if number is None:
        # It has been closed, or has a newer commit, whose own comparison comes.
        print("no open pull request has this commit as its head")
        return
    with open(sys.argv[1], encoding="utf-8", errors="replace") as file:
        text = harmless(file.read(4 * LONGEST))
    body = {"body": f"{MARK}\n{text}"}
    comments = gh(
        "--paginate",
        f"repos/{repository}/issues/{number}/comments?per_page=100",
        "--jq",
        f'.[] | select(.user.type == "Bot" and (.body | startswith("{MARK}"))) | .id',
    ).split()
    if comments:
        gh(f"repos/{repository}/issues/comments/{int(comments[0])}", "--method", "PATCH", data=body)
    else:
        gh(f"repos/{repository}/issues/{number}/comments", "--method", "POST", data=body)
    print(f"commented on pull request {number}")


if __name__ == "__main__":
    main()
