"""The key metrics: in all logs by name, as what predict prints implies, watched, and resumed."""
import csv
import io
import json
import math
import random
import sqlite3
import struct

from driver import CONFIG, Case, main, npy, samples

CLASSES = """\
metrics: [TopK(3), MacroF1(), F1(2), Precision(9), Recall(9), Perplexity()]
validation: 30
threads: 1
"""
NAMES = ["top3", "macro_f1", "f1_2", "precision_9", "recall_9", "perplexity"]

NUMBERS = """\
data: {format: npy, x: x.npy, y: y.npy, test_x: tx.npy, test_y: ty.npy}
model: ["Linear(3, 2)"]
loss: MSELoss()
optimizer: Adam(lr=0.05)
epochs: 4
batch_size: 16
validation: 25
metrics: R2()
early_stopping: {patience: 3, monitor: valid_r2}
threads: 1
"""


def divide(a, b):
    return a / b if b else math.nan


def f1(labels, best, label):
    hits = sum(y == p == label for y, p in zip(labels, best))
    return divide(2 * hits, labels.count(label) + best.count(label))


def expected(labels, rows):
    """Of each metric in NAMES, from the probabilities of each sample's classes."""
    best = [row.index(max(row)) for row in rows]
    scores = [f for f in (f1(labels, best, c) for c in range(10)) if not math.isnan(f)]
    hits = sum(y == p == 9 for y, p in zip(labels, best))
    top = sum(sum(p > row[y] for p in row) < 3 for y, row in zip(labels, rows))
    loss = -sum(math.log(row[y]) for y, row in zip(labels, rows)) / len(rows)
    return [top / len(rows), sum(scores) / len(scores), f1(labels, best, 2),
            divide(hits, best.count(9)), divide(hits, labels.count(9)), math.exp(loss)]


