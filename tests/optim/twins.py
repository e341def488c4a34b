#!/usr/bin/python3
"""Independent float64 twins of the optimizers that PyTorch 1.13 lacks, or has wrong (NAdam): writes
twins.inc (for double.c) and twin_updates.inc (for twins.c) beside this file.

Written from the papers and the formulas of the authors' packages, parameter by parameter, with
numpy alone; updates.inc (vectors.py) gives the recorded gradients. Run it with any Python 3 that
has numpy.
"""
import fnmatch
import pathlib
import re

import numpy as np

FOLDER = pathlib.Path(__file__).resolve().parent
STEPS = 200


# ----------------------------------------------------------------- the methods
# Each takes the whole model: names, arrays to change in place, gradients (None: absent), the group
# of each name (a dict of options), and a dict that it keeps its state in.

SINGLE = [False]  # whether the parameters themselves are float32, as PyTorch keeps them


def rounded(x):
    return x.astype(np.float32).astype(np.float64) if SINGLE[0] else x


def shrink(p, o):
    """Decoupled decay, a multiplication by itself as in PyTorch."""
    factor = 1 - o["lr"] * o["weight_decay"]
    p[...] = rounded(p * float(np.float32(factor) if SINGLE[0] else factor))


def each(names, p, grads, groups, state, start):
    """The parameters that have a gradient, with their own state and step count."""
    for name in names:
        if grads[name] is not None:
            own = state.setdefault(name, None)
            if own is None:
                own = state[name] = {"t": 0, **start(p[name])}
            own["t"] += 1
            yield p[name], grads[name], groups[name], own


def two_means(p):
    return {"m": np.zeros_like(p), "v": np.zeros_like(p)}


def decayed(p, g, o):
    """The gradient under coupled decay, after decoupled decay moved p."""
    g = -g if o.get("maximize") else g
    if o.get("decoupled_weight_decay"):
        shrink(p, o)
        return g
    return g + o["weight_decay"] * p


def nadam(names, p, grads, groups, state):
    for x, g, o, s in each(names, p, grads, groups, state, lambda p: {**two_means(p), "mu": 1.0}):
        b1, b2 = o["betas"]
        t, psi = s["t"], o["momentum_decay"]
        g = decayed(x, g, o)
        mu = b1 * (1 - 0.5 * 0.96 ** (t * psi))
        mu_next = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))
        s["mu"] *= mu
        s["m"] += (1 - b1) * (g - s["m"])
        s["v"] = b2 * s["v"] + (1 - b2) * g * g
        root = np.sqrt(s["v"] / (1 - b2 ** t)) + o["eps"]
        x -= o["lr"] * (1 - mu) / (1 - s["mu"]) * g / root
        x -= o["lr"] * mu_next / (1 - s["mu"] * mu_next) * s["m"] / root


def radam(names, p, grads, groups, state):
    for x, g, o, s in each(names, p, grads, groups, state, two_means):
        b1, b2 = o["betas"]
        t = s["t"]
        g = decayed(x, g, o)
        s["m"] += (1 - b1) * (g - s["m"])
        s["v"] = b2 * s["v"] + (1 - b2) * g * g
        most = 2 / (1 - b2) - 1
        rho = most - 2 * t * b2 ** t / (1 - b2 ** t)
        step = o["lr"] * s["m"] / (1 - b1 ** t)
        if rho > 5:
            r = np.sqrt((rho - 4) * (rho - 2) * most / ((most - 4) * (most - 2) * rho))
            step = step * r * np.sqrt(1 - b2 ** t) / (np.sqrt(s["v"]) + o["eps"])
        x -= step


def lion(names, p, grads, groups, state):
    for x, g, o, s in each(names, p, grads, groups, state, lambda p: {"m": np.zeros_like(p)}):
        b1, b2 = o["betas"]
        g = -g if o.get("maximize") else g
        shrink(x, o)
        x -= o["lr"] * np.sign(b1 * s["m"] + (1 - b1) * g)
        s["m"] = b2 * s["m"] + (1 - b2) * g


