#!/usr/bin/python3
"""Records what PyTorch's optimizers do: writes updates.inc and trajectories.inc beside this file.

updates.inc        float32: 100 recorded gradients of four parameters, some absent at times, fed to
                   torch.optim under changing rates; the parameters after 1, 10 and 100 steps
trajectories.inc   float64: gradients computed from the parameters (a badly conditioned quadratic
                   and a small logistic regression); the parameters after 1, 10 and 100 steps

Run it with PyTorch 1.13 (Debian's python3-torch) and every OPENBLAS_* and OMP_* variable unset.
"""
import fnmatch
import itertools
import pathlib

import torch

torch.set_num_threads(1)
FOLDER = pathlib.Path(__file__).resolve().parent
STEPS = 100
AFTER = (1, 10, 100)
PARAMS = {"a.weight": 7, "a.bias": 3, "b.weight": 8, "b.bias": 1}
VALUES = sum(PARAMS.values())
ABSENT = [0] * STEPS  # bit i: parameter i has no gradient
for step in range(STEPS):
    ABSENT[step] |= 2 if step < 3 else 0
    ABSENT[step] |= 4 if step % 7 == 3 else 0
    ABSENT[step] |= 15 if step == 50 else 0


def combinations(name, first, table):
    """Every combination of options as canonical text: what is None is left out."""
    for values in itertools.product(*table.values()):
        options = {k: v for k, v in zip(table, values) if v is not None}
        if options.get("nesterov") and not options.get("momentum"):
            continue
        if "dampening" in options and ("nesterov" in options or "momentum" not in options):
            continue
        yield f"{name}({first}" + "".join(f", {k}={v}" for k, v in options.items()) + ")"


TEXTS = [
    *combinations("SGD", "lr=0.05", {
        "momentum": [None, 0.9], "dampening": [None, 0.1], "weight_decay": [None, 0.01],
        "nesterov": [None, True], "maximize": [None, True]}),
    *combinations("Adam", "lr=0.01", {
        "weight_decay": [None, 0.01], "amsgrad": [None, True], "maximize": [None, True]}),
    *combinations("AdamW", "lr=0.01", {
        "weight_decay": [None, 0.1], "amsgrad": [None, True], "maximize": [None, True]}),
    "Adam(lr=0.02, betas=(0.8, 0.95), eps=0.001)",
    "AdamW(lr=0.002, betas=(0, 0.5), eps=1e-05, weight_decay=0)",
]
GROUPED = [
    "SGD([dict(params='*.bias', weight_decay=0)], lr=0.05, momentum=0.9, weight_decay=0.01)",
    "SGD([dict(params='a.*', lr=0.01, nesterov=True), dict(params='?.weight', momentum=0)], "
    "lr=0.05, momentum=0.9)",
    "Adam([dict(params='b.*', betas=(0.5, 0.9), amsgrad=True)], lr=0.01)",
    "AdamW([dict(params='*.bias', lr=0.1, weight_decay=0), dict(params='*.weight', eps=0.01)], "
    "lr=0.01)",
]


def build(text, tensors):
    """The optimizer that `text` describes, over named tensors."""
    name, arguments = text.split("(", 1)
    left = dict(tensors)

    def make(groups=None, **options):
        result = []
        for group in groups or []:
            names = [n for n in left if fnmatch.fnmatchcase(n, group["params"])]
            result.append({**group, "params": [left.pop(n) for n in names]})
        if left:
            result.append({"params": list(left.values())})
        return getattr(torch.optim, name)(result, **options)

    return eval("make(" + arguments, {"make": make, "dict": dict, "True": True})


def drive(optimizer, initial, step):
    """What a schedule might write into the groups before `step`, the same in the test."""
    for group, lr in zip(optimizer.param_groups, initial):
        group["lr"] = lr * (1 + step % 10) / 10
        if step == 40:
            group["weight_decay"] = group["weight_decay"] * 2
        if step == 60 and "momentum" in group:
            group["momentum"] = group["momentum"] * 0.5
        if step == 60 and "betas" in group:
            group["betas"] = (group["betas"][0] * 0.5, group["betas"][1])


def rows(values, form, per_line):
    texts = [form(v) for v in values]
    lines = [", ".join(texts[i:i + per_line]) for i in range(0, len(texts), per_line)]
    return ",\n     ".join(lines)


def float_form(value):
    text = f"{value:.9g}"
    return text + ("f" if "." in text or "e" in text else ".0f")


