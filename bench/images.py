"""The tables of convolutional nets of bench/run.py: milliseconds of an update at batch 64, MNIST.

bench/anneal_cnn.c trains in Anneal, bench/torch_cnn.py in PyTorch with one and two threads of its
own (oneDNN's convolutions follow them) times one and two of BLAS. Interleaved as in run.py.
"""
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
NETS = {"cnn": ("CNN 1-32-64 (3×3, 3×3, pool, 9216-128-10), batch 64", 40),
        "lenet": ("LeNet-5 (5×5, tanh, mean pools), batch 64", 300)}
HEAD = ["ms/update", "min", "max", "PyTorch / this", "loss", "accuracy"]


def contenders(build, python):
    """(name, command, environment) of each line; every command takes net, threads, steps, data."""
    anneal = os.path.join(build, "bench", "anneal_cnn")
    for threads in (1, 2):
        plural = "s" if threads > 1 else ""
        yield f"Anneal, {threads} thread{plural}", [anneal], threads, {}
    for threads in (1, 2) if python else ():
        for blas in (1, 2):
            yield (f"PyTorch, torch {threads} × BLAS {blas}",
                   [python, os.path.join(HERE, "torch_cnn.py")], threads,
                   {"OPENBLAS_NUM_THREADS": str(blas)})


def run_once(row, net, steps, data, env):
    command = row["command"] + [net, str(row["threads"]), str(steps), data]
    done = subprocess.run(command, env={**env, **row["env"]}, capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    result = json.loads(done.stdout)
    row["ms"] += [1000 * seconds / steps for seconds in result["seconds"]]
    row["loss"], row["accuracy"] = result["test_loss"], result["test_accuracy"]
    print(f"{net}, {row['name']}: {row['ms'][-1]:.2f} ms", file=sys.stderr)


def measure(build, python, data, rounds, env):
    """Tables by net, each a list of rows; `python` None: without PyTorch."""
    tables = {}
    for net, (_, steps) in NETS.items():
        rows = [{"name": name, "command": command, "threads": threads, "env": extra, "ms": []}
                for name, command, threads, extra in contenders(build, python)]
        for number in range(rounds):
            for row in rows if number % 2 == 0 else reversed(rows):
                run_once(row, net, steps, data, env)
        for row in rows:
            row["median"] = statistics.median(row["ms"])
            del row["command"], row["env"]
        peers = [row["median"] for row in rows if row["name"].startswith("PyTorch")]
        for row in rows:
            row["ratio"] = min(peers) / row["median"] if peers else None
        tables[net] = rows
    return tables


def cells(row):
    ratio = "–" if row["ratio"] is None else f"{row['ratio']:.2f}"
    times = [f"{value:.2f}" for value in (row["median"], min(row["ms"]), max(row["ms"]))]
    return [row["name"], *times, ratio, f"{row['loss']:.3f}", f"{100 * row['accuracy']:.1f} %"]


def print_text(tables):
    for net, rows in tables.items():
        table = [[NETS[net][0]] + HEAD] + [cells(row) for row in rows]
        widths = [max(len(cell) for cell in column) for column in zip(*table)]
        print()
        for first, *rest in table:
            print("  ".join([first.ljust(widths[0])] +
                            [c.rjust(w) for c, w in zip(rest, widths[1:])]))


def print_markdown(tables):
    for net, rows in tables.items():
        print("\n| " + " | ".join([NETS[net][0]] + HEAD) + " |\n|---" + "|--:" * len(HEAD) + "|")
        for row in rows:
            print("| " + " | ".join(cells(row)) + " |")
