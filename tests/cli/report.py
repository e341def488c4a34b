"""anneal report: the page holds what the runs logged, stands alone, and runs in a browser."""
import html.parser
import html
import json
import re
import shutil
import signal
import subprocess
import unittest

from driver import CONFIG, Case, main

VOID = {"meta", "input", "br", "link", "img"}

# Points at a chart, drags over it, turns a run off, and leaves what it saw in the page.
PROBE = """<script>setTimeout(() => {
const svg = document.querySelector(".plot svg"), box = svg.getBoundingClientRect();
const send = (type, part) => svg.dispatchEvent(new PointerEvent(type, {bubbles: true, pointerId: 1,
  clientX: box.left + box.width * part, clientY: box.top + 50, button: 0}));
svg.setPointerCapture = () => {};
const count = (what) => document.querySelectorAll(what).length;
const found = {page: document.documentElement.scrollWidth, window: innerWidth,
               lines: count("path.line")};
send("pointermove", 0.5);
found.tips = count(".tip:not([hidden])");
send("pointerdown", 0.3);
send("pointermove", 0.6);
send("pointerup", 0.6);
found.zoomed = count(".reset:not([hidden])");
document.getElementById("run1").click();
found.hidden = found.lines - count("path.line");
document.body.dataset.found = JSON.stringify(found);
}, 300);</script>
"""


class Page(html.parser.HTMLParser):
    """The elements of a page with their attributes and texts; every one that is opened is closed."""

    def __init__(self, text):
        super().__init__()
        self.text, self.elements, self.open = text, [], []
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        element = {"tag": tag, "text": "", **dict(attrs)}
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.elements.append({"tag": tag, "text": "", **dict(attrs)})

    def handle_endtag(self, tag):
        last = self.open.pop()
        assert last["tag"] == tag, (last, tag)

    def handle_data(self, data):
        for element in self.open:
            element["text"] += data

    def all(self, tag, kind=None):
        return [e for e in self.elements
                if e["tag"] == tag and (kind is None or kind in (e.get("class") or "").split())]

    def data(self):
        return json.loads(next(e["text"] for e in self.all("script") if e.get("id") == "data"))

    def rows(self, title):
        """The rows of the table below a heading, as lists of texts."""
        part = self.text.split(f">{title}<")[1].split("</table>")[0]
        return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)
                for row in re.findall(r"<tr>(.*?)</tr>", part, re.S)]


