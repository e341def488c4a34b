"""Ctrl-C and kill: the training ends after the batch, says so, and still saves."""
import json
import signal
import time

from driver import CONFIG, Case, main


class Stop(Case):
    def interrupt(self, number, *args):
        self.config(CONFIG.replace("epochs: 2", "epochs: 100000000"))
        process = self.start("train", "c.yaml", "--save", "w.safetensors", *args)
        while "epoch" not in process.stdout.readline():
            pass
        process.send_signal(number)
        out, err = process.communicate(timeout=240)
        self.assertEqual(process.returncode, 1, err)
        self.assertIn("stopped by a signal after step", err)
        self.assertEqual(len(err.splitlines()), 1, err)
        self.assertTrue((self.folder / "w.safetensors").stat().st_size > 4 * 194)
        return out

    def test_interrupt(self):
        out = self.interrupt(signal.SIGINT)
        self.assertIn("test accuracy", out.splitlines()[-1])

    def test_terminate_json(self):
        out = self.interrupt(signal.SIGTERM, "--format", "json")
        last = json.loads(out.splitlines()[-1])
        self.assertTrue(last["stopped"])
        self.assertIn("test_accuracy", last)

    def test_hangup(self):
        self.interrupt(signal.SIGHUP)

    def wait_for_an_epoch(self, process):
        """Reads past the summary and its warnings: from there on the training has begun."""
        while "epoch" not in process.stdout.readline():
            self.assertIsNone(process.poll())

    def endless(self, **options):
        """A training that goes on for ever, begun."""
        self.config(CONFIG.replace("epochs: 2", "epochs: 100000000"))
        process = self.start("train", "c.yaml", "--save", "w.safetensors", **options)
        self.wait_for_an_epoch(process)
        return process

    def test_nohup(self):
        """A hangup that is ignored at the start stays ignored."""
        process = self.endless(preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=240)
        self.assertIn("stopped by a signal", err)
        self.assertTrue((self.folder / "w.safetensors").exists())

    def test_twice_at_once_is_once(self):
        """timeout(1) and a nervous finger send a signal twice."""
        for pause in (0, 0.001, 0.01, 0.05):
            process = self.endless()
            process.send_signal(signal.SIGINT)
            time.sleep(pause)
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=240)
            self.assertEqual(process.returncode, 1, err)
            self.assertIn("test accuracy", out.splitlines()[-1])
            self.assertEqual(self.leftovers(), [])

    def leftovers(self):
        return [file.name for file in self.folder.iterdir() if file.name.endswith(".tmp")]

    def wide(self, *args):
        """Batches that take a while, and weights of 19 MB to save."""
        return self.start("train", "c.yaml", "--save", "w.safetensors", "--set",
                          "model.1=Linear(12, 200000)", "--set", "model.3=Linear(200000, 10)",
                          "--set", "schedule=StepLR(step_size=1000)", "--set", "optimizer.lr=1e-6",
                          "--set", "batch_size=100", *args)

    def interrupt_twice(self):
        """Stands still between the two for so long that the second is another wish."""
        process = self.wide("--set", "epochs=1000000")
        self.wait_for_an_epoch(process)
        process.send_signal(signal.SIGINT)
        time.sleep(0.002)
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.6)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGCONT)
        process.communicate(timeout=240)
        self.assertEqual(self.leftovers(), [])
        return process.returncode

    def test_a_later_one_ends_at_once(self):
        """The batch may be over before the process stands still: then it ends as after one."""
        statuses = set()
        while -signal.SIGINT not in statuses and len(statuses) < 2 and self.more():
            statuses.add(self.interrupt_twice())
        self.assertIn(-signal.SIGINT, statuses)
        self.assertLessEqual(statuses, {-signal.SIGINT, 1})

    tries = 0

    def more(self):
        """At most 30 tries in a test."""
        self.tries += 1
        return self.tries <= 30

    def saving(self):
        """Whether the weights are being written."""
        for file in self.folder.glob("w.*.tmp"):
            try:
                if file.stat().st_size > 1:
                    return True
            except FileNotFoundError:
                pass
        return False

    def interrupt_save(self, number):
        process = self.wide("--set", "epochs=1")
        while process.poll() is None and not self.saving():
            time.sleep(0.0005)
        process.send_signal(number)
        process.communicate(timeout=240)
        self.assertEqual(self.leftovers(), [])
        self.assertGreater((self.folder / "w.safetensors").stat().st_size, 4 * 4600010)
        (self.folder / "w.safetensors").unlink()
        return process.returncode

    def test_a_save_is_finished_first(self):
        """A save that is over before it is seen ends well; one that is seen, by the signal."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            status = 0
            while status == 0 and self.more():
                status = self.interrupt_save(number)
            self.assertEqual(status, -number)

    def test_the_reader_goes_away(self):
        """`| head -1`: the training goes on and is saved, and then the loss of output is an error."""
        process = self.start("train", "c.yaml", "--format", "json", "--save", "w.safetensors",
                             "--set", "epochs=30")
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
        process.stderr.close()
        self.assertEqual(process.wait(timeout=240), 1)
        self.assertEqual(err, "anneal: cannot write to the standard output: Broken pipe\n")
        self.assertGreater((self.folder / "w.safetensors").stat().st_size, 4 * 194)


if __name__ == "__main__":
    main()
