#!/usr/bin/python3
"""Compares the schedules with PyTorch, bit for bit, on random cases.

    scripts/parity-lr.py REPLAY [--cases N] [--seed S]     live: REPLAY is the lr-replay executable
                                                           (--build DIR finds it in a build folder)
    scripts/parity-lr.py --record FILE [--cases N] [...]   writes vectors for tests/lr/vectors

A case is one to three groups, one or two schedules on them, and steps between which the user now
and then edits a slot, or sets a single schedule to a given epoch. Cases in which PyTorch is wrong (docs/schedules.md has the list) are not drawn.
The seed is printed, so that a failing run can be repeated.
"""
import argparse
import ctypes
import math
import platform
import random
import struct
import subprocess
import sys
import time
import warnings

import torch
from torch.optim import lr_scheduler as L
from torch.optim.swa_utils import SWALR

warnings.simplefilter("ignore")

LAMBDAS = [
    "0.95 ** epoch",
    "1 / (1 + 0.1 * epoch)",
    "0.5 ** (epoch // 7)",
    "(epoch + 1) / 10 if epoch < 9 else 0.99 ** (epoch - 9)",
    "max(0.05, 1 - epoch / 100)",
    "0.5 * (1 + cos(pi * epoch / 50))",
    "min(1.0, epoch / 5) * 0.9 ** (epoch % 13)",
    "0.3 if 10 < epoch <= 20 or epoch == 3 else 1.0",
    "exp(-0.01 * epoch) + 0.01 * abs(sin(epoch))",
]
FACTORS = ["0.95", "0.9 + 0.05 * cos(epoch)", "0.5 if epoch % 10 == 0 else 1.0", "1 - 1 / (epoch + 2)"]
SCALES = ["1 / (1 + 0.2 * epoch)", "0.9 ** epoch", "0.5 * (1 + sin(epoch * pi / 2))"]
CLOSED_FORMS = ["StepLR", "MultiStepLR", "ConstantLR", "LinearLR", "ExponentialLR", "PolynomialLR",
                "CosineAnnealingLR", "CosineAnnealingWarmRestarts", "CyclicLR", "OneCycleLR",
                "LambdaLR"]
NAMES = {"cos": math.cos, "sin": math.sin, "exp": math.exp, "pi": math.pi}


class Function:
    """An expression, for PyTorch as a callable and for us as a string."""

    def __init__(self, text):
        self.text = text
        self.call = eval("lambda epoch: " + text, dict(NAMES))

    def spec(self):
        return '"%s"' % self.text


def text(value):
    if isinstance(value, Function):
        return value.spec()
    if isinstance(value, (list, tuple)):
        return "[%s]" % ", ".join(text(v) for v in value)
    if isinstance(value, Node):
        return value.spec()
    return repr(value)


def plain(value):
    if isinstance(value, Function):
        return value.call
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value


class Node:
    """A schedule: a name, its parameters, and for composites its children."""

    def __init__(self, name, children=None, **params):
        self.name, self.children, self.params = name, children, params

    def spec(self):
        args = [text(self.children)] if self.children is not None else []
        args += ["%s=%s" % (k, text(v)) for k, v in self.params.items()]
        return "%s(%s)" % (self.name, ", ".join(args))

    def build(self, optimizer):
        cls = SWALR if self.name == "SWALR" else getattr(L, self.name)
        params = {k: plain(v) for k, v in self.params.items()}
        if self.children is None:
            return cls(optimizer, **params)
        children = [c.build(optimizer) for c in self.children]
        if self.name == "ChainedScheduler":
            return cls(children)
        return cls(optimizer, children, **params)

    def leaves(self):
        if self.children is None:
            return [self]
        return [leaf for c in self.children for leaf in c.leaves()]


