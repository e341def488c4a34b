"""Ctrl-C and kill: the training ends after the batch, says so, and still saves."""
import json
import signal
import time

from driver import CONFIG, Case, main


class Stop(Case):
    def interrupt(self, number, *args):
        self.config(CONFIG.replace("epochs: 2", "epochs: 100000000"))
        process = self.start("train", "c.yaml", "--save", "w.safetensors", *args)
        process.stdout.readline()  # training, or about to
        time.sleep(0.3)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
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


if __name__ == "__main__":
    main()
