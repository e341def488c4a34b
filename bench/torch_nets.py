#!/usr/bin/env python3
"""PyTorch's side of the comparisons: the same trainings as anneal_nets.c.

    torch_nets.py NET THREADS ROUNDS STEPS FOLDER    NET: small, large, cnn, lenet, lstm or char

Prints one JSON object: the seconds of each round of STEPS updates (0: of a whole epoch), loss and
accuracy on the test images (char: on what it learned from), the most memory, and which libraries
computed. How many threads BLAS may use is OPENBLAS_NUM_THREADS's business; oneDNN, which computes
the convolutions, follows torch's threads.

The formulation is the fastest of those that we measured (docs/performance.md): pixels as normalised
floats in memory, index_select by a slice of one random order per epoch, gradients set to None, no
value read back within an epoch. The transformer is written as nanoGPT writes it for PyTorch 1.13,
and with the fused attention where PyTorch has one.
"""
import ctypes
import gzip
import json
import math
import pathlib
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

CONTEXT = 64


def memory_of(field):
    """A field of /proc/self/status in bytes; 0 where there is no such file."""
    status = pathlib.Path("/proc/self/status")
    lines = status.read_text(encoding="ascii").splitlines() if status.exists() else []
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith(field + ":"))


def read_idx(path, head):
    with gzip.open(path, "rb") as file:
        return torch.frombuffer(bytearray(file.read()[head:]), dtype=torch.uint8)


def images(folder, part, shape):
    pixels = read_idx(f"{folder}/{part}-images-idx3-ubyte.gz", 16)
    labels = read_idx(f"{folder}/{part}-labels-idx1-ubyte.gz", 8)
    x = pixels.reshape(-1, *shape).to(torch.float32).div_(255).sub_(0.1307).div_(0.3081)
    return x, labels.to(torch.int64)


def tokens_of(path):
    characters = pathlib.Path(path).read_text(encoding="utf-8")
    numbers = {c: i for i, c in enumerate(sorted(set(characters)))}
    return torch.tensor([numbers[c] for c in characters])


def samples(tokens, shift):
    """The text from `shift` on in samples side by side, each with what follows its characters."""
    rows = torch.arange(len(tokens) // CONTEXT - 1)[:, None] * CONTEXT + torch.arange(CONTEXT)
    return tokens[rows + shift], tokens[rows + shift + 1]


def perceptron(*sizes):
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers[:-1])


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


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(28, 128, batch_first=True), nn.Linear(128, 10)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.qkv, self.out, self.heads = nn.Linear(width, 3 * width), nn.Linear(width, width), heads
        self.register_buffer("mask", torch.tril(torch.ones(CONTEXT, CONTEXT))[None, None])

    def attend(self, q, k, v):
        if hasattr(F, "scaled_dot_product_attention"):
            return F.scaled_dot_product_attention(q, k, v, is_causal=True)
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
        return F.softmax(scores.masked_fill(self.mask == 0, float("-inf")), -1) @ v

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = (y.view(b, t, self.heads, -1).transpose(1, 2) for y in self.qkv(x).split(c, 2))
        return self.out(self.attend(q, k, v).transpose(1, 2).contiguous().view(b, t, c))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        x = x + self.attention(self.first(x))
        return x + self.mlp(self.second(x))


class Char(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.places = nn.Embedding(65, 128), nn.Embedding(CONTEXT, 128)
        self.blocks = nn.Sequential(*(Block(128, 4) for _ in range(4)))
        self.norm, self.head = nn.LayerNorm(128), nn.Linear(128, 65)

    def forward(self, x):
        x = self.tokens(x) + self.places(torch.arange(CONTEXT))
        return self.head(self.norm(self.blocks(x))).view(-1, 65)


# How a net is made, the shape of its images, its batch, and the updates that are not timed.
NETS = {
    "small": (lambda: perceptron(784, 128, 10), (784,), 64, 100),
    "large": (lambda: perceptron(784, 512, 512, 10), (784,), 128, 100),
    "cnn": (cnn, (1, 28, 28), 64, 50),
    "lenet": (lenet, (1, 28, 28), 64, 50),
    "lstm": (Lstm, (28, 28), 64, 50),
    "char": (Char, None, 12, 10),
}


class Training:
    def __init__(self, net, path):
        make, self.shape, self.batch, self.warm_up = NETS[net]
        self.path = path
        self.tokens = None if self.shape else tokens_of(path)
        self.x, self.y = self.data("train")
        self.model = make()
        parameters = self.model.parameters()
        self.optimizer = (torch.optim.SGD(parameters, lr=0.01, momentum=0.9, foreach=True)
                          if self.shape else torch.optim.AdamW(parameters))

    def data(self, part):
        if self.shape:
            return images(self.path, part, self.shape)
        return samples(self.tokens, 0)

    def batches(self):
        """Those of an epoch, in a new order; a text begins elsewhere, and only whole ones count."""
        order = torch.randperm(len(self.x)).split(self.batch)
        if self.shape:
            return order
        self.x, self.y = samples(self.tokens, torch.randint(CONTEXT, ()))
        return order[:-1]

    def step(self, index):
        self.optimizer.zero_grad(set_to_none=True)
        logits = self.model(self.x.index_select(0, index))
        F.cross_entropy(logits, self.y.index_select(0, index).view(-1)).backward()
        if not self.shape:
            nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()

    def run(self, steps):
        """Seconds of so many updates, epoch after epoch; 0: of one epoch."""
        start = time.perf_counter()
        left = steps
        while True:
            batches = self.batches()
            for index in batches[:left] if steps else batches:
                self.step(index)
            left -= len(batches)
            if left <= 0:
                return time.perf_counter() - start

    def score(self):
        x, y = self.data("t10k")
        with torch.no_grad():
            logits = torch.cat([self.model(part) for part in x.split(1000)])
            y = y.view(-1)
            return F.cross_entropy(logits, y).item(), (logits.argmax(1) == y).double().mean().item()


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
    net, threads, rounds, steps = sys.argv[1], *map(int, sys.argv[2:5])
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    before = memory_of("RssAnon")
    training = Training(net, sys.argv[5])
    training.run(training.warm_up)
    seconds = [training.run(steps) for _ in range(rounds)]
    memory = memory_of("VmHWM") - memory_of("RssFile") - before
    loss, accuracy = training.score()
    core, blas = blas_core()
    print(json.dumps({"seconds": seconds, "test_loss": round(loss, 4),
                      "test_accuracy": round(accuracy, 4), "torch": torch.__version__,
                      "memory": memory, "blas": blas, "core": core,
                      "threads": torch.get_num_threads()}))


main()
