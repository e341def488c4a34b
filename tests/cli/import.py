"""anneal schedule import: calls and JSON of other systems; the values are those that they have."""
import json
import math

from driver import Case, main

CALLS = {
    "get_linear_schedule_with_warmup(optimizer, num_warmup_steps=10, num_training_steps=100)":
        "Sequence([Linear(start=0, end=1), Linear(length=90)], milestones=[10])",
    "optax.linear_schedule(0.1, 0.01, 100)":
        "Base(Linear(start=0.1, end=0.01, length=100), lr=1)",
    "torch.optim.lr_scheduler.StepLR(optimizer, 30)": "StepLR(step_size=30)",
}

# An object, and the call that it stands for.
OBJECTS = [
    ({"class_name": "CosineDecay", "config": {"initial_learning_rate": 0.1, "decay_steps": 1000,
                                              "alpha": 0.1, "name": None}},
     "keras.CosineDecay(0.1, 1000, alpha=0.1)"),
    ({"module": "keras.optimizers.schedules", "class_name": "PiecewiseConstantDecay",
      "config": {"boundaries": [10, 20], "values": [1.0, 0.5, 0.1]}, "registered_name": None},
     "keras.PiecewiseConstantDecay([10, 20], [1, 0.5, 0.1])"),
    ({"train_batch_size": 8, "optimizer": {"type": "Adam", "params": {"lr": 0.001}},
      "scheduler": {"type": "WarmupDecayLR",
                    "params": {"warmup_num_steps": 10, "total_num_steps": 100,
                               "warmup_max_lr": 0.01, "warmup_type": "linear"}}},
     "deepspeed.WarmupDecayLR(total_num_steps=100, warmup_num_steps=10, warmup_max_lr=0.01, "
     "warmup_type='linear')"),
    ({"name": "cosine", "num_warmup_steps": 10, "num_training_steps": 100},
     "get_cosine_schedule_with_warmup(10, 100)"),
    ({"name": "constant"}, "get_constant_schedule()"),
    ({"name": "inverse_sqrt", "num_warmup_steps": 10}, "get_inverse_sqrt_schedule(10)"),
    ({"name": "polynomial", "num_warmup_steps": 10, "num_training_steps": 100,
      "scheduler_specific_kwargs": {"power": 2, "lr_end": 0}},
     "get_polynomial_decay_schedule_with_warmup(10, 100, power=2, lr_end=0)"),
    ({"name": "reduce_lr_on_plateau", "scheduler_specific_kwargs": {"patience": 3}},
     "ReduceLROnPlateau(patience=3)"),
    ({"lr_scheduler_type": "linear", "warmup_ratio": 0.1, "max_steps": 95, "seed": 42,
      "output_dir": "x", "lr_scheduler_kwargs": None},
     "get_linear_schedule_with_warmup(10, 95)"),
    ({"lr_scheduler_type": "linear", "warmup_steps": 5, "max_steps": -1},
     "get_linear_schedule_with_warmup(5, 400)"),
    ({"sched": "cosine", "epochs": 300, "warmup_epochs": 5, "min_lr": 1e-6, "lr": 0.1},
     "timm.CosineLRScheduler(300, warmup_t=5, lr_min=1e-6, warmup_lr_init=1e-5)"),
    ({"sched": "step", "epochs": 90, "decay_epochs": 30, "decay_rate": 0.1, "warmup_lr": 0},
     "timm.StepLRScheduler(30, 0.1)"),
    ({"sched": "multistep", "decay_milestones": [30, 60], "decay_rate": 0.1, "warmup_lr": 0},
     "timm.MultiStepLRScheduler([30, 60], 0.1)"),
    ({"name": "cosine_with_warmup", "t_warmup": "100ba", "alpha_f": 0.1},
     "CosineAnnealingWithWarmupScheduler(t_warmup='100ba', alpha_f=0.1)"),
    ({"_target_": "optax.cosine_decay_schedule", "init_value": 0.1, "decay_steps": 100},
     "optax.cosine_decay_schedule(0.1, 100)"),
    ({"lr_scheduler": {"type": "CosineAnnealingLR", "T_max": 100, "eta_min": 0.001}},
     "CosineAnnealingLR(100, 0.001)"),
    ({"_target_": "SequentialLR", "milestones": [5],
      "schedulers": [{"name": "LinearLR", "start_factor": 0.1}, {"name": "ExponentialLR",
                                                                  "gamma": 0.9}]},
     "SequentialLR([LinearLR(0.1), ExponentialLR(0.9)], [5])"),
    ({"type": "LambdaLR", "lr_lambda": "0.5 if epoch > 3 else 1"},
     "LambdaLR('0.5 if epoch > 3 else 1')"),
]

