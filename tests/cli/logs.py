"""The logs of a run: CSV, database and event file hold the same, also after a kill and a resume."""
import csv
import io
import json
import shutil
import signal
import struct
import time

from driver import CONFIG, Case, main

TIMES = {"seconds", "epoch_seconds", "samples_per_second", "memory"}
LOG = "log: {every: 1, grad_norm: true, csv: true, tensorboard: true, histograms: true}\n"


def rows_of(text):
    """A CSV's rows without what a clock says, as texts."""
    rows = csv.DictReader(io.StringIO(text))
    return [{key: row[key] for key in row if key not in TIMES} for row in rows]


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        else:
            size = 8 if key & 7 == 1 else 4
            value, at = data[at:at + size], at + size
        yield key >> 3, value


def scalars(path):
    """(step, tag) to the number, and the tags of everything else."""
    data, numbers, others, at = path.read_bytes(), {}, [], 0
    while at < len(data):
        size, = struct.unpack_from("<Q", data, at)
        event = dict(fields(data[at + 12:at + 12 + size]))
        at += 16 + size
        for _, value in fields(event.get(5, b"")):
            value = dict(fields(value))
            key = (event.get(2, 0), value[1].decode())
            if 2 in value:
                assert key not in numbers, key
                numbers[key], = struct.unpack("<f", value[2])
            else:
                others.append(key)
    return numbers, others


class Logs(Case):
    def run_folder(self):
        folders = [p for p in (self.folder / "runs").iterdir() if p.is_dir()]
        self.assertEqual(len(folders), 1)
        return folders[0]

    def wait_for_a_checkpoint(self):
        for _ in range(2000):
            if list(self.folder.glob("other/*/checkpoints/*.state")):
                return
            time.sleep(0.01)
        self.fail("no checkpoint within 20 s")

    def test_everything_agrees(self):
        self.config(CONFIG + LOG + "validation: 0.2\n")
        self.anneal("train", "c.yaml")
        folder = self.run_folder()
        for name, args in (("epochs.csv", []), ("steps.csv", ["--steps"])):
            exported, _ = self.anneal("runs", "export", folder.name, *args)
            self.assertEqual((folder / name).read_text(), exported)
        steps = list(csv.DictReader(io.StringIO((folder / "steps.csv").read_text())))
        self.assertEqual([int(row["step"]) for row in steps], list(range(1, len(steps) + 1)))
        table, _ = self.anneal("schedule", "table", "OneCycleLR(max_lr=0.1)", "--steps",
                               str(len(steps)), "--base-lr", "0.1", "--momentum", "0.9",
                               "--format", "csv")
        for row, used in zip(steps, csv.DictReader(io.StringIO(table))):
            self.assertEqual((row["lr"], row["momentum"]), (used["lr"], used["momentum"]))
            self.assertGreater(float(row["grad_norm"]), 0)
        numbers, others = scalars(folder / "events.out.tfevents.anneal")
        for row in steps:
            for key in ("loss", "batch_loss", "accuracy", "lr", "momentum", "grad_norm"):
                as_float, = struct.unpack("<f", struct.pack("<f", float(row[key])))
                self.assertEqual(numbers[int(row["step"]), f"step/{key}"], as_float, key)
        last = len(steps)
        self.assertIn((last, "epoch/valid_loss"), numbers)
        for tag in ("params/1.weight", "gradients/1.weight", "_hparams_/session_end_info"):
            self.assertIn((last, tag), others)
        self.assertIn((0, "_hparams_/session_start_info"), others)

    def test_a_killed_run_goes_on_without_gap_and_repeat(self):
        more = CONFIG.replace("epochs: 2", "epochs: 400") + LOG + "checkpoint: {minutes: 0.0005}\n"
        self.config(more)
        self.anneal("train", "c.yaml")
        whole = self.run_folder()
        for again in range(3):
            shutil.rmtree(self.folder / "other", ignore_errors=True)
            process = self.start("train", "c.yaml", "--set", "runs=other")
            self.wait_for_a_checkpoint()
            time.sleep(0.03 * again)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            name = next(p.name for p in (self.folder / "other").iterdir() if p.is_dir())
            listed = json.loads(self.anneal("runs", "list", "--runs", "other", "--format",
                                            "json")[0])
            self.assertIn(listed[0]["status"], ("killed", "done"))
            if listed[0]["status"] == "killed":
                self.anneal("resume", name, "--runs", "other")
            folder = self.folder / "other" / name
            for file, args in (("epochs.csv", []), ("steps.csv", ["--steps"])):
                self.assertEqual(rows_of((folder / file).read_text()),
                                 rows_of((whole / file).read_text()))
                exported, _ = self.anneal("runs", "export", name, "--runs", "other", *args)
                self.assertEqual((folder / file).read_text(), exported)
            mine, others = scalars(folder / "events.out.tfevents.anneal")
            want, rest = scalars(whole / "events.out.tfevents.anneal")

            def timeless(numbers):
                return {key: number for key, number in numbers.items()
                        if key[1].split("/")[1] not in TIMES}
            self.assertEqual(timeless(mine), timeless(want))
            self.assertEqual(others, rest)


if __name__ == "__main__":
    main()