class Draw:
    """Random parameters. `fresh`: no schedule has touched the groups yet."""

    def __init__(self, rng, groups, beta1):
        self.r, self.groups, self.beta1 = rng, groups, beta1
        self.used = set()
        self.limit = 2000

    def real(self, low, high):
        r = self.r
        return r.choice([r.uniform(low, high), round(r.uniform(low, high), 2)])

    def rate(self):
        r = self.r
        return r.choice([0.1, 0.05, 0.01, 1.0, 0.3, 10 ** r.uniform(-5, 0.5)])

    def size(self, high=60):
        r = self.r
        return r.choice([1, 2, 3, 5, 10, r.randint(1, high), r.randint(1, 2000)])

    def per_group(self, one):
        if self.r.random() < 0.4:
            return [one() for _ in range(self.groups)]
        return one()

    def gamma(self):
        return self.r.choice([0.1, 0.5, 0.9, 0.99, 1.0, self.r.uniform(0.3, 1.02)])

    def maybe(self, params, name, draw):
        if self.r.random() < 0.7:
            params[name] = draw()

    def step(self):
        p = {"step_size": self.size()}
        self.maybe(p, "gamma", self.gamma)
        return Node("StepLR", **p)

    def multi_step(self):
        p = {"milestones": [self.r.randint(0, 80) for _ in range(self.r.randint(0, 6))]}
        self.maybe(p, "gamma", self.gamma)
        return Node("MultiStepLR", **p)

    def constant(self):
        p = {}
        self.maybe(p, "factor", lambda: self.real(0.01, 1))
        self.maybe(p, "total_iters", self.size)
        return Node("ConstantLR", **p)

    def linear(self):
        p = {}
        self.maybe(p, "start_factor", lambda: self.real(0.01, 1))
        self.maybe(p, "end_factor", lambda: self.real(0, 1))
        self.maybe(p, "total_iters", self.size)
        return Node("LinearLR", **p)

    def exponential(self):
        return Node("ExponentialLR", gamma=self.gamma())

    def polynomial(self):
        p = {}
        self.maybe(p, "total_iters", self.size)
        self.maybe(p, "power", lambda: self.r.choice([0.5, 1.0, 2.0, 2, self.r.uniform(0, 3)]))
        return Node("PolynomialLR", **p)

    def cosine(self):
        p = {"T_max": self.size()}
        self.maybe(p, "eta_min", lambda: self.r.choice([0.0, 1e-3, self.rate()]))
        return Node("CosineAnnealingLR", **p)

    def restarts(self):
        p = {"T_0": self.size()}
        self.maybe(p, "T_mult", lambda: self.r.randint(1, 4))
        self.maybe(p, "eta_min", lambda: self.r.choice([0.0, 1e-3, self.rate()]))
        return Node("CosineAnnealingWarmRestarts", **p)

    def lamb(self):
        return Node("LambdaLR", lr_lambda=self.per_group(lambda: Function(self.r.choice(LAMBDAS))))

    def multiplicative(self):
        return Node("MultiplicativeLR",
                    lr_lambda=self.per_group(lambda: Function(self.r.choice(FACTORS))))

    def swa(self):
        p = {"swa_lr": self.per_group(self.rate)}
        self.maybe(p, "anneal_epochs", lambda: self.r.choice([0, self.size()]))
        self.maybe(p, "anneal_strategy", lambda: self.r.choice(["cos", "linear"]))
        return Node("SWALR", **p)

    def cyclic(self):
        p = {"base_lr": self.per_group(self.rate), "max_lr": self.per_group(self.rate)}
        self.maybe(p, "step_size_up", self.size)
        self.maybe(p, "step_size_down", self.size)
        self.maybe(p, "mode", lambda: self.r.choice(["triangular", "triangular2", "exp_range"]))
        self.maybe(p, "gamma", lambda: self.r.uniform(0.9, 1))
        if self.r.random() < 0.3:
            p["scale_fn"] = Function(self.r.choice(SCALES))
            p["scale_mode"] = self.r.choice(["cycle", "iterations"])
        if self.beta1 or self.r.random() < 0.3:  # PyTorch 1.13 cycles momentum only, not beta1
            p["cycle_momentum"] = False
        self.maybe(p, "base_momentum", lambda: self.per_group(lambda: self.real(0.5, 0.9)))
        self.maybe(p, "max_momentum", lambda: self.per_group(lambda: self.real(0.8, 0.99)))
        return Node("CyclicLR", **p)

    def one_cycle(self):
        r = self.r
        p = {"max_lr": self.per_group(self.rate)}
        if r.random() < 0.2:
            p["epochs"], p["steps_per_epoch"] = r.randint(1, 20), r.randint(2, 90)
            total = p["epochs"] * p["steps_per_epoch"]
        else:
            total = p["total_steps"] = self.size(300) + 1
        three = p["three_phase"] = r.random() < 0.3
        p["pct_start"] = r.choice([0.25, 0.3, r.uniform(0.01, 0.5 if three else 0.99)])
        if p["pct_start"] * total == 1:
            p["pct_start"] = 0.37
        self.maybe(p, "anneal_strategy", lambda: r.choice(["cos", "linear"]))
        self.maybe(p, "div_factor", lambda: r.choice([10, r.uniform(1, 50)]))
        self.maybe(p, "final_div_factor", lambda: r.choice([1e3, r.uniform(1, 1e5)]))
        if r.random() < 0.3:
            p["cycle_momentum"] = False
        self.maybe(p, "base_momentum", lambda: self.per_group(lambda: self.real(0.5, 0.9)))
        self.maybe(p, "max_momentum", lambda: self.per_group(lambda: self.real(0.8, 0.99)))
        self.limit = min(self.limit, total - 1)
        return Node("OneCycleLR", **p)

    def plateau(self, metric):
        p = {}
        self.maybe(p, "mode", lambda: self.r.choice(["min", "max"]))
        self.maybe(p, "factor", lambda: self.r.uniform(0, 0.99))
        self.maybe(p, "patience", lambda: self.r.randint(0, 8))
        self.maybe(p, "threshold", lambda: self.r.choice([0.0, 1e-3, self.r.uniform(0, 0.3)]))
        p["threshold_mode"] = "abs" if metric == "any" else self.r.choice(["rel", "abs"])
        self.maybe(p, "cooldown", lambda: self.r.randint(0, 6))
        self.maybe(p, "min_lr", lambda: self.per_group(lambda: self.r.choice([0.0, 1e-3, 1e-4])))
        self.maybe(p, "eps", lambda: self.r.choice([0.0, 1e-8, 1e-3]))
        return Node("ReduceLROnPlateau", **p)

    CHAINABLE = ["step", "multi_step", "constant", "linear", "exponential", "polynomial", "cosine",
                 "multiplicative", "swa"]
    ABSOLUTE = ["restarts", "lamb", "cyclic", "one_cycle"]

    def leaf(self, kinds, fresh):
        """CyclicLR wants untouched groups, and some leave keys in the groups that a second of
        their kind would overwrite: each at most once."""
        while True:
            kind = self.r.choice(kinds)
            if kind in ("swa", "one_cycle", "cyclic") and kind in self.used:
                continue
            if kind == "cyclic" and not fresh:
                continue
            self.used.add(kind)
            return getattr(self, kind)()

    def sequential(self, fresh):
        count = self.r.randint(1 if fresh else 2, 4)
        children = [self.leaf(self.CHAINABLE + self.ABSOLUTE, fresh)]
        later = self.CHAINABLE + ["restarts", "lamb"]
        children += [self.leaf(later, False) for _ in range(count - 1)]
        milestones = sorted(self.r.sample(range(1, self.r.choice([10, 60, 500])), count - 1))
        return Node("SequentialLR", children, milestones=milestones)

    def chained(self, fresh, depth=0):
        kind = self.r.random()
        if kind < 0.2 and depth < 2:
            first = self.chained(fresh, depth + 1)
        elif kind < 0.4:
            first = self.sequential(fresh)
        else:
            first = self.leaf(self.CHAINABLE + self.ABSOLUTE, fresh)
        others = [self.leaf(self.CHAINABLE, False) for _ in range(self.r.randint(0, 3))]
        return Node("ChainedScheduler", [first] + others)

    def schedule(self, fresh, metric):
        kind = self.r.random()
        if metric and kind < 0.5:
            return self.plateau(metric)
        if kind < 0.6:
            return self.leaf(self.CHAINABLE + self.ABSOLUTE, fresh)
        return self.sequential(fresh) if kind < 0.8 else self.chained(fresh)