class Metrics(Case):
    def folder_of_run(self):
        folders = [p for p in (self.folder / "runs").iterdir() if p.is_dir()]
        self.assertEqual(len(folders), 1)
        return folders[0]

    def epochs_csv(self):
        return list(csv.DictReader(io.StringIO((self.folder_of_run() / "epochs.csv").read_text())))

    def check(self, found, wanted):
        """`found` has null where there is none."""
        for name, want in zip(NAMES, wanted):
            got = found["test_" + name]
            if math.isnan(want):
                self.assertIsNone(got, name)
            else:
                self.assertAlmostEqual(got, want, places=5, msg=name)

    def test_classes_as_predicted(self):
        self.config(CONFIG.replace("epochs: 2", "epochs: 5") + CLASSES)
        out, _ = self.anneal("train", "c.yaml", "--format", "json", "--save", "w.safetensors")
        final = json.loads(out.splitlines()[-1])
        out, _ = self.anneal("predict", "w.safetensors", "--config", "c.yaml", "--input",
                             "set/t10k-images-idx3-ubyte", "--format", "json")
        rows = [json.loads(line)["probabilities"] for line in out.splitlines()]
        rows = [list(row.values()) if isinstance(row, dict) else row for row in rows]
        labels = samples(50, len("t10k"))[1]
        wanted = expected(labels, rows)
        self.assertTrue(0.2 < wanted[0] and 0 < wanted[1] < 1 and wanted[5] < 10, wanted)
        self.check(final, wanted)
        out, _ = self.anneal("eval", "w.safetensors", "--config", "c.yaml", "--format", "json")
        self.check(json.loads(out), wanted)
        out, _ = self.anneal("eval", self.folder_of_run().name)
        for name in NAMES:
            self.assertRegex(out, rf" {name} [0-9.n]")

    def test_everywhere_by_name(self):
        self.config(CONFIG + CLASSES + "log: {csv: true, tensorboard: true}\n")
        out, _ = self.anneal("train", "c.yaml")
        epochs = [line for line in out.splitlines() if line.startswith("epoch ")]
        final = out.splitlines()[-1]
        folder = self.folder_of_run()
        rows = self.epochs_csv()
        events = (folder / "events.out.tfevents.anneal").read_bytes()
        exported, _ = self.anneal("runs", "export", folder.name)
        self.assertEqual((folder / "epochs.csv").read_text(), exported)
        store = sqlite3.connect(self.folder / "runs/anneal.db")
        for name in NAMES:
            values = [row[f"valid_{name}"] for row in rows]
            found = store.execute("SELECT value FROM extras WHERE name = ? ORDER BY metric",
                                  (f"valid_{name}",)).fetchall()
            self.assertEqual([v for v, in found],
                             [None if v == "nan" else float(v) for v in values])
            self.assertTrue(all(f" valid_{name} " in line for line in epochs), out)
            self.assertIn(f" {name} ", final)
            self.assertIn(f"epoch/valid_{name}".encode(), events)
        store.close()
        for row in rows:
            self.assertAlmostEqual(float(row["valid_perplexity"]),
                                   math.exp(float(row["valid_loss"])), places=4)
        out, _ = self.anneal("runs", "show", folder.name)
        self.assertIn("test_macro_f1", out)
        out, _ = self.anneal("runs", "list", "--columns", "name,test_top3", "--format", "csv")
        self.assertRegex(out, rf"{folder.name},[0-9.]+\n")

    def write(self, name, rows):
        values = [v for row in rows for v in row]
        (self.folder / name).write_bytes(npy("<f4", (len(rows), len(rows[0])),
                                             struct.pack(f"<{len(values)}f", *values)))

    def test_numbers_as_predicted(self):
        """Two targets of which one lies far from the other, and a test set of other batches."""
        chance = random.Random(1)
        for prefix, count in (("", 90), ("t", 37)):
            x = [[chance.gauss(0, 1) for _ in range(3)] for _ in range(count)]
            y = [[row[0] - row[1] + chance.gauss(0, 0.2), 2 + 3 * row[2]] for row in x]
            self.write(prefix + "x.npy", x)
            self.write(prefix + "y.npy", y)
        self.config(NUMBERS)
        out, _ = self.anneal("train", "c.yaml", "--format", "json", "--save", "w.safetensors",
                             "--set", "epochs=30")
        lines = [json.loads(line) for line in out.splitlines()]
        out, _ = self.anneal("predict", "w.safetensors", "--config", "c.yaml", "--input", "tx.npy")
        found = [[float(v) for v in line.split(",")[-2:]] for line in out.splitlines()[1:]]
        r2 = 0
        for column in range(2):
            target = [row[column] for row in y]
            mean = sum(target) / 37
            wrong = sum((row[column] - t) ** 2 for row, t in zip(found, target))
            r2 += (1 - wrong / sum((t - mean) ** 2 for t in target)) / 2
        self.assertTrue(0 < r2 < 1, r2)
        self.assertAlmostEqual(lines[-1]["test_r2"], r2, places=5)
        self.assertIsNone(lines[-1]["test_accuracy"])
        self.assertGreater(lines[-2]["valid_r2"], lines[0]["valid_r2"])
        out, _ = self.anneal("eval", "w.safetensors", "--config", "c.yaml")
        self.assertRegex(out, r"^test loss [0-9.]+   r2 0\.[0-9]+   37 samples")

    def test_the_best_goes_on(self):
        """top9 is soon as good as it gets: nothing after the resume is better than before it."""
        self.config(CONFIG.replace("epochs: 2", "epochs: 9").replace("schedule: One", "# One") +
                    "metrics: [TopK(9), MacroF1()]\nvalidation: 30\nthreads: 1\n"
                    "checkpoint: {best: true, monitor: valid_top9, keep: 0}\n"
                    "early_stopping: {patience: 6, monitor: valid_top9}\nlog: {csv: true}\n")
        results = []
        for first in (9, 6):
            self.anneal("train", "c.yaml", "--set", f"epochs={first}")
            folder = self.folder_of_run()
            if first < 9:
                self.anneal("resume", folder.name, "--set", "epochs=9")
            rows = [{k: v for k, v in row.items() if k not in
                     ("seconds", "epoch_seconds", "samples_per_second", "memory")}
                    for row in self.epochs_csv()]
            best = sorted(p.name for p in (folder / "checkpoints").glob("best-*.state"))
            results.append((rows, best, (folder / "weights.safetensors").read_bytes()))
            folder.rename(self.folder / f"kept-{first}")
        top = [float(row["valid_top9"]) for row in results[0][0]]
        self.assertEqual(max(top), max(top[:4]), top)
        self.assertEqual(results[0], results[1])

    def test_what_does_not_fit(self):
        self.config(CONFIG + "metrics: [TopK(3), TopK(20)]\n")
        self.refused("train", "c.yaml", status=2, caret="TopK(20)",
                     parts=["c.yaml:14: TopK: k must be from 1 to 9", "got 20"])
        self.config(CONFIG + "metrics: [MacroF1(), top3]\n")
        self.refused("train", "c.yaml", status=2, caret="top3",
                     parts=["c.yaml:14: metrics takes calls: for 'top3' write 'TopK(3)'"])
        self.config(CONFIG + "metrics: R2()\n")
        self.refused("train", "c.yaml", status=2, caret="R2()", parts=["c.yaml:14: R2", "classes"])
        self.config(CONFIG + CLASSES + "monitor: valid_top5\n")
        self.refused("train", "c.yaml", status=2, caret="valid_top5",
                     parts=["c.yaml:17: monitor must be auto, ", "valid_top3, valid_macro_f1, ",
                            "or valid_perplexity", "did you mean 'valid_top3'?"])
        self.assertFalse((self.folder / "runs").exists())


if __name__ == "__main__":
    main()
