"""A table: classes and numbers, their results, and what is refused."""
import json
import os

from driver import Case, main

ROWS = "".join(f"{i},{'up' if i % 2 else 'down'},{(i * 7) % 11},{3 * i + (i * 7) % 11}\n"
               for i in range(60))
CONFIG = """\
data: {format: csv, path: t.csv, target: sum, standardize: true, ignore: side}
model:
  - Linear(2, 1)
loss: MSELoss()
optimizer: Adam(lr=1)
epochs: 40
batch_size: 8
threads: 1
"""


class Table(Case):
    def setUp(self):
        super().setUp()
        (self.folder / "t.csv").write_text("i,side,b,sum\n" + ROWS)
        self.config(CONFIG)

    def run_name(self):
        return [name for name in os.listdir(self.folder / "runs") if name.startswith("c-")][0]

    def test_numbers(self):
        out, _ = self.anneal("train", "c.yaml", "--set", "validation=6")
        lines = out.splitlines()
        for part in ("48 train", "6 validation", "6 test  2 floats"):
            self.assertIn(part, lines[0])
        self.assertTrue(lines[-1].startswith("test loss "), out)
        self.assertNotIn("acc", out)
        out, _ = self.anneal("eval", self.run_name(), "--format", "json")
        result = json.loads(out)
        self.assertIsNone(result["test_accuracy"])
        self.assertLess(result["test_loss"], 100)
        out, _ = self.anneal("eval", self.run_name())
        self.assertTrue(out.startswith("test loss "), out)

    def test_json(self):
        out, _ = self.anneal("train", "c.yaml", "--format", "json", "--set", "epochs=2")
        *epochs, end = [json.loads(line) for line in out.splitlines()]
        self.assertIsNone(end["test_accuracy"])
        self.assertEqual([epoch["accuracy"] for epoch in epochs], [None, None])

    def test_classes(self):
        self.config(CONFIG.replace("target: sum", "target: side").replace(", ignore: side", "")
                    .replace("MSELoss", "CrossEntropyLoss").replace("2, 1", "3, 2"))
        out, _ = self.anneal("train", "c.yaml")
        self.assertIn("test accuracy", out.splitlines()[-1])

    def test_refused(self):
        self.anneal("train", "c.yaml", "--set", "epochs=1")
        run = self.run_name()
        self.refused("eval", run, "--data", "t.csv", status=2, parts=["--data", "table"])
        self.refused("sample", run, status=2, parts=["trained on a text"])
        self.refused("train", "c.yaml", "--save", "t.csv", status=2, parts=["data set"])
        (self.folder / "t.csv").write_text("i,side,b,sum\n" + ROWS.replace("12,down", "12x,down"))
        self.refused("train", "c.yaml", status=1, parts=["t.csv:14: column 'i': '12x'"])
        self.refused("train", "c.yaml", "--set", "loss=MSELos()", status=2, parts=["'MSELoss'"],
                     caret="MSELos")


if __name__ == "__main__":
    main()
