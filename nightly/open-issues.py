#!/usr/bin/env python3
"""Opens an issue for each change point that has none yet.

    open-issues.py change-points.json

REPOSITORY is OWNER/NAME; `gh` is used with its token. A change point is known by a mark in the body of
its issue, open or closed, so none is opened twice, by whatever night.
"""

import json
import os
import re
import subprocess
import sys

LABEL = "earmark-change-point"
# An issue's body holds 65,536 characters, its title 256.
LONGEST_BODY = 60_000
LONGEST_TITLE = 200
# More than this at once is one cause with many faces; the site shows all.
MOST = 10


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


def mark(identity):
    return f"<!-- earmark change point {identity} -->"


def known_marks(repository):
    """Returns the marks of all issues with the label, of whatever state."""
    bodies = gh(
        "--paginate",
        "--method",
        "GET",
        f"repos/{repository}/issues",
        "-f",
        f"labels={LABEL}",
        "-f",
        "state=all",
        "-f",
        "per_page=100",
        "--jq",
        ".[].body",
    )
    return set(re.findall(r"<!-- earmark change point ([0-9a-f]+) -->", bodies))


def main():
    repository = os.environ["REPOSITORY"]
    with open(sys.argv[1], encoding="utf-8") as file:
        points = json.load(file)["change_points"]
    # What became better is no issue; the site shows it.
    points = [point for point in points if point["regression"] and not point["synthetic"]]
    if not points:
        print("no change point needs an issue")
        return
    known = known_marks(repository)
    new = [point for point in points if point["id"] not in known]
    for point in new[:MOST]:
        identity = point["id"]
        if not re.fullmatch(r"[0-9a-f]{8,64}", identity):
            sys.exit(f"no id of a change point: {identity!r}")
        body = point["markdown"][:LONGEST_BODY]
        site = os.environ.get("SITE")
        if site:
            body += f"\n[Trends]({site})\n"
        gh(
            f"repos/{repository}/issues",
            "--method",
            "POST",
            data={
                "title": point["title"][:LONGEST_TITLE],
                "body": f"{mark(identity)}\n{body}",
                "labels": [LABEL],
            },
        )
        print(f"opened: {point['title']}")
    if len(new) > MOST:
        print(f"::warning::{len(new) - MOST} more change points have no issue of their own; the site shows all")


if __name__ == "__main__":
    main()
