"""anneal schedule export: C that compiles to the same doubles, CSV, PyTorch's expressions."""
import csv
import io
import json
import shutil
import subprocess

from driver import Case, main

# What PyTorch is told; the values that its own schedules then have are those of the vectors in
# tests/lr/vectors, and, where PyTorch is installed, are compared here.
EXPRESSIONS = {
    "StepLR(30)": "StepLR(optimizer, step_size=30)",
    "torch.optim.lr_scheduler.MultiStepLR(optimizer, [30, 80], gamma=0.5)":
        "MultiStepLR(optimizer, milestones=[30, 80], gamma=0.5)",
    "ConstantLR()": "ConstantLR(optimizer)",
    "LinearLR(1/3, total_iters=5)": "LinearLR(optimizer)",
    "ExponentialLR(0.9)": "ExponentialLR(optimizer, gamma=0.9)",
    "PolynomialLR(4, 2.0)": "PolynomialLR(optimizer, total_iters=4, power=2)",
    "CosineAnnealingLR(T_max=10, eta_min=1e-3)":
        "CosineAnnealingLR(optimizer, T_max=10, eta_min=0.001)",
    "CosineAnnealingWarmRestarts(5, 2)": "CosineAnnealingWarmRestarts(optimizer, T_0=5, T_mult=2)",
    "CyclicLR(0.01, 0.1, 5, mode='triangular2')":
        "CyclicLR(optimizer, base_lr=0.01, max_lr=0.1, step_size_up=5, mode='triangular2')",
    "CyclicLR(0.01, 0.1, 5, scale_fn='1 / epoch')":
        "CyclicLR(optimizer, base_lr=0.01, max_lr=0.1, step_size_up=5, scale_fn=lambda epoch: "
        "1 / epoch)",
    "OneCycleLR(max_lr=0.1)": "OneCycleLR(optimizer, max_lr=0.1, total_steps=40)",
    "LambdaLR(\"0.95 ** epoch\")": "LambdaLR(optimizer, lambda epoch: 0.95 ** epoch)",
    "LambdaLR(lambda e: 1 / (1 + sqrt(e)))":
        "LambdaLR(optimizer, lambda e: 1 / (1 + math.sqrt(e)))",
    "LambdaLR(\"math.cos(epoch / 40) + 0 * pi\")":
        "LambdaLR(optimizer, lambda epoch: math.cos(epoch / 40) + 0 * math.pi)",
    "MultiplicativeLR('0.9 if epoch % 5 == 0 else 1')":
        "MultiplicativeLR(optimizer, lambda epoch: 0.9 if epoch % 5 == 0 else 1)",
    "SWALR(0.05)": "SWALR(optimizer, swa_lr=0.05)",
    "SequentialLR([LinearLR(0.1), CosineAnnealingLR(35)], milestones=[5])":
        "SequentialLR(optimizer, [LinearLR(optimizer, start_factor=0.1), "
        "CosineAnnealingLR(optimizer, T_max=35)], milestones=[5])",
    "ChainedScheduler([LinearLR(0.1), ExponentialLR(0.9)])":
        "ChainedScheduler([LinearLR(optimizer, start_factor=0.1), "
        "ExponentialLR(optimizer, gamma=0.9)])",
    "ReduceLROnPlateau(patience=3)": "ReduceLROnPlateau(optimizer, patience=3)",
}

REFUSED = ["Cosine()", "Sequence([StepLR(3), StepLR(2)], [5])",
           "CosineAnnealingLR(10, after_end='hold')", "LinearLR(0.1, total_iters=0)",
           "ConstantLR(0)", "OneCycleLR(0.1, 30)",
           "SequentialLR([SequentialLR([StepLR(3), StepLR(2)], [5]), StepLR(3)], [20])",
           "SequentialLR([LinearLR(), OneCycleLR(0.1, 50)], [5])"]

PROGRAM = """
import json, math, sys, warnings
warnings.simplefilter("ignore")
import torch
from torch.optim.lr_scheduler import *
from torch.optim.swa_utils import SWALR
rows = {}
for expression in json.load(sys.stdin):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1, momentum=0.5)
    schedule = eval(expression)
    rows[expression] = []
    for i in range(40):
        rows[expression].append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if i < 39:
            schedule.step()
json.dump(rows, sys.stdout)
"""


