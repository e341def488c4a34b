"""Training that is killed (SIGKILL) at random instants, and resumed until it is done.

Every run must end with the very bits of the one that nobody disturbed: the weights, and the rows
of the store, none missing and none twice. A checkpoint is written after every update, so that most
of the kills hit a write. `kill.py ANNEAL KILLS` kills so many times instead of 20.
"""
import csv
import random
import shutil
import signal
import sqlite3
import sys
import time

from driver import Case, main

CONFIG = """\
data: {format: idx, path: set, normalize: [0.5, 0.5]}
model: ["Flatten()", "Linear(12, 20)", "ReLU()", "Dropout(0.3)", "Linear(20, 10)"]
optimizer: AdamW(lr=0.01)
schedule: SequentialLR([LinearLR(0.1, 1, 10), CosineAnnealingLR(20)], milestones=[10])
interval: step
validation: 0.2
epochs: 3
batch_size: 16
threads: 2
checkpoint: {minutes: 0.00000001, best: true, keep: 2}
early_stopping: {patience: 50}
guard: {spike: 100, rollbacks: 1}
metrics: [TopK(3), MacroF1(), F1(2), Precision(9), Recall(9), Perplexity()]
log: {every: 1, csv: true}
"""
AVERAGED = CONFIG.replace("schedule:", "average: EMA(decay=0.9)\nschedule:").replace(
    '"ReLU()"', '"BatchNorm1d(20)", "ReLU()"')
ROWS = ("kind, step, epoch, batch, samples, loss, accuracy, batch_loss, valid_loss, valid_accuracy, "
        "lr, momentum, grad_norm")
EXTRAS = "SELECT kind, step, name, value FROM metrics JOIN extras ON metric = id ORDER BY step, kind, name"
TIMES = ("seconds", "epoch_seconds", "samples_per_second", "memory")
KILLS = 20


class Kill(Case):
    def run_folder(self):
        """The one run's folder, or None before there is one that could be gone on with."""
        found = list(self.folder.glob("runs/*/resolved.yaml"))
        self.assertLessEqual(len(found), 1, found)
        return found[0].parent if found else None

    def outcome(self):
        """What a finished run leaves: weights, the store's rows and results, and the CSV logs."""
        folder = self.run_folder()
        store = sqlite3.connect(self.folder / "runs/anneal.db")
        self.assertEqual(store.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
        rows = store.execute(f"SELECT {ROWS} FROM metrics ORDER BY step, kind").fetchall()
        rows += store.execute(EXTRAS).fetchall()
        for log in sorted(folder.glob("*.csv")):
            with open(log, encoding="utf-8", newline="") as file:
                rows += [(log.name, *(v for k, v in row.items() if k not in TIMES))
                         for row in csv.DictReader(file)]
        results = store.execute("SELECT name, value FROM results ORDER BY name").fetchall()
        status = store.execute("SELECT name, status FROM runs WHERE step > 0").fetchall()
        store.close()
        self.assertEqual(status, [(folder.name, "done")])
        return (folder / "weights.safetensors").read_bytes(), rows, results

    def forget(self):
        shutil.rmtree(self.folder / "runs")

    def command(self):
        folder = self.run_folder()
        return ("resume", folder.name) if folder else ("train", "c.yaml")

    def go_on(self, limit):
        """Goes on for at most `limit` seconds, then kills; whether the training came to its end."""
        process = self.start(*self.command())
        end = time.monotonic() + limit
        while process.poll() is None and time.monotonic() < end:
            time.sleep(0.0002)
        process.kill()
        out, err = process.communicate()
        if process.returncode == -signal.SIGKILL:
            return False
        if process.returncode == 2 and "there is no run" in err:
            self.forget()  # it was killed while its folder was made, and has no row in the store
            return False
        self.assertEqual(process.returncode, 0, err)
        return True

    def test_kills(self):
        self.endure(CONFIG, KILLS)

    def test_kills_with_an_average(self):
        """What is trained, what is shown, and the running statistics of both go on."""
        self.endure(AVERAGED, KILLS // 2)

    def endure(self, config, most):
        """Trains undisturbed, then again and again with at least `most` kills."""
        self.config(config)
        begin = time.monotonic()
        self.anneal("train", "c.yaml")
        whole = time.monotonic() - begin
        expected = self.outcome()
        self.assertEqual(len([row for row in expected[1] if row[0] == "epoch" and len(row) > 4]), 3)
        self.assertEqual(len([row for row in expected[1] if row[0] == "epoch" and len(row) == 4]), 18)
        self.assertEqual(len([row for row in expected[1] if row[0] == "steps.csv"]), 15)
        self.forget()
        kills = runs = 0
        while kills < most:
            while not self.go_on(random.uniform(0, 0.7 * whole)):
                kills += 1
            runs += 1
            self.assertEqual(self.outcome(), expected, f"after {kills} kills")
            self.forget()
        print(f"{kills} kills in {runs} runs of {whole:.2f} s", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) > 2 and sys.argv[2].isdigit():
        KILLS = int(sys.argv.pop(2))
    main()
