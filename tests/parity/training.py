#!/usr/bin/env python3
"""Trains three small nets for 100 steps in PyTorch and records what Anneal needs to do the same.

    tests/parity/training.py                        the recordings beside this file, seed 1
    tests/parity/training.py --against PROGRAM      fresh ones of a random seed, and runs PROGRAM,
                                                    which is training.c, on them

NAME.txt      the layers, optimizer and schedule; a line a step: the loss before it, and the samples
              (numbers of MNIST's first training images, or where they begin in the text)
NAME.weights  PyTorch's initial weights, as safetensors

training.c reads both, trains likewise and compares the losses. genesis.txt is the beginning of the
King James Bible, as Debian's bible-kjv prints it.

The trainings are gentle: at greater rates a rounding that moves the maximum of a pool to another
pixel grows so fast that PyTorch in float32 is further than 1e-4 from PyTorch in float64.
"""
import argparse
import gzip
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

import torch
from torch.nn import functional as F

from torch_layers import made, model_of

HERE = pathlib.Path(__file__).resolve().parent
STEPS, IMAGES = 100, 1000

TEXT = (HERE / "genesis.txt").read_text(encoding="ascii")
VOCABULARY = sorted(set(TEXT))
BLOCK = ["Residual(LayerNorm(24), MultiheadAttention(24, 4, causal=True))",
         "Residual(LayerNorm(24), Linear(24, 96), GELU(), Linear(96, 24))"]

TRAININGS = {
    "mlp": {
        "data": "images", "batch": 16, "clip": 0,
        "layers": ["Flatten()", "Linear(784, 16)", "ReLU()", "Linear(16, 10)"],
        "optimizer": "SGD(lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.0005)",
        "schedule": "OneCycleLR(max_lr=0.05, total_steps=100)"},
    "cnn": {
        "data": "images", "batch": 32, "clip": 0,
        "layers": ["Conv2d(1, 8, 3)", "BatchNorm2d(8)", "ReLU()", "MaxPool2d(2)",
                   "Conv2d(8, 16, 3, padding=1)", "Tanh()", "AvgPool2d(2)", "Flatten()",
                   "Linear(576, 10)"],
        "optimizer": "SGD(lr=0.002, momentum=0.9)",
        "schedule": "StepLR(step_size=30, gamma=0.5)"},
    "transformer": {
        "data": "text", "batch": 8, "context": 16, "clip": 1,
        "layers": [f"Embedding({len(VOCABULARY)}, 24)", "PositionalEmbedding(16, 24)", *BLOCK,
                   *BLOCK, "LayerNorm(24)", f"Linear(24, {len(VOCABULARY)})"],
        "optimizer": "AdamW(lr=0.003, betas=(0.9, 0.99), weight_decay=0.1)",
        "schedule": "SequentialLR([LinearLR(start_factor=0.1, total_iters=10), "
                    "CosineAnnealingLR(T_max=90)], milestones=[10])"},
}


def read_idx(name, head, count):
    path = HERE.parent.parent / "data" / "mnist" / name
    with gzip.open(path, "rb") as file:
        return torch.frombuffer(bytearray(file.read(head + count)[head:]), dtype=torch.uint8)


def images():
    """batch_of for numbers of images."""
    x = read_idx("train-images-idx3-ubyte.gz", 16, IMAGES * 784).reshape(-1, 1, 28, 28)
    y = read_idx("train-labels-idx1-ubyte.gz", 8, IMAGES).long()
    x = (x.float() / 255 - 0.1307) / 0.3081
    return lambda index: (x[index], y[index]), IMAGES


def text(context):
    """batch_of for places in the text."""
    tokens = torch.tensor([VOCABULARY.index(c) for c in TEXT])
    places = torch.arange(context)
    return (lambda index: (tokens[index[:, None] + places], tokens[index[:, None] + places + 1]),
            len(TEXT) - context)


def scheduler_of(call, optimizer):
    """A scheduler; those within a SequentialLR are made one by one."""
    if not call.startswith("SequentialLR"):
        return made(call, torch.optim.lr_scheduler, optimizer)

    def bind(name):
        return lambda **options: getattr(torch.optim.lr_scheduler, name)(optimizer, **options)
    inner = {name: bind(name) for name in ("LinearLR", "CosineAnnealingLR")}
    arguments = call.split("(", 1)[1]
    return eval(f"make(optimizer, {arguments}", {
        "make": torch.optim.lr_scheduler.SequentialLR, "optimizer": optimizer, **inner})


def write_weights(path, tensors):
    """safetensors: the header's length, the header, the tensors one after another."""
    header, parts, at = {}, [], 0
    for name, tensor in tensors.items():
        data = tensor.detach().contiguous().numpy().tobytes()
        kind = {torch.float32: "F32", torch.int64: "I64"}[tensor.dtype]
        header[name] = {"dtype": kind, "shape": list(tensor.shape),
                        "data_offsets": [at, at + len(data)]}
        parts.append(data)
        at += len(data)
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    path.write_bytes(struct.pack("<Q", len(head)) + head + b"".join(parts))


def train(name, folder, seed):
    what = TRAININGS[name]
    torch.manual_seed(seed)
    model = model_of(what["layers"])
    write_weights(folder / f"{name}.weights", model.state_dict())
    optimizer = made(what["optimizer"], torch.optim, model.parameters())
    scheduler = scheduler_of(what["schedule"], optimizer)
    batch_of, count = images() if what["data"] == "images" else text(what["context"])
    context = f" {what['context']}" if "context" in what else ""
    lines = [f"# Written by training.py with PyTorch {torch.__version__}, seed {seed}.",
             f"data {what['data']}{context}", *(f"layer {layer}" for layer in what["layers"]),
             f"optimizer {what['optimizer']}", f"schedule {what['schedule']}",
             f"clip {what['clip']}"]
    for _ in range(STEPS):
        index = torch.randperm(count)[:what["batch"]]
        x, y = batch_of(index)
        logits = model(x)
        loss = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), y.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        if what["clip"]:
            torch.nn.utils.clip_grad_norm_(model.parameters(), what["clip"])
        optimizer.step()
        scheduler.step()
        lines.append(f"step {loss.item():.9g} " + " ".join(map(str, index.tolist())))
    (folder / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="ascii")


def record(folder, seed):
    for name in TRAININGS:
        train(name, folder, seed)


def live(program, seed):
    """Whether PROGRAM agrees with PyTorch on recordings of this moment."""
    print(f"trainings: {STEPS} steps of {', '.join(TRAININGS)} against PyTorch "
          f"{torch.__version__}, seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        record(pathlib.Path(folder), seed)
        return subprocess.run([program, folder], check=False).returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--against", metavar="PROGRAM")
    parser.add_argument("--seed", type=int)
    args = parser.parse_args()
    torch.set_num_threads(1)
    if not args.against:
        record(HERE, args.seed or 1)
    elif not live(args.against, args.seed or random.SystemRandom().randrange(10**9)):
        sys.exit(1)


main()
