"""Writes that fail, one by one: full disks, I/O errors, short writes, renames and syncs.

A run that has been trained for two epochs goes on for two more while the Nth of its writes fails
(faults.c), once or from there on. Whatever happens, it says so and ends in an orderly way; what had
been saved before is still there, and going on from it without faults ends with the very bits of the
run that nothing disturbed. `faults.py ANNEAL LIBRARY all` tries every write instead of a few.
"""
import os
import random
import shutil
import sqlite3
import sys

from driver import Case, main

CONFIG = """\
data: {format: idx, path: set}
model: ["Flatten()", "Linear(12, 20)", "Tanh()", "Linear(20, 10)"]
optimizer: SGD(lr=0.1, momentum=0.9)
schedule: StepLR(step_size=1, gamma=0.8)
epochs: 2
batch_size: 25
threads: 1
checkpoint: {epochs: 1, best: true}
"""
FAULTS = [(error, lasts) for error in ("ENOSPC", "EIO", "EROFS") for lasts in (False, True)] + \
    [("SHORT", False), ("SHORT", True)]
LIBRARY = None
TRIES = 20


class Faults(Case):
    def setUp(self):
        super().setUp()
        self.config(CONFIG)
        self.anneal("train", "c.yaml")
        self.name = next(self.folder.glob("runs/*/resolved.yaml")).parent.name
        shutil.copytree(self.folder / "runs", self.folder / "before")
        self.go_on()
        self.expected = self.weights()

    def weights(self):
        return (self.folder / "runs" / self.name / "weights.safetensors").read_bytes()

    def go_on(self, status=(0,), **faults):
        """Trains up to epoch 4, with such faults; gives what was said."""
        process = self.start("resume", self.name, "--set", "epochs=4",
                             env={**os.environ, **faults})
        out, err = process.communicate(timeout=240)
        self.assertIn(process.returncode, status, f"{faults}\n{out}\n{err}")
        return out + err

    def start_again(self):
        shutil.rmtree(self.folder / "runs")
        shutil.copytree(self.folder / "before", self.folder / "runs")

    def count(self):
        """The writes of a run without faults."""
        self.start_again()
        self.go_on(LD_PRELOAD=LIBRARY, FAULT_COUNT=str(self.folder / "count"))
        return int((self.folder / "count").read_text())

    def check(self, at, error, lasts):
        """One fault, and what is left of the run afterwards."""
        what = f"write {at}, {error}, {'from there on' if lasts else 'once'}"
        faults = {"LD_PRELOAD": LIBRARY, "FAULT_AT": str(at), "FAULT_ERROR": error}
        self.start_again()
        said = self.go_on(status=(0, 1), **faults, **({"FAULT_LASTS": "1"} if lasts else {}))
        if error == "SHORT":
            self.assertEqual(self.weights(), self.expected, what)
            self.assertNotIn("fail", said)
        self.go_on()
        self.assertEqual(self.weights(), self.expected, what)
        store = sqlite3.connect(self.folder / "runs/anneal.db")
        self.assertEqual(store.execute("PRAGMA integrity_check").fetchall(), [("ok",)], what)
        steps = [row[0] for row in store.execute("SELECT step FROM metrics WHERE kind = 'epoch'")]
        store.close()
        self.assertEqual(len(steps), len(set(steps)), what)
        self.assertLessEqual({4, 8}, set(steps), what)
        litter = [path.name for path in (self.folder / "runs" / self.name).rglob("*.tmp")]
        self.assertTrue(error != "SHORT" or not litter, litter)

    def test_writes_that_fail(self):
        count = self.count()
        self.assertGreater(count, 50)
        cases = [(at, *fault) for at in range(count) for fault in FAULTS]
        if TRIES < len(cases):
            cases = random.sample(cases, TRIES)
        for case in cases:
            self.check(*case)
        print(f"{len(cases)} faults in {count} writes", file=sys.stderr)

    def test_it_is_said(self):
        """A disk that is full from the start: the training goes on, or stops where it should."""
        for error, words in (("ENOSPC", "No space left"), ("EIO", "Input/output error")):
            faults = {"LD_PRELOAD": LIBRARY, "FAULT_AT": "12", "FAULT_LASTS": "1",
                      "FAULT_ERROR": error}
            self.start_again()
            said = self.go_on(status=(1,), **faults)
            self.assertRegex(said, f"save failed: no checkpoint was written at step [68]: .*{words}")
            self.assertIn("the training goes on", said)
            if error == "ENOSPC":
                self.assertIn("database or disk is full; make room on its disk", said)
            self.assertIn("test accuracy", said)
            self.assertRegex(said, r"weights.safetensors.*; what is saved is step 8, in "
                                   rf"'runs/{self.name}/checkpoints/\S+': put that right, and go on "
                                   rf"from there with anneal resume {self.name}\n")
            process = self.start("resume", self.name, "--set", "epochs=6", "--set",
                                 "on_write_error=stop", env={**os.environ, **faults})
            out, err = process.communicate(timeout=240)
            self.assertEqual(process.returncode, 1, out + err)
            self.assertRegex(err, r"^anneal: .*\n$")
            self.assertNotIn("epoch 6/6", out)


if __name__ == "__main__":
    LIBRARY = os.path.abspath(sys.argv.pop(2))
    if len(sys.argv) > 2 and sys.argv[2] == "all":
        TRIES = 10 ** 9
        sys.argv.pop(2)
    main()
