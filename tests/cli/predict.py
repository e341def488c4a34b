"""anneal predict of tables: what eval implies, columns by their names, and what is refused."""
import csv
import io
import json
import math
import random
import struct

from driver import Case, main, npy

CONFIG = """\
data: {format: csv, path: t.csv, target: kind, missing: mean, standardize: true, ignore: id}
test: 20
model:
  - Linear(5, 3)
loss: CrossEntropyLoss()
optimizer: Adam(lr=0.05)
epochs: 5
batch_size: 8
threads: 1
"""
NAMES = ["high, \"up\"", "low", "mid"]
COLOURS = ["blue", "green", "red"]


def rows():
    """Of each: id, a, colour, b, kind, with noise, so that some are predicted wrongly."""
    chance = random.Random(1)
    table = []
    for i in range(60):
        a, b = chance.gauss(5, 30), chance.gauss(-1, 0.1)
        colour = chance.choice(COLOURS)
        score = a / 30 + 10 * b + COLOURS.index(colour) + chance.gauss(0, 2)
        kind = NAMES[1] if score < -10 else NAMES[2] if score < -8 else NAMES[0]
        table.append({"id": f"r{i}", "a": "" if i % 9 == 4 else f"{a:.3f}",
                      "colour": "NA" if i % 11 == 7 else colour, "b": f"{b:.4f}", "kind": kind})
    return table


def text(table, columns):
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return out.getvalue()


