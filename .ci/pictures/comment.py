"""Renders Markdown as GitHub shows a comment: cmark-gfm, which is what GitHub runs, with the style sheet of github.com.

Usage: comment.py MARKDOWN STYLESHEET
"""

import pathlib
import sys

import cmarkgfm
from cmarkgfm.cmark import Options

# GitHub keeps `details` and `sup`, as CMARK_OPT_UNSAFE does; the extension `tagfilter` drops scripts.
body = cmarkgfm.github_flavored_markdown_to_html(
    pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"), options=Options.CMARK_OPT_UNSAFE
)
style = pathlib.Path(sys.argv[2]).read_text(encoding="utf-8")
sys.stdout.write(
    f"<!doctype html><meta charset=utf-8><style>{style}\nbody{{margin:0;padding:16px;max-width:880px}}</style>"
    f'<article class="markdown-body">{body}</article>'
)
