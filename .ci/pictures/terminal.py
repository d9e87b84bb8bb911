"""Runs a command on a terminal of 80 columns and prints the last screen as an HTML page.

Usage: terminal.py COMMAND…; a process that fails is shown like any other. Lines before the last SCREEN ones are kept.
"""

import fcntl
import html
import os
import pty
import struct
import sys
import termios

import pyte

COLUMNS, LINES = 80, 200
COLORS = {
    "default": "#d4d4d4", "red": "#f1707b", "green": "#73c991", "brown": "#e2c08d", "blue": "#6cb6ff",
    "magenta": "#d2a8ff", "cyan": "#6bd4e0", "white": "#ffffff", "black": "#5c6370",
}


def run(command):
    """Returns the screen of a pseudo-terminal on which the command ran."""
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    process, terminal = pty.fork()
    if process == 0:
        os.execvp(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    while True:
        try:
            text = os.read(terminal, 65536)
        except OSError:
            break
        if not text:
            break
        stream.feed(text)
    os.waitpid(process, 0)
    return screen


def line(row):
    """One line of the screen: neighbours of equal style in one element."""
    spans, before = [], None
    for column in range(COLUMNS):
        cell = row[column]
        color = cell.fg if cell.fg in COLORS else ("default" if cell.fg == "default" else f"#{cell.fg}")
        style = f"color:{COLORS.get(color, color)};" + ("font-weight:bold;" if cell.bold else "")
        style += "text-decoration:underline;" if cell.underscore else ""
        if style != before:
            spans.append([style, ""])
            before = style
        spans[-1][1] += cell.data
    text = "".join(f'<span style="{style}">{html.escape(part)}</span>' for style, part in spans)
    return text if any(part.strip() for _, part in spans) else ""


def page(command, lines):
    """The page: a prompt with the command, then the lines of the screen."""
    prompt = f'<span style="color:{COLORS["green"]}">$</span> {html.escape(command)}'
    return (
        "<!doctype html><meta charset=utf-8><style>body{margin:0;background:#1e1e1e}pre{margin:0;padding:14px 18px;"
        f"color:{COLORS['default']};font:14px/19px 'DejaVu Sans Mono',monospace}}</style>"
        f"<pre>{prompt}\n" + "\n".join(lines) + "</pre>"
    )


def main():
    screen = run(sys.argv[1:])
    lines = [line(screen.buffer[number]) for number in range(LINES)]
    while lines and not lines[-1]:
        lines.pop()
    shown = os.environ.get("PICTURE_COMMAND", " ".join(sys.argv[1:]))
    sys.stdout.write(page(shown, lines))


main()