# What is refused, a part of what is said, and what the caret stands under.
REFUSED = [
    ("{}", "no schedule", "{"),
    ('{"a": 1}', "no schedule", "{"),
    ('{"class_name": 3}', "name of a schedule", "3"),
    ('{"class_name": "CosineDecay", "config": [1]}', "must be an object", "[1]"),
    ('{"class_name": "CosineDecay", "config": {"decay": 1}}', "decay", None),
    ('{"class_name": "No Name", "config": {}}', "name of a schedule", '"No'),
    ('{"type": "WarmupLR", "params": {"warmup_num_steps": "auto"}}', "'auto'", '"auto"'),
    ('{"type": "WarmupLR", "params": {"a b": 1}}', "name of an argument", "1"),
    ('{"name": "cosine", "num_warmup_steps": 10}', "must be given", '"cosine"'),
    ('{"name": "linear", "num_training_steps": 100, "power": 2}', "get_scheduler takes", "2"),
    ('{"name": "linear", "num_training_steps": "100"}', "must be a number", '"100"'),
    ('{"lr_scheduler_type": "greedy"}', "no lr_scheduler_type", '"greedy"'),
    ('{"sched": "plateau"}', "sched must be", '"plateau"'),
    ('{"name": "StepLR", "step_size": 1e999}', "largest double", "1e999"),
    ('{"name": "StepLR", "step_size": {"x": 1}}', "no schedule", '{"x"'),
    ('{"name": "Nothing"}', "there is no schedule 'Nothing'", None),
    ('{"name": "StepLR", "step_size": 0}', "step_size", None),
    ('{"name": "StepLR"', "", None),
    ("StepLR(", "", None),
]


class Import(Case):
    def take(self, text, *args):
        out, err = self.anneal("schedule", "import", text, *args)
        self.assertEqual(err, "")
        self.assertEqual(out.count("\n"), 1)
        return out.strip()

    def test_calls(self):
        for call, text in CALLS.items():
            self.assertEqual(self.take(call), text)
            self.assertEqual(self.take(text), text)

    def test_objects(self):
        for value, call in OBJECTS:
            steps = ["--steps", "400"]
            self.assertEqual(self.take(json.dumps(value), *steps), self.take(call, *steps), value)

    def test_the_values_are_the_systems(self):
        """Keras's CosineDecay and DeepSpeed's WarmupLR, by their published formulas."""
        def table(text):
            out, _ = self.anneal("schedule", "table", text, "--steps", "120", "--format", "json",
                                 "--base-lr", "0.3")
            return [row["lr"] for row in json.loads(out)]
        keras = table(self.take(json.dumps(OBJECTS[0][0] | {"config": {
            "initial_learning_rate": 0.1, "decay_steps": 100, "alpha": 0.1}})))
        for t, value in enumerate(keras):
            part = (1 + math.cos(math.pi * min(t, 100) / 100)) / 2
            self.assertAlmostEqual(value, 0.1 * (0.9 * part + 0.1), delta=1e-15)
        warmup = table(self.take('{"type": "WarmupLR", "params": {"warmup_max_lr": 0.01, '
                                 '"warmup_num_steps": 50}}'))
        for t in range(1, 120):
            part = math.log(t) / math.log(50) if t - 1 < 50 else 1
            self.assertAlmostEqual(warmup[t], 0.01 * min(part, 1), delta=1e-15)

    def test_files_and_standard_input(self):
        text = json.dumps(OBJECTS[0][0], indent=2)
        (self.folder / "s.json").write_text("\n  " + text)
        self.assertEqual(self.take("s.json"), self.take(text))
        process = self.start("schedule", "import", "-", stdin=-1)
        out, _ = process.communicate(text, timeout=240)
        self.assertEqual(out.strip(), self.take(text))
        with open(self.folder / "s.json", "a") as file:
            file.write(" " * (64 << 20))
        with open(self.folder / "s.json") as file:
            self.refused("schedule", "import", "-", stdin=file, status=1,
                         parts=["'standard input' is larger than 64 MiB"])
        self.refused("schedule", "import", "none.json", status=1, parts=["read the schedule 'none.json'"])
        (self.folder / "zero").write_bytes(b"StepLR(3)\0")
        self.refused("schedule", "import", "zero", status=1, parts=["zero byte"])

    def test_refused(self):
        for text, part, caret in REFUSED:
            process = self.start("schedule", "import", text)
            out, err = process.communicate(timeout=240)
            self.assertIn(process.returncode, (1, 2), text)
            self.assertEqual(out, "")
            self.assertIn(part, err, text)
            if caret:
                lines = err.splitlines()
                self.assertTrue(lines[1][lines[2].index("^"):].startswith(caret), err)
        self.anneal("schedule", "import", status=2)
        self.anneal("schedule", "import", "StepLR(3)", "StepLR(4)", status=2)
        self.anneal("schedule", "import", "StepLR(3)", "--steps", "no", status=2)


if __name__ == "__main__":
    main()
