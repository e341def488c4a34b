"""anneal train --budget: the training ends with its time, and its clock can be repeated."""
import json
import resource
import signal
import time

from driver import CONFIG, Case, main


class Budget(Case):
    def runs(self):
        return sorted((self.folder / "runs").glob("c-*"), key=lambda p: p.stat().st_mtime)

    def train(self, *args):
        out, _ = self.anneal("train", "c.yaml", "--format", "json", *args)
        return json.loads(out.splitlines()[-1])

    @staticmethod
    def line(step, time):
        """A line of clock.txt: the time and the CRC-32C of both."""
        value = 2**32 - 1
        for byte in f"{step} {time}".encode():
            value ^= byte
            for _ in range(8):
                value = value >> 1 ^ (0x82f63b78 if value & 1 else 0)
        return f"{time} {value ^ 2**32 - 1:08x}\n"

    def weights(self, folder):
        return (folder / "weights.safetensors").read_bytes()

    def test_ends_with_the_time_and_repeats(self):
        """No upper limit on the time: a busy machine may take a process away for long."""
        first = self.train("--budget", "0.5s")
        [run] = self.runs()
        clock = [float(line.split()[0]) for line in (run / "clock.txt").read_text().splitlines()]
        self.assertEqual(len(clock), first["steps"])
        self.assertGreaterEqual(clock[-1], 0.5)
        self.assertLess(clock[-2], 0.5)
        self.assertEqual(first["seconds"], clock[-1])
        again = self.train("--budget", "0.5s", "--clock", str(run / "clock.txt"))
        self.assertEqual(again["steps"], first["steps"])
        other = [r for r in self.runs() if r != run][0]
        self.assertEqual(self.weights(run), self.weights(other))
        self.assertEqual((run / "clock.txt").read_text(), (other / "clock.txt").read_text())

    def test_the_schedule_lands(self):
        """The rates go through the whole schedule, however many updates there are."""
        self.config(CONFIG.replace("OneCycleLR(max_lr=0.1)", "LinearLR(1, 0, 14)") +
                    "budget: 0.4s\n")
        out, _ = self.anneal("train", "c.yaml", "--format", "json")
        rows = [json.loads(line) for line in out.splitlines()]
        self.assertLess(rows[-2]["lr"], 0.02)
        self.assertGreater(rows[0]["lr"], 0.05)

    def test_says_that_the_time_decides(self):
        """The steps of the plan are no promise: they are stretched over the time."""
        out, _ = self.anneal("train", "c.yaml", "--budget", "0.2s")
        self.assertTrue(out.splitlines()[3].startswith(
            "schedule   OneCycleLR(max_lr=0.1, total_steps=14)   "
            "its 14 steps stretched over 0.2 s   "), out[:600])

    def test_killed_and_gone_on_with(self):
        self.config(CONFIG + "budget: 1.2s\ncheckpoint: {minutes: 0.001}\n")
        process = self.start("train", "c.yaml")
        while not list((self.folder / "runs").glob("c-*/checkpoints/*.state")):
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        [run] = self.runs()
        self.anneal("resume", run.name)
        before = self.weights(run)
        self.anneal("train", "c.yaml", "--clock", str(run / "clock.txt"))
        other = [r for r in self.runs() if r != run][0]
        self.assertEqual(before, self.weights(other))

    def interrupted(self, *args):
        """The folder of a run under a budget that was stopped within it."""
        process = self.start("train", "c.yaml", "--budget", "20s", *args)
        process.stdout.readline()
        while not list((self.folder / "runs").glob("c-*/clock.txt")):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=240)
        [run] = self.runs()
        return run

    def test_of_no_number_of_epochs(self):
        """Nobody knows how many epochs a budget lets: no message says of how many."""
        run = self.interrupted()
        out, _ = self.anneal("resume", run.name, "--set", "budget=0.01s", "--changes", "keep")
        [line] = [line for line in out.splitlines() if line.startswith("resumed: ")]
        self.assertRegex(line, r"at step \d+, epoch \d+, from ")

    def test_a_clock_that_cannot_be_written(self):
        run = self.interrupted()
        (run / "clock.txt").unlink()
        (run / "clock.txt").mkdir()
        longer = ("resume", run.name, "--set", "budget=20s")
        process = self.start(*longer)
        while "clock.txt' cannot be written" not in (line := process.stdout.readline()):
            self.assertTrue(line)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=240)
        self.assertIn("go on with", err)
        _, err = self.anneal(*longer, "--set", "on_write_error=stop", status=1)
        self.assertRegex(err, r"^anneal: the clock '.*clock.txt' cannot be written: Is a directory")

    def test_a_clock_that_is_damaged(self):
        """As a power cut may leave it: what to do is said, and works."""
        run = self.interrupted()
        clock = run / "clock.txt"
        whole = clock.read_text()
        lines = whole.splitlines(True)
        last = lines[-1].split()
        longer = ("resume", run.name, "--set", "budget=0.01s", "--changes", "keep")
        for damage, shown in (("\0" * 100 + "\n", r"\?{40}"), ("19.5\n", "19.5"), ("-\n", "-"),
                              (f"{float(last[0]) + 1!r} {last[1]}\n", ".*"),
                              (lines[-1], ".*")):  # of another update
            clock.write_text(whole + damage)
            _, err = self.anneal(*longer, status=1)
            self.assertRegex(err, rf"clock.txt:{len(lines) + 1}: '{shown}' is not a time.*; bring it back "
                                  "from a copy, or remove it: the run then goes on by the machine's clock\n$")
        clock.unlink()
        self.anneal(*longer)

    def test_a_disk_that_is_full(self):
        """What was written stays as it is, and the training goes on."""
        most = 1 << 20
        run = self.interrupted()
        clock = run / "clock.txt"
        lines = clock.read_text().splitlines(True)
        step = len(lines)
        while len("".join(lines)) < most - 50:
            step += 1
            lines.append(self.line(step, lines[-1].split()[0]))
        clock.write_text("".join(lines))
        process = self.start("resume", run.name, "--set", "budget=20s", preexec_fn=lambda:
                             resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)))
        while "clock.txt' cannot be written: File too large" not in (
                line := process.stdout.readline()):
            self.assertTrue(line)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=240)
        self.assertTrue(clock.read_text().startswith("".join(lines)))

    def test_seconds_in_a_schedule(self):
        self.config(CONFIG.replace("OneCycleLR(max_lr=0.1)",
                                   "Sequence([Linear(0, 1), Constant(1)], [1ms])"))
        self.refused("train", "c.yaml", status=2, parts=["c.yaml:9:", "90s"], caret="1ms")
        self.config(CONFIG.replace("OneCycleLR(max_lr=0.1)",
                                   "Sequence([Linear(0.5, 1), Constant(1)], [0.01s])"))
        self.train()
        [run] = self.runs()
        self.assertTrue((run / "clock.txt").exists())

    def test_no_clock_without_need(self):
        self.train()
        [run] = self.runs()
        self.assertFalse((run / "clock.txt").exists())

    def test_refusals(self):
        for text in ("0s", "-1s", "5ep", "soon", "inf"):
            self.refused("train", "c.yaml", "--budget", text, status=2, parts=["budget"])
        self.config(CONFIG.replace("interval: step\n", "") + "budget: 5s\n")
        self.refused("train", "c.yaml", status=2, parts=["under a budget", "interval: step"])
        self.config(CONFIG)
        bad = self.folder / "bad.txt"
        for times in (("0.1", "x"), ("0.2", "0.1"), ("",), ("nan",), ("0.2", "-", "0.1"), ("--",)):
            bad.write_text("".join(self.line(step, time) for step, time in enumerate(times, 1)))
            self.refused("train", "c.yaml", "--budget", "1s", "--clock", "bad.txt", status=1,
                         parts=[f"bad.txt:{len(times)}:"])
        for text in "\n", "0.1\n", "0.1 \n", self.line(1, "0.1" + "0" * 40):
            bad.write_text(text)
            self.refused("train", "c.yaml", "--budget", "1s", "--clock", "bad.txt", status=1,
                         parts=["bad.txt:1:"])
        self.refused("train", "c.yaml", "--clock", "missing.txt", status=1, parts=["missing.txt"])


main()