def lamb(names, p, grads, groups, state):
    for x, g, o, s in each(names, p, grads, groups, state, two_means):
        b1, b2 = o["betas"]
        g = -g if o.get("maximize") else g
        s["m"] = b1 * s["m"] + (1 - b1) * g
        s["v"] = b2 * s["v"] + (1 - b2) * g * g
        t = s["t"]
        u = s["m"] / (1 - b1 ** t) / (np.sqrt(s["v"] / (1 - b2 ** t)) + o["eps"])
        u = u + o["weight_decay"] * x
        sizes = np.linalg.norm(x), np.linalg.norm(u)
        x -= o["lr"] * (sizes[0] / sizes[1] if sizes[0] > 0 and sizes[1] > 0 else 1.0) * u


def adafactor(names, p, grads, groups, state):
    def start(x):
        if x.ndim < 2:
            return {"v": np.zeros_like(x)}
        return {"row": np.zeros(x.shape[:-1]), "col": np.zeros(x.shape[:-2] + x.shape[-1:])}

    for x, g, o, s in each(names, p, grads, groups, state, start):
        t = s["t"]
        g = -g if o.get("maximize") else g
        eps1 = o["eps"][0]
        new = t ** o["beta2_decay"]
        rate = max(o["eps"][1], np.sqrt(np.mean(x * x))) * min(o["lr"], 1 / np.sqrt(t))
        shrink(x, o)
        if x.ndim < 2:
            s["v"] = (1 - new) * s["v"] + new * g * g
            v = s["v"]
        else:
            s["row"] = (1 - new) * s["row"] + new * np.mean(g * g, axis=-1)
            s["col"] = (1 - new) * s["col"] + new * np.mean(g * g, axis=-2)
            mean = np.maximum(np.mean(s["row"], axis=-1), eps1)
            v = s["row"][..., :, None] * s["col"][..., None, :] / mean[..., None, None]
        u = g / np.sqrt(np.maximum(v, eps1 * eps1))
        x -= rate / max(1.0, np.sqrt(np.mean(u * u)) / o["d"]) * u


def orthogonal(u, coefficients, steps, eps):
    a, b, c = coefficients
    x = u.T if u.shape[0] > u.shape[1] else u
    x = x / max(np.sqrt((x * x).sum()), eps)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if u.shape[0] > u.shape[1] else x


def adamw(x, g, s, o, eps):
    (b1, b2), lr = o["betas"], o["lr"]
    shrink(x, o)
    s["m"] = b1 * s["m"] + (1 - b1) * g
    s["v"] = b2 * s["v"] + (1 - b2) * g * g
    x -= lr * s["m"] / (1 - b1 ** s["t"]) / (np.sqrt(s["v"] / (1 - b2 ** s["t"])) + eps)


def muon(names, p, grads, groups, state):
    for x, g, o, s in each(names, p, grads, groups, state, two_means):
        if not o["use_muon"]:
            adamw(x, g, s, o, o["adamw_eps"])
            continue
        mu = o["momentum"]
        s["m"] = mu * s["m"] + (1 - mu) * g
        u = mu * s["m"] + (1 - mu) * g if o["nesterov"] else s["m"]
        u = orthogonal(u, o["ns_coefficients"], o["ns_steps"], o["eps"])
        rows, columns = x.shape
        k = max(1, rows / columns) ** 0.5
        if o["adjust_lr_fn"] == "match_rms_adamw":
            k = 0.2 * max(rows, columns) ** 0.5
        shrink(x, o)
        x -= o["lr"] * k * u


def schedule_free(adam):
    """x, y and z all kept, as in the paper; p is y."""
    def step(names, p, grads, groups, state):
        for y, g, o, s in each(names, p, grads, groups, state, lambda p: {
                "z": p.copy(), "x": p.copy(), "v": np.zeros_like(p), "sum": 0.0, "most": 0.0}):
            t = s["t"]
            beta = o["betas"][0] if adam else o["momentum"]
            rate = o["lr"] * min(1.0, t / o["warmup_steps"] if o["warmup_steps"] else 1.0)
            d = g
            if adam:
                b2 = o["betas"][1]
                s["v"] = b2 * s["v"] + (1 - b2) * g * g
                d = g / (np.sqrt(s["v"]) + o["eps"])
                rate *= np.sqrt(1 - b2 ** t)
            d = d + o["weight_decay"] * y
            s["most"] = max(s["most"], rate)
            weight = t ** o["r"] * s["most"] ** o["weight_lr_power"]
            s["sum"] += weight
            c = weight / s["sum"] if s["sum"] > 0 else 0.0
            s["z"] = s["z"] - rate * d
            s["x"] = (1 - c) * s["x"] + c * s["z"]
            y[...] = (1 - beta) * s["z"] + beta * s["x"]
    return step


