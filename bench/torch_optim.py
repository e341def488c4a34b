"""Speed of PyTorch's optimizers: torch_optim.py THREADS MILLIONS SPEC...

Prints for each SPEC, a call as bench/optim.c has it (with foreach=... for a formulation), the
milliseconds of one step over so many million parameters in the median, as a JSON list; null where
this PyTorch does not have it.
"""
import json
import statistics
import sys
import time

import torch

ROUNDS = 3


def step_time(spec, millions):
    """Milliseconds a step: the fastest of three after two to warm up."""
    parameter = torch.nn.Parameter((torch.arange(millions * 10**6) % 1013) / 1000 - 0.5)
    parameter.grad = (torch.arange(millions * 10**6) % 997) / 1000 - 0.5
    name, arguments = spec.split("(", 1)
    make = getattr(torch.optim, name, None)
    if make is None:
        return None
    optimizer = eval(f"make([parameter], {arguments}", {"make": make, "parameter": parameter})
    times = []
    for _ in range(5):
        began = time.perf_counter()
        optimizer.step()
        times.append((time.perf_counter() - began) * 1e3)
    return min(times[2:])


def main():
    threads, millions = int(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(threads)
    result = []
    for spec in sys.argv[3:]:
        times = [step_time(spec, millions) for _ in range(ROUNDS)]
        result.append(None if None in times else statistics.median(times))
    print(json.dumps(result))


main()
