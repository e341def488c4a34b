"""The second table of bench/run.py: what a step, a value and a range of each schedule cost.

bench/lr.c measures Anneal, bench/torch_lr.py PyTorch's step in the same run; both print medians.
"""
import json
import os

from tables import cell, run

HERE = os.path.dirname(os.path.abspath(__file__))
HEAD = ["schedules, one group", "ns/step", "ns/value", "million/s in a range", "PyTorch ns/step",
        "PyTorch / Anneal"]


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
    return [row["spec"]] + [cell(f, style) for f, style in figures]


def table(rows):
    return [HEAD] + [cells(row) for row in rows]
