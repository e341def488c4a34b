#!/usr/bin/env python3
"""Anneal, a hand-fused C loop and PyTorch on the same training, interleaved in one run.

    bench/run.py [--build DIR] [--quick] [--only PART,...] [--format text|markdown|json]

Every measurement is a process of its own. A round measures every contender once, and every second
round goes backwards, so that a machine that slows down slows all of them. OPENBLAS_*, OMP_* and
their like are unset but for the one that is varied. What is counted and how to read the table:
docs/performance.md. Then the schedules: a step, a value and a range of each, beside PyTorch's step;
a step of the optimizers, beside PyTorch's and what memory can do; convolutional and recurrent nets
and a transformer; what logging costs; what all of them keep in memory; our kernels beside oneDNN's,
where that is installed. At the end stands what of all this was wanted and holds, and how long each
part took.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field

import goals
import logs
import memory
import nets
import onednn
import optimizers
import schedules
import tables

HERE = os.path.dirname(os.path.abspath(__file__))
SHAPES = {"small": "784-128-10, batch 64", "large": "784-512-512-10, batch 128"}
PARTS = ("perceptrons", "schedules", "optimizers", *nets.NETS, "logs", "memory", "onednn")
PREFIXES = ("OPENBLAS_", "OMP_", "GOTO_", "GOMP_", "KMP_", "MKL_", "BLIS_", "DNNL_", "ATEN_")
INSTALL = "apt-get install python3-torch libopenblas0-pthread"


@dataclass
class Contender:
    """One line of a table: a command, what it adds to the environment, and what it printed."""

    name: str
    kind: str
    command: list
    threads: int
    env: dict = field(default_factory=dict)
    seconds: list = field(default_factory=list)
    last: dict = field(default_factory=dict)

    def median(self):
        return statistics.median(self.seconds)


def clean_environment():
    """The environment without what changes a library's threads or kernels, and what was dropped."""
    dropped = sorted(name for name in os.environ if name.startswith(PREFIXES))
    return {name: value for name, value in os.environ.items() if name not in dropped}, dropped


def has_torch(python, env):
    try:
        done = subprocess.run([python, "-c", "import torch"], env=env, capture_output=True,
                              check=False)
    except OSError:
        return False
    return done.returncode == 0


def build_programs(build, with_onednn):
    names = ["anneal_nets", "bound", "lr", "optim", "logs"] + ["onednn"] * with_onednn
    command = ["ninja", "-C", build] + [f"bench/{name}" for name in names]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}")


def native_contenders(build):
    anneal, bound = (os.path.join(build, "bench", name) for name in ("anneal_nets", "bound"))
    for threads in (1, 2):
        plural = "s" if threads > 1 else ""
        yield Contender(f"Anneal, {threads} thread{plural}", "anneal", [anneal], threads)
        yield Contender(f"hand-fused C, {threads} thread{plural}", "bound", [bound], threads)


def torch_contenders(python):
    for threads in (1, 2):
        for blas in (1, 2):
            yield Contender(f"PyTorch, torch {threads} × BLAS {blas}", "torch",
                            [python, os.path.join(HERE, "torch_nets.py")], threads,
                            {"OPENBLAS_NUM_THREADS": str(blas)})


def measure(contender, shape, epochs, data, env):
    command = contender.command + [shape, str(contender.threads), str(epochs)]
    command += [data] if contender.kind == "bound" else ["0", data]  # 0: whole epochs
    contender.last = json.loads(tables.run(command, {**env, **contender.env}))
    contender.seconds += contender.last["seconds"]


def run_rounds(lines, args, env):
    work = [(shape, contender) for shape, table in lines.items() for contender in table]
    for number in range(args.rounds):
        for shape, contender in work if number % 2 == 0 else reversed(work):
            measure(contender, shape, args.epochs, args.data, env)
            print(f"round {number + 1} of {args.rounds}: {shape}, {contender.name}: "
                  f"{contender.last['seconds'][-1]:.3f} s", file=sys.stderr)


def fastest(table, kind):
    return min((c for c in table if c.kind == kind), key=Contender.median, default=None)


