"""anneal runs: what was trained can be listed, looked at, compared, exported and deleted."""
import csv
import io
import json
import re
import shutil
import sqlite3
import time

from driver import CONFIG, Case, main


class Runs(Case):
    def train(self, *args):
        """Trains; gives the run's name and what --format json printed."""
        before = self.names()
        out, _ = self.anneal("train", "c.yaml", "--format", "json", *args)
        new = [name for name in self.names() if name not in before]
        self.assertEqual(len(new), 1)
        return new[0], [json.loads(line) for line in out.splitlines()]

    def names(self):
        folder = self.folder / "runs"
        return sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.exists() else []

    def listed(self, *args):
        out, err = self.anneal("runs", "list", "--format", "json", *args)
        self.assertEqual(err, "")
        return json.loads(out)

    def test_list(self):
        a, lines = self.train()
        b, _ = self.train("--set", "optimizer.lr=0.02", "--set", "epochs=1")
        runs = self.listed()
        self.assertEqual([run["name"] for run in runs], [a, b])
        self.assertEqual([run["status"] for run in runs], ["done", "done"])
        self.assertEqual(runs[0]["epoch"], 2)
        self.assertEqual(runs[0]["loss"], lines[1]["loss"])
        self.assertEqual(runs[0]["test_loss"], lines[-1]["test_loss"])
        self.assertLess(abs(runs[0]["started"] - time.time()), 60)
        text, _ = self.anneal("runs", "list")
        self.assertEqual(len(text.splitlines()), 3)
        self.assertTrue(text.startswith("name "))
        self.assertNotIn("valid_loss", text)
        rows = list(csv.DictReader(io.StringIO(self.anneal("runs", "list", "--format", "csv")[0])))
        self.assertEqual(float(rows[0]["loss"]), lines[1]["loss"])

    def test_filters_and_order(self):
        a, _ = self.train()
        b, _ = self.train("--set", "optimizer.lr=0.02")
        c, _ = self.train("--set", "optimizer=Adam(lr=0.05, betas=(0.9, 0.99))",
                          "--set", "schedule=StepLR(2)")

        def names(*args):
            return [run["name"] for run in self.listed(*args)]
        self.assertEqual(names("--where", "optimizer.lr>0.03"), [a, c])
        self.assertEqual(names("--where", "optimizer.lr<=0.05"), [b, c])
        self.assertEqual(names("--where", "optimizer.lr=5e-2"), [c])
        self.assertEqual(names("--where", "optimizer.lr!=0.1", "--where", "optimizer=SGD"), [b])
        self.assertEqual(names("--where", "optimizer~betas"), [c])
        self.assertEqual(names("--where", "schedule.0=2"), [c])
        self.assertEqual(names("--where", "optimizer.momentum>=0"), [a, b])
        self.assertEqual(names("--where", "status=done", "--limit", "2"), [a, b])
        self.assertEqual(names("--sort", "optimizer.lr"), [b, c, a])
        self.assertEqual(names("--sort", "-optimizer.lr"), [a, c, b])
        self.assertEqual(names("--sort", "-optimizer.momentum"), [a, b, c])
        self.assertEqual(names("--sort", "name"), sorted([a, b, c]))
        self.assertEqual(names("--limit", "0"), [])
        out, _ = self.anneal("runs", "list", "--columns", "optimizer.lr,name", "--format", "csv")
        self.assertEqual(out, f"optimizer.lr,name\n0.1,{a}\n0.02,{b}\n0.05,{c}\n")
        out, _ = self.anneal("runs", "list", "--columns", "name,optimizer.betas", "--format", "csv")
        self.assertIn(f'{c},"(0.9, 0.99)"\n', out)
        self.refused("runs", "list", "--where", "los<1", status=2, parts=["'los'", "'loss'"])
        self.refused("runs", "list", "--sort", "-nam", status=2, parts=["'nam'", "'name'"])
        self.refused("runs", "list", "--columns", "name,x,y", status=2, parts=["'x'"])

    def test_show(self):
        name, lines = self.train("--set", "validation=0.2")
        shown = json.loads(self.anneal("runs", "show", name, "--format", "json")[0])
        self.assertEqual(shown["name"], name)
        self.assertEqual(shown["parameters"]["loss"], "CrossEntropyLoss()")
        self.assertEqual(shown["parameters"]["epochs"], "2")
        self.assertEqual(shown["values"]["test_accuracy"], lines[-1]["test_accuracy"])
        self.assertEqual(len(shown["epochs"]), 2)
        for line, epoch in zip(lines, shown["epochs"]):
            for key in ("step", "epoch", "samples", "seconds", "loss", "accuracy", "valid_loss",
                        "valid_accuracy", "lr", "momentum", "samples_per_second"):
                self.assertEqual(line[key], epoch[key], key)
        text, _ = self.anneal("runs", "show", f"runs/{name}/")
        for part in (name, "done", "SGD(lr=0.1, momentum=0.9)", "valid acc", "test_loss",
                     "CrossEntropyLoss()"):
            self.assertIn(part, text)
        table = text[text.index("\nepochs\n") + 8:].split("\n\n")[0].splitlines()
        self.assertEqual(len(set(map(len, table))), 1, table)
        rows = dict(csv.reader(io.StringIO(
            self.anneal("runs", "show", name, "--format", "csv")[0])))
        self.assertEqual(rows["optimizer.momentum"], "0.9")
        self.assertEqual(rows["config.loss"], "CrossEntropyLoss()")

    def test_plot(self):
        name, _ = self.train("--set", "validation=0.2", "--set", "epochs=5")
        out, _ = self.anneal("runs", "show", name, "--plot")
        plots = out[out.index("epochs\n"):]
        for part in ("loss", "valid_loss", "lr", "epoch"):
            self.assertIn(part, plots)
        self.assertLessEqual(max(map(len, plots.splitlines())), 100, plots)
        self.assertGreater(len(plots.splitlines()), 20)
        self.assertNotRegex(plots, r"(?m)^lr\n\n")
        self.refused("runs", "show", name, "--plot", "--format", "json", status=2,
                     parts=["--plot"])

    def test_compare(self):
        a, _ = self.train()
        b, _ = self.train("--set", "optimizer.lr=0.02", "--set", "batch_size=8")
        c, _ = self.train("--set", "optimizer=Adam(lr=0.1)")
        rows = json.loads(self.anneal("runs", "compare", a, b, "--format", "json")[0])
        differs = {row["differs"]: (row[a], row[b]) for row in rows}
        self.assertEqual(differs["optimizer.lr"], ("0.1", "0.02"))
        self.assertEqual(differs["batch_size"], ("16", "8"))
        for same in ("optimizer", "optimizer.momentum", "model", "seed", "name", "epoch", "config.loss",
                     "status", "started", "folder"):
            self.assertNotIn(same, differs)
        self.assertIn("loss", differs)
        rows = json.loads(self.anneal("runs", "compare", a, b, c, "--format", "json")[0])
        differs = {row["differs"]: row for row in rows}
        self.assertEqual(differs["optimizer"][c], "Adam(lr=0.1)")
        self.assertIsNone(differs["optimizer.momentum"][c])
        text, _ = self.anneal("runs", "compare", a, b)
        self.assertIn("optimizer.lr", text)
        self.assertEqual(self.anneal("runs", "compare", a, a)[0], "nothing differs\n")

    def test_export_agrees_with_everything(self):
        """CSV, JSON, the database, the JSON log and the schedule's table: the same numbers."""
        name, lines = self.train("--set", "epochs=3")
        rows = list(csv.DictReader(io.StringIO(self.anneal("runs", "export", name)[0])))
        objects = json.loads(self.anneal("runs", "export", name, "--format", "json")[0])
        base = sqlite3.connect(self.folder / "runs" / "anneal.db")
        base.row_factory = sqlite3.Row
        stored = base.execute("SELECT metrics.* FROM metrics JOIN runs ON runs.id = metrics.run "
                              "WHERE name = ? AND kind = 'epoch' ORDER BY step", (name,)).fetchall()
        steps = rows[-1]["step"]
        table, _ = self.anneal("schedule", "table", "OneCycleLR(max_lr=0.1)", "--steps", steps,
                               "--base-lr", "0.1", "--momentum", "0.9", "--format", "csv")
        table = list(csv.DictReader(io.StringIO(table)))
        self.assertEqual(len(rows), 3)
        for line, row, item, record in zip(lines, rows, objects, stored):
            for key in ("step", "epoch", "samples", "loss", "accuracy", "lr", "momentum",
                        "seconds", "samples_per_second"):
                self.assertEqual(line[key], float(row[key]), key)
                self.assertEqual(line[key], item[key], key)
                self.assertEqual(line[key], record[key], key)
            used = table[int(row["step"]) - 1]  # the row before an update is what it uses
            self.assertEqual(used["lr"], row["lr"])
            self.assertEqual(used["momentum"], row["momentum"])
            self.assertEqual(row["valid_loss"], "nan")
            self.assertIsNone(item["valid_loss"])
            self.assertIsNone(record["valid_loss"])
        out, err = self.anneal("runs", "export", name, "--steps")
        self.assertEqual(len(out.splitlines()), 1)
        self.assertIn("has logged no updates; log: {every: 10}", err)

    def test_rm(self):
        a, _ = self.train()
        b, _ = self.train()
        self.refused("runs", "rm", a, "nonsense", status=2, parts=["'nonsense'"])
        self.assertEqual(self.names(), sorted([a, b]))
        out, _ = self.anneal("runs", "rm", a)
        self.assertEqual(out, f"removed {a}\n")
        self.assertEqual(self.names(), [b])
        self.assertEqual([run["name"] for run in self.listed()], [b])
        self.anneal("runs", "rm", "--runs", "runs", f"runs/{b}")
        self.assertEqual(self.listed(), [])
        text, _ = self.anneal("runs", "list", "--where", "loss<1")
        self.assertEqual(len(text.splitlines()), 1)

    def test_a_run_in_progress(self):
        self.config(CONFIG.replace("epochs: 2", "epochs: 1000000"))
        process = self.start("train", "c.yaml", "--format", "json")
        process.stdout.readline()
        name = self.names()[0]
        for _ in range(100):
            if self.listed():
                break
            time.sleep(0.05)
        self.assertEqual(self.listed()[0]["status"], "running")
        self.refused("runs", "rm", name, status=1, parts=[name, "is being trained"])
        process.kill()
        process.communicate()
        self.assertEqual(self.listed()[0]["status"], "killed")
        self.anneal("runs", "rm", name)

    def test_refused(self):
        self.refused("runs", "list", status=1, parts=["no runs in 'runs'"])
        self.refused("runs", "lst", status=2, parts=["'runs lst'", "'runs list'"])
        self.refused("runs", "list", "x", status=2, parts=["'x'"])
        self.refused("runs", "list", "--where", "loss", status=2, parts=["KEY=VALUE", "'loss'"])
        self.refused("runs", "list", "--where", "=1", status=2, parts=["KEY=VALUE"])
        self.refused("runs", "list", "--columns", ",", status=2, parts=["--columns"])
        self.refused("runs", "list", "--limit", "-1", status=2, parts=["--limit"])
        self.refused("runs", "list", "--format", "xml", status=2, parts=["text, json or csv"])
        for command in ("show", "export", "rm"):
            self.refused("runs", command, status=2, parts=[f"anneal runs {command}"])
        self.refused("runs", "show", "a", "b", status=2, parts=["one run"])
        self.refused("runs", "compare", "a", status=2, parts=["2 to"])
        self.refused("runs", "export", "a", "--format", "text", status=2, parts=["csv or json"])
        name, _ = self.train()
        self.refused("runs", "show", name[:-1], status=2, parts=[name])
        self.refused("runs", "export", "nothing-like-it", status=2, parts=["anneal runs list"])
        shutil.move(self.folder / "runs", self.folder / "else")
        self.assertIn(name, self.anneal("runs", "list", "--runs", "else")[0])
        (self.folder / "else" / "anneal.db").write_text("no database, but words " * 50)
        for suffix in ("-wal", "-shm"):
            (self.folder / "else" / f"anneal.db{suffix}").unlink(missing_ok=True)
        self.refused("runs", "list", "--runs", "else", status=1, parts=["else/anneal.db"])

    def test_help(self):
        for command in ([], ["list"], ["show"], ["compare"], ["export"], ["rm"]):
            out, err = self.anneal("runs", *command, "--help")
            self.assertTrue(out.startswith("Usage: anneal runs"))
            self.assertTrue(re.search(r"Examples?:", out))
            self.assertEqual(err, "")
        self.anneal("runs", status=2)


if __name__ == "__main__":
    main()
