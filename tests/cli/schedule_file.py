"""A table of values in a file: the schedule's commands, training and going on read it."""
import os
import shutil

from driver import CONFIG, Case, main

RATES = [0.1, 0.08, 0.06, 0.05, 0.03, 0.02, 0.01, 0.009, 0.008, 0.007, 0.006, 0.005, 0.004, 0.003]
TABLE = "".join(f"{rate}\n" for rate in RATES)


class ScheduleFile(Case):
    def table(self, *args, **options):
        return self.anneal("schedule", "table", *args, **options)[0]

    def test_what_table_prints_reads_back(self):
        cosine = self.table("CosineAnnealingLR(T_max=20)", "--steps", "20", "--base-lr", "0.05")
        (self.folder / "lr.csv").write_text(cosine)
        again = self.table("Base(Table('@lr.csv'), lr=1)", "--steps", "20", "--base-lr", "0.7")
        self.assertEqual(again, cosine)
        self.assertEqual(self.table("Base(Table('@lr.csv'), lr=1)", "--steps", "22").splitlines()[-1],
                         "22," + cosine.splitlines()[-1].split(",")[1])

    def test_commands(self):
        (self.folder / "lr.csv").write_text("1\n0.5\n0.25\n")
        spec = "Table('@lr.csv', every=2)"
        out, _ = self.anneal("schedule", "table", spec, "--steps", "4", "--format", "text")
        self.assertIn("Table(values=[1, 0.5, 0.25], every=2)", out)
        self.assertIn("no warnings", self.anneal("schedule", "lint", spec, "--steps", "6")[0])
        self.assertIn("0.05", self.anneal("schedule", "explain", spec, "--at", "2")[0])
        self.assertIn("Table", self.anneal("schedule", "plot", spec, "--steps", "6")[0])
        (self.folder / "long.csv").write_text(TABLE)
        out, _ = self.anneal("schedule", "table", "Table('@long.csv')", "--steps", "3", "--format",
                             "text")
        self.assertIn("Table(values=[0.1, 0.08, 0.06, ..., 0.003])", out)

    def test_errors_name_file_and_line(self):
        (self.folder / "lr.csv").write_text("1\n0.5\nO.25\n")
        _, err = self.anneal("schedule", "table", "Table('@lr.csv')", "--steps", "4", status=1)
        self.assertIn("lr.csv:3: 'O.25' is not a number", err)
        self.assertIn("^", err)
        _, err = self.anneal("schedule", "lint", "Table('@no.csv')", "--steps", "4", status=1)
        self.assertIn("'no.csv'", err)
        _, err = self.anneal("schedule", "import", "Table('@lr.csv')", status=2)
        self.assertIn("no file is opened here", err)
        _, err = self.anneal("schedule", "table", "Table('@/dev/zero')", "--steps", "4", status=1)
        self.assertIn("it is a device; name a file", err)
        with open(self.folder / "large", "wb") as file:
            file.truncate((64 << 20) + 1)
        _, err = self.anneal("schedule", "table", "Table('@large')", "--steps", "4", status=1)
        self.assertIn("larger than 64 MiB", err)
        os.mkfifo(self.folder / "pipe")
        _, err = self.anneal("schedule", "table", "Table('@pipe')", "--steps", "4", status=1)
        self.assertIn("cannot read the table 'pipe': it is a pipe; name a file", err)


class Training(Case):
    def setUp(self):
        super().setUp()
        (self.folder / "sub").mkdir()
        (self.folder / "sub" / "rates.txt").write_text(TABLE)
        (self.folder / "sub" / "c.yaml").write_text(
            CONFIG.replace("OneCycleLR(max_lr=0.1)", "Base(Table('@rates.txt'), lr=1)")
            + "checkpoint: {epochs: 1, keep: 0}\nlog: {every: 1, csv: true}\n")

    def train(self, *args, status=0):
        return self.anneal("train", "sub/c.yaml", *args, status=status)

    def runs(self):
        return sorted(path.parent for path in self.folder.glob("runs/*/resolved.yaml"))

    def rates(self, folder):
        head, *rows = (folder / "steps.csv").read_text().splitlines()
        column = head.split(",").index("lr")
        return [float(row.split(",")[column]) for row in rows]

    def test_resumed_it_has_not_changed(self):
        """What the store holds is the numbers, as in resolved.yaml, not the name of their file."""
        (self.folder / "rates.csv").write_text("0.1\n0.2\n0.3\n", encoding="utf-8")
        self.config(CONFIG.replace("OneCycleLR(max_lr=0.1)", "Table('@rates.csv')"))
        self.anneal("train", "c.yaml")
        [run] = (self.folder / "runs").glob("c-*")
        out, _ = self.anneal("resume", run.name, "--set", "epochs=3")
        self.assertIn("changed: epochs 2 -> 3\n", out)
        shown, _ = self.anneal("runs", "show", run.name)
        self.assertRegex(shown, r"schedule +Table\(\[0.1, 0.2, 0.3\]\)")

    def test_beside_the_configuration(self):
        out, _ = self.train()
        self.assertIn("Base(Table(values=[0.1, 0.08, 0.06, ..., 0.003]), lr=1)", out)
        self.assertEqual(self.rates(self.runs()[0]), RATES)

    def test_with_set_and_from_here(self):
        (self.folder / "here.csv").write_text("0.5\n0.25\n")
        self.train("--set", "schedule=Table('@here.csv', every=7)")
        self.assertEqual(self.rates(self.runs()[0]), [0.05] * 7 + [0.025] * 7)

    def test_resume_needs_the_file_no_more(self):
        """The run's own configuration has the numbers: neither a change nor a loss matters."""
        self.train()
        whole = self.runs()[0]
        self.assertIn("0.008, 0.007", (whole / "resolved.yaml").read_text())
        self.assertNotIn("rates.txt", (whole / "resolved.yaml").read_text())
        for text in ("0.5\n", None):
            path = self.folder / "sub" / "rates.txt"
            path.write_text(text) if text else path.unlink()
            runs = self.folder / "again"
            shutil.copytree(whole.parent, runs)
            again = runs / whole.name
            middle = sorted((again / "checkpoints").glob("*.state"))[0]
            self.anneal("resume", f"again/{whole.name}", "--checkpoint", str(middle))
            self.assertEqual((again / "weights.safetensors").read_bytes(),
                             (whole / "weights.safetensors").read_bytes())
            self.assertEqual(self.rates(again)[-7:], RATES[7:])
            shutil.rmtree(runs)

    def test_errors(self):
        (self.folder / "sub" / "rates.txt").write_text("0.1\n-1\n")
        _, err = self.train(status=1)
        self.assertIn("sub/rates.txt:2: '-1' is not 0 or more", err)
        (self.folder / "sub" / "rates.txt").unlink()
        _, err = self.train(status=1)
        self.assertRegex(err, "cannot read the table '.*rates.txt'")


if __name__ == "__main__":
    main()