def dot(a, b):
    return float((a * b).sum())


def prodigy(names, p, grads, groups, state):
    first = groups["first"]
    whole = state.setdefault("whole", {"d": first["d0"], "most": first["d0"], "top": 0.0, "k": 0})
    b1, b2 = first["betas"]
    b3 = first["beta3"] if first["beta3"] is not None else b2 ** 0.5
    d, d0, k = whole["d"], first["d0"], whole["k"]
    factor = (1 - b2 ** (k + 1)) ** 0.5 / (1 - b1 ** (k + 1)) if first["use_bias_correction"] else 1
    top, bottom = b3 * whole["top"], 0.0
    moving = []
    for name in names:
        o, g, x = groups[name], grads[name], p[name]
        rate = d * o["lr"] * factor
        if g is None or rate == 0:
            continue
        s = state.setdefault(name, None)
        if s is None:
            s = state[name] = {**two_means(x), "s": np.zeros_like(x), "x0": x.copy()}
        if not first["decouple"]:
            g = g + o["weight_decay"] * x
        top += d / d0 * rate * dot(g, s["x0"] - x)
        s["m"] = b1 * s["m"] + d * (1 - b1) * g
        s["v"] = b2 * s["v"] + d * d * (1 - b2) * g * g
        s["s"] = b3 * s["s"] + d / d0 * (d if first["safeguard_warmup"] else rate) * g
        bottom += np.abs(s["s"]).sum()
        moving.append((x, o, s, rate))
    if bottom == 0:
        return
    hat = first["d_coef"] * top / bottom
    if d == d0:
        d = max(d, hat)
    whole["most"] = max(whole["most"], hat)
    whole["d"] = d = min(whole["most"], d * first["growth_rate"])
    whole["top"], whole["k"] = top, k + 1
    for x, o, s, rate in moving:
        if first["decouple"]:
            x *= 1 - rate * o["weight_decay"]
        x -= rate * s["m"] / (np.sqrt(s["v"]) + d * o["eps"])


def dadapt_adam(names, p, grads, groups, state):
    first = groups["first"]
    whole = state.setdefault("whole", {"d": first["d0"], "top": 0.0, "k": 0})
    b1, b2 = first["betas"]
    root, d, k = b2 ** 0.5, whole["d"], whole["k"]
    factor = (1 - b2 ** (k + 1)) ** 0.5 / (1 - b1 ** (k + 1)) if first["use_bias_correction"] else 1
    gain, length = 0.0, 0.0
    moving = []
    for name in names:
        o, g, x = groups[name], grads[name], p[name]
        if g is None:
            continue
        s = state.setdefault(name, None)
        if s is None:
            s = state[name] = {**two_means(x), "s": np.zeros_like(x)}
        rate = d * o["lr"] * factor
        if not first["decouple"]:
            g = g + o["weight_decay"] * x
        gain += rate * dot(g, s["s"] / (np.sqrt(s["v"]) + o["eps"]))
        s["m"] = b1 * s["m"] + rate * (1 - b1) * g
        s["v"] = b2 * s["v"] + (1 - b2) * g * g
        s["s"] = root * s["s"] + rate * (1 - root) * g
        length += np.abs(s["s"]).sum()
        moving.append((x, o, s, rate))
    if length == 0:
        return
    whole["top"] = root * whole["top"] + (1 - root) * gain
    hat = whole["top"] / ((1 - root) * length)
    whole["d"], whole["k"] = max(d, min(hat, d * first["growth_rate"])), k + 1
    for x, o, s, rate in moving:
        if first["decouple"]:
            x *= 1 - rate * o["weight_decay"]
        x -= s["m"] / (np.sqrt(s["v"]) + o["eps"])


