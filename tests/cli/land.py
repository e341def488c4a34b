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
        process.communicate(timeout=240)
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

    def resolved(self, name):
        text = (self.folder / "runs" / name / "resolved.yaml").read_text()
        return dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)

    def test_a_landing_is_shown(self):
        """Above the training, in resolved.yaml, by runs show and compare; and it goes on so."""
        self.config(CONFIG.replace("epochs: 2", "steps: 4000") + "checkpoint: {epochs: 100}\n")
        name = self.interrupted()
        out, _ = self.anneal("resume", name, "--land", "700", "--tail", "sqrt")
        steps = int(self.resolved(name)["steps"])
        course = f"Course(steps=4000, epochs=572, landing=[{steps - 700}, 700, 'sqrt', 0])"
        self.assertEqual(self.resolved(name)["course"], course)
        self.assertEqual(self.resolved(name)["schedule"], "OneCycleLR(max_lr=0.1)")
        self.assertIn(f"\ncourse     {course}\n", out)
        self.assertNotIn("warning", out)  # what comes after the landing does not come to pass
        [line] = [line for line in out.splitlines() if line.startswith("schedule")]
        self.assertRegex(line, "total_steps=4000.*[^▁]▁+$")
        shown, _ = self.anneal("runs", "show", name)
        self.assertIn(course, shown)
        again, _ = self.anneal("resume", name)  # the schedule is the one that was trained with
        self.assertIn(f"\ncourse     {course}\n", again)
        self.assertNotIn("changed", again)
        self.anneal("train", f"runs/{name}/resolved.yaml")
        [other] = (self.folder / "runs").glob("resolved-*")
        weights = "weights.safetensors"
        self.assertEqual((self.folder / "runs" / name / weights).read_bytes(),
                         (other / weights).read_bytes())
        self.anneal("train", "c.yaml", "--set", "steps=7")
        [plain] = [run for run in (self.folder / "runs").glob("c-*") if run.name != name]
        compared, _ = self.anneal("runs", "compare", name, plain.name)
        self.assertRegex(compared, r"course\.landing +\[")

    def test_a_landing_that_was_interrupted(self):
        """It goes on by itself, and another length makes it a question again."""
        self.config(CONFIG.replace("epochs: 2", "steps: 1000000") + "checkpoint: {epochs: 100}\n")
        name = self.interrupted()
        process = self.start("resume", name, "--land", "900000", "--format", "json")
        for _ in range(3):
            process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=240)
        end = int(self.resolved(name)["steps"])
        self.refused("resume", name, "--set", "steps=1200000", status=1,
                     parts=["total_steps 1000000 -> 1200000", "--changes"])
        self.anneal("resume", name, "--land", "70")
        self.assertLess(int(self.resolved(name)["steps"]), end)

    def test_an_extension_is_shown(self):
        """Stretched to the run's end, the schedule has nothing to be warned of."""
        self.config(CONFIG.replace("epochs: 2", "steps: 4000")
                    .replace("momentum=0.9", "momentum=0").replace(
                        "OneCycleLR(max_lr=0.1)", "CosineAnnealingLR(T_max=4000)") +
                    "checkpoint: {epochs: 100}\n")
        name = self.interrupted()
        out, _ = self.anneal("resume", name, "--set", "steps=5000", "--changes", "extend")
        self.assertNotIn("warning", out)
        course = self.resolved(name)["course"]
        self.assertRegex(course, r"^Course\(steps=4000, epochs=572, extended=\[\[(\d+), \1, 0\.")
        self.assertIn(f"\ncourse     {course}\n", out)
        self.assertEqual(self.resolved(name)["schedule"], "CosineAnnealingLR(T_max=4000)")

    def test_a_schedule_that_is_kept_is_shown(self):
        self.config(CONFIG.replace("epochs: 2", "steps: 4000") + "checkpoint: {epochs: 100}\n")
        name = self.interrupted()
        out, _ = self.anneal("resume", name, "--set", "steps=4500", "--set",
                             "schedule=StepLR(step_size=3)", "--set", "interval=epoch",
                             "--changes", "keep")
        self.assertIn("schedule   OneCycleLR(max_lr=0.1, total_steps=4000)   per step", out)
        self.assertIn("total_steps is 4000, but it has 4500 steps", out)
        self.assertNotIn("StepLR", out)
        self.assertEqual(self.resolved(name)["schedule"],
                         "OneCycleLR(max_lr=0.1, total_steps=4000)")
        self.assertEqual(self.resolved(name)["interval"], "step")
        self.assertEqual(self.resolved(name)["course"], "Course(steps=4000, epochs=572)")
        shown, _ = self.anneal("runs", "show", name)
        self.assertRegex(shown, r"schedule +OneCycleLR\(max_lr=0.1, total_steps=4000\)")
        out, _ = self.anneal("resume", name)
        self.assertNotIn("changed", out)

    def test_a_course_is_read(self):
        for text, part in (("Curse()", "a call of Course"),
                           ("Course(landing=[1, 2])", "[since when, how long, tail, end]")):
            self.config(SLOW + f"course: {text}\n")
            self.refused("train", "c.yaml", status=2, parts=[part])
        self.config("".join(line for line in SLOW.splitlines(True)
                            if not line.startswith("schedule")) + "course: Course(steps=3)\n")
        self.refused("train", "c.yaml", status=2, parts=["course", "a schedule, but there is none"])

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
        clock = [line.split()[0] for line in clock]
        self.assertEqual(len(clock), rows[-1]["steps"])  # of the updates before it nobody knows
        self.assertEqual(set(clock[:before - 1]), {"-"})
        times = [float(text) for text in clock[before - 1:]]  # when it landed: of the checkpoint
        self.assertEqual(times, sorted(times))
        self.assertEqual(times[-1], rows[-1]["seconds"])
        begun = self.resolved(name)["course"].split("landing=[")[1].split(",")[0]
        self.assertEqual(float(begun), times[0])

    def test_a_landing_in_seconds_is_repeated(self):
        """With a plateau too, from the rate it had then; however fast the machine is."""
        for schedule in "CosineAnnealingLR(T_max=4000)", "ReduceLROnPlateau(patience=50)":
            shutil.rmtree(self.folder / "runs", ignore_errors=True)
            self.config(SLOW.replace("LinearLR(1, 0, 2000)", schedule)
                        .replace("steps: 2000", "steps: 1000000") + "checkpoint: {epochs: 100}\n")
            name = self.interrupted()
            run = self.folder / "runs" / name
            self.resume(name, "--land", "0.2s")
            self.assertNotIn("landing=[0,", self.resolved(name)["course"])
            self.anneal("train", str(run / "resolved.yaml"), "--clock", str(run / "clock.txt"),
                        "--save", "again.safetensors", "--set", "runs=none")
            self.assertEqual((run / "weights.safetensors").read_bytes(),
                             (self.folder / "again.safetensors").read_bytes())

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
        self.config(SLOW.replace("steps: 2000", "steps: 1000000000"))
        process = self.start("train", "c.yaml", "--format", "json")
        process.stdout.readline()
        process.kill()
        process.communicate()
        [run] = (self.folder / "runs").glob("c-*")
        self.refused("resume", run.name, "--land", "5", status=1,
                     parts=["--land", "no checkpoint yet"])

    def test_without_its_checkpoints(self):
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
