"""Wrong configurations: one sentence with the place and the nearest name, status 2."""
from driver import CONFIG, Case, main


class BadConfig(Case):
    def wrong(self, old, new, parts, caret=None, status=2):
        self.assertIn(old, CONFIG)
        self.config(CONFIG.replace(old, new))
        out = self.refused("train", "c.yaml", status=status, parts=parts, caret=caret)
        self.assertNotIn("epoch", out)

    def test_unknown_key(self):
        self.wrong("batch_size: 16", "batchsize: 16", ["c.yaml:12", "'batchsize'", "'batch_size'"],
                   "batchsize")
        self.wrong("path: set", "pth: set", ["c.yaml:1", "'pth'", "'path'"], "pth")

    def test_unknown_layer(self):
        self.wrong("ReLU()", "RelU6()", ["c.yaml:5", "RelU6", "ReLU"], "RelU6")

    def test_unknown_optimizer(self):
        self.wrong("SGD(", "SDG(", ["c.yaml:8", "SDG", "SGD"], "SDG")

    def test_unknown_schedule(self):
        self.wrong("OneCycleLR(", "OneCicleLR(", ["c.yaml:9", "OneCicleLR", "OneCycleLR"],
                   "OneCicleLR")

    def test_unknown_loss(self):
        self.wrong("CrossEntropyLoss()", "CrosEntropyLoss()", ["c.yaml:7", "'CrossEntropyLoss'"],
                   "CrosEntropyLoss")

    def test_unknown_parameter(self):
        self.wrong("momentum=0.9", "momentun=0.9", ["c.yaml:8", "momentun", "momentum"], "momentun")
        self.wrong("max_lr=0.1", "max_rl=0.1", ["c.yaml:9", "max_rl", "max_lr"], "max_rl")
        self.wrong("Linear(12, 8)", "Linear(12, 8, bais=False)", ["c.yaml:4", "bais", "bias"],
                   "bais")

    def test_shapes_that_do_not_fit(self):
        self.wrong("Linear(8, 10)", "Linear(9, 10)",
                   ["c.yaml:6", "layer 3", "Linear(9, 10)", "9", "8"], "Linear(9, 10)")
        self.wrong("Linear(12, 8)", "Linear(784, 8)", ["layer 1", "Linear(784, 8)", "12"])

    def test_too_few_outputs(self):
        self.wrong("Linear(8, 10)", "Linear(8, 5)", ["c.yaml:6", "10 classes", "5 outputs"],
                   "Linear(8, 5)")

    def test_no_row_of_scores(self):
        self.config(CONFIG.replace("  - Flatten()\n  - Linear(12, 8)\n  - ReLU()\n  - Linear(8, 10)",
                                   "  - Linear(4, 10)"))
        self.refused("train", "c.yaml", status=2, caret="Linear(4, 10)",
                     parts=["c.yaml:3", "(1, 3, 10)", "CrossEntropyLoss"])

    def test_learning_rate(self):
        for lr in ("-0.1", "nan", "inf"):
            self.wrong("lr=0.1,", f"lr={lr},", ["c.yaml:8", "lr"])

    def test_average(self):
        line = "schedule: OneCycleLR(max_lr=0.1)"
        self.wrong(line, "average: EMA(decay=1.5)", ["c.yaml:9", "decay", "at least 0 and below 1"],
                   "1.5")
        self.wrong(line, "average: EMA(start=1.5ep)", ["c.yaml:9", "start", "5ep or 100st"])
        self.wrong(line, "average: Ema()", ["c.yaml:9", "EMA(decay=0.999)"], "Ema")
        self.wrong(line, "average: SWA(start=99)", ["c.yaml:9", "begins after epoch 99"], "SWA")

    def test_schedule_parameter(self):
        self.wrong("max_lr=0.1", "max_lr=-1", ["c.yaml:9", "max_lr"])
        self.wrong("max_lr=0.1", "max_lr=0.1, pct_start=1.5", ["c.yaml:9", "pct_start"])

    def test_batch_size(self):
        for size in ("0", "-5"):
            self.wrong("batch_size: 16", f"batch_size: {size}",
                       ["c.yaml:12", "batch_size must be at least 1", size], size)
        for size in ("2.5", "many", "[1]", "''", "None"):
            self.wrong("batch_size: 16", f"batch_size: {size}", ["c.yaml:12", "batch_size"])

    def test_length(self):
        self.wrong("epochs: 2", "epochs: 0", ["c.yaml:11", "epochs must be at least 1"])
        self.wrong("epochs: 2\n", "", ["'epochs' or 'steps'"])
        self.wrong("epochs: 2", "epochs: 2\nsteps: 5", ["c.yaml:12", "both"])

    def test_missing_keys(self):
        for key in ("optimizer: SGD(lr=0.1, momentum=0.9)\n",
                    "data: {format: idx, path: set, normalize: [0.5, 0.5]}\n"):
            self.wrong(key, "", [f"'{key.split(':')[0]}'"])
        self.wrong("path: set, ", "", ["data of format idx needs the key 'path'"])

    def test_normalize(self):
        for value in ("[0.5]", "0.5", "[0.5, 0.5, 0.5]", "[0.5, 0]", "[0.5, -1]", "[nan, 1]",
                      "[a, b]"):
            self.wrong("[0.5, 0.5]", value, ["c.yaml:1", "normalize"] if value[1] not in "na" and
                       value != "[0.5, 0]" else ["c.yaml:1"])

    def test_other_ranges(self):
        for line in ("validation: 100", "validation: -1", "validation: 1.5", "validation: 0.001",
                     "accumulate: 0", "clip_grad_norm: 0", "clip_grad_norm: nan", "threads: -1",
                     "seed: -1", "seed: 1.5", "monitor: gain"):
            self.wrong("seed: 1\n", f"{line}\n", ["c.yaml:13", line.split(":")[0]])

        self.wrong("interval: step", "interval: batch", ["c.yaml:10", "epoch or step", "'batch'"],
                   "batch")
        self.wrong("interval: step", "interval: [step]", ["c.yaml:10", "epoch or step", "a list"],
                   "[step]")
        self.wrong("format: idx", "format: Idx", ["c.yaml:1", "must be idx", "'Idx'", "mean 'idx'"],
                   "Idx")

    def test_threads(self):
        self.wrong("seed: 1\n", "threads: 65\n", ["c.yaml:13", "at most 64", "65"], "65")
        self.refused("train", "c.yaml", "--threads", "65", status=2, parts=["0 to 64", "'65'"])

    def test_monitor_without_validation(self):
        plateau = CONFIG.replace("OneCycleLR(max_lr=0.1)", "ReduceLROnPlateau()")
        for monitor in ("valid_loss", "valid_accuracy"):
            self.config(plateau.replace("interval: step", "interval: epoch") +
                        f"monitor: {monitor}\n")
            out = self.refused("train", "c.yaml", status=2, caret=monitor,
                               parts=["c.yaml:14: monitor", "add the key 'validation'"])
            self.assertEqual(out, "")
            self.config(plateau + f"monitor: {monitor}\nvalidation: 0.2\n")
            out = self.refused("train", "c.yaml", status=2, caret=monitor,
                               parts=["c.yaml:14: monitor", "interval epoch"])
            self.assertEqual(out, "")

    def test_nan_in_a_schedule(self):
        self.refused("train", "c.yaml", "--set", "schedule.max_lr=nan", status=2, caret="nan",
                     parts=["--set schedule.max_lr=nan: ", "must be", "got nan"])
        self.wrong("OneCycleLR(max_lr=0.1)", "ExponentialLR(gamma=nan)",
                   ["c.yaml:9", "must be", "got nan"], "nan")

    def test_expressions(self):
        self.wrong("OneCycleLR(max_lr=0.1)", "LambdaLR('coss(epoch)')",
                   ["c.yaml:9", "'coss'", "mean 'cos'"], "coss")
        self.wrong("OneCycleLR(max_lr=0.1)", "LambdaLR('cosine(epoch)')",
                   ["c.yaml:9", "'cosine'", "there are min, max"], "cosine")

    def test_yaml(self):
        self.wrong("seed: 1", "epochs: 1", ["c.yaml:13", "twice"], "epochs")
        self.wrong("seed: 1", "seed: &a 1", ["c.yaml:13", "anchors"])
        self.wrong("seed: 1", "seed: *a", ["c.yaml:13", "aliases"])
        self.wrong("seed: 1", "seed: !!int 1", ["c.yaml:13", "tags"])
        self.wrong("seed: 1", "seed: 1\n---\nseed: 2", ["c.yaml:14", "second document"])
        self.wrong("seed: 1", "seed: [1", ["c.yaml:13", "YAML"], "[1")
        self.wrong("seed: 1", "seed: [1]", ["c.yaml:13", "without [ ]"], "[1]")
        self.wrong("seed: 1", "? [a]\n: 1", ["key must be a plain word"])

    def test_calls_cut_by_flow_style(self):
        layers = "  - Flatten()\n  - Linear(12, 8)\n  - ReLU()\n  - Linear(8, 10)"
        self.wrong("model:\n" + layers, "model: [Flatten(), Linear(12, 10)]", ["c.yaml:2", "quotes"],
                   "Linear(12")
        self.wrong("model:\n" + layers, "model: [Flatten(), Linear([1])]", ["c.yaml:2", "quotes"])
        self.wrong("OneCycleLR(max_lr=0.1)", "LambdaLR(lambda epoch: 0.95 ** epoch)",
                   ["c.yaml:9", "quotes"])

    def test_hints_quote_the_call_itself(self):
        schedule = "OneCycleLR(max_lr=0.1)"
        self.wrong(schedule, "{OneCycleLR(max_lr=0.1, pct_start=0.3)}",
                   ["c.yaml:9", 'quotes: "OneCycleLR(max_lr=0.1, pct_start=0.3)"'], "OneCycleLR")
        self.wrong(schedule, "{OneCycleLR(max_lr=0.1)}", ["c.yaml:9", "without { }"], "{One")
        self.wrong(schedule, '[LambdaLR("a", b)]', ["quotes: 'LambdaLR(\"a\", b)'"])
        self.wrong(schedule, """[LambdaLR("a", 'b')]""", ["put it in quotes"])
        self.wrong(schedule, "[LambdaLR(a, b", ["put it in quotes"])
        self.wrong(schedule, "LambdaLR(lambda epoch: 0.5 ** epoch)",
                   ['quotes: "LambdaLR(lambda epoch: 0.5 ** epoch)"'])

    def test_folded_and_quoted_calls_point_home(self):
        self.wrong("optimizer: SGD(lr=0.1, momentum=0.9)",
                   "optimizer: >\n  SGD(lr=0.1,\n      momentun=0.9)", ["c.yaml:10"], "momentun")
        self.wrong("optimizer: SGD(lr=0.1, momentum=0.9)",
                   'optimizer: "SGD(lr=0.1, \\\n   momentun=0.9)"', ["c.yaml:9"], "momentun")
        self.wrong("optimizer: SGD(lr=0.1, momentum=0.9)",
                   "optimizer: SGD(lr=0.1,\n    momentun=0.9)", ["c.yaml:9"], "momentun")

    def test_not_a_call(self):
        self.wrong("ReLU()", "ReLU", ["c.yaml:5", "'ReLU()'"], "ReLU")
        self.wrong("SGD(lr=0.1, momentum=0.9)", "0.1", ["c.yaml:8", "call"])
        self.wrong("SGD(lr=0.1, momentum=0.9)", "{lr: 0.1}", ["c.yaml:8", "got a map"])
        self.wrong("SGD(lr=0.1, momentum=0.9)", "SGD(lr=0.1", ["c.yaml:8"])
        self.wrong("SGD(lr=0.1, momentum=0.9)", "", ["c.yaml:8", "no value"])

    def test_not_a_configuration(self):
        for text in ("", "# nothing\n", "- a\n- b\n", "word\n", "\0\1", "a: \xff\xfe\n"):
            (self.folder / "c.yaml").write_bytes(text.encode("latin-1"))
            self.refused("train", "c.yaml", status=2, parts=["c.yaml"])

    def test_empty(self):
        for text in ("", "# nothing\n", "---\n", "\n\n"):
            self.config(text)
            _, err = self.anneal("train", "c.yaml", status=2)
            self.assertRegex(err, r"^anneal: c.yaml: the configuration is empty; write .*data")
            self.assertEqual(len(err.splitlines()), 1)

    def test_set_of_both_lengths(self):
        self.refused("train", "c.yaml", "--set", "steps=4", "--set", "epochs=1", status=2,
                     parts=["--set steps=4: ", "both"])

    def test_set(self):
        wrong = {"optimizer.lr=x": ["lr"], "optimizer.momentun=1": ["momentun", "momentum"],
                 "epoch=3": ["'epoch'", "'epochs'"], "epochs=": ["no value"], "epochs": ["KEY=VALUE"],
                 "=3": ["KEY=VALUE"], "model.7=ReLU()": ["0 to 3"], "model.x=ReLU()": ["0 to 3"],
                 "nothing.lr=1": ["'nothing'"],
                 "optimiser.lr=0.1": ["'optimiser'", "mean 'optimizer'"],
                 "model.3=Linear(8, 9)": ["10 classes", "9 outputs"],
                 "data.path=none": ["'none'", "--set data.path=FOLDER"],
                 "data.pth=x": ["'pth'", "'path'"], ".=1": ["empty"],
                 "optimizer.=1": ["empty"], "model.1=Linear(13, 8)": ["layer 1"],
                 "optimizer.lr=-1": ["lr"], "data=[": ["YAML"]}
        for setting, parts in wrong.items():
            self.refused("train", "c.yaml", "--set", setting,
                         status=1 if setting == "data.path=none" else 2,
                         parts=[f"--set {setting}", *parts])


if __name__ == "__main__":
    main()