def dadapt_sgd(names, p, grads, groups, state):
    first = groups["first"]
    whole = state.setdefault("whole", {"d": first["d0"], "top": 0.0})
    moving = []
    for name in names:
        if grads[name] is None:
            continue
        o, x = groups[name], p[name]
        s = state.setdefault(name, None)
        if s is None:
            s = state[name] = {"s": np.zeros_like(x), "x0": x.copy()}
        moving.append((x, grads[name] + o["weight_decay"] * x, o, s))
    if "g0" not in whole:
        whole["g0"] = sum(dot(g, g) for _, g, _, _ in moving) ** 0.5
    length = 0.0
    for x, g, o, s in moving:
        rate = whole["d"] * o["lr"] / whole["g0"]
        whole["top"] += rate * dot(g, s["s"])
        s["s"] = s["s"] + rate * g
        length += dot(s["s"], s["s"])
    if length == 0:
        return
    d = whole["d"]
    whole["d"] = max(d, min(2 * whole["top"] / length ** 0.5, d * first["growth_rate"]))
    for x, _, o, s in moving:
        c = 1 - o["momentum"]
        x[...] = (1 - c) * x + c * (s["x0"] - s["s"])


def dog(layers):
    def step(names, p, grads, groups, state):
        def key(name):
            return name if layers else groups[name]["index"]
        for part in dict.fromkeys(key(n) for n in names if grads[n] is not None):
            members = [n for n in names if key(n) == part]
            s = state.setdefault(("part", part), None)
            o = groups[members[0]]
            fresh = s is None
            if fresh:
                size = sum(dot(p[n], p[n]) for n in members) ** 0.5
                s = state[("part", part)] = {"r": o["reps_rel"] * (1 + size), "G": o["eps"],
                                             "x0": {n: p[n].copy() for n in members}}
            g = {n: grads[n] + o["weight_decay"] * p[n] for n in members if grads[n] is not None}
            s["r"] = max(s["r"], sum(dot(p[n] - s["x0"][n], p[n] - s["x0"][n])
                                     for n in members) ** 0.5)
            s["G"] += sum(dot(v, v) for v in g.values())
            rate = o["lr"] * s["r"] / s["G"] ** 0.5
            for n, v in g.items():
                p[n] -= rate * v
    return step


def sgd(names, p, grads, groups, state):
    for x, g, o, s in each(names, p, grads, groups, state, lambda p: {"b": None}):
        g = decayed(x, g, o)
        if o["momentum"]:
            s["b"] = g if s["b"] is None else o["momentum"] * s["b"] + g
            g = s["b"]
        x -= o["lr"] * g


def adamw_plain(names, p, grads, groups, state):
    for x, g, o, s in each(names, p, grads, groups, state, two_means):
        adamw(x, -g if o.get("maximize") else g, s, o, o["eps"])


def mechanic(inner, tuner):
    def step(names, p, grads, groups, state):
        s = state.setdefault("mechanic", None)
        n = tuner["num_betas"]
        if s is None:
            s = state["mechanic"] = {
                "x0": {k: p[k].copy() for k in names}, "a": {k: np.zeros_like(p[k]) for k in names},
                "s": np.full(n, tuner["s_init"]), "r": np.zeros(n), "m": np.zeros(n),
                "v": np.zeros(n)}
        old = {k: p[k].copy() for k in names}
        with_grad = [k for k in names if grads[k] is not None]
        sign = -1 if groups["first"].get("maximize") else 1
        g_norm = sum(dot(grads[k], grads[k]) for k in with_grad) ** 0.5
        x_norm = sum(dot(p[k], p[k]) for k in names) ** 0.5
        h = sign * sum(dot(grads[k], s["a"][k]) for k in with_grad)
        h += tuner["weight_decay"] * s["s"].sum() * g_norm / (x_norm + tuner["eps"]) * sum(
            dot(p[k], s["a"][k]) for k in names)
        inner(names, p, grads, groups, state)
        beta = 1 - 0.1 ** np.arange(1, n + 1)
        s["r"] = beta * s["r"] + np.clip(h, -s["m"], s["m"]) * s["s"]
        s["m"] = np.maximum(beta * s["m"], abs(h) + tuner["eps"])
        s["v"] = beta * beta * s["v"] + h * h
        s["s"] = (tuner["s_init"] / n * s["m"] + np.maximum(0, s["r"])) / (
            np.sqrt(s["v"]) + tuner["eps"])
        for k in names:
            s["a"][k] += old[k] - p[k]
            p[k][...] = s["x0"][k] - s["s"].sum() * s["a"][k]
    return step


