"""Arguments: help, version, and what is refused with the nearest name."""
import subprocess

import driver
from driver import Case, main


class Usage(Case):
    def test_help(self):
        for args in (["--help"], ["-h"], ["train", "--help"]):
            out, err = self.anneal(*args)
            self.assertTrue(out.startswith("Usage: anneal"))
            self.assertIn("anneal train examples/mnist-mlp.yaml", out)
            self.assertEqual(err, "")

    def test_help_lists_every_option(self):
        out, _ = self.anneal("train", "--help")
        for option in ("--set", "--seed", "--threads", "--format", "--save", "--help"):
            self.assertIn(option, out)

    def test_help_is_in_two_columns(self):
        for args in (["train"], ["resume"], ["eval"], ["predict"], ["sample"], ["report"],
                     ["runs", "list"], ["schedule", "lint"], ["schedule", "import"]):
            lines = self.anneal(*args, "--help")[0].splitlines()
            self.assertEqual([line for line in lines if line != line.rstrip()], [])
            for line, below in zip(lines, lines[1:]):
                if line.startswith("  --") and len(line.split()) > 2:
                    self.assertRegex(line, r"^.{21} \S")
                elif line.startswith("  --"):
                    self.assertRegex(below, r"^ {22}\S")

    def test_list(self):
        parts = [self.anneal("list", sort)[0]
                 for sort in ("layers", "losses", "optimizers", "metrics")]
        layers, losses, optimizers, metrics = parts
        self.assertEqual(self.anneal("list")[0], "".join(parts))
        self.assertIn("\nMaxPool2d(kernel_size, stride=None, padding=0, dilation=1, "
                      "return_indices=False, ceil_mode=False)\n", layers)
        self.assertIn("\nResidual(layer, ...)\n", layers)
        self.assertIn("\nHuberLoss(reduction='mean', delta=1)\n", losses)
        self.assertTrue(optimizers.startswith("SGD(lr=0.001, momentum=0, dampening=0, "))
        self.assertIn("\nMacroF1()\n", metrics)
        self.assertTrue(metrics.endswith("\nTopK(k)\n"))
        self.refused("list", "layer", status=2, parts=["optimizers or metrics, got 'layer'"])
        self.refused("list", "layers", "losses", status=2, parts=["one argument"])

    def test_version(self):
        out, _ = self.anneal("--version")
        self.assertEqual(out, "anneal 0.1.0\n")

    def test_full_disk(self):
        for args in (["--version"], ["--help"], ["train", "--help"], ["schedule", "list"]):
            with open("/dev/full", "w") as full:
                process = subprocess.Popen([driver.ANNEAL, *args], stdout=full,
                                           stderr=subprocess.PIPE, text=True)
                _, err = process.communicate(timeout=240)
            self.assertEqual(process.returncode, 1, args)
            self.assertEqual(err, "anneal: cannot write to the standard output: "
                                  "No space left on device\n")

    def test_nothing(self):
        out, err = self.anneal(status=2)
        self.assertEqual(out, "")
        self.assertIn("Usage", err)

    def test_unknown_command(self):
        self.refused("tran", status=2, parts=["'tran'", "'train'"])
        self.refused("--versoin", status=2, parts=["no option '--versoin'"])
        self.refused("xyzzy", status=2, parts=["'xyzzy'", "--help"])

    def test_unknown_option(self):
        self.refused("train", "c.yaml", "--sed=1", status=2, parts=["'--sed'", "'--se"])
        self.refused("train", "c.yaml", "--thraeds", "2", status=2, parts=["'--threads'"])
        self.refused("train", "c.yaml", "-q", status=2, parts=["'-q'", "--help"])

    def test_abbreviations(self):
        out, _ = self.anneal("train", "--he")
        self.assertTrue(out.startswith("Usage: anneal train"))
        self.refused("train", "c.yaml", "--s", "1", status=2,
                     parts=["'--s' may be any of --set, --seed, --save; write more of it"])
        self.refused("train", "c.yaml", "--se=1", status=2,
                     parts=["'--se' may be any of --set, --seed; "])
        self.refused("train", "c.yaml", "--c", "f", "--x", status=2, parts=["no option '--x'"])

    def test_unknown_letter(self):
        self.refused("train", "c.yaml", "-qv", status=2, parts=["no option '-q'"])
        self.refused("schedule", "plot", "-xo", "a.svg", "StepLR(3)", status=2,
                     parts=["no option '-x'"])

    def test_value_of_a_flag(self):
        self.refused("train", "--help=x", status=2, parts=["--help takes no value"])
        self.refused("runs", "show", "--plot=1", status=2, parts=["--plot takes no value"])

    def test_missing_argument(self):
        self.refused("train", "c.yaml", "--seed", status=2, parts=["--seed needs N"])

    def test_configuration_is_needed_once(self):
        self.refused("train", status=2, parts=["needs a configuration"])
        self.refused("train", "c.yaml", "d.yaml", status=2, parts=["'c.yaml'", "'d.yaml'"])

    def test_numbers(self):
        for seed in ("x", "-1", "1.5", "", "99999999999999999999"):
            self.refused("train", "c.yaml", "--seed", seed, status=2, parts=["--seed", f"'{seed}'"])
        for threads in ("-1", "1025", "two"):
            self.refused("train", "c.yaml", "--threads", threads, status=2,
                         parts=["--threads", "0 to 64"])

    def test_format(self):
        self.refused("train", "c.yaml", "--format", "xml", status=2, parts=["text or json", "xml"])


if __name__ == "__main__":
    main()
