#!/usr/bin/python3
"""Records what PyTorch's optimizers do: writes updates.inc and trajectories.inc beside this file.

updates.inc        float32: 200 recorded gradients of four parameters, some absent at times, fed to
                   torch.optim under changing rates; the parameters after 1, 10 and 200 steps
trajectories.inc   float64: gradients computed from the parameters (a badly conditioned quadratic
                   and a net of 13 weights); the parameters after 1, 10 and 200 steps

Run it with PyTorch 1.13 (Debian's python3-torch) and every OPENBLAS_* and OMP_* variable unset.
"""
import fnmatch
import itertools
import pathlib

import torch

torch.set_num_threads(1)
FOLDER = pathlib.Path(__file__).resolve().parent
STEPS = 200
AFTER = (1, 10, 200)
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
    *combinations("RAdam", "lr=0.01", {"weight_decay": [None, 0.01]}),
    *combinations("Adamax", "lr=0.01", {"weight_decay": [None, 0.01], "maximize": [None, True]}),
    *combinations("Adagrad", "lr=0.1", {
        "lr_decay": [None, 0.01], "weight_decay": [None, 0.01],
        "initial_accumulator_value": [None, 0.1], "maximize": [None, True]}),
    *combinations("Adadelta", "lr=1", {"weight_decay": [None, 0.01], "maximize": [None, True]}),
    *combinations("RMSprop", "lr=0.001", {
        "weight_decay": [None, 0.01], "momentum": [None, 0.9], "centered": [None, True]}),
    *combinations("Rprop", "lr=0.01", {"maximize": [None, True]}),
    *combinations("ASGD", "lr=0.05", {
        "t0": [None, 20], "weight_decay": [None, 0.01], "maximize": [None, True]}),
    "RAdam(lr=0.01, betas=(0.5, 0.7), eps=0.001)",
    "Adamax(lr=0.01, betas=(0.5, 0.7), eps=0.001)",
    "Adadelta(lr=0.5, rho=0.5, eps=0.001)",
    "RMSprop(lr=0.01, alpha=0.5, eps=0.001, momentum=0.5, maximize=True)",
    "Rprop(lr=0.001, etas=(0.25, 1.5), step_sizes=(0.0001, 0.1))",
    "ASGD(lr=0.05, lambd=0.01, alpha=0.5)",
    "Adam(lr=0.005, betas=(0.8, 0.95), eps=0.001)",
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
        if step == 40 and "weight_decay" in group:
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


def write_case(out, text, snapshots, form, per_line, last=None):
    lines = ["    {"]
    quoted = text if len(text) < 80 else text.replace("], ", '], "\n     "', 1)
    lines.append(f'     "{quoted}",')
    if last:
        lines.append(f"     {last},")
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


# The problem of double.c: a quadratic of five values, and a net 2-3-1 with tanh on six points.
START = {
    "q": [0.5, -0.25, 2.0, -1.0, 0.75],
    "w1": [[0.5, -0.3], [-0.2, 0.4], [0.1, 0.6]],
    "b1": [0.1, -0.2, 0.05],
    "w2": [[0.7, -0.5, 0.3]],
    "b2": [0.15],
}
CURVATURE = [1e-4, 1e-2, 0.1, 0.5, 1.0]
TARGET = [3.0, -2.0, 1.0, 0.5, -1.0]
POINTS = [[0.5, -1.0], [-1.5, 0.25], [2.0, 0.75], [-0.5, 1.5], [0.25, -2.0], [-1.0, -0.5]]
WANTED = [1.0, -0.5, 0.25, 0.75, -1.0, 0.5]


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def problem(t):
    """The loss of the tensors by name. Who maximises is given its negative: to climb from it would
    blow every rounding up."""
    quadratic = (double(CURVATURE) * (t["q"] - double(TARGET)) ** 2).sum() / 2
    hidden = torch.tanh(double(POINTS) @ t["w1"].T + t["b1"])
    out = hidden @ t["w2"].T + t["b2"]
    return quadratic + ((out[:, 0] - double(WANTED)) ** 2).mean()


LBFGS = [
    "LBFGS(lr=0.5, max_iter=4)",
    "LBFGS(lr=0.2, max_iter=3, history_size=2)",
    "LBFGS(lr=1, max_iter=4, line_search_fn='strong_wolfe')",
    "LBFGS(lr=1, max_iter=5, max_eval=20, history_size=3, line_search_fn='strong_wolfe')",
]


def double_trajectories():
    out = [f"/* Made by vectors.py with PyTorch {torch.__version__}. */",
           "static const trajectory torch_cases[] = {"]
    for text in TEXTS + LBFGS:
        tensors = {n: torch.nn.Parameter(double(v)) for n, v in START.items()}
        optimizer = build(text, tensors)
        rates = [g["lr"] for g in optimizer.param_groups]

        def closure():
            optimizer.zero_grad(set_to_none=True)
            loss = -problem(tensors) if "maximize" in text else problem(tensors)
            loss.backward()
            return loss
        after = (1, 2, 5) if text in LBFGS else AFTER
        snapshots = []
        for step in range(after[-1]):
            if text not in LBFGS:
                drive(optimizer, rates, step)
            optimizer.step(closure)
            if step + 1 in after:
                flat = torch.cat([t.detach().reshape(-1) for t in tensors.values()])
                snapshots.append(flat.tolist())
        write_case(out, text, snapshots, double_form, 4, after[-1])
    out.append("};")
    (FOLDER / "trajectories.inc").write_text("\n".join(out) + "\n")


if __name__ == "__main__":
    float_vectors()
    double_trajectories()