# ------------------------------------------------------------- names, defaults

ADAM = dict(lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)
MUON = dict(lr=1e-3, weight_decay=0.1, momentum=0.95, nesterov=True,
            ns_coefficients=(3.4445, -4.775, 2.0315), eps=1e-7, ns_steps=5, adjust_lr_fn=None,
            use_muon=True, betas=(0.9, 0.95), adamw_eps=1e-8)
FREE = dict(weight_decay=0.0, warmup_steps=0, r=0.0, weight_lr_power=2.0)
DOG = dict(reps_rel=1e-6, lr=1.0, weight_decay=0.0, eps=1e-8)
METHODS = {
    "NAdam": (nadam, {**ADAM, "lr": 2e-3, "momentum_decay": 4e-3}),
    "RAdam": (radam, ADAM),
    "Lion": (lion, dict(lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0)),
    "LAMB": (lamb, {**ADAM, "eps": 1e-6, "weight_decay": 0.01}),
    "Adafactor": (adafactor, dict(lr=1e-2, beta2_decay=-0.8, eps=(None, 1e-3), d=1.0,
                                  weight_decay=0.0)),
    "Muon": (muon, MUON),
    "SGDScheduleFree": (schedule_free(False), dict(lr=1.0, momentum=0.9, **FREE)),
    "AdamWScheduleFree": (schedule_free(True), {**ADAM, "lr": 2.5e-3, **FREE}),
    "Prodigy": (prodigy, {**ADAM, "lr": 1.0, "beta3": None, "decouple": True,
                          "use_bias_correction": False, "safeguard_warmup": False, "d0": 1e-6,
                          "d_coef": 1.0, "growth_rate": float("inf")}),
    "DAdaptAdam": (dadapt_adam, {**ADAM, "lr": 1.0, "decouple": False,
                                 "use_bias_correction": False, "d0": 1e-6,
                                 "growth_rate": float("inf")}),
    "DAdaptSGD": (dadapt_sgd, dict(lr=1.0, momentum=0.0, weight_decay=0.0, d0=1e-6,
                                   growth_rate=float("inf"))),
    "DoG": (dog(False), DOG),
    "LDoG": (dog(True), DOG),
    "SGD": (sgd, dict(lr=1e-3, momentum=0.0, weight_decay=0.0)),
    "AdamW": (adamw_plain, {**ADAM, "weight_decay": 0.01}),
}


def build(text, names, unit):
    """The step function that `text` describes, and the options of each name and of "first"."""
    def make(kind):
        def call(groups=(), **options):
            method, defaults = METHODS[kind]
            base = {**defaults, **options}
            left, result, rows = list(names), {}, []
            for group in [*groups, dict(params="*")]:
                row = {**base, **group, "index": len(rows)}
                taken = [n for n in left if fnmatch.fnmatchcase(n, group["params"])]
                left = [n for n in left if n not in taken]
                if taken:
                    rows.append(row)
                result.update({n: row for n in taken})
            for row in rows:
                if kind == "Adafactor" and row["eps"][0] is None:
                    row["eps"] = (unit, row["eps"][1])
            result["first"] = rows[0]
            return method, result
        return call

    def around(inner, **options):
        tuner = {"weight_decay": 1e-2, "eps": 1e-8, "s_init": 1e-6, "num_betas": 6, **options}
        return mechanic(inner[0], tuner), inner[1]

    scope = {kind: make(kind) for kind in METHODS}
    return eval(text, {**scope, "Mechanic": around, "dict": dict, "inf": float("inf")})


