"""The examples of anneal schedule's help and of the manual page run; both know the same options."""
import os
import pathlib
import re
import subprocess

import driver
from driver import Case, main

PAGE = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "anneal.1"


class Examples(Case):
    def subcommands(self):
        """The commands of anneal schedule, as its help lists them."""
        out, _ = self.anneal("schedule", "--help")
        return re.findall(r"(?m)^  (\w+) {2,}", out.split("Examples:")[0])

    def help(self, *command):
        return self.anneal("schedule", *command, "--help")[0]

    def run_example(self, line):
        """As a user would: in a shell, with anneal on the path."""
        (self.folder / "losses.txt").write_text("".join(f"{1 / (i + 1)}\n" for i in range(100)))
        (self.folder / "anneal").unlink(missing_ok=True)
        (self.folder / "anneal").symlink_to(driver.ANNEAL)
        before = set(os.listdir(self.folder))
        run = subprocess.run(["sh", "-c", line], cwd=self.folder, text=True, capture_output=True,
                             check=False, timeout=240,
                             env={**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}"})
        self.assertEqual((run.returncode, run.stderr), (0, ""), line)
        written = set(os.listdir(self.folder)) - before
        self.assertTrue(run.stdout or written, line)

    def test_examples_of_the_help(self):
        commands = self.subcommands()
        self.assertGreaterEqual(len(commands), 4)
        for command in ([], *([name] for name in commands)):
            examples = re.findall(r"(?m)^  (anneal schedule .*)$",
                                  re.split(r"Examples?:", self.help(*command))[1])
            self.assertTrue(examples, command)
            for line in examples:
                self.run_example(line)

    def test_examples_of_the_manual_page(self):
        part = PAGE.read_text(encoding="utf-8").split(".SH EXAMPLES")[1]
        examples = re.findall(r"(?m)^anneal schedule .*$", part)
        self.assertEqual({line.split()[2] for line in examples}, set(self.subcommands()))
        for line in examples:
            self.run_example(line)

    def test_the_manual_page_has_the_options(self):
        page = PAGE.read_text(encoding="utf-8").replace("\\-", "-")
        in_page = set(re.findall(r"--[a-z][a-z-]*", page.split(".SH OPTIONS OF SCHEDULE")[1]
                                 .split(".SH ")[0]))
        in_help = set()
        for name in self.subcommands():
            self.assertIn(f"anneal schedule {name}", page)
            in_help |= set(re.findall(r"(?m)^  (--[a-z-]+)", self.help(name)))
        self.assertEqual(in_page, in_help - {"--help"})


if __name__ == "__main__":
    main()