def double_form(value):
    return f"{value:.17g}"


def write_case(out, text, snapshots, form, per_line):
    lines = ["    {"]
    quoted = text if len(text) < 80 else text.replace("], ", '], "\n     "', 1)
    lines.append(f'     "{quoted}",')
    body = ",\n     ".join("{" + rows(s, form, per_line) + "}" for s in snapshots)
    lines.append("     {" + body + "}},")
    out.append("\n".join(lines))


def float_vectors():
    generator = torch.Generator().manual_seed(13)
    steps = torch.randn(STEPS, VALUES, generator=generator).mul(4096).round().clamp(-32768, 32767)
    # A gradient that differs in size from value to value and has exact zeros.
    steps = (steps * torch.logspace(-2, 0, VALUES)).round()
    gradients = (steps / 8192).float()
    # Away from zero: near it a relative comparison would measure cancellation.
    initial = torch.empty(VALUES).uniform_(-1, 1, generator=generator)
    initial = initial + initial.sign()
    out = [f"/* Made by vectors.py with PyTorch {torch.__version__}. Gradients are in 1/8192. */",
           "static const short gradients[STEPS][VALUES] = {"]
    for step in steps.int().tolist():
        out.append("    {" + rows(step, str, 10) + "},")
    out.append("};")
    out.append("static const unsigned char absent[STEPS] = {\n     "
               + rows(ABSENT, str, 25) + "};")
    out.append("static const float initial[VALUES] = {\n     "
               + rows(initial.tolist(), float_form, 6) + "};")
    out.append("static const update_case cases[] = {")
    for text in TEXTS + GROUPED:
        parts = initial.clone().split(list(PARAMS.values()))
        tensors = {n: torch.nn.Parameter(p.clone()) for n, p in zip(PARAMS, parts)}
        optimizer = build(text, tensors)
        rates = [g["lr"] for g in optimizer.param_groups]
        snapshots = []
        for step in range(STEPS):
            drive(optimizer, rates, step)
            grads = gradients[step].split(list(PARAMS.values()))
            for index, tensor in enumerate(tensors.values()):
                tensor.grad = None if ABSENT[step] >> index & 1 else grads[index].clone()
            optimizer.step()
            if step + 1 in AFTER:
                snapshots.append(torch.cat([t.detach() for t in tensors.values()]).tolist())
        write_case(out, text, snapshots, float_form, 6)
    out.append("};")
    (FOLDER / "updates.inc").write_text("\n".join(out) + "\n")


def problem_gradient(p):
    """The two problems of double.c: five values of a quadratic, three of a logistic regression."""
    curvature = torch.tensor([1e-4, 1e-2, 0.1, 0.5, 1.0], dtype=torch.float64)
    target = torch.tensor([3.0, -2.0, 1.0, 0.5, -1.0], dtype=torch.float64)
    x = torch.tensor([[1.0, 0.5, -1.0], [1.0, -1.5, 0.25], [1.0, 2.0, 0.75], [1.0, -0.5, 1.5],
                      [1.0, 0.25, -2.0], [1.0, -1.0, -0.5]], dtype=torch.float64)
    y = torch.tensor([1.0, 0.0, 1.0, 0.0, 1.0, 0.0], dtype=torch.float64)
    z = x[:, 0] * p[5] + x[:, 1] * p[6] + x[:, 2] * p[7]
    error = 1 / (1 + torch.exp(-z)) - y
    logistic = (error[:, None] * x).sum(0) / 6
    return torch.cat([curvature * (p[:5] - target), logistic])


def double_trajectories():
    out = [f"/* Made by vectors.py with PyTorch {torch.__version__}. */",
           "static const trajectory cases[] = {"]
    for text in TEXTS:
        p = torch.nn.Parameter(torch.tensor([0.5, -0.25, 2.0, -1.0, 0.75, 0.1, -0.2, 0.3],
                                            dtype=torch.float64))
        optimizer = build(text, {"p": p})
        rates = [g["lr"] for g in optimizer.param_groups]
        snapshots = []
        for step in range(STEPS):
            drive(optimizer, rates, step)
            p.grad = problem_gradient(p.detach())
            optimizer.step()
            if step + 1 in AFTER:
                snapshots.append(p.detach().tolist())
        write_case(out, text, snapshots, double_form, 4)
    out.append("};")
    (FOLDER / "trajectories.inc").write_text("\n".join(out) + "\n")


float_vectors()
double_trajectories()
