#!/usr/bin/env python3
"""PyTorch's side of the comparison: the same training as bound.c and anneal_mlp.c.

    torch_mlp.py SHAPE THREADS EPOCHS FOLDER    SHAPE: small (784-128-10) or large (784-512-512-10)

Prints one JSON object: seconds of each epoch, loss and accuracy on the test images, and which BLAS
computed. How many threads BLAS may use is OPENBLAS_NUM_THREADS's business.

The formulation is the fastest of those that we measured (docs/performance.md): pixels as normalised
floats in memory, index_select by a slice of one random order per epoch, gradients set to None, no
value read back within an epoch.
"""
import ctypes
import gzip
import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

SHAPES = {"small": ([784, 128, 10], 64), "large": ([784, 512, 512, 10], 128)}
WARM_UP_STEPS = 100


def read_idx(path, head):
    with gzip.open(path, "rb") as file:
        return torch.frombuffer(bytearray(file.read()[head:]), dtype=torch.uint8)


def load(folder, part):
    pixels = read_idx(f"{folder}/{part}-images-idx3-ubyte.gz", 16)
    labels = read_idx(f"{folder}/{part}-labels-idx1-ubyte.gz", 8)
    x = pixels.reshape(-1, 784).to(torch.float32).div_(255).sub_(0.1307).div_(0.3081)
    return x, labels.to(torch.int64)


def build(sizes):
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers[:-1])


def epoch(model, optimizer, x, y, batch, steps):
    start = time.perf_counter()
    order = torch.randperm(len(x)).split(batch)
    for index in order[:steps]:
        optimizer.zero_grad(set_to_none=True)
        logits = model(x.index_select(0, index))
        F.cross_entropy(logits, y.index_select(0, index)).backward()
        optimizer.step()
    return time.perf_counter() - start


def blas_core():
    """What OpenBLAS says it runs on, or the name of the library that was loaded instead."""
    with open("/proc/self/maps", encoding="utf-8") as maps:
        paths = {line.split()[-1] for line in maps if "blas" in line.split()[-1]}
    for path in sorted(paths, key=lambda name: "openblas" not in name):
        library = ctypes.CDLL(path)
        if hasattr(library, "openblas_get_corename"):
            library.openblas_get_corename.restype = ctypes.c_char_p
            library.openblas_get_config.restype = ctypes.c_char_p
            config = library.openblas_get_config().decode()
            return library.openblas_get_corename().decode(), " ".join(config.split()[:2])
    return "none", "not OpenBLAS: " + (", ".join(sorted(paths)) or "unknown")


def main():
    shape, threads, epochs, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    sizes, batch = SHAPES[shape]
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    x, y = load(folder, "train")
    model = build(sizes)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, foreach=True)
    epoch(model, optimizer, x, y, batch, WARM_UP_STEPS)
    seconds = [epoch(model, optimizer, x, y, batch, None) for _ in range(epochs)]
    x, y = load(folder, "t10k")
    with torch.no_grad():
        logits = model(x)
        loss = F.cross_entropy(logits, y).item()
        accuracy = (logits.argmax(1) == y).double().mean().item()
    core, blas = blas_core()
    print(json.dumps({"seconds": seconds, "test_loss": round(loss, 4),
                      "test_accuracy": round(accuracy, 4), "torch": torch.__version__,
                      "blas": blas, "core": core, "threads": torch.get_num_threads()}))


if __name__ == "__main__":
    main()