def row(contender, bound, peer):
    """What a table shows of a contender; the ratios are its time over theirs."""
    median = contender.median()
    return {
        "name": contender.name,
        "median": median,
        "min": min(contender.seconds),
        "max": max(contender.seconds),
        "to_bound": median / bound.median(),
        "to_torch": median / peer.median() if peer else None,
        "test_loss": contender.last["test_loss"],
        "test_accuracy": contender.last["test_accuracy"],
        "fastest_torch": contender is peer,
        "seconds": contender.seconds,
    }


def processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.machine()


def report_of(lines, args, dropped):
    some = lines["small"]
    peer = fastest(some, "torch")
    shapes = {}
    for shape, table in lines.items():
        best, torch = fastest(table, "bound"), fastest(table, "torch")
        shapes[shape] = {"title": SHAPES[shape], "rows": [row(c, best, torch) for c in table]}
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "anneal_bits": fastest(some, "anneal").last["vector_bits"],
        "bound_bits": fastest(some, "bound").last["vector_bits"],
        "torch": peer.last["torch"] if peer else None,
        "blas": peer.last["blas"] if peer else None,
        "blas_core": peer.last["core"] if peer else None,
        "rounds": args.rounds,
        "epochs_per_round": args.epochs,
        "unset": dropped,
        "load_before": args.load,
        "shapes": shapes,
    }


def notes(report):
    peer = (f"PyTorch {report['torch']} on {report['blas']}, core {report['blas_core']}"
            if report["torch"] else f"PyTorch is not installed (for the comparison: {INSTALL})")
    lines = [
        f"{report['processor']}, {report['cores']} cores; "
        f"load before the run {report['load_before']:.2f}",
        f"{peer}; vectors of {report['anneal_bits']} bits (Anneal) "
        f"and {report['bound_bits']} bits (hand-fused C)",
        f"rounds, interleaved: {report['rounds']}; timed epochs in each: "
        f"{report['epochs_per_round']}",
    ]
    if report["load_before"] > report["cores"] / 2:
        lines.append("the machine was busy before the run: do not trust these figures")
    if report["unset"]:
        lines.append("unset for the run: " + ", ".join(report["unset"]))
    return lines


def head(report):
    ratios = ["× PyTorch", "× C"] if report["torch"] else ["× C"]
    return ["s/epoch", "min", "max", *ratios, "loss", "accuracy"]


def cells(entry):
    name = entry["name"] + (" (fastest)" if entry["fastest_torch"] else "")
    seconds = [f"{entry[key]:.3f}" for key in ("median", "min", "max")]
    ratios = [f"{entry[key]:.2f}" for key in ("to_torch", "to_bound") if entry[key] is not None]
    return [name, *seconds, *ratios, f"{entry['test_loss']:.3f}",
            f"{100 * entry['test_accuracy']:.1f} %"]


def verdict(shape):
    """One sentence: Anneal's fastest line beside the other two."""
    best = min((e for e in shape["rows"] if e["name"].startswith("Anneal")),
               key=lambda entry: entry["median"])
    text = f"{best['name']}: {best['to_bound']:.2f} of the time of the fastest hand-fused C"
    if best["to_torch"] is not None:
        text += f", {best['to_torch']:.2f} of PyTorch's fastest cell"
    return text


def print_text(report):
    for shape in report["shapes"].values():
        rows = [[""] + head(report)] + [cells(entry) for entry in shape["rows"]]
        widths = [max(len(cell) for cell in column) for column in zip(*rows)]
        print(f"\n{shape['title']}")
        for entry in rows:
            first = entry[0].ljust(widths[0])
            print("  ".join([first] + [c.rjust(w) for c, w in zip(entry[1:], widths[1:])]))
        print(verdict(shape))
    print()
    for line in notes(report):
        print(line)


