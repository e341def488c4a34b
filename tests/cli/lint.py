"""anneal schedule lint; the documentation's good examples have no warnings; train prints them."""
import json
import pathlib
import re

from driver import CONFIG, Case, main, write_set

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# How long the run of an example may be, where the example does not say it.
RUNS = (100, 90, 60, 50, 10, 120, 200, 500, 1000, 2000, 10000, 4000, 20)


class Lint(Case):
    def lint(self, spec, steps, *args, status=0):
        out, err = self.anneal("schedule", "lint", spec, "--steps", str(steps), *args,
                               status=status)
        self.assertEqual(err, "")
        return out

    def findings(self, spec, steps, *args, status=0):
        return json.loads(self.lint(spec, steps, "--format", "json", *args, status=status))

    def test_text(self):
        self.assertEqual(self.lint("CosineAnnealingLR(T_max=200)", 100, status=1),
                         "warning: CosineAnnealingLR: T_max=200, but the run has 100 steps: its "
                         "end is not reached\n"
                         "  parameter T_max\n"
                         "  better    CosineAnnealingLR(T_max=100)\n")
        self.assertEqual(self.lint("StepLR(30)", 90), "no warnings\n")
        self.assertIn("but the run has 1 step: ",
                      self.lint("CosineAnnealingLR(T_max=9)", 1, status=1))

    def test_milestones_of_short_runs(self):
        for steps, fix in ((1, None), (2, "[1]"), (3, "[1, 2]"), (100, "[50, 75]")):
            found = self.findings("MultiStepLR([200])", steps, status=1)
            self.assertEqual([f["fix"] for f in found],
                             [fix and f"MultiStepLR(milestones={fix})"])

    def test_json(self):
        found = self.findings("LambdaLR(\"1 - epoch / 10\")", 20, status=1)
        self.assertEqual([(f["kind"], f["step"], f["after_run"]) for f in found],
                         [("negative", 11, False)])
        self.assertEqual(found[0]["fix"], "Clamp(LambdaLR(\"1 - epoch / 10\"), min=0)")
        self.assertEqual(self.findings("StepLR(30)", 90), [])

    def test_groups(self):
        spec = "CyclicLR([0.01, 0], 0.1, 10, cycle_momentum=False)"
        rates = ("--base-lr", "0.01", "--base-lr", "0.1")
        found = self.findings(spec, 100, *rates, status=1)
        self.assertEqual([(f["kind"], f["group"]) for f in found], [("first_zero", 1)])
        self.assertIn("changes nothing (group 1)", self.lint(spec, 100, *rates, status=1))
        found = self.findings("LinearLR(total_iters=200)", 100, *rates, status=1)
        self.assertEqual([f["group"] for f in found], [None])

    def test_a_remark_is_no_warning(self):
        found = self.findings("CosineAnnealingLR(T_max=100)", 100)
        self.assertEqual([(f["kind"], f["after_run"]) for f in found], [("rises", True)])

    def test_units(self):
        found = self.findings("StepLR(30)", 93800, "--steps-per-epoch", "938", status=1)
        self.assertEqual((found[0]["kind"], found[0]["fix"]), ("unit", "StepLR(step_size=28140)"))
        found = self.findings("CosineAnnealingLR(9380)", 10, "--steps-per-epoch", "938",
                              "--interval", "epoch", status=1)
        self.assertEqual((found[0]["kind"], found[0]["fix"]),
                         ("unit", "CosineAnnealingLR(T_max=10)"))
        self.findings("Cosine(length=10ep)", 9380, "--steps-per-epoch", "938")
        far = "CyclicLR(base_lr=0.001, max_lr=0.1, step_size_up=50, step_size_down=9007199254740991)"
        found = self.findings(far, 90000000, "--steps-per-epoch", "900000", status=1)
        self.assertEqual(found[0]["fix"], f"Stretch({far}, to=90000000, length=100)")

    def test_the_optimizers_own(self):
        found = self.findings("OneCycleLR(max_lr=0.1)", 100, "--base-lr", "0.1", "--momentum",
                              "0.9", status=1)
        self.assertEqual([(f["kind"], f["parameter"]) for f in found],
                         [("overwrites", "cycle_momentum")])
        self.findings("OneCycleLR(max_lr=0.1)", 100, "--beta1", "0.9")
        self.findings("OneCycleLR(max_lr=[0.1, 0.2])", 100, "--base-lr", "0.1", "--base-lr", "0.2")
        found = self.findings("StepLR(30)", 90, "--optimizer", "Rprop", status=1)
        self.assertEqual(found[0]["kind"], "no_effect")

    def test_wrong_arguments(self):
        for args in (["StepLR(30)"], ["--steps", "10"], ["StepLR(30)", "--steps", "0"],
                     ["StepLR(30)", "StepLR(3)", "--steps", "9"],
                     ["StepLR(30)", "--steps", "9", "--interval", "year"],
                     ["StepLR(30)", "--steps", "9", "--momentum", "0.9", "--beta1", "0.9"],
                     ["StepLR(0)", "--steps", "9"], ["StepLR(", "--steps", "9"]):
            self.assertTrue(self.anneal("schedule", "lint", *args, status=2)[1], args)

    # -------------------------------------------------- the documentation's examples

    def expect_a_good_run(self, spec, where):
        """There is a length of run for which nothing is wrong with it; it also has units."""
        outs = []
        for steps in RUNS:
            for args in (["--steps-per-epoch", str(max(1, steps // 10))], ["--interval", "epoch"]):
                process = self.start("schedule", "lint", spec, "--steps", str(steps), *args)
                out, err = process.communicate(timeout=240)
                if process.returncode != 1:  # 2: a pattern with names for numbers, no example
                    return
                outs.append(out + err)
        self.fail(f"{where}: {spec}\n{outs[0]}")

    def calls(self, text):
        """The schedules among what stands in backquotes."""
        names = {s["name"] for s in json.loads(
            self.anneal("schedule", "list", "--format", "json")[0])}
        for code in re.findall(r"`([^`]+)`", text):
            code = " ".join(code.split())
            name = code.partition("(")[0]
            if name in names and code.endswith(")") and "..." not in code:
                yield code

    def test_what_the_documentation_recommends(self):
        """docs/schedules.md: every example under 'Use'; README: every schedule in it."""
        page = (ROOT / "docs/schedules.md").read_text(encoding="utf-8")
        uses = re.findall(r"(?ms)^\*\*Use\.\*\*.*?(?=^\*\*|^## )", page)
        self.assertGreater(len(uses), 20)
        count = 0
        for text in uses + [(ROOT / "README.md").read_text(encoding="utf-8")]:
            for spec in self.calls(text):
                self.expect_a_good_run(spec, "docs")
                count += 1
        self.assertGreater(count, 15)

    def test_examples_of_the_commands(self):
        """Those of the manual page and of the help texts, over the run that they say."""
        page = (ROOT / "docs/anneal.1").read_text(encoding="utf-8")
        lines = re.findall(r"(?m)^anneal schedule (?:table|plot|bound|lint) .*$", page)
        for command in ("table", "plot", "bound", "lint"):
            out, _ = self.anneal("schedule", command, "--help")
            lines += re.findall(rf"(?m)^  anneal schedule {command} .*$", out)
        self.assertGreater(len(lines), 12)
        for line in lines:
            steps = re.search(r"--steps (\d+)", line)
            for spec in re.findall(r"'([^']*\))'", line):
                self.lint(spec, steps[1] if steps else 100)

    def test_configurations(self):
        for path in sorted((ROOT / "examples").glob("*.yaml")):
            text = path.read_text(encoding="utf-8")
            found = {key: (re.search(rf"(?m)^{key}: *([^#\n]*)", text) or [None, ""])[1].strip()
                     for key in ("schedule", "optimizer", "interval", "epochs", "batch_size")}
            if not found["schedule"]:
                continue
            own = dict(re.findall(r"\b(lr|momentum)=([\d.e-]+)", found["optimizer"]))
            each = 60000 // int(found["batch_size"] or 64)
            steps = int(found["epochs"] or 1) * (each if found["interval"] == "step" else 1)
            args = ["--base-lr", own["lr"]] if "lr" in own else []
            args += ["--momentum", own["momentum"]] if "momentum" in own else []
            self.lint(found["schedule"], steps, "--steps-per-epoch", str(each), "--interval",
                      found["interval"] or "epoch", *args)

    # ------------------------------------------------------------------------ train

    def test_train_warns(self):
        write_set(self.folder / "set")
        text = CONFIG.replace("momentum=0.9", "momentum=0.95")
        (self.folder / "good.yaml").write_text(text)
        (self.folder / "bad.yaml").write_text(
            CONFIG.replace("OneCycleLR(max_lr=0.1)", "StepLR(5)"))
        self.assertNotIn("warning", self.anneal("train", "good.yaml")[0])
        (self.folder / "c.yaml").write_text(CONFIG)
        out, _ = self.anneal("train", "c.yaml")
        words = " ".join(out.split())
        self.assertIn("warning: OneCycleLR drives momentum from 0.95 to 0.85 and back; the "
                      "optimizer's 0.9 is not used (cycle_momentum=False keeps it)", words)
        self.assertIn("\n           warning: ", out)
        self.assertLess(out.index("schedule   "), out.index("warning: "))
        self.assertIn("better: OneCycleLR(max_lr=0.1, total_steps=14, cycle_momentum=False)", words)


if __name__ == "__main__":
    main()
