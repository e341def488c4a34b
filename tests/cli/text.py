"""A model of a text: trained, tested, resumed, and made to write."""
import json
import os

from driver import CONFIG, Case, main

TEXT = "the cat sat on the mat. é\n" * 200
MODEL = """\
data: {{format: text, path: cat.txt, context: 16{more}}}
model:
  - Embedding({classes}, 16)
  - PositionalEmbedding(16, 16)
  - Residual:
      - LayerNorm(16)
      - MultiheadAttention(16, 2, causal=True)
  - Residual:
      - Linear(16, 32)
      - GELU()
      - Linear(32, 16)
  - Linear(16, {classes})
optimizer: AdamW(lr=0.01)
schedule: Sequence([Linear(start=0.1, end=1), Cosine(end=0.1)], [10st])
interval: step
steps: 1200
batch_size: 8
validation: 0.1
seed: 1
threads: 1
"""
CLASSES = len(set(TEXT))


class Text(Case):
    def setUp(self):
        super().setUp()
        (self.folder / "cat.txt").write_text(TEXT, encoding="utf-8")
        self.config(MODEL.format(classes=CLASSES, more=""))

    def train(self, *args):
        out, _ = self.anneal("train", "c.yaml", "--format", "json", *args)
        return json.loads(out.splitlines()[-1])

    def run_name(self):
        return [name for name in os.listdir(self.folder / "runs") if name.startswith("c-")][0]

    def sample(self, *args):
        out, err = self.anneal("sample", self.run_name(), *args)
        self.assertEqual(err, "")
        return out

    def test_learns_and_writes(self):
        self.assertGreater(self.train()["test_accuracy"], 0.9)
        out = self.sample("--prompt", "the cat", "--length", "60", "--temperature", "0")
        self.assertEqual(out, (TEXT[:67]) + "\n")
        out = self.sample("--length", "30", "--top-k", "1")  # a new line is what it begins with
        self.assertEqual("\n" + out, self.sample("--length", "30", "--temperature", "0", "--prompt",
                                                 "\n"))
        self.assertTrue(out.startswith("the "), out)
        hot = [self.sample("--length", "80", "--temperature", "3", "--seed", seed)
               for seed in ("1", "1", "2")]
        self.assertEqual(hot[0], hot[1])
        self.assertNotEqual(hot[0], hot[2])
        self.assertEqual(len(hot[0]), 81)
        self.assertLessEqual(set(hot[0]), set(TEXT))
        few = self.sample("--length", "200", "--temperature", "1000", "--top-k", "2")
        self.assertNotEqual(few, self.sample("--length", "200", "--temperature", "1000"))
        self.anneal("sample", "--help")

    def test_weights_of_a_file(self):
        self.train("--set", "steps=5", "--save", "w.safetensors")
        args = ["--length", "40", "--prompt", "mat"]
        out, _ = self.anneal("sample", "w.safetensors", "--config", "c.yaml", *args)
        self.assertEqual(out, self.sample(*args))
        result, _ = self.anneal("eval", "w.safetensors", "--config", "c.yaml", "--format", "json")
        evaluated, _ = self.anneal("eval", self.run_name(), "--format", "json")
        self.assertEqual(result, evaluated)

    def test_bytes(self):
        self.config(MODEL.format(classes=256, more=", unit: bytes"))
        self.train("--set", "steps=30")
        out = self.sample("--length", "20", "--top-k", "1", "--prompt", "the")
        self.assertTrue(out.startswith("the"))
        (self.folder / "other.txt").write_text(TEXT.upper(), encoding="utf-8")
        self.anneal("eval", self.run_name(), "--data", "other.txt")

    def test_summary(self):
        out, _ = self.anneal("train", "c.yaml", "--set", "steps=2")
        self.assertIn("tokens of 13 different characters, context 16", out.splitlines()[0])
        tokens = [int(word.replace(",", "")) for word in out.splitlines()[0].split()
                  if word[0].isdigit() and "," in word and word.endswith(tuple("0123456789"))]
        self.assertTrue(all(count % 16 == 0 for count in tokens) and tokens, out)

    def test_refused(self):
        self.train("--set", "steps=2")
        run = self.run_name()
        for args, parts in ((["--prompt", "x"], ["--prompt", "'x'"]),
                            (["--prompt", b"\xff"], ["--prompt"])):
            self.refused("sample", run, *args, status=1, parts=parts)
        for args, part in ((["--length", "0"], "--length"), (["--temperature", "-1"], "--temp"),
                           (["--temperature", "nan"], "--temp"), (["--top-k", "0"], "--top-k"),
                           (["--seed", "-1"], "--seed"), (["--checkpoint", "first"], "first")):
            self.refused("sample", run, *args, status=2, parts=[part])
        self.refused("sample", status=2, parts=["takes one run"])
        self.refused("sample", "none", status=1, parts=["'none'"])
        self.refused("predict", run, "--input", "cat.txt", status=2, parts=["anneal sample"])
        (self.folder / "dog.txt").write_text(TEXT.replace("cat", "tac"), encoding="utf-8")
        self.refused("eval", run, "--data", "dog.txt", status=2, parts=["unit: bytes"])
        (self.folder / "i.yaml").write_text(CONFIG)
        self.anneal("train", "i.yaml", "--set", "epochs=1", "--save", "i.safetensors")
        self.refused("sample", "i.safetensors", "--config", "i.yaml", status=2,
                     parts=["trained on a text"])
        self.refused("train", "c.yaml", "--save", "cat.txt", status=2, parts=["data set"])


if __name__ == "__main__":
    main()