def print_markdown(report):
    for shape in report["shapes"].values():
        print("| " + " | ".join([shape["title"]] + head(report)) + " |")
        print("|---" + "|--:" * len(head(report)) + "|")
        for entry in shape["rows"]:
            print("| " + " | ".join(cells(entry)) + " |")
        print(f"\n{verdict(shape)}\n")
    print("\n".join(f"- {line}" for line in notes(report)))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", default="build", help="the build folder (default: build)")
    parser.add_argument("--data", default=os.path.join(HERE, "..", "data", "mnist"))
    parser.add_argument("--python", default="/usr/bin/python3", help="the Python that has torch")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=2, help="timed epochs a round and contender")
    parser.add_argument("--quick", action="store_true", help="one round of one epoch")
    parser.add_argument("--format", choices=("text", "markdown", "json"), default="text")
    parser.add_argument("--only", default=",".join(PARTS), metavar="PART,...",
                        help="some of: " + ", ".join(PARTS))
    args = parser.parse_args()
    if not set(args.only.split(",")) <= set(PARTS):
        parser.error("--only takes some of: " + ", ".join(PARTS))
    args.only = [part for part in PARTS if part in args.only.split(",")]
    if args.quick:
        args.rounds = args.epochs = 1
    if args.rounds < 1 or args.epochs < 1:
        parser.error("--rounds and --epochs must be at least 1")
    args.load = os.getloadavg()[0]
    return args


def perceptrons(args, python, env, dropped):
    lines = {}
    for shape in SHAPES:
        lines[shape] = list(native_contenders(args.build))
        lines[shape] += torch_contenders(python) if python else []
    run_rounds(lines, args, env)
    return report_of(lines, args, dropped)


def measure_parts(args, python, env, dropped):
    """The report: the perceptrons' facts, and a list of rows or tables for every other part."""
    report, took = {"nets": {}}, {}
    for part in args.only:
        begun = time.monotonic()
        if part == "perceptrons":
            report.update(perceptrons(args, python, env, dropped))
        elif part in nets.NETS:
            report["nets"][part] = nets.measure(part, args.build, python, args.data, args.rounds, env)
        else:
            report[part] = measure_part(part, args, python, env)
        took[part] = time.monotonic() - begun
        print(f"{part}: {took[part]:.0f} s", file=sys.stderr)
    report["took"] = took
    return report


def measure_part(part, args, python, env):
    """A part that has a key and a table of its own."""
    if part == "schedules":
        return schedules.measure(args.build, python, env)
    if part == "optimizers":
        return optimizers.measure(args.build, python, env)
    if part == "logs":
        return logs.measure(args.build, args.data, args.quick, env)
    if part == "memory":
        return memory.measure(args.build, python, args.data, env)
    return onednn.measure(args.build, args.quick, env)


def tables_of(report):
    """What is printed beside the perceptrons' tables."""
    some = [module.table(report[part])
            for part, module in (("schedules", schedules), ("optimizers", optimizers))
            if part in report]
    some += [nets.table(net, rows) for net, rows in report["nets"].items()]
    some += [module.table(report[part])
             for part, module in (("logs", logs), ("memory", memory), ("onednn", onednn))
             if part in report]
    wanted = goals.table(report, logs.cost)
    took = [["part", "seconds"]] + [[part, f"{s:.0f}"] for part, s in report["took"].items()]
    took.append(["all", f"{sum(report['took'].values()):.0f}"])
    return some + ([wanted] if len(wanted) > 1 else []) + [took]


def main():
    args = arguments()
    env, dropped = clean_environment()
    python = args.python if has_torch(args.python, env) else None
    if not python:
        print(f"{args.python} has no torch, so there is nothing to compare with; {INSTALL}",
              file=sys.stderr)
    with_onednn = "onednn" in args.only and onednn.is_there(args.build)
    if "onednn" in args.only and not with_onednn:
        args.only.remove("onednn")
        print("oneDNN was not found when the build folder was made: its part is left out",
              file=sys.stderr)
    build_programs(args.build, with_onednn)
    report = measure_parts(args, python, env, dropped)
    if args.format == "json":
        print(json.dumps(report, indent=1, ensure_ascii=False))
        return
    markdown = args.format == "markdown"
    if "perceptrons" in args.only:
        (print_markdown if markdown else print_text)(report)
    for table in tables_of(report):
        (tables.print_markdown if markdown else tables.print_text)(table)


main()
