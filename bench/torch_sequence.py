"""bench/torch_sequence.py - PyTorch's side of the comparison on sequences: see anneal_sequence.c.

  torch_sequence.py char|lstm THREADS STEPS

The transformer is written as nanoGPT writes it for PyTorch 1.13 (without a fused attention).
"""
import json
import math
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

WHAT, THREADS, STEPS = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
ROUNDS, BATCHES = 5, 16
torch.set_num_threads(THREADS)
torch.manual_seed(1)


class Attention(nn.Module):
    def __init__(self, width, heads, context):
        super().__init__()
        self.qkv, self.out, self.heads = nn.Linear(width, 3 * width), nn.Linear(width, width), heads
        self.register_buffer("mask", torch.tril(torch.ones(context, context))[None, None])

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = (y.view(b, t, self.heads, -1).transpose(1, 2) for y in self.qkv(x).split(c, 2))
        scores = q @ k.transpose(-2, -1) / math.sqrt(c // self.heads)
        scores = scores.masked_fill(self.mask[:, :, :t, :t] == 0, float("-inf"))
        return self.out((F.softmax(scores, -1) @ v).transpose(1, 2).contiguous().view(b, t, c))


class Block(nn.Module):
    def __init__(self, width, heads, context):
        super().__init__()
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads, context)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        x = x + self.attention(self.first(x))
        return x + self.mlp(self.second(x))


class Char(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.places = nn.Embedding(65, 128), nn.Embedding(64, 128)
        self.blocks = nn.Sequential(*(Block(128, 4, 64) for _ in range(4)))
        self.norm, self.head = nn.LayerNorm(128), nn.Linear(128, 65)

    def forward(self, x):
        x = self.tokens(x) + self.places(torch.arange(x.shape[1]))
        return self.head(self.norm(self.blocks(x))).view(-1, 65)


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(28, 128, batch_first=True), nn.Linear(128, 10)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


if WHAT == "char":
    model = Char()
    optimizer = torch.optim.AdamW(model.parameters())
    data = [(torch.randint(65, (12, 64)), torch.randint(65, (12 * 64,))) for _ in range(BATCHES)]
else:
    model = Lstm()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    data = [(torch.rand(64, 28, 28), torch.randint(10, (64,))) for _ in range(BATCHES)]


def step(i):
    x, y = data[i % BATCHES]
    loss = F.cross_entropy(model(x), y)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    if WHAT == "char":
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss


for i in range(10):
    loss = step(i)
medians = []
for _ in range(ROUNDS):
    times = []
    for i in range(STEPS):
        start = time.perf_counter()
        loss = step(i)
        times.append(time.perf_counter() - start)
    medians.append(round(1e3 * sorted(times)[STEPS // 2], 4))
print(json.dumps({"milliseconds": medians, "loss": round(float(loss), 5)}))
