"""The table of bench/run.py of what logging every update costs an epoch of 784-128-10 at batch 64.

bench/logs.c trains with every log (CSV, events, store of runs) and without any in neighbouring
epochs. The figure is the median of the pairs' differences; around it stand the quartiles, and by
how much chance alone would move that median. Beside it, what the calls of the logs take by the
clock, which scatters less, but does not see what they push out of the caches.
"""
import json
import os
import statistics
import tempfile

from tables import run

PAIRS, PAIRS_QUICK = 480, 40
HEAD = ["every update into CSV, events and store", "ms/epoch without", "difference, ms",
        "quartiles", "± of the median", "%", "in the calls, ms"]


def measure(build, data, quick, env):
    """The pairs' seconds of an epoch, {"without": [...], "with": [...], "inside": [...]}."""
    pairs = PAIRS_QUICK if quick else PAIRS
    with tempfile.TemporaryDirectory() as folder:
        command = [os.path.join(build, "bench", "logs"), "2", str(pairs), data, folder]
        return json.loads(run(command, env))


def differences(pairs):
    """Milliseconds of an epoch that the logs add, in each pair."""
    return [1e3 * (b - a) for a, b in zip(pairs["without"], pairs["with"])]


def cost(pairs):
    """What the logs add, in per cent of an epoch without them."""
    return 100 * statistics.median(differences(pairs)) / (1e3 * statistics.median(pairs["without"]))


def table(pairs):
    added = differences(pairs)
    low, middle, high = statistics.quantiles(added, method="inclusive")
    # A normal distribution's quartiles are 1.349 deviations apart.
    error = 1.253 * (high - low) / 1.349 / len(added) ** 0.5
    return [HEAD, ["784-128-10, batch 64, 2 threads", f"{1e3 * statistics.median(pairs['without']):.2f}",
                   f"{middle:.2f}", f"{low:.2f} to {high:.2f}", f"{error:.2f}",
                   f"{cost(pairs):.2f}", f"{1e3 * statistics.median(pairs['inside']):.2f}"]]