class Report(Case):
    def train(self, *args):
        known = set(self.names())
        self.anneal("train", "c.yaml", "--format", "json", *args)
        return (set(self.names()) - known).pop()

    def names(self):
        runs = self.folder / "runs"
        return [p.name for p in runs.iterdir() if p.is_dir()] if runs.exists() else []

    def report(self, *args):
        out, err = self.anneal("report", *args, "-o", "r.html")
        self.assertEqual((out, err), ("wrote r.html\n", ""))
        return Page((self.folder / "r.html").read_text(encoding="utf-8"))

    def test_two_runs(self):
        a = self.train("--set", "validation=0.2", "--set", "epochs=3")
        b = self.train("--set", "optimizer.lr=0.02", "--set", "log={every: 1, grad_norm: true}")
        page = self.report(a, f"runs/{b}")
        data = page.data()
        self.assertEqual(data["runs"], [a, b])
        charts = {chart["title"]: chart for chart in data["charts"]}
        self.assertEqual(list(charts), ["Loss", "Accuracy", "Learning rate", "Momentum",
                                        "Loss of updates", "Gradient norm", "Time per epoch"])
        self.assertEqual([e["text"] for e in page.all("h2")][:7], list(charts))
        logged = json.loads(self.anneal("runs", "export", a, "--format", "json")[0])
        for key, name, title in (("loss", "training", "Loss"), ("valid_loss", "validation", "Loss"),
                                 ("lr", "lr", "Learning rate")):
            line, = (l for l in charts[title]["lines"] if l["run"] == 0 and l["name"] == name)
            self.assertEqual(line["x"], [1, 2, 3])
            for drawn, row in zip(line["y"], logged):
                self.assertAlmostEqual(drawn, row[key], delta=1e-8 * abs(row[key]))
        self.assertEqual([(l["run"], l["name"]) for l in charts["Loss"]["lines"]],
                         [(0, "training"), (0, "validation"), (1, "training")])
        steps = json.loads(self.anneal("runs", "export", b, "--steps", "--format", "json")[0])
        rate, = (l for l in charts["Learning rate"]["lines"] if l["run"] == 1)
        self.assertEqual(len(rate["x"]), len(steps))
        self.assertEqual((rate["x"][6], rate["x"][-1]), (1, 2))
        self.assertEqual(len(charts["Gradient norm"]["lines"][0]["y"]), len(steps))

        self.assertEqual(len(page.all("figure")), len(charts))
        self.assertEqual(len(page.all("path", "line")), sum(len(c["lines"]) for c in charts.values()))
        differs = {row[0]: row[1:] for row in page.rows("What differs")[1:]}
        self.assertEqual(differs["optimizer.lr"], ["0.1", "0.02"])
        self.assertEqual(differs["epochs"], ["3", "2"])
        self.assertNotIn("model", differs)
        results = {row[0]: row[1:] for row in page.rows("Results")[1:]}
        self.assertEqual(results["status"], ["done", "done"])
        self.assertEqual(results["epoch"], ["3", "2"])
        self.assertRegex(results["test accuracy"][0], r"^[\d.]+ %$")
        self.assertEqual(results["valid loss"][1], "\u2013")
        self.assertEqual(len(page.rows("Time of each epoch")), 4)
        for name in (a, b):
            given = (self.folder / "runs" / name / "resolved.yaml").read_text(encoding="utf-8")
            self.assertIn(given, [e["text"] for e in page.all("pre")])

    def test_stands_alone(self):
        page = self.report(self.train())
        for element in page.elements:
            for key in ("src", "href", "srcset", "action", "data"):
                self.assertNotIn(key, element)
        for word in ("http://", "https://", "@import", "url("):
            found = page.text.count(word)
            own = page.text.count("http://www.w3.org/2000/svg") if word == "http://" else \
                page.text.count("`url(#${clip})`") if word == "url(" else 0
            self.assertEqual(found, own, word)
        self.assertIn("default-src 'none'", page.text)
        self.assertNotIn("What differs", page.text)

    def test_confusion(self):
        name = self.train("--set", "epochs=20")
        page = self.report(name, "--confusion")
        cells = page.rows("Confusion")[1:]
        counts = [[int(cell) for cell in row[1:]] for row in cells]
        self.assertEqual((len(counts), sum(map(sum, counts))), (10, 50))
        right = sum(counts[i][i] for i in range(10))
        tested = json.loads(self.anneal("eval", name, "--format", "json")[0])
        self.assertEqual(right / 50, tested["test_accuracy"])
        classes = page.rows(f"Classes of {name}")[1:]
        self.assertEqual([int(row[1]) for row in classes], [sum(row) for row in counts])
        recall = classes[3][3]
        self.assertAlmostEqual(float(recall), 100 * counts[3][3] / sum(counts[3]), delta=0.051)
        shutil.move(self.folder / "set", self.folder / "else")
        self.refused("report", name, "--confusion", status=1, parts=["set"])
        again = self.report(name, "--confusion", "--data", "else")
        self.assertEqual(again.rows("Confusion"), page.rows("Confusion"))

    def test_confusion_leaves_out_what_cannot_be_tested(self):
        name, bare = self.train(), self.train()
        for file in (*(self.folder / "runs" / bare).glob("checkpoints/*"),
                     self.folder / "runs" / bare / "weights.safetensors"):
            file.unlink()
        _, err = self.anneal("report", name, bare, "--confusion", "-o", "r.html")
        self.assertRegex(err, rf"^anneal: no confusion matrix of '{bare}': [^\n]+\n$")
        page = Page((self.folder / "r.html").read_text(encoding="utf-8"))
        self.assertEqual(len(page.rows("Confusion")), 11)
        (row,) = page.rows("No confusion matrix")[1:]
        self.assertEqual(row[0], bare)
        self.assertIn(html.unescape(row[1]), err)
        self.refused("report", bare, "--confusion", status=1, parts=[bare])

    def test_texts_are_escaped(self):
        folder = self.folder / "<b>&"
        shutil.copytree(self.folder / "set", folder)
        name = self.train("--set", "data.path=<b>&")
        page = self.report(name)
        self.assertFalse(page.all("b"))
        self.assertTrue(any("<b>&" in e["text"] for e in page.all("pre")))

    def test_a_run_that_was_interrupted(self):
        self.config(CONFIG.replace("epochs: 2", "epochs: 100000"))
        for command in (["train", "c.yaml"], ["resume"]):
            process = self.start(*command, *self.names(), "--format", "json")
            process.stdout.readline()
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=240)
        name, = self.names()
        page = self.report(name)
        results = {row[0]: row[1] for row in page.rows("Results")[1:]}
        self.assertEqual(results["status"], "stopped")
        self.assertTrue(results["epoch"].endswith(" of 100000"), results)
        marks = page.data()["marks"]
        self.assertIn("resumed", [mark["kind"] for mark in marks])
        self.assertEqual(len(page.all("g", "event")), len(marks) * len(page.data()["charts"]))
        self.assertEqual(len(page.rows("Events")), 1 + len(marks))

    def test_a_run_without_its_configuration(self):
        name = self.train()
        (self.folder / "runs" / name / "resolved.yaml").unlink()
        self.assertNotIn("Configuration of", self.report(name).text)

    def test_one_epoch(self):
        page = self.report(self.train("--set", "epochs=1"))
        self.assertEqual(page.data()["charts"][0]["lines"][0]["x"], [1])
        self.assertTrue(page.all("circle", "dot"))

    def test_refused(self):
        self.refused("report", "x", status=1, parts=["no runs in 'runs'"])
        name = self.train()
        self.refused("report", status=2, parts=["1 to 64 runs"])
        self.refused("report", name[:-1], status=2, parts=[name])
        self.refused("report", name, "nothing-like-it", status=2, parts=["anneal runs list"])
        self.refused("report", name, name, status=2, parts=["twice"])
        self.refused("report", name, "--data", "set", status=2, parts=["--confusion"])
        self.refused("report", name, "-o", "none/r.html", status=1, parts=["none/r.html"])
        self.refused("report", name, "-o", "set", status=1, parts=["set"])
        self.refused("report", name, "--output", status=2, parts=["--output"])
        self.assertFalse((self.folder / "r.html").exists())
        out, _ = self.anneal("report", name)
        self.assertEqual(out, "wrote report.html\n")

    def test_help(self):
        out, err = self.anneal("report", "--help")
        self.assertTrue(out.startswith("Usage: anneal report RUN"))
        self.assertIn("Examples:", out)
        self.assertEqual(err, "")

    def test_numbers_that_are_none(self):
        self.anneal("train", "c.yaml", "--set", "optimizer.lr=1e30", "--set", "log={every: 1}",
                    "--set", "schedule=ConstantLR(factor=1)", status=1)
        page = self.report(*self.names())
        results = {row[0]: row[1] for row in page.rows("Results")[1:]}
        self.assertEqual(results["status"], "failed")
        self.assertIn("try a lower learning rate", results["note"])
        self.assertNotIn("NaN", json.dumps(page.data()))
        self.assertNotRegex(page.text.split("<script")[0], r'"[^"]*\b(nan|inf)\b[^"]*"')


    @unittest.skipUnless(shutil.which("chromium"), "no chromium here")
    def test_in_a_browser(self):
        """The script draws everything again, keeps within the window, and says nothing."""
        names = [self.train("--set", "epochs=3"), self.train("--set", "optimizer.lr=0.02")]
        text = self.report(*names, "--confusion").text
        (self.folder / "r.html").write_text(text.replace("</body>", PROBE + "</body>"),
                                            encoding="utf-8")
        for width in (390, 1280):
            run = subprocess.run(
                ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--dump-dom",
                 f"--user-data-dir={self.folder / 'profile'}", f"--window-size={width},900",
                 "--enable-logging=stderr", "--virtual-time-budget=2000",
                 (self.folder / "r.html").as_uri()],
                capture_output=True, text=True, encoding="utf-8", timeout=240, check=False)
            self.assertEqual([l for l in run.stderr.splitlines() if "CONSOLE" in l], [])
            page = Page(run.stdout)
            body, = page.all("body")
            self.assertIn("live", body["class"])
            found = json.loads(body["data-found"])
            self.assertLessEqual(found["page"], found["window"])
            self.assertEqual(found["zoomed"], 5)
            self.assertEqual(found["tips"], 1)
            self.assertEqual(found["hidden"], found["lines"] / 2)


if __name__ == "__main__":
    main()