class Case:
    def __init__(self, rng, longest):
        self.rng = rng
        groups = rng.choice([1, 1, 2, 3])
        self.beta1 = rng.random() < 0.3
        draw = Draw(rng, groups, self.beta1)
        self.rates = [draw.rate() for _ in range(groups)]
        self.momenta = [draw.real(0, 0.99) for _ in range(groups)]
        self.metric = rng.choice(["positive", "any"]) if rng.random() < 0.15 else None
        self.schedules = [draw.schedule(True, self.metric)]
        if rng.random() < 0.3:
            self.schedules.append(draw.schedule(False, self.metric))
        if not any(s.name == "ReduceLROnPlateau" for s in self.schedules):
            self.metric = None
        self.steps = min(draw.limit, rng.choice([20, 100, longest, rng.randint(1, longest)]))
        self.edit_rate = rng.choice([0, 0, 0.02, 0.2])
        self.at, self.limit = 0, draw.limit
        self.jump_rate = 0.05 if self.can_jump() and rng.random() < 0.5 else 0

    def can_jump(self):
        """Whether PyTorch's step(epoch) is the closed form: it is a leaf's alone, and beside warm
        restarts whose cycles grow it is not right."""
        first = self.schedules[0]
        return (len(self.schedules) == 1 and first.name in CLOSED_FORMS and
                first.params.get("T_mult", 1) == 1)

    def start(self):
        """The optimizer and the schedulers; yields the lines and the values after each."""
        groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": lr} for lr in self.rates]
        for group, m in zip(groups, self.momenta):
            group["betas" if self.beta1 else "momentum"] = (m, 0.999) if self.beta1 else m
        self.optimizer = (torch.optim.Adam if self.beta1 else torch.optim.SGD)(groups, lr=0.1)
        for lr, m in zip(self.rates, self.momenta):
            pair = ("-", m.hex()) if self.beta1 else (m.hex(), "-")
            yield "group %s %s %s" % (lr.hex(), *pair), None
        self.live = []
        for s in self.schedules:
            self.live.append(s.build(self.optimizer))
            yield "schedule " + s.spec(), self.values()

    def values(self):
        groups = self.optimizer.param_groups
        lrs = [g["lr"] for g in groups]
        return lrs + [g["betas"][0] if self.beta1 else g["momentum"] for g in groups]

    def draw_metric(self):
        r = self.rng
        low = 0.0 if self.metric == "positive" else -1.0
        if r.random() < 0.03:
            return r.choice([math.nan, math.inf])
        return r.choice([r.uniform(low, 2), 0.5, 1.0])

    def step(self):
        metric = self.draw_metric() if self.metric else None
        for s in self.live:
            if isinstance(s, L.ReduceLROnPlateau):
                s.step(metric)
            else:
                s.step()
        return "run 1" if metric is None else "metric " + metric.hex()

    def edit(self):
        r = self.rng
        i = r.randrange(len(self.rates))
        group = self.optimizer.param_groups[i]
        value = 10 ** r.uniform(-4, 0)
        if r.random() < 0.7:
            group["lr"] = value
            return "edit %d lr %s" % (i, value.hex())
        if self.beta1:
            group["betas"] = (value, 0.999)
            return "edit %d beta1 %s" % (i, value.hex())
        group["momentum"] = value
        return "edit %d momentum %s" % (i, value.hex())

    def jump(self):
        self.at = self.rng.randrange(min(self.limit, 2000) + 1)
        self.live[0].step(self.at)
        return "to %d" % self.at

    def play(self):
        yield from self.start()
        for _ in range(self.steps):
            if self.rng.random() < self.jump_rate:
                yield self.jump(), self.values()
            if self.at >= self.limit:
                break
            self.at += 1
            if self.rng.random() < self.edit_rate:
                yield self.edit(), None
            yield self.step(), self.values()
        yield "end", None


