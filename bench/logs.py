#!/usr/bin/env python3
"""Usage: bench/logs.py BUILD [PAIRS [EVERY]]

What logging everything costs: the MNIST example (784-128-10, batch 64) trained with every log
(store, CSV, TensorBoard) at every EVERYth update (default 1) and with none, in turn, PAIRS times
(default 8). Prints the epochs' times at the 10th, 25th and 50th percentile and what the logs add
to each.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
EVERYTHING = ["--set", "log={every: %s, csv: true, tensorboard: true}"]
NOTHING = ["--set", "runs=none"]
EPOCHS = 12


def epochs(build, options):
    """Seconds of each epoch but the first."""
    with tempfile.TemporaryDirectory() as folder:
        out = subprocess.run(
            [build / "anneal", "train", ROOT / "examples" / "mnist-mlp.yaml", "--format", "json",
             "--set", f"data.path={ROOT / 'data' / 'mnist'}", "--set", f"epochs={EPOCHS}",
             "--set", "checkpoint={minutes: 100}", *options],
            cwd=folder, check=True, capture_output=True, text=True).stdout
    lines = [json.loads(line) for line in out.splitlines()]
    moments = [line["seconds"] for line in lines if "epoch" in line][:EPOCHS]
    return [b - a for a, b in zip(moments, moments[1:])]


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    pairs = int(sys.argv[2]) if len(sys.argv) > 2 else 8
    every = sys.argv[3] if len(sys.argv) > 3 else "1"
    everything = [option % every if "%s" in option else option for option in EVERYTHING]
    without, with_logs = [], []
    epochs(build, NOTHING)
    for i in range(pairs):
        for times, options in ((without, NOTHING), (with_logs, everything))[::1 - 2 * (i % 2)]:
            times += epochs(build, options)
    for percent in (10, 25, 50):
        a, b = (sorted(times)[len(times) * percent // 100] for times in (without, with_logs))
        print(f"{percent:3} %  without {a * 1e3:6.2f} ms   with {b * 1e3:6.2f} ms   "
              f"{100 * (b / a - 1):+.2f} %")


if __name__ == "__main__":
    main()
