"""The last table of bench/run.py: what Anneal sets itself, and what this run measured of it.

Networks: the fastest line of Anneal beside PyTorch's fastest cell and the fastest hand-fused line.
"""

# Of the parts' reports: at least so many times PyTorch, at most so many times the hand-fused time.
TIMES_TORCH = {"small": 1.5, "large": 1.0, "cnn": 1.2, "lenet": 2.0, "char": 2.0, "lstm": 1.5}
TIMES_BOUND = {"small": 1.15, "large": 1.10}
OF_MEMORY_RATE, OF_MEMORY_SIZE, LIBRARY, LOGS = 80, 1.10, 2.0, 2.0
HEAD = ["what", "measured", "wanted", "holds"]


def row(what, measured, wanted, least):
    """`least`: the wanted figure is the least that will do, else the most. Measured None: a dash."""
    if measured is None:
        return [what, "–", f"{'≥' if least else '≤'} {wanted:.2f}", "–"]
    holds = measured >= wanted if least else measured <= wanted
    return [what, f"{measured:.2f}", f"{'≥' if least else '≤'} {wanted:.2f}",
            "yes" if holds else "no"]


def of_perceptrons(shapes):
    for shape, result in shapes.items():
        best = min((e for e in result["rows"] if e["name"].startswith("Anneal")),
                   key=lambda entry: entry["median"])
        torch = 1 / best["to_torch"] if best["to_torch"] else None
        yield row(f"{shape}: time / hand-fused time", best["to_bound"], TIMES_BOUND[shape], False)
        yield row(f"{shape}: PyTorch's time / ours", torch, TIMES_TORCH[shape], True)


def of_nets(nets):
    for net, rows in nets.items():
        best = min((r for r in rows if r["name"].startswith("Anneal")), key=lambda r: r["median"])
        yield row(f"{net}: PyTorch's time / ours", best["ratio"], TIMES_TORCH[net], True)


def of_memory(result):
    for line in result["nets"]:
        yield row(f"{line['net']}: memory / computed", line["anneal"] / sum(line["computed"]),
                  OF_MEMORY_SIZE, False)
    yield row("libanneal.so, stripped, MB", result["library"], LIBRARY, False)


def table(report, log_cost):
    """Of the parts that were run; `log_cost`: from the logs' pairs to per cent."""
    rows = list(of_perceptrons(report["shapes"])) if "shapes" in report else []
    rows += of_nets(report["nets"])
    for line in report.get("optimizers", []):
        if line["spec"].startswith("Adam("):
            rows.append(row(f"{line['spec']}: % of the memory's rate", line["share"], OF_MEMORY_RATE,
                            True))
    if "logs" in report:
        rows.append(row("every log at every update: % of an epoch", log_cost(report["logs"]), LOGS,
                        False))
    rows += of_memory(report["memory"]) if "memory" in report else []
    return [HEAD] + rows
