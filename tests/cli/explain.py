"""anneal schedule explain: the tree of a value; its formulas are true."""
import json
import math

from driver import Case, main

# Schedules whose parts all have a formula that Python can compute, or words.
SPECS = ["StepLR(30)", "MultiStepLR([10, 40, 60], 0.5)", "ConstantLR(0.3, 20)",
         "LinearLR(0.1, 0.9, 50)", "ExponentialLR(0.97)", "PolynomialLR(80, 2)",
         "CosineAnnealingLR(60, 0.01)", "CosineAnnealingWarmRestarts(7, 2, 0.001)",
         "CosineAnnealingWarmRestarts(7)", "CyclicLR(0.01, 0.1, 7, 5)",
         "CyclicLR(0.01, 0.1, 7, mode='triangular2')",
         "CyclicLR(0.01, 0.1, 7, mode='exp_range', gamma=0.99)",
         "OneCycleLR(0.1, 90)", "OneCycleLR(0.1, 90, three_phase=True)",
         "OneCycleLR(0.1, 90, anneal_strategy='linear')", "LambdaLR(\"0.95 ** epoch\")",
         "LambdaLR(lambda e: 1 / (1 + e))", "Constant(0.5)", "Linear(start=0.2, end=1, length=30)",
         "Cosine(end=0.1)", "Cosine(length=20, after_end='repeat')",
         "Cosine(length=20, after_end='mirror')", "Linear(length=20, after_end='zero')",
         "LinearLR(0.1, total_iters=9, after_end='mirror')", "Geometric(length=50)",
         "Exponential(0.5, every=10)", "Inverse(50, power=0.5)", "Sigmoid(30, 5)"]
NAMES = {"cos": math.cos, "exp": math.exp, "sqrt": math.sqrt, "floor": math.floor, "pi": math.pi}


class Explain(Case):
    def explain(self, spec, at, *args):
        out, err = self.anneal("schedule", "explain", spec, "--at", str(at), "--format", "json",
                               *args)
        self.assertEqual(err, "")
        return json.loads(out)

    def test_text(self):
        out, _ = self.anneal("schedule", "explain",
                             "Sequence([Linear(start=0.1, end=1), StepLR(30)], [5])", "--at", "40")
        lines = [line.split() for line in out.splitlines()]
        self.assertEqual(out.splitlines()[1], "lr at step 40: 0.010000000000000002")
        self.assertEqual(lines[3][:5], ["Sequence", "t", "=", "40", "0.01"])
        self.assertEqual(lines[4], ["Linear", "no", "part", "in", "it"])
        self.assertTrue(out.splitlines()[5].startswith("  StepLR "))
        self.assertTrue(out.endswith("0.1 * 0.1 ** floor(35 / 30)\n"), out)

    def test_formulas_are_true(self):
        """What Python computes from each formula is the rate."""
        computed = 0
        for spec in SPECS:
            for at in (0, 1, 8, 23, 50, 89):
                told = self.explain(spec, at, "--steps", "90")
                part = told["parts"][-1]
                self.assertEqual(part["rate"], told["lr"])
                value = eval(part["formula"], NAMES.copy())  # pylint: disable=eval-used
                self.assertAlmostEqual(value, part["rate"], delta=1e-9 * abs(part["base"]),
                                       msg=f"{spec} at {at}: {part['formula']}")
                computed += 1
        self.assertEqual(computed, 6 * len(SPECS))

    def test_the_value_is_that_of_the_table(self):
        for spec in ("Sequence([Linear(start=0.1, end=1), Cosine()], [5])",
                     "Product([Cosine(), StepLR(30), Constant(0.5)])",
                     "SequentialLR([LinearLR(0.1), OneCycleLR(0.3, 95)], [5])",
                     "ChainedScheduler([LinearLR(0.1), CosineAnnealingLR(10, 0.01)])",
                     "Cosine(end=Linear(start=0.3, end=0.1, length=50))",
                     "Clamp(Scale(Restarts(Cosine(), 20, warmup=2), 3), max=0.2)"):
            out, _ = self.anneal("schedule", "table", spec, "--steps", "100", "--closed-form",
                                 "--format", "json")
            rows = json.loads(out)
            for at in (0, 4, 5, 6, 40, 99):
                self.assertEqual(self.explain(spec, at, "--steps", "100")["lr"], rows[at]["lr"],
                                 (spec, at))

    def test_what_cannot_be_explained(self):
        for args in (["StepLR(30)"], ["--at", "3"], ["StepLR(30)", "--at", "-1"],
                     ["StepLR(30)", "--at", "3", "--base-lr", "1", "--base-lr", "2"],
                     ["ReduceLROnPlateau()", "--at", "3"], ["StepLR()", "--at", "3"],
                     ["StepLR(3)", "StepLR(3)", "--at", "3"],
                     ["Cosine()", "--at", "3"]):
            out, err = self.anneal("schedule", "explain", *args, status=2)
            self.assertEqual(out, "")
            self.assertTrue(err.startswith("anneal: ") or "column" in err, err)


if __name__ == "__main__":
    main()
