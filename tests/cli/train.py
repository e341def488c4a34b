"""Training through the command: output, settings, weights, and the same bits for the same seed."""
import fcntl
import json
import os
import re
import struct
import subprocess
import termios

import driver
from driver import CONFIG, Case, main, write_set


class Train(Case):
    def json(self, *args, status=0):
        out, err = self.anneal("train", "c.yaml", "--format", "json", "--threads", "2", *args,
                               status=status)
        self.assertEqual(err, "")
        return [json.loads(line) for line in out.splitlines()]

    def losses(self, *args):
        rows = self.json("--save", "w.safetensors", *args)
        return [row["loss"] for row in rows[:-1]], (self.folder / "w.safetensors").read_bytes()

    def test_text(self):
        out, err = self.anneal("train", "c.yaml")
        self.assertEqual(err, "")
        lines = out.splitlines()
        for line, word in zip(lines, ("data ", "model ", "optimizer ", "schedule ")):
            self.assertTrue(line.startswith(word), out)
        self.assertIn("100 train", lines[0])
        self.assertIn("Linear(12, 8)", lines[1])
        self.assertIn("194 parameters", lines[1])
        self.assertIn("SGD(lr=0.1, momentum=0.9)", lines[2])
        self.assertIn("total_steps=14", lines[3])
        self.assertIn("per step", lines[3])
        self.assertTrue(lines[4].startswith(" " * 11 + "warning: OneCycleLR drives momentum"), out)
        self.assertTrue(lines[5].startswith(" " * 11 + "better: "), out)
        self.assertEqual(len(lines), 6 + 2 + 1, out)
        self.assertRegex(lines[-1], r"^test accuracy \d+\.\d %   \d[\d.]* (?:ms|s)   "
                                    r"runs/(c-[0-9a-f]{4})   \(anneal report \1\)$")

    def on_terminal(self, columns, *args):
        """What a terminal of that width receives."""
        own, other = self.open_terminal()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen([driver.ANNEAL, "train", "c.yaml", *args], cwd=self.folder,
                                   stdout=other, stderr=other, env={"LC_ALL": "C.UTF-8"})
        os.close(other)
        out = b""
        try:
            while chunk := os.read(own, 65536):
                out += chunk
        except OSError:
            pass  # the other end is closed
        os.close(own)
        self.assertEqual(process.wait(timeout=240), 0)
        return out.decode("utf-8")

    def test_terminal(self):
        """On a terminal the epoch's line is drawn in place and ends as a line."""
        text = self.on_terminal(80)
        self.assertIn("\r", text.replace("\r\n", "\n"))
        self.assertIn("epoch 2/2", text)
        self.assertRegex(text.splitlines()[-1], r"^test accuracy")

    def test_curves(self):
        """In a wide window the live line, and it alone, has curves of loss and rate."""
        long = ("--set", "epochs=1", "--set", "batch_size=1", "--set", "runs=none",
                "--set", "model.1=Linear(12, 100000)", "--set", "model.3=Linear(100000, 10)")
        curve = "[▁▂▃▄▅▆▇█ ]{8}"
        both = rf"loss \S+ {curve}   acc .*   lr \S+ {curve}   \S+ samples/s   eta "
        for columns, wide in ((160, True), (80, False)):
            text = self.on_terminal(columns, *long).replace("\033[K", "")
            live = [frame for line in text.split("\r\n") for frame in line.split("\r")[:-1] if frame]
            self.assertTrue(live)
            self.assertLess(max(map(len, live)), columns)
            self.assertEqual(any(re.search(both, frame) for frame in live), wide, live[-1])
            for line in self.finished(text):
                self.assertNotRegex(line, "[▁▂▃▄▅▆▇█]")
        out, _ = self.anneal("train", "c.yaml", *long)
        for line in self.finished(out.replace("\n", "\r\n")):
            self.assertNotRegex(line, "[▁▂▃▄▅▆▇█]")

    @staticmethod
    def finished(text):
        """The epochs' lines that stay."""
        return [line.split("\r")[-1] for line in text.split("\r\n") if "epoch " in line]

    def shown(self, columns, *args):
        """The lines as they stand on the screen at the end, without trailing spaces."""
        text = self.on_terminal(columns, *args).replace("\033[K", "")
        return [line.split("\r")[-1] for line in text.split("\r\n")]

    def test_summary_fits_the_window(self):
        """With the shipped example's model and schedule but for their sizes."""
        long = ["--set", "model.1=Linear(12, 12800)", "--set", "model.3=Linear(12800, 10)",
                "--set", "schedule.max_lr=0.0000001", "--set", "validation=0.2"]
        for columns in (60, 80, 100, 120):
            lines = self.shown(columns, *long)
            self.assertLessEqual(max(map(len, lines)), columns, lines)
            text = "\n".join(lines)
            self.assertIn("294,410 parameters", text)
            self.assertIn("per step", text)
            self.assertRegex(text, "[▁▂▃▄▅▆▇█]{8,18}")
            self.assertRegex(text, "epoch 2/2.*  lr ")
        lines = self.shown(64, *long)
        self.assertEqual(lines[1:3], ["model      Flatten → Linear(12, 12800) → ReLU",
                                      "           → Linear(12800, 10)   294,410 parameters"])
        lines = self.shown(80, *long)
        self.assertEqual(lines[1:3], [
            "model      Flatten → Linear(12, 12800) → ReLU → Linear(12800, 10)",
            "           294,410 parameters"])
        self.assertRegex(lines[4], "per step   [▁▂▃▄▅▆▇█]{8,18}$")

    def test_summary_without_a_window(self):
        layers = ["'Flatten()'", "'Linear(12, 10)'"] + ["'Tanh()'"] * 23
        out, _ = self.anneal("train", "c.yaml", "--set", f"model=[{', '.join(layers)}]")
        self.assertIn(" → Tanh" * 23 + "   130 parameters", out.splitlines()[1].replace("->", "→"))

    def test_ascii_and_unicode(self):
        out, _ = self.anneal("train", "c.yaml", env={"LC_ALL": "C"})
        self.assertTrue(out.isascii(), out)
        out, _ = self.anneal("train", "c.yaml", env={"LC_ALL": "C.UTF-8"})
        self.assertIn("Flatten → Linear(12, 8)", out)

    def test_json(self):
        rows = self.json()
        self.assertEqual(len(rows), 3)
        self.assertEqual([row["epoch"] for row in rows[:-1]], [1, 2])
        last = rows[-1]
        self.assertEqual(last["epochs"], 2)
        self.assertEqual(last["steps"], 14)
        self.assertEqual(last["parameters"], 194)
        self.assertFalse(last["stopped"])
        self.assertTrue(0 <= last["test_accuracy"] <= 1)
        self.assertTrue(last["test_loss"] > 0)
        self.assertTrue(0 < last["startup_seconds"] < 60 and last["seconds"] > 0)
        self.assertTrue(last["peak_memory_bytes"] > 100000)
        self.assertRegex(last["run"], "^runs/c-[0-9a-f]{4}$")
        self.assertIsNone(self.json("--set", "runs=none")[-1]["run"])
        self.assertEqual(self.json("--set", 'runs=a "b\\c')[-1]["run"][:9], 'a "b\\c/c-')

    def test_learns(self):
        rows = self.json("--set", "epochs=40")
        self.assertLess(rows[-2]["loss"], 0.5 * rows[0]["loss"])
        self.assertGreater(rows[-1]["test_accuracy"], 0.8)

    def test_same_seed_same_bits(self):
        first = self.losses("--seed", "5")
        self.assertEqual(first, self.losses("--seed", "5"))
        other = self.losses("--seed", "6")
        self.assertNotEqual(first[0], other[0])
        self.assertNotEqual(first[1], other[1])

    def test_seed_overrides_the_file(self):
        self.assertEqual(self.losses("--seed", "9"), self.losses("--set", "seed=9"))
        self.assertEqual(self.losses(), self.losses("--seed", "1"))

    def test_gzip_and_plain_are_the_same(self):
        plain = self.losses()
        for file in (self.folder / "set").iterdir():
            file.unlink()
        write_set(self.folder / "set", zipped=True)
        self.assertEqual(plain, self.losses())

    def test_set(self):
        rows = self.json("--set", "epochs=1", "--set", "optimizer.lr=0.025",
                         "--set", "optimizer.momentum=0", "--set", "schedule=StepLR(step_size=100)",
                         "--set", "model.1=Linear(12, 20)", "--set", "model.3=Linear(20, 10)")
        self.assertEqual(rows[-1]["epochs"], 1)
        self.assertEqual(rows[-1]["parameters"], 12 * 20 + 20 + 20 * 10 + 10)
        self.assertIn(0.025, rows[0].values())

    def test_set_in_brackets(self):
        rows = self.json("--set", 'model=["Flatten()", "Linear(12, 10)"]',
                         "--set", "data={path: set}")
        self.assertEqual(rows[-1]["parameters"], 130)

    def test_rate_shown_is_the_rate_used(self):
        rows = self.json("--set", "schedule=ExponentialLR(gamma=0.5)", "--set", "interval=epoch",
                         "--set", "epochs=3")
        self.assertEqual([row["lr"] for row in rows[:-1]], [0.1, 0.05, 0.025])

    def test_steps(self):
        rows = self.json("--set", "epochs=1", "--set", "schedule=StepLR(step_size=3)")
        rows = self.json("--set", "steps=9")
        self.assertEqual(rows[-1]["steps"], 9)
        self.config(CONFIG.replace("epochs: 2", "steps: 10"))
        rows = self.json("--set", "epochs=1")
        self.assertEqual(rows[-1]["steps"], 7)
        rows = self.json()
        self.assertEqual(rows[-1]["steps"], 10)
        self.assertEqual(rows[-1]["epochs"], 2)

    def test_validation_and_plateau(self):
        self.config(CONFIG + "validation: 0.2\nmonitor: valid_loss\n")
        rows = self.json("--set", "interval=epoch", "--set", "optimizer.lr=0.0", "--set",
                         "schedule=ReduceLROnPlateau(factor=0.5, patience=0, eps=0)")
        self.assertIn("valid_loss", rows[0])
        self.config(CONFIG + "validation: 30\n")
        out, _ = self.anneal("train", "c.yaml")
        self.assertIn("70 train", out)
        self.assertIn("30 validation", out)

    def test_data_beside_the_configuration(self):
        (self.folder / "sub").mkdir()
        (self.folder / "set").rename(self.folder / "sub" / "set")
        (self.folder / "c.yaml").rename(self.folder / "sub" / "d.yaml")
        self.anneal("train", "sub/d.yaml")

    def test_save(self):
        self.anneal("train", "c.yaml", "--save", "w.safetensors")
        content = (self.folder / "w.safetensors").read_bytes()
        (length,) = struct.unpack("<Q", content[:8])
        header = json.loads(content[8:8 + length])
        shapes = {name: entry["shape"] for name, entry in header.items() if name != "__metadata__"}
        self.assertEqual(shapes, {"1.weight": [8, 12], "1.bias": [8],
                                  "3.weight": [10, 8], "3.bias": [10]})
        self.assertEqual(len(content), 8 + length + 4 * 194)
        self.assertEqual([f.name for f in self.folder.iterdir() if "safetensors" in f.name],
                         ["w.safetensors"])

    def test_save_where_nothing_can_be_written(self):
        out = self.refused("train", "c.yaml", "--save", "no/such/w.safetensors", status=1,
                           parts=["--save", "no/such"])
        self.assertEqual(out, "")
        self.refused("train", "c.yaml", "--save", "set", status=1, parts=["folder"])

    def test_loss_becomes_nan(self):
        out, err = self.anneal("train", "c.yaml", "--set", "schedule=StepLR(step_size=1000)",
                               "--set", "optimizer.lr=1e30", "--save", "w.safetensors", status=1)
        self.assertRegex(err.splitlines()[0], r"^anneal: .*at step \d+ .*lr.*1e\+?30.*try")
        self.assertFalse((self.folder / "w.safetensors").exists())

    def test_full_disk(self):
        with open("/dev/full", "w") as full:
            process = self.start_to(full)
            _, err = process.communicate(timeout=240)
        self.assertEqual(process.returncode, 1)
        self.assertIn("standard output", err)

    def start_to(self, stream):
        return subprocess.Popen([driver.ANNEAL, "train", "c.yaml"], cwd=self.folder, stdout=stream,
                                stderr=subprocess.PIPE, text=True)

    def test_accumulate_and_clip(self):
        rows = self.json("--set", "accumulate=3", "--set", "clip_grad_norm=0.5")
        self.assertEqual(rows[-1]["steps"], 2 * 3)

    def test_nll_loss_of_what_is_no_logarithm(self):
        """Its loss falls without an end: what helps is another last layer, not another rate."""
        self.refused("train", "c.yaml", "--set", "loss=NLLLoss()", "--set", "optimizer.lr=1e30",
                     "--set", "schedule=StepLR(1000)", "--set", "epochs=50", status=1,
                     parts=["-inf", "end the model with LogSoftmax(), or take CrossEntropyLoss()"])


if __name__ == "__main__":
    main()
