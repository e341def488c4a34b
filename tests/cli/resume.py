"""anneal resume: a run that was stopped goes on to the same bits; what may change, and what not."""
import json
import os
import re
import shutil
import signal
import sqlite3
import time
import unittest

from driver import CONFIG, Case, as_user, main

SAVING = CONFIG + "checkpoint: {epochs: 1, keep: 3}\n"


class Resume(Case):
    def setUp(self):
        super().setUp()
        self.config(SAVING)

    def folders(self, runs="runs"):
        return sorted(path.parent for path in self.folder.glob(runs + "/*/resolved.yaml"))

    def only_run(self):
        found = self.folders()
        self.assertEqual(len(found), 1, found)
        return found[0]

    def weights(self, folder):
        return (folder / "weights.safetensors").read_bytes()

    def endless(self, *args, epoch=1):
        """A training without an end, `epoch` epochs into it."""
        process = self.start("train", "c.yaml", "--set", "epochs=100000000", *args)
        while f"epoch {epoch}/" not in process.stdout.readline():
            self.assertIsNone(process.poll())
        return process

    def interrupted(self, *args):
        """The folder of a run that Ctrl-C has ended, and what was said."""
        process = self.endless(*args, epoch=3)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=240)
        self.assertEqual(process.returncode, 1, err)
        return self.only_run(), err

    def goes_on(self, epochs, *args):
        """However often it is stopped: the end is that of a run that was never stopped."""
        longer = ("--set", f"epochs={epochs}", "--set", "checkpoint={keep: 1}", "--set",
                  "schedule=StepLR(step_size=500, gamma=0.9)", *args)
        self.anneal("train", "c.yaml", *longer)
        expected = self.weights(self.only_run())
        self.folders()[0].rename(self.folder / "expected")
        process = self.start("train", "c.yaml", *longer)
        stops = 0
        while True:
            time.sleep(0.1)
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=240)
            if process.returncode == 0:
                break
            # The signal before came between the last update and the end of the process; this one
            # may have come before that end, too.
            if "is trained to its end" in err:
                self.anneal("resume", self.only_run().name)
                break
            self.assertEqual(process.returncode,
                             1 if "stopped by a signal" in err else -signal.SIGTERM, err)
            if not self.folders():  # before it had begun
                process = self.start("train", "c.yaml", *longer)
                continue
            stops += "go on with: anneal resume c-" in err
            process = self.start("resume", self.only_run().name)
        self.assertGreater(stops, 0)
        self.assertEqual(self.weights(self.only_run()), expected)
        rows = self.store("SELECT epoch FROM metrics WHERE kind = 'epoch' AND run = "
                          f"(SELECT id FROM runs WHERE name = '{self.only_run().name}') ORDER BY epoch")
        self.assertEqual([row[0] for row in rows], list(range(1, epochs + 1)))

    def test_stopped_and_gone_on_with(self):
        self.goes_on(3000)

    def test_of_changed_and_drawn_samples(self):
        """Images that move, drawn by weights: the same ones come, in the same way."""
        self.config(SAVING + "augment:\n  - RandomCrop((3, 4), padding=1)\n"
                    "  - RandomHorizontalFlip()\nsampling: {weights: balanced, samples: 150}\n"
                    "validation: 0.2\nstratify: true\n")
        self.goes_on(800)

    def store(self, query):
        store = sqlite3.connect(self.folder / "runs/anneal.db")
        rows = store.execute(query).fetchall()
        store.close()
        return rows

    def test_message(self):
        folder, err = self.interrupted()
        self.assertRegex(err, r"^anneal: stopped by a signal after step \d+, in epoch \d+ of "
                              rf"100000000; go on with: anneal resume {folder.name}\n$")
        self.assertFalse((folder / "weights.safetensors").exists())
        self.assertEqual(self.store("SELECT status FROM runs"), [("stopped",)])

    def test_elsewhere(self):
        """A run is found by its path, from any folder, and the message names the path."""
        process = self.endless("--set", "runs=deep")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=240)
        folder = self.folders("deep")[0]
        self.assertIn(f"anneal resume deep/{folder.name}", err)
        (self.folder / "other").mkdir()
        self.folder, home = self.folder / "other", self.folder
        # It was long past its second epoch: nothing is left to train, and it is tested.
        out, err = self.anneal("resume", f"../deep/{folder.name}/", "--set", "epochs=1",
                               "--changes", "keep")
        self.assertIn("trained to its end", err)
        self.assertIn("test accuracy", out)
        self.folder = home

    def test_a_slash_behind_the_name(self):
        """As a shell completes it: resume, eval and runs show know the same names."""
        self.anneal("train", "c.yaml")
        name = self.only_run().name
        for command in ("resume",), ("eval",), ("runs", "show"):
            self.anneal(*command, name + "/")
            self.anneal(*command, f"runs/{name}//")
            self.refused(*command, name + "/x", status=2 if command[0] == "runs" else 1,
                         parts=[f"no run '{name}/x'"])

    def test_longer(self):
        """More epochs change a schedule that is as long as the run: what then counts is said."""
        self.anneal("train", "c.yaml")
        name = self.only_run().name
        longer = ("resume", name, "--set", "epochs=4")
        before = (self.only_run() / "resolved.yaml").read_text()
        out = self.refused(*longer, status=1, parts=["total_steps 14 -> 28", "--changes adopt, keep or extend"])
        self.assertEqual((self.only_run() / "resolved.yaml").read_text(), before)
        self.assertEqual(self.store("SELECT status FROM runs"), [("done",)])
        out, err = self.anneal(*longer, "--changes", "adopt")
        self.assertIn("epochs 2 -> 4; total_steps 14 -> 28", out)
        self.assertIn("epoch 4/4", out)
        self.assertNotIn("epoch 2/4", out)
        self.assertIn("epochs: 4", (self.only_run() / "resolved.yaml").read_text())
        out, _ = self.anneal("resume", name, "--set", "epochs=5", "--changes", "keep",
                             "--format", "json")
        rows = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([row["epoch"] for row in rows[:-1]], [5])
        self.assertLess(rows[0]["lr"], 1e-4)  # past its end the kept schedule holds
        steps = self.store("SELECT step FROM metrics WHERE kind = 'epoch' ORDER BY step")
        self.assertEqual(steps, [(7,), (14,), (21,), (28,), (35,)])

    def test_the_store_knows_what_has_changed(self):
        """The parameters are those that the run now goes by, and the change is an event."""
        self.anneal("train", "c.yaml", "--set", "schedule=StepLR(1)", "--set", "clip_grad_norm=1")
        name = self.only_run().name
        before = dict(self.store("SELECT name, value FROM parameters"))
        self.anneal("resume", name)
        again = dict(self.store("SELECT name, value FROM parameters"))
        self.assertLessEqual(before.items(), again.items())  # defaults may be written out
        before = again
        self.assertEqual(self.store("SELECT text FROM events WHERE kind = 'changed'"), [])
        out, _ = self.anneal("resume", name, "--set", "epochs=3", "--set", "optimizer.lr=0.05",
                             "--set", "clip_grad_norm=2", "--changes", "adopt")
        after = dict(self.store("SELECT name, value FROM parameters"))
        changed = {key: value for key, value in after.items() if before.get(key) != value}
        self.assertEqual(after.keys(), before.keys())
        self.assertEqual(changed.pop("epochs"), "3")
        self.assertIn("0.05", "".join(changed.values()))
        [(text,)] = self.store("SELECT text FROM events WHERE kind = 'changed'")
        self.assertIn("epochs 2 -> 3", text)
        self.assertIn("clip_grad_norm 1 -> 2", text)
        self.assertIn(text, out)

    def test_what_cannot_change(self):
        self.interrupted()
        name = self.only_run().name
        self.refused("resume", name, "--set", "seed=9", status=1, parts=["the seed"])
        self.refused("resume", name, "--set", "batch_size=8", status=1, parts=["batch size"])
        self.refused("resume", name, "--set", "accumulate=2", status=1, parts=["accumulate"])
        self.refused("resume", name, "--set", "model.1=Linear(12, 9)", "--set",
                     "model.3=Linear(9, 10)", status=1, parts=["the model", "others"])
        self.refused("resume", name, "--set", "optimizer=Adam()", "--changes", "adopt", status=1,
                     parts=["the optimizer is of another kind"])
        self.refused("resume", name, "--set", "optimizer.lr=0.2", status=1,
                     parts=["SGD(lr=0.1, momentum=0.9), not by SGD(lr=0.2, momentum=0.9)"])

    def test_a_run_without_its_configuration(self):
        self.anneal("train", "c.yaml")
        folder = self.only_run()
        (folder / "resolved.yaml").rename(self.folder / "resolved.yaml")
        for command in "resume", "eval":
            self.refused(command, folder.name, status=1,
                         parts=[f"'runs/{folder.name}' has no resolved.yaml", "bring it back"])
        # What is no run is no near name either.
        self.refused("resume", folder.name[:-1] + "x", status=1, parts=["a run is a folder"])
        begun = self.folder / "runs" / "killed"  # before it was written
        begun.mkdir()
        (begun / "config.yaml").write_text(CONFIG)
        self.refused("resume", "killed", status=1,
                     parts=["'runs/killed' has no resolved.yaml", "train it anew and delete the folder"])
        (self.folder / "resolved.yaml").rename(folder / "resolved.yaml")
        self.anneal("eval", folder.name)

    def test_a_run_whose_records_are_gone(self):
        self.anneal("train", "c.yaml")
        name = self.only_run().name
        for damage in "", "no database":
            for file in (self.folder / "runs").glob("anneal.db*"):
                file.unlink()
            if damage:
                (self.folder / "runs/anneal.db").write_text(damage)
            self.refused("resume", name, "--set", "epochs=9", "--changes", "adopt", status=1,
                         parts=["runs/anneal.db", "a run goes on only where it can be kept"])

    def test_pipes_in_the_place_of_files(self):
        """They are refused; whoever opens one would wait for somebody to write."""
        self.anneal("train", "c.yaml")
        folder = self.only_run()
        newest = max(folder.glob("checkpoints/*.state"))
        weights = newest.with_suffix(".safetensors")
        commands = {
            folder / "resolved.yaml": [("resume", folder.name), ("eval", folder.name)],
            folder / "weights.safetensors": [("eval", folder.name)],
            newest: [("resume", folder.name, "--checkpoint", str(newest))],
            weights: [("resume", folder.name, "--checkpoint", str(newest))],
            self.folder / "runs/anneal.db": [("resume", folder.name), ("runs", "list")],
            self.folder / "c.yaml": [("train", "c.yaml")],
        }
        for file, calls in commands.items():
            file.rename(self.folder / "kept")
            os.mkfifo(file)
            for call in calls:
                _, err = self.anneal(*call, status=1)
                self.assertIn(file.name, err)
                self.assertIn("it is a pipe; name a file", err)
            (self.folder / "kept").rename(file)
        (folder / "lock").unlink(missing_ok=True)
        os.mkfifo(folder / "lock")
        self.anneal("runs", "list")

    def test_wrong_arguments(self):
        self.anneal("train", "c.yaml")
        name = self.only_run().name
        self.refused("resume", status=2, parts=["takes one run"])
        self.refused("resume", name, name, status=2, parts=["takes one run"])
        self.refused("resume", name[:-1] + "x", status=1, parts=["did you mean", name])
        self.refused("resume", "mnist", "--runs", "there", status=1, parts=["in 'there'"])
        self.refused("resume", name, "--changes", "all", status=2,
                     parts=["--changes takes refuse, adopt, keep or extend, got 'all'"])
        self.refused("resume", name, "--checkpoint", "best", status=1,
                     parts=["no checkpoint of the best"])
        self.refused("resume", name, "--set", "epoch=3", status=2, parts=["epoch"])
        out, _ = self.anneal("resume", "--help")
        self.assertIn("--changes", out)

    def test_one_process_at_a_time(self):
        process = self.endless()
        self.refused("resume", self.only_run().name, status=1, parts=[self.only_run().name])
        self.assertIsNone(process.poll())
        process.kill()
        process.communicate()
        self.anneal("resume", self.only_run().name, "--set", "epochs=1", "--changes", "keep")

    def test_an_end_that_is_passed(self):
        """Said once and clearly; no message counts an epoch that is not planned."""
        folder, _ = self.interrupted()
        shutil.copytree(self.folder / "runs", self.folder / "copy")
        for end in "epochs=1", "steps=3":
            shutil.rmtree(self.folder / "runs")
            shutil.copytree(self.folder / "copy", self.folder / "runs")
            out, err = self.anneal("resume", folder.name, "--set", end, "--changes", "keep")
            self.assertRegex(err, rf"^anneal: '\S+' has come to step \d+ in epoch \d+, past the end that {end} "
                                  r"gives it: it ends (here|with this epoch); a larger number makes it longer\n$")
            [(at, of)] = re.findall(r"resumed: at step \d+, epoch (\d+) of (\d+),", out)
            self.assertEqual(at, of)
            for at, of in re.findall(r"^epoch (\d+)/(\d+)", out, re.M):
                self.assertEqual(at, of)

    def test_a_damaged_checkpoint_is_passed_over(self):
        folder, _ = self.interrupted()
        newest = max(folder.glob("checkpoints/*.state"))
        content = bytearray(newest.read_bytes())
        content[len(content) // 2] ^= 1
        newest.write_bytes(content)
        out, _ = self.anneal("resume", folder.name, "--set", "epochs=1", "--changes", "keep")
        self.assertNotIn(newest.stem, out)
        self.refused("resume", folder.name, "--checkpoint", str(newest), status=1,
                     parts=[newest.name, "damaged"])

    def test_the_newest_checkpoint_is_damaged(self):
        """It is said which one, and which is taken; where all are, what to do."""
        self.anneal("train", "c.yaml")
        folder = self.only_run()
        files = sorted(folder.glob("checkpoints/*.state"))
        older, newest = files[-2], files[-1]
        newest.write_bytes(newest.read_bytes()[:-1])
        said = (f"anneal: runs/{folder.name}/checkpoints/{newest.name} is damaged: it is cut off, "
                f"or something follows its end; taken instead: "
                f"'runs/{folder.name}/checkpoints/{older.stem}', of step 7\n")
        _, err = self.anneal("eval", folder.name, "--checkpoint", "last")
        self.assertEqual(err, said)
        _, err = self.anneal("resume", folder.name)
        self.assertEqual(err, said)
        for file in folder.glob("checkpoints/*.state"):
            file.write_bytes(b"no state")
        self.refused("resume", folder.name, status=1, parts=[
            "no checkpoint in", "can be used, of 3: bring one back from a copy, or begin a new run",
            "last-000004.state is not the state of a checkpoint"])

    def test_a_run_that_lost_its_checkpoints(self):
        """It does not begin again: that would write over what is left of it."""
        self.anneal("train", "c.yaml")
        folder = self.only_run()
        before = self.weights(folder)
        parts = [f"'runs/{folder.name}' has no checkpoint any more", "to step 14", "bring",
                 f"anneal train runs/{folder.name}/resolved.yaml"]
        shutil.rmtree(folder / "checkpoints")
        self.refused("resume", folder.name, status=1, parts=parts)
        (folder / "checkpoints").mkdir()
        self.refused("resume", folder.name, "--set", "epochs=1", status=1, parts=parts)
        self.assertEqual(self.weights(folder), before)
        (folder / "weights.safetensors").unlink()
        self.refused("resume", folder.name, status=1, parts=parts)
        self.assertEqual(self.store("SELECT status, step FROM runs"), [("done", 14)])
        self.anneal("train", f"runs/{folder.name}/resolved.yaml")  # as the message says
        self.folders().remove(folder)
        [other] = [run for run in self.folders() if run != folder]
        self.assertEqual(self.weights(other), before)

    def test_a_killed_run_that_lost_its_checkpoints(self):
        process = self.endless(epoch=3)
        process.kill()
        process.communicate()
        folder = self.only_run()
        (folder / "checkpoints").rename(folder / "elsewhere")
        self.refused("resume", folder.name, "--set", "epochs=1", "--changes", "keep", status=1,
                     parts=["has no checkpoint any more"])
        (folder / "elsewhere").rename(folder / "checkpoints")
        self.anneal("resume", folder.name, "--set", "epochs=1", "--changes", "keep")

    def test_what_save_may_not_be(self):
        """As of a training: found out before it, and inputs are spared."""
        self.anneal("train", "c.yaml")
        name, longer = self.only_run().name, ("--set", "epochs=3", "--changes", "keep")
        resolved = f"runs/{name}/resolved.yaml"
        text = (self.folder / resolved).read_text()
        for path, status, part in (("no/where", 1, "cannot write to the folder"), ("", 2, "got ''"),
                                   (resolved, 2, "is the configuration"),
                                   ("set/t10k-images-idx3-ubyte", 2, "is a file of the data set")):
            out = self.refused("resume", name, *longer, "--save", path, status=status,
                               parts=["--save", part])
            self.assertEqual(out, "")
        self.assertEqual((self.folder / resolved).read_text(), text)

    def save_too_late(self, name):
        """What is said when the folder of --save vanishes while the run trains."""
        gone = self.folder / "gone"
        gone.mkdir()
        process = self.start("resume", name, "--set", "budget=2s", "--changes", "keep", "--save",
                             "gone/w")
        process.stdout.readline()
        gone.rmdir()
        _, err = process.communicate(timeout=240)
        self.assertEqual(process.returncode, 1, err)
        return err

    def test_the_last_weights_cannot_be_written(self):
        """What is not saved is an error, whatever goes on; and it is said where the weights are."""
        self.anneal("train", "c.yaml")
        folder = self.only_run()
        before = self.weights(folder)
        (folder / "weights.safetensors").unlink()
        (folder / "weights.safetensors").mkdir()
        out, err = self.anneal("resume", folder.name, status=1)
        self.assertRegex(err, rf"anneal: .*{folder.name}/weights.safetensors.*; the checkpoint of "
                              "step 14 has them: put that right, and write them with anneal resume "
                              rf"{folder.name}\n$")
        self.assertIn("test accuracy", out)
        (folder / "weights.safetensors").rmdir()
        self.anneal("resume", folder.name)
        self.assertEqual(self.weights(folder), before)
        self.assertRegex(self.save_too_late(folder.name),
                         rf"anneal: --save: .*; they are in 'runs/{folder.name}/weights.saf.*'")
        (folder / "weights.safetensors").unlink()
        (folder / "weights.safetensors").mkdir()
        err = self.save_too_late(folder.name)
        self.assertEqual(len(re.findall(r"the checkpoint of step \d+ has them", err)), 2, err)

    def test_before_the_first_checkpoint(self):
        """A run that was killed before it could save begins again."""
        self.config(CONFIG)
        self.anneal("train", "c.yaml")
        expected = self.weights(self.only_run())
        self.folders()[0].rename(self.folder / "expected")
        process = self.endless("--set", "checkpoint={minutes: 1000}")
        process.kill()
        process.communicate()
        self.assertEqual(os.listdir(self.only_run() / "checkpoints"), [])
        out, _ = self.anneal("resume", self.only_run().name, "--set", "epochs=2")
        self.assertIn("epoch 1/2", out)
        self.assertEqual(self.weights(self.only_run()), expected)
        rows = self.store("SELECT epoch FROM metrics WHERE kind = 'epoch' AND run = "
                          f"(SELECT id FROM runs WHERE name = '{self.only_run().name}') ORDER BY epoch")
        self.assertEqual(rows, [(1,), (2,)])

    def test_checkpoints_that_cannot_be_read(self):
        """They are not taken for none: the run would begin again, and its rows be lost."""
        folder, _ = self.interrupted()
        shutil.rmtree(folder / "checkpoints")
        (folder / "checkpoints").write_text("no folder")
        self.refused("resume", folder.name, status=1, parts=["checkpoints", "Not a directory"])
        rows = self.store("SELECT count(*) FROM metrics")
        self.assertGreater(rows[0][0], 1)

    # ------------------------------------------------------------ what cannot be written

    def test_a_folder_that_vanishes(self):
        for option, status in (("continue", 1), ("stop", 1)):
            process = self.endless("--set", "on_write_error=" + option, "--set",
                                   f"runs={option}", epoch=3)
            folder = self.folders(option)[0]
            (folder / "checkpoints").rename(self.folder / ("gone-" + option))
            if option == "continue":
                while "save failed" not in process.stdout.readline():
                    self.assertIsNone(process.poll())
                self.assertIsNone(process.poll())
                process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=240)
            self.assertEqual(process.returncode, status, err)
            self.assertIn("No such file or directory", out + err)
            self.assertEqual("go on with" in err, False)
            # What was saved before is as good as ever.
            saved = max((self.folder / ("gone-" + option)).glob("last-*.state"))
            self.anneal("eval", str(saved), "--config", "c.yaml")

    def test_no_place_for_runs(self):
        (self.folder / "taken").write_text("a file")
        out, err = self.anneal("train", "c.yaml", "--set", "runs=taken")
        self.assertIn("the training goes on, and nothing of it is kept", err)
        self.assertRegex(out.splitlines()[-1], r"^test accuracy [\d.]+ %   [\d.]+ (ms|s)$")
        self.refused("train", "c.yaml", "--set", "runs=taken", "--set", "on_write_error=stop",
                     status=1, parts=["taken"])
        out, err = self.anneal("train", "c.yaml", "--set", "runs=none")
        self.assertEqual(err, "")
        self.assertEqual(self.folders(), [])

    @unittest.skipUnless(as_user(), "root may write everywhere")
    def test_a_read_only_folder(self):
        (self.folder / "runs").mkdir(mode=0o500)
        _, err = self.anneal("train", "c.yaml")
        self.assertIn("Permission denied", err)

    def test_early_stopping_ends_well(self):
        out, err = self.anneal("train", "c.yaml", "--set", "validation=0.2", "--set", "epochs=500",
                               "--set", "early_stopping={patience: 2, min_delta: 10}")
        self.assertEqual(err, "")
        self.assertIn("stopped: no better epoch in 2 since epoch 1", out)
        self.assertIn("the weights are those of epoch 1", out)
        self.assertEqual(len([line for line in out.splitlines() if line.startswith("epoch ")]), 3)

    def test_guard(self):
        """A rate that blows up is lowered until it does not, and the run ends well."""
        out, err = self.anneal("train", "c.yaml", "--set", "schedule=StepLR(step_size=1000)",
                               "--set", "optimizer.lr=1e30",
                               "--set", "guard={rollbacks: 20, rate_factor: 1e-8}")
        self.assertIn("rolled back: from step", out)
        self.assertIn("test accuracy", out)
        _, err = self.anneal("train", "c.yaml", "--set", "schedule=StepLR(step_size=1000)",
                             "--set", "optimizer.lr=1e30", "--set", "guard={rollbacks: 2}", status=1)
        self.assertIn("after 2 rollbacks of at most 2", err)
        self.assertEqual(sorted(self.store("SELECT status FROM runs")), [("done",), ("failed",)])


if __name__ == "__main__":
    main()