def drive(groups, step, rates):
    """What a schedule might do before `step`: as in vectors.py, for the slots that there are."""
    for index, row in {id(r): r for r in groups.values()}.items():
        row["lr"] = rates.setdefault(index, row["lr"]) * (1 + step % 10) / 10
        if step == 40:
            row["weight_decay"] = row["weight_decay"] * 2
        free = "warmup_steps" in row
        if step == 60 and "momentum" in row and not free:
            row["momentum"] = row["momentum"] * 0.5
        if step == 60 and "betas" in row and not free and "use_muon" not in row:
            row["betas"] = (row["betas"][0] * 0.5, row["betas"][1])


# -------------------------------------------------------------------- problems

TEXTS = [
    "NAdam(lr=0.01)",
    "NAdam(lr=0.01, weight_decay=0.01)",
    "NAdam(lr=0.01, weight_decay=0.1, decoupled_weight_decay=True, maximize=True)",
    "NAdam(lr=0.005, betas=(0.8, 0.95), eps=0.001, momentum_decay=0.01)",
    "RAdam(lr=0.01, weight_decay=0.1, decoupled_weight_decay=True, maximize=True)",
    "Lion(lr=0.001)",
    "Lion(lr=0.001, betas=(0.8, 0.95), weight_decay=0.1)",
    "Lion(lr=0.001, maximize=True)",
    "LAMB(lr=0.01)",
    "LAMB(lr=0.01, betas=(0.8, 0.95), eps=0.001, weight_decay=0, maximize=True)",
    "Adafactor(lr=0.01)",
    "Adafactor(lr=0.02, beta2_decay=-0.5, eps=(0.001, 0.01), d=2, weight_decay=0.1)",
    "Adafactor(lr=0.02, maximize=True)",
]
MUON_TEXTS = [
    "Muon([dict(params='[vector]', use_muon=False)], lr=0.01)",
    "Muon([dict(params='[vector]', lr=0.002, weight_decay=0, use_muon=False)], lr=0.02, "
    "momentum=0.9, nesterov=False, ns_coefficients=(3, -4, 2), ns_steps=3, "
    "adjust_lr_fn='match_rms_adamw')",
]
RATELESS = [
    "SGDScheduleFree(lr=0.5)",
    "SGDScheduleFree(lr=0.3, momentum=0.8, weight_decay=0.01, warmup_steps=20, r=1, "
    "weight_lr_power=1)",
    "AdamWScheduleFree(lr=0.01)",
    "AdamWScheduleFree(lr=0.02, betas=(0.95, 0.99), eps=1e-06, weight_decay=0.1, warmup_steps=15)",
    "Prodigy(lr=1)",
    "Prodigy(lr=1, betas=(0.9, 0.99), beta3=0.9, weight_decay=0.01, use_bias_correction=True, "
    "safeguard_warmup=True, d0=0.0001, d_coef=0.5)",
    "Prodigy(lr=1, weight_decay=0.01, decouple=False, growth_rate=1.1)",
    "DAdaptAdam(lr=0.1)",
    "DAdaptAdam(lr=1, betas=(0.8, 0.99), eps=1e-06, weight_decay=0.01, decouple=True, "
    "use_bias_correction=True, d0=0.001, growth_rate=1.05)",
    "DAdaptAdam(lr=0.05, weight_decay=0.01)",
    "DAdaptSGD(lr=1)",
    "DAdaptSGD(lr=1, momentum=0.9, weight_decay=0.01, d0=0.001, growth_rate=1.1)",
    "DoG(lr=1)",
    "DoG(reps_rel=0.001, lr=0.5, weight_decay=0.01)",
    "LDoG(lr=1)",
    "LDoG(reps_rel=0.001, lr=0.5, weight_decay=0.01)",
    "Mechanic(SGD(lr=1, momentum=0.9))",
    "Mechanic(AdamW(lr=1))",
    "Mechanic(SGD(lr=0.5, momentum=0.9, maximize=True), weight_decay=0, s_init=0.001, "
    "num_betas=3)",
    "Mechanic(AdamW(lr=0.1, weight_decay=0.1), eps=1e-06, s_init=1e-05, num_betas=4)",
]
GROUPED = [
    "Prodigy([dict(params='[group]', lr=0)], lr=1)",
    "DoG([dict(params='[group]', weight_decay=0.1)], lr=1)",
    "Mechanic(SGD([dict(params='[group]', lr=0.25)], lr=1, momentum=0.5))",
]

