"""anneal schedule table and list: PyTorch's numbers, every format, metric files, what is refused."""
import csv
import io
import json
import math
import pathlib
import re

from driver import Case, main

VECTORS = pathlib.Path(__file__).parent.parent / "lr" / "vectors" / "pytorch.txt"


def cases():
    """The stored cases that one call of the command can repeat: one schedule, no edits.

    Gives (groups, spec, metrics or None, {step: values})."""
    for text in VECTORS.read_text().split("\nend\n"):
        groups, specs, metrics, rows, step, good = [], [], [], {}, 0, True
        for line in text.splitlines():
            word, _, rest = line.partition(" ")
            if word == "group":
                groups.append(rest.split())
            elif word == "schedule":
                specs.append(rest)
            elif word == "run":
                step += int(rest)
            elif word == "metric":
                metrics.append(float.fromhex(rest))
                step += 1
            elif word == "=":
                rows[step] = [float.fromhex(x) for x in rest.split()]
            elif word == "edit":
                good = False
        same = len({tuple(g[1:]) for g in groups}) == 1
        if good and same and len(specs) == 1 and groups:
            yield groups, specs[0], metrics or None, rows


class Table(Case):
    def table(self, *args):
        """The rows of a table as CSV: the names, then lists of numbers."""
        out, err = self.anneal("schedule", "table", *args)
        self.assertEqual(err, "")
        rows = list(csv.reader(io.StringIO(out)))
        return rows[0], [[float(x) for x in row] for row in rows[1:]]

    def test_known_values(self):
        out, _ = self.anneal("schedule", "table", "StepLR(step_size=2, gamma=0.1)", "--steps", "4")
        self.assertEqual(out, "step,lr\n"
                              "0,0.10000000000000001\n"
                              "1,0.10000000000000001\n"
                              "2,0.010000000000000002\n"
                              "3,0.010000000000000002\n"
                              "4,0.0010000000000000002\n")

    def test_vectors_from_pytorch(self):
        """Numbers that PyTorch computed: equal bits here, within 4 ulp with another libm."""
        done = 0
        for groups, spec, metrics, rows in cases():
            args = [spec, "--steps", str(max(rows))]
            for lr, momentum, beta1 in groups:
                args += ["--base-lr", repr(float.fromhex(lr))]
            if momentum != "-":
                args += ["--momentum", repr(float.fromhex(momentum))]
            if beta1 != "-":
                args += ["--beta1", repr(float.fromhex(beta1))]
            if metrics:
                (self.folder / "m.txt").write_text("".join(f"{m!r}\n" for m in metrics))
                args += ["--metric-file", "m.txt"]
            names, table = self.table(*args)
            self.assertEqual(len(table), max(rows) + 1)
            for step, expected in rows.items():
                self.assertEqual(table[step][0], step)
                for got, want in zip(table[step][1:], expected):
                    if not (math.isnan(got) and math.isnan(want)):
                        self.assertLessEqual(abs(got - want), 4 * math.ulp(want), (args, step))
            done += 1
        self.assertGreater(done, 20)

    def test_rows_and_columns(self):
        names, rows = self.table("OneCycleLR(max_lr=0.1)", "--steps", "3000")
        self.assertEqual(names, ["step", "lr", "momentum"])
        self.assertEqual([r[0] for r in rows], list(range(3001)))
        self.assertEqual(rows[-1][1], rows[-2][1])  # after its end it holds
        self.assertNotEqual(rows[-2][1], rows[-3][1])
        names, _ = self.table("OneCycleLR(max_lr=0.1)", "--steps", "9", "--beta1", "0.9")
        self.assertEqual(names, ["step", "lr", "beta1"])
        names, _ = self.table("OneCycleLR(max_lr=0.1, cycle_momentum=False)", "--steps", "9")
        self.assertEqual(names, ["step", "lr"])
        names, rows = self.table("OneCycleLR(max_lr=[0.1, 0.2])", "--steps", "9", "--base-lr", "1",
                                 "--base-lr", "2")
        self.assertEqual(names, ["step", "lr0", "lr1", "momentum0", "momentum1"])
        self.assertAlmostEqual(rows[3][2], 2 * rows[3][1])
        names, rows = self.table("ExponentialLR(0.5)", "--steps", "0", "--base-lr", "3")
        self.assertEqual(rows, [[0, 3]])

    def test_numbers_have_17_digits(self):
        out, _ = self.anneal("schedule", "table", "CosineAnnealingLR(T_max=50)", "--steps", "120",
                             "--base-lr", "1e-3")
        for line in out.splitlines()[1:]:
            number = line.split(",")[1]
            self.assertEqual(number, "%.17g" % float(number))

    def test_formats_agree(self):
        args = ["CyclicLR(base_lr=0.01, max_lr=0.1, step_size_up=7)", "--steps", "1500"]
        names, rows = self.table(*args)
        out, _ = self.anneal("schedule", "table", *args, "--format", "json")
        objects = json.loads(out)
        self.assertEqual([[o[n] for n in names] for o in objects], rows)
        self.assertEqual(list(objects[0]), names)
        out, _ = self.anneal("schedule", "table", *args, "--format", "text")
        lines = out.splitlines()
        self.assertEqual(lines[0], "CyclicLR(base_lr=0.01, max_lr=0.1, step_size_up=7)")
        self.assertEqual(lines[2].split(), names)
        self.assertEqual([[float(x) for x in line.split()] for line in lines[3:]], rows)

    def test_filled_length_is_said_in_text_only(self):
        args = ["OneCycleLR(max_lr=0.1)", "--steps", "30", "--format"]
        out, _ = self.anneal("schedule", "table", *args, "text")
        self.assertTrue(out.startswith(
            "OneCycleLR(max_lr=0.1, total_steps=30)   (total_steps from --steps)\n"))
        out, _ = self.anneal("schedule", "table", *args, "csv")
        self.assertTrue(out.startswith("step,lr,momentum\n"))
        out, _ = self.anneal("schedule", "table", "OneCycleLR(0.1, 20)", "--steps", "30",
                             "--format", "text")
        self.assertTrue(out.startswith("OneCycleLR(max_lr=0.1, total_steps=20)\n"))

    def test_numbers_json_has_not(self):
        args = ['LambdaLR("1e308 * 10 * (1 - epoch)")', "--steps", "2"]
        words = ["inf", "nan", "-inf"]
        out, _ = self.anneal("schedule", "table", *args, "--format", "json")
        self.assertEqual([row["lr"] for row in json.loads(out)], words)
        for format in "csv", "text":
            out, _ = self.anneal("schedule", "table", *args, "--format", format)
            self.assertEqual([re.split("[, ]+", line)[-1] for line in out.splitlines()[-3:]], words)

    def test_closed_form(self):
        for spec in ("StepLR(7)", "CosineAnnealingLR(T_max=40)", "OneCycleLR(max_lr=0.1)",
                     'MultiplicativeLR("0.99")',
                     "SequentialLR([LinearLR(total_iters=9), ExponentialLR(0.9)], [9])"):
            names, stepped = self.table(spec, "--steps", "2100", "--base-lr", "0.1")
            closed_names, closed = self.table(spec, "--steps", "2100", "--closed-form")
            self.assertEqual(names, closed_names)
            for a, b in zip(stepped, closed):
                for x, y in zip(a[1:], b[1:]):
                    self.assertLessEqual(abs(x - y), 1e-12)
        self.refused("schedule", "table", "ReduceLROnPlateau()", "--steps", "0", "--closed-form",
                     status=2, parts=["metric"])

    def test_metric_file(self):
        (self.folder / "m.txt").write_text("1\n 0.5\t\r\n2\nnan\n7e0\n3\nnever read\n")
        _, rows = self.table("ReduceLROnPlateau(patience=1)", "--steps", "6", "--metric-file",
                             "m.txt")
        self.assertEqual([r[1] for r in rows], [.1, .1, .1, .1, .1 * .1, .1 * .1, .1 * .1 * .1])
        (self.folder / "m.txt").write_text("1\n2")
        self.table("ReduceLROnPlateau()", "--steps", "2", "--metric-file", "m.txt")

    def test_metric_file_errors(self):
        def wrong(content, status, parts, caret=None):
            (self.folder / "m.txt").write_bytes(content)
            self.refused("schedule", "table", "ReduceLROnPlateau()", "--steps", "3",
                         "--metric-file", "m.txt", status=status, parts=parts, caret=caret)
        wrong(b"1\n2\n", 1, ["'m.txt' has 2 numbers; as many as steps are needed, 3"])
        wrong(b"1", 1, ["'m.txt' has 1 number;"])
        wrong(b"", 1, ["has 0 numbers"])
        wrong(b"1\nx3\n2\n", 1, ["m.txt:2", "'x3'"], "x3")
        wrong(b"1\n  2 3\n2\n", 1, ["m.txt:2", "'2 3'"], "2 3")
        wrong(b"1\n\n2\n3\n", 1, ["m.txt:2: this line is blank; a metric file has one number a line"])
        wrong(b" \t\r\n", 1, ["m.txt:1: this line is blank"])
        wrong(b"1\n2\0\n3\n", 1, ["m.txt:2"])
        self.refused("schedule", "table", "ReduceLROnPlateau()", "--steps", "3", "--metric-file",
                     "none.txt", status=1, parts=["none.txt", "No such file"])
        self.refused("schedule", "table", "ReduceLROnPlateau()", "--steps", "3", "--metric-file",
                     "set", status=1, parts=["'set'"])
        self.refused("schedule", "table", "ReduceLROnPlateau()", "--steps", "3", status=2,
                     parts=["ReduceLROnPlateau", "--metric-file"])

    def test_wrong_schedules(self):
        def wrong(spec, parts, caret=None):
            self.refused("schedule", "table", spec, "--steps", "5", status=2, parts=parts,
                         caret=caret)
        wrong("StepLr(30)", ["'StepLr'", "'StepLR'"], "StepLr")
        wrong("StepLR(stepsize=30)", ["'stepsize'", "'step_size'"], "stepsize")
        wrong("StepLR(step_size=0)", ["step_size", "1 or more", "0"], "0")
        wrong("StepLR()", ["step_size"])
        wrong("StepLR(30", [])
        wrong("", [])
        wrong("0.1", [])
        wrong('LambdaLR("epoc + 1")', ["epoc"], "epoc")
        wrong("SequentialLR([StepLR(3), ExponentialLR(gama=1)], milestones=[3])",
              ["'gama'", "'gamma'"], "gama")
        wrong("OneCycleLR(max_lr=[0.1, 0.2])", ["max_lr", "2 values", "1 group"])

    def test_wrong_arguments(self):
        def wrong(args, parts):
            self.refused("schedule", "table", *args, status=2, parts=parts)
        wrong([], ["needs a schedule"])
        wrong(["StepLR(3)"], ["--steps N"])
        wrong(["StepLR(3)", "StepLR(4)", "--steps", "3"], ["'StepLR(3)' and 'StepLR(4)'"])
        wrong(["StepLR(3)", "--step", "x"], ["--steps", "'x'"])
        for steps in ("-1", "1.5", "", "9999999999999999999999"):
            wrong(["StepLR(3)", "--steps", steps], ["--steps", f"'{steps}'"])
        for lr in ("-1", "nan", "inf", "x", "", "1e999"):
            wrong(["StepLR(3)", "--steps", "1", "--base-lr", lr], ["--base-lr", f"'{lr}'"])
        wrong(["StepLR(3)", "--steps", "1", "--momentum", "2"], ["--momentum", "0 to 1"])
        wrong(["StepLR(3)", "--steps", "1", "--momentum", "0.9", "--beta1", "0.9"], ["--beta1"])
        wrong(["StepLR(3)", "--steps", "1", "--format", "xml"], ["text, json or csv", "'xml'"])
        wrong(["StepLR(3)", "--steps", "1", "--bas-lr", "1"], ["'--bas-lr'", "'--base-lr'"])
        wrong(["StepLR(3)", "--steps"], ["--steps needs N"])

    def test_full_disk(self):
        if pathlib.Path("/dev/full").exists():
            with open("/dev/full", "wb") as full:
                import subprocess
                from driver import ANNEAL
                run = subprocess.run([ANNEAL, "schedule", "table", "StepLR(3)", "--steps", "9999"],
                                     stdout=full, stderr=subprocess.PIPE, text=True, check=False)
            self.assertEqual(run.returncode, 1)
            self.assertIn("cannot write", run.stderr)


