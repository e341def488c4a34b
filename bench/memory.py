"""The last table of bench/run.py: what a training keeps in memory, computed and measured.

Computed as docs/performance.md says, from shapes alone: parameters times 2 and the optimizer's
vectors, what the forward pass keeps, the gradients alive at once, the data. Measured: the most that
the process held (VmHWM) without its code (RssFile) and what it had when it began; of PyTorch,
without what it has once it is imported.
"""
import glob
import json
import os
import subprocess
import sys
import tempfile

from nets import TEXT
from tables import cell, run

HERE = os.path.dirname(os.path.abspath(__file__))
HEAD = ["memory of a training, MB", "parameters", "kept", "gradients", "data", "computed",
        "Anneal", "Anneal / computed", "PyTorch"]
PIXELS, IMAGES, TRAINING, WIDTH, CONTEXT, HIDDEN = 784, 70000, 60000, 128, 64, 128

# Floats for each sample: every output but those of ReLU, Tanh (computed in place of their input's),
# Flatten and Select's like; the maxima's places (half a float each); the loss keeps its softmax.
CNN = (32 * 26 * 26, 64 * 24 * 24, 64 * 12 * 12)
LENET = (6 * 28 * 28, 6 * 14 * 14, 16 * 10 * 10, 16 * 5 * 5, 120, 84)
# norm, q k v, heads' values, weights of 4 heads, out, sum; norm, 4 times as wide, GELU, out, sum
BLOCK = WIDTH * (1 + 3 + 1 + 1 + 1) + 4 * CONTEXT + WIDTH * (1 + 4 + 4 + 1 + 1)
# batch, the optimizer's vectors, kept and gradients alive at once (both in floats a sample)
NETS = {
    "small": (64, 1, 128 + 2 * 10, 128),
    "large": (128, 1, 2 * 512 + 2 * 10, 2 * 512),
    "cnn": (64, 1, sum(CNN) + CNN[2] // 2 + 128 + 2 * 10, CNN[0] + CNN[1]),
    "lenet": (64, 1, sum(LENET) + 2 * 10, LENET[0] + LENET[1]),
    # four gates, the cells, the states before and after each step
    "lstm": (64, 1, 28 * HIDDEN * (4 + 1 + 2) + HIDDEN + 2 * 10, 28 * HIDDEN),
    # the gradient of the residual stream beside those of the wide layer
    "char": (12, 2, CONTEXT * (2 * WIDTH + 4 * BLOCK + WIDTH + 2 * 65), CONTEXT * WIDTH * (1 + 4)),
}


def computed(net, parameters):
    """Megabytes: of the parameters, kept, of the gradients, of the data."""
    batch, states, kept, gradients = NETS[net]
    if net == "char":
        data = 2 * os.path.getsize(TEXT)
    else:  # bytes and labels, the order of an epoch, a batch
        data = IMAGES * (PIXELS + 4) + 4 * TRAINING + 4 * batch * PIXELS
    parts = [4 * parameters * (2 + states), 4 * batch * kept, 4 * batch * gradients, data]
    return [part / 1e6 for part in parts]


def library_size(build):
    """Megabytes of libanneal.so without its symbols; None where it or strip is missing."""
    found = sorted(glob.glob(os.path.join(build, "src", "libanneal.so.*.*.*")))
    with tempfile.NamedTemporaryFile() as stripped:
        done = found and subprocess.run(["strip", "-o", stripped.name, found[0]], check=False)
        return os.path.getsize(stripped.name) / 1e6 if done and done.returncode == 0 else None


def measure(build, python, data, env):
    """A list of rows; `python` None: without PyTorch."""
    rows = []
    for net in NETS:
        how = [net, "1", "1", "10", TEXT if net == "char" else data]
        anneal = json.loads(run([os.path.join(build, "bench", "anneal_nets")] + how, env))
        torch = None
        if python:
            command = [python, os.path.join(HERE, "torch_nets.py")] + how
            torch = json.loads(run(command, {**env, "OPENBLAS_NUM_THREADS": "1"}))["memory"] / 1e6
        rows.append({"net": net, "computed": computed(net, anneal["parameters"]),
                     "anneal": anneal["memory"] / 1e6, "torch": torch})
        print(f"memory, {net}: {rows[-1]['anneal']:.1f} MB", file=sys.stderr)
    return {"nets": rows, "library": library_size(build)}


def cells(row):
    total = sum(row["computed"])
    figures = [*row["computed"], total, row["anneal"]]
    return [row["net"], *(f"{figure:.1f}" for figure in figures),
            f"{row['anneal'] / total:.2f}", cell(row["torch"], ".1f")]


def table(result):
    library = ["libanneal.so, stripped"] + ["–"] * 5 + [cell(result["library"], ".2f"), "–", "–"]
    return [HEAD] + [cells(row) for row in result["nets"]] + [library]