# For float32, where a start of 1e-6 moves parameters by less than their last bits.
RECORDED = [
    *[t for t in RATELESS if "ScheduleFree" in t],
    "Prodigy(lr=1, d0=0.01)",
    "Prodigy(lr=1, betas=(0.9, 0.99), beta3=0.9, weight_decay=0.01, use_bias_correction=True, "
    "safeguard_warmup=True, d0=0.01, d_coef=0.5)",
    "Prodigy(lr=1, weight_decay=0.01, decouple=False, d0=0.01, growth_rate=1.01)",
    "DAdaptAdam(lr=1, weight_decay=0.01, d0=0.01)",
    "DAdaptAdam(lr=1, betas=(0.8, 0.99), eps=1e-06, weight_decay=0.01, decouple=True, "
    "use_bias_correction=True, d0=0.01, growth_rate=1.05)",
    "DAdaptSGD(lr=1, d0=0.01)",
    "DAdaptSGD(lr=1, momentum=0.9, weight_decay=0.01, d0=0.01, growth_rate=1.1)",
    "DoG(reps_rel=0.01, lr=1)",
    "LDoG(reps_rel=0.01, lr=0.5, weight_decay=0.01)",
    "Mechanic(SGD(lr=1, momentum=0.9), s_init=0.01)",
    "Mechanic(SGD(lr=0.5, momentum=0.9, maximize=True), weight_decay=0, s_init=0.01, "
    "num_betas=3)",
    "Mechanic(AdamW(lr=0.1, weight_decay=0.1), eps=1e-06, s_init=0.01, num_betas=4)",
]
RECORDED_GROUPS = [
    "Prodigy([dict(params='[group]', lr=0)], lr=1, d0=0.01)",
    "DoG([dict(params='[group]', weight_decay=0.1)], reps_rel=0.01, lr=1)",
    "Mechanic(SGD([dict(params='[group]', lr=0.25)], lr=1, momentum=0.5), s_init=0.01)",
]

START = {
    "q": [0.5, -0.25, 2.0, -1.0, 0.75],
    "w1": [[0.5, -0.3], [-0.2, 0.4], [0.1, 0.6]],
    "b1": [0.1, -0.2, 0.05],
    "w2": [[0.7, -0.5, 0.3]],
    "b2": [0.15],
}


def problem_gradient(t):
    """That of vectors.py: a quadratic of five values, and a net 2-3-1 with tanh on six points."""
    points = np.array([[0.5, -1.0], [-1.5, 0.25], [2.0, 0.75], [-0.5, 1.5], [0.25, -2.0],
                       [-1.0, -0.5]])
    wanted = np.array([1.0, -0.5, 0.25, 0.75, -1.0, 0.5])
    hidden = np.tanh(points @ t["w1"].T + t["b1"])
    out = (hidden @ t["w2"].T + t["b2"])[:, 0]
    slope = (2 / 6 * (out - wanted))[:, None]
    back = slope * t["w2"] * (1 - hidden ** 2)
    return {"q": np.array([1e-4, 1e-2, 0.1, 0.5, 1.0]) * (t["q"] - np.array(
        [3.0, -2.0, 1.0, 0.5, -1.0])), "w1": back.T @ points, "b1": back.sum(0),
        "w2": slope.T @ hidden, "b2": slope.sum(0)}


def recorded():
    """The gradients, gaps and first values of updates.inc."""
    text = (FOLDER / "updates.inc").read_text()

    def numbers(name):
        body = re.search(name + r"[^=]*= \{(.*?)\};", text, re.S).group(1)
        return [float(x) for x in re.findall(r"-?[0-9][0-9.e+-]*", body)]
    return (np.array(numbers("gradients")).reshape(200, 19) / 8192,
            [int(x) for x in numbers("absent")], np.array(numbers("initial")))