class Export(Case):
    def export(self, spec, to, *args, steps=40):
        out, err = self.anneal("schedule", "export", spec, "--to", to, "--steps", str(steps),
                               *args)
        self.assertEqual(err, "")
        return out

    def test_c_has_the_same_doubles(self):
        out = self.export("OneCycleLR(max_lr=[0.1, 0.3])", "c", "--base-lr", "0.1", "--base-lr",
                          "0.2", steps=7)
        rows = list(csv.DictReader(io.StringIO(
            self.export("OneCycleLR(max_lr=[0.1, 0.3])", "csv", "--base-lr", "0.1", "--base-lr",
                        "0.2", steps=7))))
        self.assertEqual(list(rows[0]), ["step", "lr0", "lr1", "momentum0", "momentum1"])
        prints = "".join(f'printf("%a %a\\n", lr0[{i}], momentum1[{i}]);' for i in range(7))
        (self.folder / "t.c").write_text(
            f"#include <stdio.h>\n{out}int main(void) {{ (void)lr1; (void)momentum0; {prints} }}")
        if not shutil.which("cc"):
            self.skipTest("no C compiler")
        subprocess.run(["cc", "-Wall", "-Werror", "-o", "t", "t.c"], cwd=self.folder, check=True)
        run = subprocess.run(["./t"], cwd=self.folder, check=True, text=True, capture_output=True)
        values = [[float.fromhex(x) for x in line.split()] for line in run.stdout.splitlines()]
        self.assertEqual(values, [[float(r["lr0"]), float(r["momentum1"])] for r in rows])

    def test_csv(self):
        self.assertEqual(self.export("StepLR(2)", "csv", steps=3),
                         "step,lr\n0,0.10000000000000001\n1,0.10000000000000001\n"
                         "2,0.010000000000000002\n")

    def test_metrics(self):
        (self.folder / "m.txt").write_text("1\n" * 10)
        out = self.export("ReduceLROnPlateau(patience=2)", "csv", "--metric-file", "m.txt",
                          steps=10)
        self.assertEqual(len(out.splitlines()), 11)

    def test_pytorch(self):
        for spec, expression in EXPRESSIONS.items():
            self.assertEqual(self.export(spec, "pytorch"), expression + "\n")

    def test_pytorch_refuses(self):
        for spec in REFUSED:
            out, err = self.anneal("schedule", "export", spec, "--to", "pytorch", "--steps", "40",
                                   status=2)
            self.assertEqual(out, "")
            self.assertIn("has no expression in PyTorch", err)

    def test_pytorch_has_the_values(self):
        """Evaluated by PyTorch itself, where there is one."""
        values = {}
        wanted = [e for s, e in EXPRESSIONS.items() if "Plateau" not in s]
        for python in ("python3", "/usr/bin/python3"):
            try:
                run = subprocess.run([python, "-c", PROGRAM], input=json.dumps(wanted), text=True,
                                     capture_output=True, check=False, timeout=240)
            except OSError:
                continue
            if run.returncode == 0:
                values = json.loads(run.stdout)
                break
            self.assertIn("No module named 'torch'", run.stderr)
        if not values:
            self.skipTest("no PyTorch here")
        for spec, expression in EXPRESSIONS.items():
            if expression not in values:
                continue
            rows = csv.DictReader(io.StringIO(self.export(spec, "csv", "--momentum", "0.5")))
            for row, want in zip(rows, values[expression]):
                self.assertAlmostEqual(float(row["lr"]), want, delta=1e-15, msg=spec)

    def test_wrong_arguments(self):
        for args in (["StepLR(3)"], ["StepLR(3)", "--to", "c"], ["StepLR(3)", "--steps", "3"],
                     ["StepLR(3)", "--steps", "3", "--to", "fortran"], ["--steps", "3"],
                     ["StepLR(3)", "--steps", "0", "--to", "c"],
                     ["LambdaLR(\"1 / epoch\")", "--steps", "3", "--to", "c"],
                     ["ReduceLROnPlateau()", "--steps", "3", "--to", "c"]):
            self.assertEqual(self.anneal("schedule", "export", *args, status=2)[0], "", args)


if __name__ == "__main__":
    main()