def fits(case):
    """Whether the case's text fits the line buffer of lr-replay."""
    return all(len(s.spec()) < 8000 for s in case.schedules)


def libm():
    """Which cos and pow PyTorch's Python uses, in the words of lr-replay."""
    if platform.libc_ver()[0] != "glibc":
        return "unknown"
    version = ctypes.CDLL(None).gnu_get_libc_version
    version.restype = ctypes.c_char_p
    name = "glibc %s %s" % (version().decode(), platform.machine())
    if platform.machine() != "x86_64":
        return name
    flags = open("/proc/cpuinfo").read().split()
    return name + (" fma" if "fma" in flags else " sse2")


def compress(lines):
    """Joins neighbouring steps: [run 1, run 1] is run 2."""
    out = []
    for line in lines:
        if line == "run 1" and out and out[-1].startswith("run "):
            out[-1] = "run %d" % (int(out[-1][4:]) + 1)
        else:
            out.append(line)
    return out


def live(args):
    rng = random.Random(args.seed)
    print("schedules: %d random cases against PyTorch %s, seed %d" %
          (args.cases, torch.__version__, args.seed))
    began, compared, kinds = time.time(), 0, {}
    for first in range(0, args.cases, 100):
        cases, expected = [], []
        for _ in range(min(100, args.cases - first)):
            case = Case(rng, args.longest)
            while not fits(case):
                case = Case(rng, args.longest)
            lines, values = [], []
            for line, value in case.play():
                lines.append(line)
                if value is not None:
                    values.append(value)
            cases.append(compress(lines))
            expected.append(values)
            for s in case.schedules:
                for leaf in s.leaves() + [s]:
                    kinds[leaf.name] = kinds.get(leaf.name, 0) + 1
        out = subprocess.run([args.replay], input=("\n".join(sum(cases, [])) + "\n").encode(),
                             stdout=subprocess.PIPE, check=False)
        if out.returncode != 0:
            sys.exit("lr-replay failed")
        data = out.stdout
        want = b"".join(struct.pack("=%dd" % len(v), *v) for values in expected for v in values)
        if data != want:
            explain(cases, expected, data)
            sys.exit(1)
        compared += len(want) // 8
    print("equal: %d values in %.0f s" % (compared, time.time() - began))
    print("drawn: " + ", ".join("%s %d" % (k, v) for k, v in sorted(kinds.items())))


