"""The third table of bench/run.py: a step of the optimizers beside what memory can do.

bench/optim.c measures Anneal and plain loops over memory, bench/torch_optim.py PyTorch's step of
the same optimizers, single and foreach, on one thread and two; the fastest counts.
"""
import json
import os

from tables import cell, run

HERE = os.path.dirname(os.path.abspath(__file__))
MILLIONS = 10
HEAD = [f"a step over {MILLIONS} million parameters", "ms", "bytes", "GB/s", "of memory",
        "PyTorch ms", "PyTorch / Anneal"]
IN_TORCH = ("SGD(", "Adam(", "AdamW(")


def torch_times(python, specs, env):
    """Milliseconds of PyTorch's fastest formulation of each spec."""
    best = dict.fromkeys(specs)
    for threads in (1, 2):
        for foreach in (False, True):
            calls = [spec[:-1] + f", foreach={foreach})" for spec in specs]
            command = [python, os.path.join(HERE, "torch_optim.py"), str(threads), str(MILLIONS)]
            for spec, ms in zip(specs, json.loads(run(command + calls, env))):
                if ms and (best[spec] is None or ms < best[spec]):
                    best[spec] = ms
    return best


def measure(build, python, env):
    """A list of rows; `python` None: without PyTorch. What does not apply is None."""
    rows = []
    command = [os.path.join(build, "bench", "optim"), "2", str(MILLIONS), "7"]
    for line in run(command, env).splitlines()[1:]:
        ms, size, rate, share, spec = line.split(maxsplit=4)
        rows.append({"spec": spec, "ms": float(ms), "bytes": int(size), "rate": float(rate),
                     "share": float(share.rstrip("%")), "torch": None})
    if python:
        specs = [row["spec"] for row in rows if row["spec"].startswith(IN_TORCH)]
        best = torch_times(python, specs, env)
        for row in rows:
            row["torch"] = best.get(row["spec"])
    return rows


def cells(row):
    ratio = row["torch"] / row["ms"] if row["torch"] else None
    figures = [(row["ms"], ".2f"), (row["bytes"], "d"), (row["rate"], ".1f"), (row["share"], ".0f"),
               (row["torch"], ".1f"), (ratio, ".1f")]
    texts = [cell(f, style) for f, style in figures]
    texts[3] += " %"
    return [row["spec"]] + texts


def table(rows):
    return [HEAD] + [cells(row) for row in rows]
