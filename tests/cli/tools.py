"""The commands that docs/tools.md shows print what it shows."""
import pathlib
import re
import shlex

from driver import Case, main

PAGE = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "tools.md"


class Tools(Case):
    def test_commands(self):
        text = PAGE.read_text(encoding="utf-8")
        blocks = re.findall(r"(?m)^    \$ anneal (.*)\n((?:    .*\n|\n(?=    ))*)", text)
        self.assertGreaterEqual(len(blocks), 4)
        for command, shown in blocks:
            process = self.start(*shlex.split(command))
            out, err = process.communicate(timeout=240)
            self.assertEqual(err, "")
            self.assertEqual([line.removeprefix("    ") for line in shown.splitlines()],
                             out.splitlines(), command)

    def test_every_kind_of_finding_has_its_row(self):
        text = PAGE.read_text(encoding="utf-8")
        header = (PAGE.parent.parent / "include/anneal/lr_text.h").read_text(encoding="utf-8")
        kinds = re.findall(r"X\(AN_LINT_\w+, (\w+), ", header)
        self.assertGreater(len(kinds), 10)
        for kind in kinds:
            self.assertRegex(text, rf"(?m)^\|.*`{kind}`.*\|$")


if __name__ == "__main__":
    main()
