"""What the tests of the command share: small data sets, configurations, and running the command."""
import gzip
import os
import pathlib
import pty
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import unittest

ANNEAL = None

CONFIG = """\
data: {format: idx, path: set, normalize: [0.5, 0.5]}
model:
  - Flatten()
  - Linear(12, 8)
  - ReLU()
  - Linear(8, 10)
loss: CrossEntropyLoss()
optimizer: SGD(lr=0.1, momentum=0.9)
schedule: OneCycleLR(max_lr=0.1)
interval: step
epochs: 2
batch_size: 16
seed: 1
"""


def idx(dims, values, kind=8):
    """An IDX file of bytes."""
    return struct.pack(">BBBB", 0, 0, kind, len(dims)) + struct.pack(f">{len(dims)}I", *dims) + \
        bytes(values)


def npy(descr, shape, data):
    """An array as numpy.save writes it."""
    head = str({"descr": descr, "fortran_order": False, "shape": shape})
    head += " " * (-(len(head) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + data


def samples(count, salt):
    """Images of 3 x 4 pixels whose pattern is their label, with a little noise."""
    pixels, labels = [], []
    for i in range(count):
        label = (i * 7 + salt) % 10
        labels.append(label)
        for j in range(12):
            base = 200 if (label >> (j % 4)) & 1 else 40
            pixels.append((base + (i * 13 + j * 29 + salt) % 30) % 256)
    return pixels, labels


def write_set(folder, train=100, test=50, zipped=False):
    """A data set with MNIST's file names."""
    folder.mkdir(parents=True, exist_ok=True)
    for prefix, count in (("train", train), ("t10k", test)):
        pixels, labels = samples(count, len(prefix))
        files = {f"{prefix}-images-idx3-ubyte": idx((count, 3, 4), pixels),
                 f"{prefix}-labels-idx1-ubyte": idx((count,), labels)}
        for name, content in files.items():
            if zipped:
                (folder / (name + ".gz")).write_bytes(gzip.compress(content, mtime=0))
            else:
                (folder / name).write_bytes(content)


class Case(unittest.TestCase):
    """A folder with a data set in set/ and the configuration c.yaml."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="anneal-test-"))
        self.addCleanup(shutil.rmtree, self.folder)
        write_set(self.folder / "set")
        self.config(CONFIG)

    def config(self, text):
        (self.folder / "c.yaml").write_text(text, encoding="utf-8")

    def start(self, *args, **options):
        process = subprocess.Popen([ANNEAL, *args], cwd=self.folder, text=True, encoding="utf-8",
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        self.addCleanup(process.kill)  # a test that fails leaves nothing running
        return process

    def anneal(self, *args, status=0, **options):
        """Runs the command; gives stdout and stderr."""
        process = self.start(*args, **options)
        out, err = process.communicate(timeout=240)
        self.assertEqual(process.returncode, status, f"{args}\n{out}\n{err}")
        return out, err

    def refused(self, *args, status, parts, caret=None, **options):
        """The command fails with one sentence that holds all of `parts`.

        With `caret`, an excerpt follows whose caret stands under that text.
        """
        out, err = self.anneal(*args, status=status, **options)
        lines = err.splitlines()
        self.assertTrue(lines and (len(lines) == 3 or lines[0].startswith("anneal: ")), err)
        for part in parts:
            self.assertIn(part, lines[0])
        self.assertNotIn("Sanitizer", err)
        self.assertIn(len(lines), (1, 3), err)
        if caret is not None:
            self.assertEqual(len(lines), 3, err)
            column = lines[2].index("^")
            self.assertEqual(lines[2].strip(), "^")
            self.assertTrue(lines[1][column:].startswith(caret), err)
        return out


    def open_terminal(self):
        """Both ends of a pseudo-terminal; skips the test where there is none, as in a bare chroot."""
        try:
            return pty.openpty()
        except OSError as error:
            return self.skipTest(f"no pseudo-terminal: {error}")


def as_user():
    """Whether permissions hold anybody up: they do not hold up root."""
    return os.geteuid() != 0


def main():
    """unittest's, after taking the command's path off the arguments."""
    global ANNEAL
    # Under nohup, or in the background of a script, signals come ignored, and children inherit that.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.modules["driver"].ANNEAL = ANNEAL = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main(module="__main__")
