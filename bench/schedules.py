"""The second table of bench/run.py: what a step, a value and a range of each schedule cost.

bench/lr.c measures Anneal, bench/torch_lr.py PyTorch's step in the same run; both print medians.
"""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
HEAD = ["schedules, one group", "ns/step", "ns/value", "million/s in a range", "PyTorch ns/step",
        "PyTorch / Anneal"]


def run(command, env):
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed:\n{done.stderr}")
    return done.stdout


def measure(build, python, env):
    """A list of rows; `python` None: without PyTorch. What does not apply is None."""
    rows = []
    for line in run([os.path.join(build, "bench", "lr"), "0.1"], env).splitlines()[1:]:
        *figures, spec = line.split(maxsplit=3)
        step, value, fill = (None if f == "-" else float(f) for f in figures)
        rows.append({"spec": spec, "step": step, "value": value, "fill": fill, "torch": None})
    if python:
        command = [python, os.path.join(HERE, "torch_lr.py")] + [row["spec"] for row in rows]
        for row, torch in zip(rows, json.loads(run(command, env))):
            row["torch"] = torch
    return rows


def cells(row):
    ratio = row["torch"] / row["step"] if row["torch"] else None
    figures = [(row["step"], ".1f"), (row["value"], ".1f"), (row["fill"], ".0f"),
               (row["torch"], ".0f"), (ratio, ".0f")]
    return [row["spec"]] + ["–" if f is None else format(f, style) for f, style in figures]


def print_text(rows):
    table = [HEAD] + [cells(row) for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*table)]
    print()
    for first, *rest in table:
        print("  ".join([first.ljust(widths[0])] + [c.rjust(w) for c, w in zip(rest, widths[1:])]))


def print_markdown(rows):
    print("\n| " + " | ".join(HEAD) + " |\n|---" + "|--:" * (len(HEAD) - 1) + "|")
    for row in rows:
        first, *rest = cells(row)
        print(f"| `{first}` | " + " | ".join(rest) + " |")
