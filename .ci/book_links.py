"""A preprocessor of mdBook: turns links that leave docs/ into links to the repository.

Pages link to examples, schemas and the README by relative paths, so that the links work in the repository. The book does
not contain these files. Their address is PROMPTGATE_BOOK_SOURCE, on GitHub that of the commit, else a placeholder.
"""

import json
import os
import posixpath
import re
import sys


def source():
    """The address of the repository's files."""
    if address := os.environ.get("PROMPTGATE_BOOK_SOURCE"):
        return address.rstrip("/")
    server, repository, commit = (os.environ.get(f"GITHUB_{name}") for name in ("SERVER_URL", "REPOSITORY", "SHA"))
    if server and repository and commit:
        return f"{server}/{repository}/blob/{commit}"
    return "https://github.com/OWNER/promptgate/blob/main"


def rewrite(text, folder, address):
    """The text of a page in FOLDER of docs/ with its links that leave docs/ rewritten."""

    def link(found):
        path, anchor = found[1], found[2] or ""
        target = posixpath.normpath(posixpath.join("docs", folder, path))
        if not target.startswith("docs/"):
            return f"]({address}/{target}{anchor})"
        # mdBook writes the page of README.md to index.html.
        return f"]({re.sub('README.md$', 'index.md', path)}{anchor})"

    return re.sub(r"\]\(([^)\s#:]+)(#[^)\s]*)?\)", link, text)


def visit(items, address):
    for item in items:
        chapter = item.get("Chapter") if isinstance(item, dict) else None
        if chapter:
            folder = posixpath.dirname(chapter.get("source_path") or "")
            chapter["content"] = rewrite(chapter["content"], folder, address)
            visit(chapter["sub_items"], address)


if sys.argv[1:2] == ["supports"]:
    sys.exit(0)
_, book = json.load(sys.stdin)
visit(book.get("items") or book.get("sections"), source())
json.dump(book, sys.stdout)
