#!/usr/bin/python3
"""Records what PyTorch's averages of weights do: writes average.inc beside this file.

A net with a batch norm on 20 samples, SGD with momentum, five epochs of five batches. AveragedModel
is updated after every update (EMA) or at ends of epochs (SWA); at each epoch's end a copy of it goes
through update_bn and is evaluated. Run it with PyTorch 1.13 (Debian's python3-torch) and every
OPENBLAS_* and OMP_* variable unset.
"""
import copy
import pathlib

import torch
from torch.optim.swa_utils import AveragedModel, update_bn

torch.set_num_threads(1)
EPOCHS = 5
COUNT = 20


def world():
    """The data of world.h."""
    labels = [(i * 5 + 1) % 3 for i in range(COUNT)]
    pixels = [[(200 if j == labels[i] else 20) + (i * 31 + j * 17) % 50 for j in range(4)]
              for i in range(COUNT)]
    return torch.tensor(pixels, dtype=torch.float32) / 255, torch.tensor(labels)


def numbers(values):
    texts = [f"{v:.9g}" for v in values]
    texts = [t + ("f" if "." in t or "e" in t else ".0f") for t in texts]
    lines = [", ".join(texts[i:i + 6]) for i in range(0, len(texts), 6)]
    return "{\n     " + ",\n     ".join(lines) + "}"


def make():
    torch.manual_seed(5)
    return torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.BatchNorm1d(5),
                               torch.nn.Linear(5, 3))


def train(text, average_of, start, by_epoch):
    data, labels = world()
    batches = [(data[i:i + 4], labels[i:i + 4]) for i in range(0, COUNT, 4)]
    model = make()
    criterion = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    average = AveragedModel(model, avg_fn=average_of)
    losses, step = [], 0
    for epoch in range(1, EPOCHS + 1):
        for x, y in batches:
            optimizer.zero_grad()
            criterion(model(x), y).backward()
            optimizer.step()
            step += 1
            if not by_epoch and step > start:
                average.update_parameters(model)
        if by_epoch and epoch > start:
            average.update_parameters(model)
        begun = average.n_averaged > 0
        shown = copy.deepcopy(average.module if begun else model)
        if begun:
            update_bn(batches, shown)
        shown.eval()
        with torch.no_grad():
            losses.append(criterion(shown(data), labels).item())
    values = torch.cat([p.detach().reshape(-1) for p in shown.parameters()]).tolist()
    norm = shown[2]
    return "\n".join([
        "    {", f'     "{text}",', f"     {numbers(losses)},", f"     {numbers(values)},",
        f"     {numbers(norm.running_mean.tolist())},",
        f"     {numbers(norm.running_var.tolist())}}},"])


def main():
    initial = torch.cat([p.detach().reshape(-1) for p in make().parameters()]).tolist()
    lines = [f"/* Made by average.py with PyTorch {torch.__version__}. */",
             f"static const float initial[VALUES] = {numbers(initial)};",
             "static const recorded cases[] = {",
             train("SWA()", None, 0, True),
             train("SWA(start=2ep)", None, 2, True),
             train("EMA(decay=0.9)", lambda a, p, n: 0.9 * a + 0.1 * p, 0, False),
             train("EMA(decay=0.75, start=7st)", lambda a, p, n: 0.75 * a + 0.25 * p, 7, False),
             "};"]
    path = pathlib.Path(__file__).resolve().parent / "average.inc"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
