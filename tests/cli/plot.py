"""anneal schedule plot: in the terminal, whole and to its width; to files that their readers take."""
import fcntl
import os
import re
import resource
import struct
import subprocess
import termios
import xml.etree.ElementTree as xml

import driver
from driver import Case, main

SVG = "{http://www.w3.org/2000/svg}"

ASCII = """\
LinearLR(start_factor=0.1, total_iters=60)

  lr
0.10 +                                       ******************************
     |                                     ***
     |                                 ****
0.08 +                               ***
     |                            ***
     |                        ****
0.06 +                      ***
     |                  ****
     |                ***
0.04 +            ****
     |          ***
     |      ****
0.02 +   ***
     |****
     |
0.00 +
     ++-------------+------------+-------------+------------+-------------+ step
      0             20           40            60           80           100
"""


class Terminal(Case):
    def test_ascii_where_the_locale_has_no_more(self):
        out, err = self.anneal("schedule", "plot", "LinearLR(start_factor=0.1, total_iters=60)",
                               env={**os.environ, "LC_ALL": "C"})
        self.assertEqual(out, ASCII)
        self.assertEqual(err, "")

    def on_terminal(self, size, *args, **env):
        """What the command prints on a terminal of (columns, lines)."""
        leader, follower = self.open_terminal()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        process = subprocess.Popen([driver.ANNEAL, "schedule", "plot", *args], stdout=follower,
                                   env={**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm", **env})
        os.close(follower)
        out = b""
        try:
            while piece := os.read(leader, 65536):
                out += piece
        except OSError:
            pass
        os.close(leader)
        self.assertEqual(process.wait(timeout=240), 0)
        return out.decode().replace("\r\n", "\n")

    def test_fits_the_window(self):
        """With a line left for the prompt; with names, axes and their labels at any size."""
        specs = ["CosineAnnealingLR(T_max=100)", "OneCycleLR(max_lr=0.1)", "StepLR(30)"]
        for size in ((20, 6), (30, 8), (40, 12), (80, 24), (80, 50), (120, 40), (200, 60)):
            for count in (1, 2, 3):
                for locale, axis in (("C.UTF-8", "┤"), ("C", " +")):
                    out = self.on_terminal(size, *specs[:count], LC_ALL=locale)
                    lines = re.sub("\033\\[[0-9;]*m", "", out).splitlines()
                    widest = max(len(line) for line in lines)
                    self.assertLessEqual(widest, size[0])
                    self.assertGreater(widest, size[0] * 9 // 10)
                    self.assertLess(len(lines), size[1])
                    self.assertGreater(len(lines), min(size[1] * 2 // 3, size[0] // 4))
                    self.assertIn(axis, out)
                    self.assertIn("0 ", lines[-1] if count == 1 or size[0] < 40 else lines[-3])
                    self.assertTrue(any(line.endswith(" step") for line in lines))
                    self.assertTrue(any("C" in line for line in lines))

    def test_tiny_window(self):
        self.assertEqual(self.on_terminal((20, 6), "StepLR(30)", NO_COLOR="1"), """\
  lr  StepLR(step_s…
0.10 ┤⠠⠤⢤
0.00 ┤  ⠘⠒⠒⠒⠒⠒⠒
     └┬───┬───┬ step
      0   50 100
""")

    def test_given_sizes(self):
        for width, height in ((20, 5), (500, 100), (60, 9)):
            out, _ = self.anneal("schedule", "plot", "StepLR(30)", "--width", str(width),
                                 "--height", str(height))
            lines = out.splitlines()
            self.assertLessEqual(max(len(line) for line in lines), width)
            self.assertLessEqual(len(lines), height)
            self.assertGreater(len(lines), height * 3 // 4)
            self.assertEqual(out, self.on_terminal((33, 7), "StepLR(30)", "--width", str(width),
                                                   "--height", str(height), NO_COLOR="1"))
        for option, value, wrong in (("--width", "20 to 500", "19"), ("--width", "", "501"),
                                     ("--height", "5 to 100", "4"), ("--height", "", "x")):
            self.refused("schedule", "plot", "StepLR(30)", option, wrong, status=2,
                         parts=[option, value, f"'{wrong}'"])
        self.refused("schedule", "plot", "StepLR(30)", "--height", "9", "-o", "a.svg", status=2,
                     parts=["--height is for text"])

    def test_colours(self):
        specs = ["StepLR(30)", "ExponentialLR(0.9)"]
        self.assertIn("\033[38;5;", self.on_terminal((80, 24), *specs))
        self.assertNotIn("\033", self.on_terminal((80, 24), *specs, NO_COLOR="1"))
        self.assertNotIn("\033", self.on_terminal((80, 24), *specs, TERM="dumb"))
        self.assertNotIn("\033", self.anneal("schedule", "plot", *specs)[0])

    def test_several_schedules_and_groups(self):
        out, _ = self.anneal("schedule", "plot", "StepLR(30)", "ExponentialLR(0.9)", "--base-lr",
                             "0.1", "--base-lr", "0.2")
        for name in ("group 0: StepLR(step_size=30)", "group 1: StepLR(step_size=30)",
                     "group 0: ExponentialLR(gamma=0.9)", "group 1: ExponentialLR(gamma=0.9)"):
            self.assertIn(name, out)

    def test_momentum(self):
        out, _ = self.anneal("schedule", "plot", "OneCycleLR(max_lr=0.1)", "--slot", "momentum")
        self.assertIn("\nmomentum\n", out)
        self.assertIn("0.950", out)
        self.assertTrue(out.endswith("\ntotal_steps is the number of steps\n"))
        out, _ = self.anneal("schedule", "plot", "OneCycleLR(max_lr=0.1, total_steps=9)")
        self.assertNotIn("number of steps", out)

    def test_many_steps(self):
        out, _ = self.anneal("schedule", "plot", "CosineAnnealingLR(T_max=100000)", "--steps",
                             "1000000")
        self.assertIn("1,000,000", out)


class Files(Case):
    def draw(self, name, *args):
        out, err = self.anneal("schedule", "plot", *args, "-o", name)
        self.assertEqual((out, err), ("", ""))
        return (self.folder / name).read_bytes()

    def test_svg_is_xml(self):
        content = self.draw("a.svg", 'LambdaLR("1 if epoch < 50 and epoch > 2 else 0.5")',
                            "StepLR(30)")
        self.assertLess(len(content), 15000)
        root = xml.fromstring(content)
        self.assertEqual(root.tag, SVG + "svg")
        texts = [t.text for t in root.iter(SVG + "text")]
        self.assertIn('LambdaLR("1 if epoch < 50 and epoch > 2 else 0.5")', texts)
        self.assertIn("StepLR(step_size=30)", texts)

    def test_png_and_pdf(self):
        _, err = self.start("schedule", "plot", "StepLR(30)", "--output", "a.png").communicate()
        if "libcairo2-dev" in err:
            self.skipTest("built without cairo")
        png = (self.folder / "a.png").read_bytes()
        self.assertEqual(png[:8], b"\x89PNG\r\n\x1a\n")
        self.assertEqual(png[-8:-4], b"IEND")
        pdf = self.draw("a.pdf", "StepLR(30)")
        self.assertTrue(pdf.startswith(b"%PDF-1."))
        self.assertTrue(pdf.rstrip().endswith(b"%%EOF"))

    def test_wrong_files(self):
        self.refused("schedule", "plot", "StepLR(30)", "-o", "a.jpg", status=2,
                     parts=[".svg, .png or .pdf", "'a.jpg'"])
        self.refused("schedule", "plot", "StepLR(30)", "-o", "none/a.svg", status=1,
                     parts=["none/a.svg", "No such file"])
        self.refused("schedule", "plot", "StepLR(30)", "-o", status=2, parts=["--output needs FILE"])
        self.refused("schedule", "plot", "StpLR(30)", "-o", "b.svg", status=2, parts=["'StepLR'"])
        self.assertFalse((self.folder / "b.svg").exists())

    def test_links_and_modes_stay(self):
        (self.folder / "real.svg").write_text("old")
        (self.folder / "real.svg").chmod(0o600)
        (self.folder / "link.svg").symlink_to("real.svg")
        self.assertTrue(self.draw("link.svg", "StepLR(30)").startswith(b"<"))
        self.assertTrue((self.folder / "link.svg").is_symlink())
        self.assertEqual((self.folder / "real.svg").stat().st_mode & 0o777, 0o600)

    def test_no_regular_file(self):
        os.mkfifo(self.folder / "pipe.svg")
        (self.folder / "folder.svg").mkdir()
        (self.folder / "null.svg").symlink_to("/dev/null")
        for name, part in (("pipe", "pipe"), ("folder", "folder"), ("null", "device")):
            self.refused("schedule", "plot", "StepLR(30)", "-o", name + ".svg", status=1,
                         parts=[f"cannot write '{name}.svg': it is a {part}"])

    def test_full_disk(self):
        """A limit on the size of files stands in for it."""
        (self.folder / "a.svg").write_text("old")
        before = sorted(os.listdir(self.folder))
        limit = (100, resource.getrlimit(resource.RLIMIT_FSIZE)[1])
        _, err = self.anneal("schedule", "plot", "StepLR(30)", "-o", "a.svg", status=1,
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit))
        self.assertEqual(err, "anneal: cannot write 'a.svg': File too large\n")
        self.assertEqual(sorted(os.listdir(self.folder)), before)
        self.assertEqual((self.folder / "a.svg").read_text(), "old")

    def test_wrong_arguments(self):
        self.refused("schedule", "plot", status=2, parts=["needs a schedule"])
        self.refused("schedule", "plot", "StepLR(30)", "StepLR(x)", status=2, parts=["step_size"])
        self.refused("schedule", "plot", "StepLR(30)", "--slot", "momentun", status=2,
                     parts=["lr, momentum, beta1", "'momentun'"])
        self.refused("schedule", "plot", "StepLR(30)", "--slot", "momentum", status=2,
                     parts=["no schedule here drives it"])
        self.refused("schedule", "plot", "OneCycleLR(max_lr=0.1)", "--slot", "beta1", status=2,
                     parts=["--beta1 X"])
        self.refused("schedule", "plot", "ReduceLROnPlateau()", status=2, parts=["--metric-file"])
        self.refused("schedule", "plot", "StepLR(30)", "-x", status=2, parts=["'-x'"])


if __name__ == "__main__":
    main()
