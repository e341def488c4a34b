"""anneal resume --land and --changes extend: another end for a run, from the present rate on."""
import json
import shutil
import signal

from driver import CONFIG, Case, main

SLOW = CONFIG.replace("schedule: OneCycleLR(max_lr=0.1)", "schedule: LinearLR(1, 0, 2000)") \
    .replace("epochs: 2", "steps: 2000")


class Land(Case):
    def setUp(self):
        super().setUp()
        self.config(SLOW + "checkpoint: {epochs: 100}\n")

    def interrupted(self):
        """A run that was stopped early; its name, and the step and rate of its end."""
        process = self.start("train", "c.yaml", "--format", "json")
        for _ in range(3):
            process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        [run] = (self.folder / "runs").glob("c-*")
        return run.name

    def resume(self, *args):
        out, err = self.anneal("resume", *args, "--format", "json")
        return [json.loads(line) for line in out.splitlines()], err

    def test_land_in_steps(self):
        name = self.interrupted()
        rows, err = self.resume(name, "--land", "70", "--tail", "sqrt")
        self.assertIn("the schedule lands", err)
        rates = [row["lr"] for row in rows[:-1]]
        self.assertEqual(sorted(rates, reverse=True), rates)
        self.assertLess(rates[-1], 0.01 * 0.1)
        steps = rows[-1]["steps"]
        self.assertLess(steps, 2000)
        text = (self.folder / "runs" / name / "resolved.yaml").read_text()
        self.assertIn(f"steps: {steps}", text)

    def test_what_has_changed(self):
        """From epochs to steps: both are named, and what is not there is none."""
        self.config(SLOW.replace("steps: 2000", "epochs: 500") + "checkpoint: {epochs: 100}\n")
        name = self.interrupted()
        _, err = self.resume(name, "--land", "7")
        self.assertRegex(err, r"resumed: .*; epochs 500 -> none; steps none -> \d+; ")
        self.assertRegex(err, r"changed: epochs 500 -> none; .*steps none -> \d+")
        self.assertNotIn("-> 0", err)

    def test_a_landed_run_is_at_its_end(self):
        name = self.interrupted()
        self.resume(name, "--land", "7")
        for changes in "adopt", "keep", "extend":
            self.refused("resume", name, "--set", "steps=3000", "--changes", changes, status=1,
                         parts=["has landed", "a checkpoint before that"])
        self.anneal("resume", name)  # nothing is left to do, and nothing wrong

    def test_land_in_epochs_and_seconds(self):
        name = self.interrupted()
        rows, _ = self.resume(name, "--land", "2ep")
        self.assertLess(rows[-2]["lr"], 0.01)
        before = rows[-1]["steps"]
        rows, _ = self.resume(name, "--land", "0.2s", "--checkpoint", "last")
        clock = (self.folder / "runs" / name / "clock.txt").read_text().splitlines()
        self.assertEqual(len(clock), rows[-1]["steps"])  # of the updates before it nobody knows
        self.assertEqual(set(clock[:before]), {"-"})
        self.assertEqual([float(text) for text in clock[before:]],
                         sorted(float(text) for text in clock[before:]))
        self.assertEqual(float(clock[-1]), rows[-1]["seconds"])

    def test_extend(self):
        name = self.interrupted()
        before, _ = self.resume(name, "--set", "steps=2600", "--changes", "extend")
        self.assertEqual(before[-1]["steps"], 2600)
        rates = [row["lr"] for row in before[:-1]]
        self.assertEqual(sorted(rates, reverse=True), rates)
        self.assertGreater(rates[len(rates) // 2], 0.02)
        self.assertLess(rates[-1], 1e-3)

    def test_extended_often(self):
        """A run that was extended many times still goes on, without a word about it."""
        self.config(SLOW.replace("2000", "14") + "checkpoint: {epochs: 1, keep: 2}\n")
        self.anneal("train", "c.yaml")
        [run] = (self.folder / "runs").glob("c-*")

        def before_the_end():
            return "--checkpoint", str(sorted(run.glob("checkpoints/*.state"))[0])

        for epochs in range(3, 15):
            _, err = self.resume(run.name, *before_the_end(), "--set", f"steps={epochs * 7}",
                                 "--changes", "extend")
            self.assertIn("the schedule is stretched", err)
        rows, _ = self.resume(run.name, *before_the_end())
        self.assertEqual([row["epoch"] for row in rows[:-1]], [epochs])
        self.assertLess(rows[-2]["lr"], 0.01)

    def test_refusals(self):
        name = self.interrupted()
        for text in ("0", "-5", "soon", "1.5", "3tok", "1e18ep", "1e9ep"):
            self.refused("resume", name, "--land", text, status=2, parts=["--land"])
            self.refused("resume", name, "--land", "5ep", "--land", text, status=2,
                         parts=["--land"])
        self.refused("resume", name, "--land", "5", "--tail", "round", status=2, parts=["tail"])
        self.refused("resume", name, "--land", "5", "--changes", "adopt", status=2,
                     parts=["--changes keep"])

    def test_without_a_checkpoint(self):
        name = self.interrupted()
        shutil.rmtree(self.folder / "runs" / name / "checkpoints")
        self.refused("resume", name, "--land", "5", status=1, parts=["no checkpoint any more", "anneal train"])

    def test_by_epochs(self):
        self.config(SLOW.replace("interval: step\n", "").replace("steps: 2000", "epochs: 500")
                    .replace("2000", "500") + "checkpoint: {epochs: 1}\n")
        name = self.interrupted()
        self.refused("resume", name, "--land", "50", status=2, parts=["give epochs"])
        rows, _ = self.resume(name, "--land", "3ep")
        self.assertLess(rows[-2]["lr"], 0.07)
        self.assertLess(rows[-1]["epochs"], 100)


main()
