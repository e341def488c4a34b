"""anneal schedule bound: the published table, the formats, what is refused."""
import csv
import io
import json
import math

from driver import Case, main

# Shapes over 1000 updates with the best base rate and bound x sqrt(T), as F. Schaipp's formulas give
# them (D = G = 1); recomputed in plain Python by reference() below.
TABLE = [
    ("LinearLR(1, 0, 1000)", ".0314972", "2.0060"),
    ("LambdaLR('(1 - epoch / 1000) / (1 - epoch / 2000)')", ".025424", "2.0251"),  # REX
    ("LambdaLR('1 if epoch <= 500 else 2 * (1 - epoch / 1000)')", ".0206531", "2.0402"),  # knee
    ("CosineAnnealingLR(1000)", ".0306241", "2.0632"),
    ("CosineAnnealingLR(1000, eta_min=0.1)", ".0271163", "2.1186"),
    ("LambdaLR('1 / sqrt(epoch + 1)')", ".199089", "2.5701"),
    ("ConstantLR(factor=1)", ".0108564", "2.9128"),
    ("PolynomialLR(1000, power=2)", ".0445982", "2.1240"),
    ("LambdaLR('1 if epoch <= 800 else 1 - sqrt((epoch - 800) / 200)')", ".0170794", "2.1351"),
    ("LambdaLR('1 if epoch <= 800 else 1 - (epoch - 800) / 200')", ".0161627", "2.1727"),
    ("LambdaLR('0.01 ** (epoch / 1000)')", ".0646381", "2.2705"),
    ("MultiStepLR([500, 750])", ".0240267", "2.4951"),
    ("MultiStepLR([300, 600, 900])", ".0339679", "2.7948"),
]


def reference(rates, distance, gradient):
    """The bound as it is printed, with its sums spelled out."""
    total = sum(rates)
    value = (distance**2 + sum(r * r * gradient**2 for r in rates)) / (2 * total)
    for k in range(len(rates) - 1):
        tail = sum(rates[k + 1:])
        squares = sum(r * r * gradient**2 for r in rates[k:])
        value += 0.5 * rates[k] / tail * squares / (tail + rates[k])
    return value


class Bound(Case):
    def bound(self, *args):
        out, err = self.anneal("schedule", "bound", *args)
        self.assertEqual(err, "")
        return [[row[0]] + [float(x) for x in row[1:]] for row in csv.reader(io.StringIO(out))
                if row[0] != "schedule"]

    def test_published_table(self):
        rows = self.bound(*[t[0] for t in TABLE], "--steps", "1000", "--base-lr", "1")
        self.assertEqual(len(rows), len(TABLE))
        for row, (_, base, bound) in zip(rows, TABLE):
            digits = len(base.lstrip(".0"))
            self.assertEqual(float(f"{row[1]:.{digits}g}"), float(base), row)
            self.assertEqual(f"{row[3]:.4f}", bound, row)

    def test_linear_to_zero_is_the_theory(self):
        """For a linear decay the optimum is known: 2 D G / sqrt(T), but for terms of order 1/T."""
        [row] = self.bound("LinearLR(1, 0, 100000)", "--steps", "100000", "--base-lr", "1",
                           "--distance", "3", "--gradient", "5")
        self.assertAlmostEqual(row[3], 2 * 3 * 5, delta=1e-2)
        self.assertAlmostEqual(row[1], 3 / (5 * math.sqrt(100000)), delta=1e-5)

    def test_sums(self):
        rates = [0.3 * 0.9**i for i in range(50)]
        [row] = self.bound("ExponentialLR(0.9)", "--steps", "50", "--base-lr", "0.3",
                           "--distance", "2", "--gradient", "0.7")
        self.assertAlmostEqual(row[4], reference(rates, 2, 0.7), places=12)
        best = [r * row[1] / 0.3 for r in rates]
        self.assertAlmostEqual(row[2], reference(best, 2, 0.7), places=12)

    def test_rates_of_zero_at_the_end_do_not_count(self):
        """LinearLR over 10 of 20 updates: the ten at 0 change nothing but the factor sqrt(N)."""
        ten, twenty = (self.bound("LinearLR(1, 0, 10)", "--steps", n)[0] for n in ("10", "20"))
        self.assertEqual(ten[1:3], twenty[1:3])

    def test_json(self):
        out, _ = self.anneal("schedule", "bound", "LambdaLR('1 / (epoch + 1)')", "StepLR(3)",
                             "--steps", "9", "--format", "json")
        rows = json.loads(out)
        self.assertEqual([r["schedule"] for r in rows],
                         ['LambdaLR("1 / (epoch + 1)")', "StepLR(step_size=3)"])
        self.assertEqual(set(rows[0]), {"schedule", "best_lr", "best_bound",
                                        "best_bound_sqrt_steps", "bound"})

    def test_help_says_what_it_is_worth(self):
        out, _ = self.anneal("schedule", "bound", "--help")
        self.assertIn("a prior", out)

    def test_refusals(self):
        for args, words, status in [
            (["StepLR(3)"], "needs --steps", 2),
            (["--steps", "9"], "needs a schedule", 2),
            (["StepLR(3)", "--steps", "0"], "needs --steps", 2),
            (["StepLR(3)", "--steps", "9", "--base-lr", "1", "--base-lr", "2"], "one --base-lr", 2),
            (["LambdaLR('1 - epoch')", "--steps", "9"], "update 2 is -0.1", 2),
            (["LambdaLR('0')", "--steps", "9"], "all rates are 0", 2),
            (["StepLR(3)", "--steps", "9", "--distance", "0"], "above 0", 2),
            (["StepLR(3)", "StepLR(x=1)", "--steps", "9"], "no parameter", 2),
        ]:
            _, err = self.anneal("schedule", "bound", *args, status=status)
            self.assertIn(words, err, args)


main()