class List(Case):
    def test_formats_agree(self):
        out, _ = self.anneal("schedule", "list", "--format", "json")
        objects = json.loads(out)
        self.assertEqual(len(objects), len({o["name"] for o in objects}))
        self.assertIn("CosineAnnealingWarmRestarts", {o["name"] for o in objects})
        out, _ = self.anneal("schedule", "list", "--format", "csv")
        rows = list(csv.DictReader(io.StringIO(out)))
        flat = [(o["name"], p["name"], p["type"], p["required"]) for o in objects
                for p in o["parameters"]]
        self.assertEqual([(r["schedule"], r["parameter"], r["type"], r["required"] == "1")
                          for r in rows], flat)
        out, _ = self.anneal("schedule", "list")
        names = re.findall(r"(?m)^\w+$", out)
        self.assertEqual(names, [o["name"] for o in objects])
        self.assertEqual(len(re.findall(r"(?m)^  \w", out)), len(flat))

    def test_defaults_are_pytorchs(self):
        out, _ = self.anneal("schedule", "list", "--format", "json")
        table = {o["name"]: {p["name"]: p for p in o["parameters"]} for o in json.loads(out)}
        one = table["OneCycleLR"]
        self.assertEqual(one["pct_start"], {"name": "pct_start", "type": "number",
                                            "required": False, "default": 0.3, "low": 0,
                                            "low_excluded": False, "high": 1,
                                            "high_excluded": False})
        self.assertEqual(one["anneal_strategy"]["default"], "cos")
        self.assertEqual(one["anneal_strategy"]["choices"], ["cos", "linear"])
        self.assertIs(one["cycle_momentum"]["default"], True)
        self.assertIsNone(one["total_steps"]["default"])
        self.assertTrue(table["StepLR"]["step_size"]["required"])
        self.assertEqual(table["LinearLR"]["start_factor"]["default"], 1 / 3)
        self.assertEqual(table["ReduceLROnPlateau"]["eps"]["default"], 1e-8)

    def test_aliases(self):
        out, _ = self.anneal("schedule", "list", "--aliases", "--format", "json")
        rows = json.loads(out)
        table, _ = self.anneal("schedule", "list", "--aliases", "--format", "csv")
        self.assertEqual(list(csv.DictReader(io.StringIO(table))), rows)
        calls = {(r["system"], r["name"]): r["call"] for r in rows}
        self.assertEqual(len(calls), len(rows))
        self.assertEqual(calls["transformers", "get_cosine_schedule_with_warmup"],
                         "get_cosine_schedule_with_warmup(num_warmup_steps, num_training_steps, "
                         "num_cycles=0.5, last_epoch=-1)")
        text, _ = self.anneal("schedule", "list", "--aliases")
        self.assertLessEqual(max(map(len, text.splitlines())), 100)
        plain = " ".join(text.split())
        short, _ = self.anneal("schedule", "list")
        names = set(re.split(r"[\s,]+", short[short.index("Names of other systems"):]))
        for row in rows:
            self.assertIn(row["call"], plain)
            self.assertIn(row["name"], names)
            self.assertIn(row["system"], names)

    def test_a_name_of_another_system_is_drawn_like_its_text(self):
        one, _ = self.anneal("schedule", "table", "optax.cosine_decay_schedule(0.1, 50)", "--steps",
                             "60")
        two, _ = self.anneal("schedule", "table", "Base(Cosine(length=50), lr=0.1)", "--steps",
                             "60")
        self.assertEqual(one, two)
        self.refused("schedule", "table", "sigmoid(1, 2)", "--steps", "5", status=2,
                     parts=["write caffe.sigmoid"])

    def test_wrong_arguments(self):
        self.refused("schedule", "list", "StepLR", status=2, parts=["'StepLR'"])
        self.refused("schedule", "list", "--format", "yaml", status=2, parts=["'yaml'"])


class Schedule(Case):
    def test_help(self):
        for args in (["schedule"], ["schedule", "table"], ["schedule", "plot"],
                     ["schedule", "list"]):
            out, err = self.anneal(*args, "--help")
            self.assertTrue(out.startswith("Usage: anneal " + " ".join(args)))
            self.assertIn("Example", out)
            self.assertIn("  anneal schedule", out)
            self.assertEqual(err, "")

    def test_unknown_command(self):
        self.refused("schedule", "tables", status=2, parts=["'schedule tables'",
                                                            "'schedule table'"])
        self.refused("schedule", "xyzzy", status=2, parts=["'anneal schedule --help'"])
        self.refused("schedul", status=2, parts=["'schedule'"])
        out, err = self.anneal("schedule", status=2)
        self.assertIn("Usage: anneal schedule", err)
        self.assertEqual(out, "")


if __name__ == "__main__":
    main()
