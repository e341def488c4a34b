"""Speed of PyTorch's schedulers: torch_lr.py SPEC...

Prints for each SPEC, a call as bench/lr.c has it, the nanoseconds of one step in the median, as a
JSON list; null where PyTorch has no such schedule. One group with a momentum, SGD; the optimizer
itself is not stepped.
"""
import json
import statistics
import sys
import time
import warnings

import torch
from torch.optim import lr_scheduler
from torch.optim.swa_utils import SWALR

STEPS = 900  # OneCycleLR refuses to go on after its 1000
ROUNDS = 7


class Calls(dict):
    """The names of a spec: each makes PyTorch's scheduler of that name over the optimizer."""

    def __init__(self, optimizer):
        super().__init__()
        self.optimizer = optimizer

    def __missing__(self, name):
        made = SWALR if name == "SWALR" else getattr(lr_scheduler, name)

        def call(*args, **kwargs):
            args = [eval(f"lambda epoch: {a}") if isinstance(a, str) else a for a in args]
            first = () if name == "ChainedScheduler" else (self.optimizer,)
            return made(*first, *args, **kwargs)
        return call


def step_once(spec):
    """Nanoseconds a step, over the steps of one run."""
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=0.1, momentum=0.9)
    scheduler = eval(spec, Calls(optimizer))
    arguments = (1.0,) if spec.startswith("ReduceLROnPlateau") else ()
    began = time.perf_counter()
    for _ in range(STEPS):
        scheduler.step(*arguments)
    return (time.perf_counter() - began) / STEPS * 1e9


def median_step(spec):
    try:
        return statistics.median(step_once(spec) for _ in range(ROUNDS))
    except AttributeError:  # one of the names is Anneal's own
        return None


def main():
    warnings.simplefilter("ignore")
    print(json.dumps([median_step(spec) for spec in sys.argv[1:]]))


main()
