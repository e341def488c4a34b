"""Every configuration in examples/ trains, on little data of the form that it names, without warning."""
import pathlib
import random
import string

import driver
from driver import Case, main

EXAMPLES = sorted((pathlib.Path(__file__).resolve().parent.parent.parent / "examples").glob("*.yaml"))
# Lengths of one run: the steps of the one that counts steps are too many for a test.
SHORTER = {"char-gpt": ["--set", "steps=200", "--set", "batch_size=1"]}


def images(folder):
    """28 x 28 noise in MNIST's files."""
    folder.mkdir(parents=True)
    rng = random.Random(1)
    for prefix, count in (("train", 64), ("t10k", 16)):
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(
            driver.idx((count, 28, 28), rng.randbytes(count * 784)))
        (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(
            driver.idx((count,), [i % 10 for i in range(count)]))


def text(file):
    """As many different characters as the King James text has."""
    letters = (string.ascii_letters + string.digits + " .,:;'()-!?\n")[:73]
    rng = random.Random(1)
    file.write_text(letters + "".join(rng.choices(letters, k=4000)))


def table(file, columns, target, values):
    rng = random.Random(1)
    names = [f"x{i}" for i in range(columns)] + [target]
    rows = [[str(rng.random()) for _ in range(columns)] + [str(rng.choice(values))] for _ in range(100)]
    file.write_text("\n".join(",".join(row) for row in [names, *rows]) + "\n")


class Configurations(Case):
    def setUp(self):
        super().setUp()
        images(self.folder / "data" / "mnist")
        images(self.folder / "data" / "fashion-mnist")
        text(self.folder / "data" / "kjv.txt")
        table(self.folder / "data" / "breast-cancer.csv", 30, "benign", [0, 1])
        table(self.folder / "data" / "diabetes.csv", 10, "progress", range(25, 346))

    def test_all_train(self):
        self.assertGreaterEqual(len(EXAMPLES), 8)
        for example in EXAMPLES:
            with self.subTest(example.name):
                out, err = self.anneal("train", str(example), *SHORTER.get(example.stem, []))
                self.assertEqual(err, "")
                self.assertNotIn("warning", out)
                self.assertRegex(out, r"test (accuracy|loss|R²)")


main()
