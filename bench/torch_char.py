#!/usr/bin/env python3
"""PyTorch's twin of examples/char-gpt.yaml: the same net from the same distributions, optimizer,
schedule, batches (other random ones) and steps, over the same parts of the text.

    torch_char.py TEXT [SEED, default 1] [STEPS, default 2000]

Prints one JSON object: the loss on the validation and on the test part after the last step.
docs/results.md has what came out. Not for timing: bench/torch_sequence.py is.
"""
import json
import math
import pathlib
import sys

import torch
from torch.nn import functional as F

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "parity"))
from torch_layers import model_of  # noqa: E402  (needs the line above)

CONTEXT, BATCH, WIDTH, WARM_UP = 64, 12, 128, 100


def layers(classes):
    block = [f"Residual(LayerNorm({WIDTH}), MultiheadAttention({WIDTH}, 4, causal=True))",
             f"Residual(LayerNorm({WIDTH}), Linear({WIDTH}, {4 * WIDTH}), GELU(), "
             f"Linear({4 * WIDTH}, {WIDTH}))"]
    return [f"Embedding({classes}, {WIDTH})", f"PositionalEmbedding({CONTEXT}, {WIDTH})",
            *(4 * block), f"LayerNorm({WIDTH})", f"Linear({WIDTH}, {classes}, bias=False)"]


def parts(tokens):
    """Where the samples of the three parts begin, as Anneal cuts a text: a twentieth for the test
    at the end, before it a twentieth of the rest for the validation, and a sample's gap before each."""
    samples = len(tokens) // CONTEXT - 1
    test = math.floor(0.05 * samples + 0.5)
    rest = samples - test - 1
    validation = math.floor(0.05 * rest + 0.5)
    train = rest - validation - 1
    rows = torch.arange(samples) * CONTEXT
    return rows[:train], rows[train + 1:rest], rows[samples - test:]


def batch_of(tokens, rows):
    places = rows[:, None] + torch.arange(CONTEXT)
    return tokens[places], tokens[places + 1]


def loss_of(model, tokens, rows):
    x, y = batch_of(tokens, rows)
    return F.cross_entropy(model(x).flatten(0, 1), y.flatten())


def batches(rows):
    """A new order and another beginning every epoch."""
    while True:
        shift = torch.randint(CONTEXT, ())
        yield from (rows[torch.randperm(len(rows))] + shift).split(BATCH)


def rate(step, steps):
    if step < WARM_UP:
        return 0.01 + 0.99 * step / WARM_UP
    return 0.1 + 0.45 * (1 + math.cos(math.pi * (step - WARM_UP) / (steps - WARM_UP)))


def evaluate(model, tokens, rows):
    with torch.no_grad():
        total = sum(loss_of(model, tokens, part).item() * len(part) for part in rows.split(64))
    return total / len(rows)


def main():
    text = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
    seed, steps = (int((sys.argv[2:] + [""] * 2)[i] or value) for i, value in ((0, 1), (1, 2000)))
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    characters = {c: i for i, c in enumerate(sorted(set(text)))}
    tokens = torch.tensor([characters[c] for c in text])
    train, validation, test = parts(tokens)
    model = model_of(layers(73))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.001, betas=(0.9, 0.99), weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step, steps))
    for _, rows in zip(range(steps), batches(train)):
        optimizer.zero_grad(set_to_none=True)
        loss_of(model, tokens, rows).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    print(json.dumps({"validation_loss": evaluate(model, tokens, validation),
                      "test_loss": evaluate(model, tokens, test), "steps": steps, "seed": seed,
                      "parameters": sum(p.numel() for p in model.parameters())}))


main()