SHAPES = {"a.weight": (7, 1), "a.bias": (3,), "b.weight": (2, 4), "b.bias": (1,)}


def split(flat):
    result, at = {}, 0
    for name, shape in SHAPES.items():
        size = int(np.prod(shape))
        result[name] = flat[at:at + size].reshape(shape).copy()
        at += size
    return result


def run(text, p, gradient, unit, steps=STEPS):
    """The parameters after each step."""
    names = list(p)
    step_of, groups = build(text, names, unit)
    state, rates, after = {}, {}, []
    for step in range(steps):
        drive(groups, step, rates)
        step_of(names, p, gradient(p, step), groups, state)
        for value in p.values():
            value[...] = rounded(value)
        after.append(np.concatenate([v.reshape(-1) for v in p.values()]))
    return after


def case(text, result):
    """A row of the table: the text, the last step of the three, and what stands after them."""
    last, snapshots = result
    texts = [text[i:i + 80] for i in range(0, len(text), 80)]
    quoted = "\n     ".join('"' + t + '"' for t in texts)
    bodies = []
    for values in snapshots:
        values = [f"{v:.17g}" for v in values]
        lines = [", ".join(values[i:i + 4]) for i in range(0, len(values), 4)]
        bodies.append("{" + ",\n     ".join(lines) + "}")
    return ("    {\n     " + quoted + f",\n     {last},\n     {{" + ",\n     ".join(bodies) + "}},")


def write(path, head, blocks):
    lines = [f"/* Made by twins.py with numpy {np.__version__}. */", *head]
    for name, texts, make in blocks:
        lines.append(f"static const {name}[] = {{")
        lines += [case(text, make(text)) for text in texts]
        lines.append("};")
    (FOLDER / path).write_text("\n".join(lines) + "\n")


def fill(texts, vectors, group):
    """The groups' patterns, which differ between the two models."""
    result = []
    for text in texts:
        if "[vector]" in text:
            dicts = re.search(r"dict\(params='\[vector\]'([^)]*)\)", text)
            several = ", ".join(f"dict(params='{v}'{dicts.group(1)})" for v in vectors)
            text = text.replace(dicts.group(0), several)
        result.append(text.replace("[group]", group))
    return result


def on_problem(text):
    """
    After 1, 10 and 200 steps on the problem; or fewer, where a change of 1e-15 at the start has
    grown to 1e-12 by then: large rates on a net make chaos of any rounding.
    """
    sign = -1 if "maximize" in text else 1  # see vectors.py

    def gradient(p, _):
        return {n: sign * g for n, g in problem_gradient(p).items()}

    def from_start(factor):
        p = {n: np.array(v, dtype=np.float64) * factor for n, v in START.items()}
        return run(text, p, gradient, np.finfo(np.float64).eps)

    after, beside = from_start(1), from_start(1 + 1e-15)
    calm = [np.max(np.abs(a - b)) < 1e-12 for a, b in zip(after, beside)]
    last = calm.index(False) if False in calm else STEPS
    return last, [after[n - 1] for n in (1, 10, last)]


def main():
    every = [*TEXTS, *MUON_TEXTS, *RATELESS, *GROUPED]
    write("twins.inc", [], [("trajectory twin_cases", fill(every, ["q", "b?"], "b?"), on_problem)])

    table, absent, initial = recorded()

    def on_record(text):
        def gradient(_, step):
            parts = split(table[step])
            return {n: None if absent[step] >> i & 1 else parts[n] for i, n in enumerate(parts)}
        SINGLE[0] = True
        after = run(text, split(initial), gradient, np.finfo(np.float32).eps)
        return STEPS, [after[n - 1] for n in (1, 10, STEPS)]

    plain = fill([*TEXTS, *MUON_TEXTS], ["*.bias"], "*.bias")
    others = fill([*RECORDED, *RECORDED_GROUPS], ["*.bias"], "*.bias")
    write("twin_updates.inc", [], [("update_case plain_cases", plain, on_record),
                                   ("update_case rateless_cases", others, on_record)])


main()
