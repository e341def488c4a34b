"""What the tables of bench/run.py share: a table of rows, the first column left.

A table is a list of rows of cells, its head first.
"""
import subprocess
import sys


def run(command, env):
    """What the command prints; a message and an end where it fails."""
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed:\n{done.stderr}")
    return done.stdout


def cell(figure, style):
    """A figure as text; what does not apply is a dash."""
    return "–" if figure is None else format(figure, style)


def print_text(table):
    widths = [max(len(c) for c in column) for column in zip(*table)]
    print()
    for first, *rest in table:
        print("  ".join([first.ljust(widths[0])] + [c.rjust(w) for c, w in zip(rest, widths[1:])]))


def print_markdown(table):
    head, *rows = table
    tick = "`" if "(" in rows[0][0] else ""  # a call
    print("\n| " + " | ".join(head) + " |\n|---" + "|--:" * (len(head) - 1) + "|")
    for first, *rest in rows:
        print(f"| {tick}{first}{tick} | " + " | ".join(rest) + " |")
