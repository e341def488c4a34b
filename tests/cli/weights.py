"""anneal eval and predict: weights of runs and of files, on the test set and on new samples."""
import csv
import gzip
import io
import json
import math

from driver import Case, idx, main, npy, samples


class Weights(Case):
    def setUp(self):
        super().setUp()
        self.out, _ = self.anneal("train", "c.yaml", "--set", "epochs=20", "--save",
                                  "w.safetensors", "--set", "checkpoint={best: true}",
                                  "--format", "json")
        self.result = json.loads(self.out.splitlines()[-1])
        self.run_name = next(self.folder.glob("runs/*/resolved.yaml")).parent.name

    # --------------------------------------------------------------------- eval

    def eval(self, *args):
        out, err = self.anneal("eval", *args, "--format", "json")
        self.assertEqual(err, "")
        return json.loads(out)

    def test_eval_finds_what_training_found(self):
        expected = {"test_accuracy": self.result["test_accuracy"],
                    "test_loss": self.result["test_loss"], "samples": 50}
        run = f"runs/{self.run_name}"
        self.assertEqual(self.eval(self.run_name), expected)
        self.assertEqual(self.eval(run), expected)
        self.assertEqual(self.eval(self.run_name, "--checkpoint", "last"), expected)
        self.assertEqual(self.eval(run + "/weights.safetensors"), expected)
        self.assertEqual(self.eval("w.safetensors", "--config", "c.yaml"), expected)
        last = max((self.folder / run / "checkpoints").glob("*.state"))
        self.assertEqual(self.eval(str(last)), expected)
        self.assertEqual(self.eval(self.run_name, "--threads", "1")["samples"], 50)

    def test_eval_text(self):
        out, _ = self.anneal("eval", self.run_name)
        self.assertRegex(out, rf"^test accuracy [\d.]+ %   loss [\d.]+   50 samples   "
                              rf"runs/{self.run_name}/weights.safetensors\n$")
        self.anneal("eval", self.run_name, "--checkpoint", "best")

    def test_eval_on_other_data(self):
        (self.folder / "set").rename(self.folder / "moved")
        self.refused("eval", self.run_name, status=1, parts=["there is no folder", "/set'"])
        self.assertEqual(self.eval(self.run_name, "--data", "moved")["samples"], 50)

    def test_eval_refuses(self):
        self.refused("eval", status=2, parts=["takes one run or file"])
        self.refused("eval", "nothing", status=1, parts=["there is no run 'nothing'"])
        self.refused("eval", "w.safetensors", status=2, parts=["--config FILE"])
        self.refused("eval", "c.yaml", "--config", "c.yaml", status=1, parts=["no safetensors"])
        self.refused("eval", self.run_name, "--checkpoint", "first", status=2,
                     parts=["takes last or best"])
        wider = (self.folder / "c.yaml").read_text().replace("8", "9")
        (self.folder / "wide.yaml").write_text(wider)
        self.refused("eval", "w.safetensors", "--config", "wide.yaml", status=1,
                     parts=["'1.weight' has shape (8, 12), but the model's has (9, 12)"])
        self.anneal("eval", "--help")

    # ------------------------------------------------------------------ predict

    def predict(self, *args):
        out, err = self.anneal("predict", self.run_name, "--input", *args)
        self.assertEqual(err, "")
        return out

    def rows(self, text):
        return list(csv.DictReader(io.StringIO(text)))

    def test_csv_and_json_agree(self):
        images = "set/t10k-images-idx3-ubyte"
        rows = self.rows(self.predict(images))
        lines = [json.loads(line) for line in
                 self.predict(images, "--format", "json").splitlines()]
        self.assertEqual(len(rows), 50)
        self.assertEqual(len(lines), 50)
        for i, (row, line) in enumerate(zip(rows, lines)):
            p = [float(row[f"p_{k}"]) for k in range(10)]
            self.assertEqual((int(row["index"]), int(row["class"])), (i, line["class"]))
            self.assertEqual(p, line["probabilities"])
            self.assertTrue(math.isclose(sum(p), 1, rel_tol=1e-6))
            self.assertEqual(p.index(max(p)), line["class"])

    def test_classes_are_those_of_eval(self):
        _, labels = samples(50, len("t10k"))
        rows = self.rows(self.predict("set/t10k-images-idx3-ubyte"))
        right = sum(int(row["class"]) == label for row, label in zip(rows, labels))
        self.assertEqual(right / 50, self.result["test_accuracy"])

    def test_rows_are_images(self):
        pixels, _ = samples(50, len("t10k"))
        lines = [pixels[12 * i:12 * i + 12] for i in range(50)]
        expected = self.predict("set/t10k-images-idx3-ubyte")
        forms = {
            "plain.csv": "".join(",".join(map(str, line)) + "\n" for line in lines),
            "head.csv": "a,b,c,d,e,f,g,h,i,j,k,l\n" +
                        "".join("; ".join(map(str, line)) + "\r\n" for line in lines),
            "blank.txt": "\n\n" + "\n".join("  " + " ".join(map(str, line)) for line in lines),
        }
        for name, text in forms.items():
            (self.folder / name).write_text(text)
            self.assertEqual(self.predict(name), expected, name)
        zipped = gzip.compress(idx((50, 3, 4), pixels))
        (self.folder / "images.gz").write_bytes(zipped)
        self.assertEqual(self.predict("images.gz"), expected)

    def test_other_losses(self):
        self.anneal("train", "c.yaml", "--set", "loss=MSELoss()", "--save", "m.safetensors")
        out, _ = self.anneal("predict", "m.safetensors", "--config", "c.yaml", "--input",
                             "set/t10k-images-idx3-ubyte", "--format", "json")
        self.assertIn("probabilities", json.loads(out.splitlines()[0]))
        config = (self.folder / "c.yaml").read_text().replace("CrossEntropyLoss", "MSELoss")
        (self.folder / "m.yaml").write_text(config)
        out, _ = self.anneal("predict", "m.safetensors", "--config", "m.yaml", "--input",
                             "set/t10k-images-idx3-ubyte")
        self.assertTrue(out.startswith("index,class,y_0,y_1,"), out[:40])

    def refuse_rows(self, text, part, caret=None):
        (self.folder / "bad.csv").write_text(text)
        self.refused("predict", self.run_name, "--input", "bad.csv", status=1,
                     parts=["bad.csv", part], caret=caret)

    def test_arrays_are_images(self):
        """(N, H, W), (N, C, H, W) and (N, H, W, C) of uint8 say what the IDX file says."""
        pixels, _ = samples(50, len("t10k"))
        expected = self.predict("set/t10k-images-idx3-ubyte")
        for shape in ((50, 3, 4), (50, 1, 3, 4), (50, 3, 4, 1)):
            (self.folder / "a.npy").write_bytes(npy("|u1", shape, bytes(pixels)))
            self.assertEqual(self.predict("a.npy"), expected, shape)
        (self.folder / "a.npy.gz").write_bytes(gzip.compress((self.folder / "a.npy").read_bytes()))
        self.assertEqual(self.predict("a.npy.gz"), expected)
        for descr, shape, data, part in (
                ("|u1", (50, 4, 3), bytes(pixels), "takes (1, 3, 4)"),
                ("<f4", (1, 1, 3, 4), bytes(48), "uint8"),
                ("|u1", (50, 3, 4), bytes(pixels[:-1]), "b.npy")):
            (self.folder / "b.npy").write_bytes(npy(descr, shape, data))
            self.refused("predict", self.run_name, "--input", "b.npy", status=1, parts=[part])

    def test_predict_refuses(self):
        good = "1,2,3,4,5,6,7,8,9,10,11,12\n"
        self.refuse_rows("", "holds no samples")
        self.refuse_rows("a,b\n", "holds no samples")
        self.refuse_rows(good + "1,2,3\n", "has 3 values, but the model takes 12", "1,2,3")
        self.refuse_rows(good + good.replace("12", "12,13"), "has 13 values")
        self.refuse_rows(good + good.replace("7", "x"), "a number is expected", "x")
        self.refuse_rows(good.replace("7", "256"), "from 0 to 255", "256")
        self.refuse_rows(good.replace("7", "-1"), "from 0 to 255", "-1")
        self.refuse_rows(good.replace("7", "0.5"), "from 0 to 255", "0.5")
        self.refuse_rows(good.replace("7", "nan"), "from 0 to 255", "nan")
        self.refused("predict", self.run_name, status=2, parts=["--input FILE"])
        self.refused("predict", self.run_name, "--input", "none", status=1, parts=["none"])
        (self.folder / "wide").write_bytes(idx((2, 3, 5), [0] * 30))
        self.refused("predict", self.run_name, "--input", "wide", status=1,
                     parts=["shape (1, 3, 5)", "takes (1, 3, 4)"])
        self.anneal("predict", "--help")


if __name__ == "__main__":
    main()