class Predict(Case):
    def setUp(self):
        super().setUp()
        self.table = rows()
        self.write("t.csv", self.table, "id,a,colour,b,kind")
        self.config(CONFIG)

    def write(self, name, table, columns):
        (self.folder / name).write_text(text(table, columns.split(",")))

    def train(self, *options):
        out, _ = self.anneal("train", "c.yaml", "--save", "w.safetensors", *options)
        return out

    def predict(self, name, *args):
        out, err = self.anneal("predict", "w.safetensors", "--config", "c.yaml", "--input", name,
                               *args)
        self.assertEqual(err, "")
        return out

    def rows(self, name):
        return list(csv.DictReader(io.StringIO(self.predict(name))))

    def eval(self):
        out, _ = self.anneal("eval", "w.safetensors", "--config", "c.yaml", "--format", "json")
        return json.loads(out)

    def changed_by(self, column, value, result):
        """The rows whose `column` being another one changes a result of eval: the test set."""
        before, found = self.eval()[result], []
        for i, row in enumerate(self.table):
            other = [dict(r) for r in self.table]
            other[i][column] = value(row)
            self.write("t.csv", other, "id,a,colour,b,kind")
            if self.eval()[result] != before:
                found.append(i)
        self.write("t.csv", self.table, "id,a,colour,b,kind")
        return found

    def test_classes_are_those_of_eval(self):
        self.train()
        tested = self.changed_by("kind", lambda row: NAMES[(NAMES.index(row["kind"]) + 1) % 3],
                                 "test_loss")
        self.assertEqual(len(tested), 20)
        predicted = self.rows("t.csv")
        self.assertEqual([int(row["index"]) for row in predicted], list(range(60)))
        right = sum(predicted[i]["class"] == self.table[i]["kind"] for i in tested)
        loss = sum(-math.log(float(predicted[i]["p_" + self.table[i]["kind"]])) for i in tested)
        result = self.eval()
        self.assertTrue(0 < right < 20, right)
        self.assertAlmostEqual(right / 20, result["test_accuracy"], places=6)
        self.assertAlmostEqual(loss / 20, result["test_loss"], places=5)

    def test_csv_and_json_agree(self):
        self.train()
        lines = self.predict("t.csv", "--format", "json").splitlines()
        for row, line in zip(self.rows("t.csv"), [json.loads(line) for line in lines]):
            self.assertEqual(list(row), ["index", "class"] + ["p_" + name for name in NAMES])
            self.assertEqual((int(row["index"]), row["class"]), (line["index"], line["class"]))
            p = line["probabilities"]
            self.assertEqual(list(p), NAMES)
            self.assertEqual([float(row["p_" + name]) for name in NAMES], list(p.values()))
            self.assertAlmostEqual(sum(p.values()), 1, places=6)
            self.assertEqual(max(p, key=p.get), line["class"])

    def test_columns_go_by_their_names(self):
        self.train()
        expected = self.predict("t.csv")
        for columns in ("a,colour,b", "b,kind,a,colour", "colour,id,b,a"):
            self.write("n.csv", self.table, columns)
            self.assertEqual(self.predict("n.csv"), expected, columns)
        for row in self.table:
            row["note"] = "not, a feature"
        self.write("n.csv", self.table, "note,b,colour,a")
        self.assertEqual(self.predict("n.csv"), expected)
        self.write("n.csv", self.table[7:8], "b,colour,a")
        self.assertEqual(self.predict("n.csv").splitlines()[1][1:],
                         expected.splitlines()[8][1:])

    def test_numbers(self):
        """The target is not standardised: what is predicted has its units."""
        self.config(CONFIG.replace("kind", "b").replace("id", "[id, kind]").replace("5, 3", "4, 1")
                    .replace("CrossEntropy", "MSE"))
        self.train()
        tested = self.changed_by("b", lambda row: "100", "test_loss")
        self.assertEqual(len(tested), 20)
        self.assertEqual(self.predict("t.csv").splitlines()[0], "index,b")
        predicted = [float(row["b"]) for row in self.rows("t.csv")]
        squares = sum((predicted[i] - float(self.table[i]["b"])) ** 2 for i in tested)
        self.assertAlmostEqual(squares / 20 / self.eval()["test_loss"], 1, places=5)
        lines = self.predict("t.csv", "--format", "json").splitlines()
        self.assertEqual(json.loads(lines[3]), {"index": 3, "outputs": {"b": predicted[3]}})

    def test_yes_or_no(self):
        """One number as a probability: its class is 1 above one half."""
        for row in self.table:
            row["kind"] = str(int(row["kind"] == "low"))
        self.write("t.csv", self.table, "id,a,colour,b,kind")
        self.config(CONFIG.replace("5, 3", "5, 1").replace("CrossEntropy", "BCEWithLogits"))
        self.train("--set", "epochs=30")
        found = self.rows("t.csv")
        self.assertEqual(list(found[0]), ["index", "class", "p_kind"])
        self.assertEqual({row["class"] for row in found}, {"0", "1"})
        for row in found:
            self.assertEqual(row["class"], str(int(float(row["p_kind"]) > 0.5)))

    def test_a_run(self):
        self.train()
        name = next(self.folder.glob("runs/*/resolved.yaml")).parent.name
        out, _ = self.anneal("predict", name, "--input", "t.csv")
        self.assertEqual(out, self.predict("t.csv"))

    def refuse(self, content, *parts):
        (self.folder / "n.csv").write_text(content)
        self.refused("predict", "w.safetensors", "--config", "c.yaml", "--input", "n.csv",
                     status=1, parts=["n.csv", *parts])

    def test_refused(self):
        self.train()
        self.refuse("a,b,colour\n1,2,red\n1,2,pink\n", "n.csv:3: column 'colour': 'pink'",
                    "'blue', 'green', 'red'", "correct it")
        self.refuse("a,colour\n1,red\n", "no column 'b'")
        self.refuse("a,b,colour\n1,x,red\n", "n.csv:2: column 'b': 'x' is not a number")
        self.refuse("a,b,colour,a\n1,2,red,3\n", "column 'a'", "more often")
        self.refuse("", "empty")
        self.config(CONFIG.replace("missing: mean, ", ""))
        whole = [row for row in self.table if row["a"] and row["colour"] != "NA"]
        self.write("t.csv", whole, "id,a,colour,b,kind")
        self.train()
        self.refuse("a,b,colour\n1,2,\n", "n.csv:2: column 'colour': '' is no value")
        self.refused("predict", "w.safetensors", "--config", "c.yaml", "--input", "none",
                     status=1, parts=["none"])

    def floats(self, name, rows):
        """An array of float32 of these rows."""
        values = [value for row in rows for value in row]
        (self.folder / name).write_bytes(
            npy("<f4", (len(rows), len(rows[0])), struct.pack(f"<{len(values)}f", *values)))

    def test_arrays_of_floats(self):
        """They are filled and standardised as in training: its own samples come out the same."""
        rows = [(float(i), 1000.0 + i * i % 7) for i in range(12)]
        self.floats("x.npy", [(math.nan, 1000.0)] + rows[1:])
        (self.folder / "y.npy").write_bytes(npy("|u1", (12,), bytes([0, 1] * 6)))
        self.config("data: {format: npy, x: x.npy, y: y.npy, missing: mean, standardize: true}\n"
                    "model:\n  - Linear(2, 2)\nloss: CrossEntropyLoss()\noptimizer: SGD(lr=0.5)\n"
                    "epochs: 40\ntest: 2\n")
        self.train()
        predict = ("predict", "w.safetensors", "--config", "c.yaml", "--input")
        out, _ = self.anneal(*predict, "x.npy")
        found = list(csv.DictReader(io.StringIO(out)))
        self.assertEqual(len(found), 12)
        first, fifth = found[0], found[5]
        self.assertLess(abs(float(fifth["p_0"]) + float(fifth["p_1"]) - 1), 1e-6)
        for row in found:  # values near 1000 would be certain of a class
            self.assertTrue(0.02 < float(row["p_0"]) < 0.98, row)
        self.assertEqual(first.keys(), {"index", "class", "p_0", "p_1"})
        self.floats("one.npy", rows[5:6])
        out, _ = self.anneal(*predict, "one.npy")
        self.assertEqual(out.splitlines()[1].split(",")[1:], list(fifth.values())[1:])
        self.floats("wide.npy", [(1.0, 2.0, 3.0)])
        self.refused(*predict, "wide.npy", status=1,
                     parts=["samples have shape (3,), but the model takes (2,)"])
        (self.folder / "x.npz").write_bytes(b"PK\3\4 and so on")
        self.refused(*predict, "x.npz", status=1, parts=["x.npz is an archive (.npz); save the one"])
        self.refused(*predict, "t.csv", status=1, parts=["t.csv"])
        self.config((self.folder / "c.yaml").read_text().replace("missing: mean, ", ""))
        self.refused("train", "c.yaml", status=1, parts=["is NaN; fill", "missing: mean"])

    def test_a_text_model(self):
        (self.folder / "t.txt").write_text("abcd" * 50)
        self.config("data: {format: text, path: t.txt, context: 4}\nmodel:\n  - Embedding(4, 4)\n"
                    "  - Linear(4, 4)\nloss: CrossEntropyLoss()\noptimizer: SGD(lr=0.1)\n"
                    "epochs: 1\ntest: 8\n")
        self.train()
        self.refused("predict", "w.safetensors", "--config", "c.yaml", "--input", "t.txt",
                     status=2, parts=["takes images, arrays and tables", "anneal sample"])


if __name__ == "__main__":
    main()
