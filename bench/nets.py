"""The tables of convolutional and recurrent nets and the transformer of bench/run.py: milliseconds
of an update.

bench/anneal_nets.c trains in Anneal, bench/torch_nets.py in PyTorch with one and two threads of its
own (oneDNN's convolutions follow them) times one and two of BLAS. Interleaved as in run.py.
"""
import json
import os
import statistics
import sys

from tables import cell, run

HERE = os.path.dirname(os.path.abspath(__file__))
TEXT = os.path.join(HERE, "..", "tests", "parity", "genesis.txt")
# A title and how many updates a round has.
NETS = {"cnn": ("CNN 1-32-64 (3×3, 3×3, pool, 9216-128-10), batch 64", 40),
        "lenet": ("LeNet-5 (5×5, tanh, mean pools), batch 64", 300),
        "lstm": ("LSTM 128 over the rows of MNIST, batch 64", 60),
        "char": ("Character transformer (4 layers, 4 heads, 128 wide, context 64), batch 12", 40)}
HEAD = ["ms/update", "min", "max", "PyTorch / this", "loss", "accuracy"]
ROUNDS = 3  # that a process times


def contenders(build, python):
    """(name, command, threads, environment) of each line."""
    for threads in (1, 2):
        plural = "s" if threads > 1 else ""
        yield (f"Anneal, {threads} thread{plural}", [os.path.join(build, "bench", "anneal_nets")],
               threads, {})
    for threads in (1, 2) if python else ():
        for blas in (1, 2):
            yield (f"PyTorch, torch {threads} × BLAS {blas}",
                   [python, os.path.join(HERE, "torch_nets.py")], threads,
                   {"OPENBLAS_NUM_THREADS": str(blas)})


def run_once(row, net, steps, data, env):
    command = row["command"] + [net, str(row["threads"]), str(ROUNDS), str(steps), data]
    row["last"] = json.loads(run(command, {**env, **row["env"]}))
    row["ms"] += [1000 * seconds / steps for seconds in row["last"]["seconds"]]
    print(f"{net}, {row['name']}: {row['ms'][-1]:.2f} ms", file=sys.stderr)


def measure(net, build, python, data, rounds, env):
    """The rows of a net's table; `python` None: without PyTorch."""
    rows = [{"name": name, "command": command, "threads": threads, "env": extra, "ms": []}
            for name, command, threads, extra in contenders(build, python)]
    for number in range(rounds):
        for row in rows if number % 2 == 0 else reversed(rows):
            run_once(row, net, NETS[net][1], TEXT if net == "char" else data, env)
    for row in rows:
        row["median"] = statistics.median(row["ms"])
        del row["command"], row["env"]
    peers = [row["median"] for row in rows if row["name"].startswith("PyTorch")]
    for row in rows:
        row["ratio"] = min(peers) / row["median"] if peers else None
    return rows


def cells(row):
    figures = [row["median"], min(row["ms"]), max(row["ms"]), row["ratio"]]
    score = [f"{row['last']['test_loss']:.3f}", f"{100 * row['last']['test_accuracy']:.1f} %"]
    return [row["name"]] + [cell(figure, ".2f") for figure in figures] + score


def table(net, rows):
    return [[NETS[net][0]] + HEAD] + [cells(row) for row in rows]