def explain(cases, expected, data):
    at = 0
    for case, values in zip(cases, expected):
        for index, value in enumerate(values):
            got = struct.unpack_from("=%dd" % len(value), data, at)
            at += 8 * len(value)
            if struct.pack("=%dd" % len(got), *got) != struct.pack("=%dd" % len(got), *value):
                print("\n".join(line for line in case[:12]))
                print("differs at record %d: PyTorch %s, here %s" % (index, value, list(got)))
                return


def record(args):
    rng = random.Random(args.seed)
    with open(args.record, "w") as out:
        out.write("# Written by scripts/parity-lr.py --record with PyTorch %s, seed %d.\n" %
                  (torch.__version__, args.seed))
        out.write("libm %s\n" % libm())
        for _ in range(args.cases):
            case = Case(rng, args.longest)
            while any(len(s.spec()) > 400 for s in case.schedules):
                case = Case(rng, args.longest)
            write_case(out, case)


def write_case(out, case):
    """Values after each schedule, then at ever greater distances."""
    lines, next_record, records = [], 1, 0
    for line, value in case.play():
        lines.append(line)
        if value is None:
            continue
        records += 1
        if line.startswith("schedule") or records >= next_record:
            next_record = records + 1 + records // 3
            lines.append("= " + " ".join(v.hex() for v in value))
    out.write("\n".join(compress(lines)) + "\n")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("replay", nargs="?")
    p.add_argument("--build", help="the build folder that holds tests/lr/lr-replay")
    p.add_argument("--record")
    p.add_argument("--cases", type=int, default=2000)
    p.add_argument("--longest", type=int, default=2000)
    p.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    args = p.parse_args()
    if args.build:
        args.replay = args.build + "/tests/lr/lr-replay"
    if args.record:
        record(args)
    elif args.replay:
        live(args)
    else:
        p.error("name the lr-replay executable, or --record FILE")


if __name__ == "__main__":
    main()
