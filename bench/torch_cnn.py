#!/usr/bin/env python3
"""PyTorch's side of the comparison of convolutional nets: the same training as anneal_cnn.c.

    torch_cnn.py NET THREADS STEPS FOLDER    NET: cnn or lenet (both are in NETS below)

Prints one JSON object: seconds of each run of STEPS updates at batch 64, loss and accuracy on the
test images, and which libraries computed. How many threads BLAS may use is OPENBLAS_NUM_THREADS's
business; oneDNN, which computes the convolutions, follows torch's threads.

The formulation is the fastest of those that we measured, as in torch_mlp.py.
"""
import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

from torch_mlp import blas_core, load

BATCH = 64
WARM_UP_STEPS = 50
RUNS = 3


def cnn():
    """The net of PyTorch's MNIST example, without its Dropout."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(inplace=True), nn.Conv2d(32, 64, 3), nn.ReLU(inplace=True),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(inplace=True),
        nn.Linear(128, 10))


def lenet():
    """LeNet-5 as it is taught today: 28x28 images, padded to the paper's 32x32."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(),
        nn.AvgPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84),
        nn.Tanh(), nn.Linear(84, 10))


NETS = {"cnn": cnn, "lenet": lenet}


def run(model, optimizer, x, y, steps):
    start = time.perf_counter()
    order = torch.randperm(len(x)).split(BATCH)
    for index in order[:steps]:
        optimizer.zero_grad(set_to_none=True)
        logits = model(x.index_select(0, index))
        F.cross_entropy(logits, y.index_select(0, index)).backward()
        optimizer.step()
    return time.perf_counter() - start


def evaluate(model, x, y):
    with torch.no_grad():
        logits = torch.cat([model(part) for part in x.split(1000)])
        return F.cross_entropy(logits, y).item(), (logits.argmax(1) == y).double().mean().item()


def main():
    net, threads, steps, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    x, y = load(folder, "train")
    x = x.reshape(-1, 1, 28, 28)
    model = NETS[net]()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, foreach=True)
    run(model, optimizer, x, y, WARM_UP_STEPS)
    seconds = [run(model, optimizer, x, y, steps) for _ in range(RUNS)]
    x, y = load(folder, "t10k")
    loss, accuracy = evaluate(model, x.reshape(-1, 1, 28, 28), y)
    core, blas = blas_core()
    print(json.dumps({"seconds": seconds, "test_loss": round(loss, 4),
                      "test_accuracy": round(accuracy, 4), "torch": torch.__version__,
                      "blas": blas, "core": core, "threads": torch.get_num_threads()}))


main()
