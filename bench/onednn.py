"""The table of bench/run.py of our kernels beside oneDNN's, where that is installed.

bench/onednn.c measures and prints it; see there for what the columns are.
"""
import os
import re
import subprocess

from tables import run

ROUNDS, ROUNDS_QUICK = 5, 1
HEAD = ["threads", "ours, µs", "oneDNN, µs", "bare, µs", "ours / oneDNN", "GFLOP/s", "way"]


def is_there(build):
    """Whether the build found oneDNN and so knows the program."""
    command = ["ninja", "-C", build, "-t", "query", "bench/onednn"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def measure(build, quick, env):
    """oneDNN's version, and a list of rows."""
    rounds = ROUNDS_QUICK if quick else ROUNDS
    title, _, *lines = run([os.path.join(build, "bench", "onednn"), "2", str(rounds)],
                           env).splitlines()
    found = [re.fullmatch(r"(.*\S)\s+(\d+T) +(.*)", line) for line in lines]
    rows = [[m[1], m[2], *m[3].split(maxsplit=5)] for m in found if m]
    return {"title": title, "rows": rows}


def table(result):
    return [[result["title"]] + HEAD] + result["rows"]
