"""The pictures of docs/schedules.md: one for every schedule, small, linked, and up to date."""
import json
import pathlib
import subprocess
import xml.etree.ElementTree as xml

import driver
from driver import Case, main

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def words(path):
    return [t.text for t in xml.parse(path).iter("{http://www.w3.org/2000/svg}text")]


class Pictures(Case):
    def test_every_schedule_has_its_picture(self):
        out, _ = self.anneal("schedule", "list", "--format", "json")
        names = sorted(o["name"] + ".svg" for o in json.loads(out))
        text = (ROOT / "docs" / "schedules.md").read_text(encoding="utf-8")
        subprocess.run([ROOT / "scripts" / "docs-pictures", pathlib.Path(driver.ANNEAL).parent,
                        self.folder / "p"], check=True)
        for folder in (ROOT / "docs" / "pictures", self.folder / "p"):
            self.assertEqual(sorted(p.name for p in folder.iterdir()), names)
        for name in names:
            stored = ROOT / "docs" / "pictures" / name
            self.assertLess(stored.stat().st_size, 15000)
            self.assertIn(f"(pictures/{name})", text)
            # The lines' points may differ by a rounding from one libm to another; the words may not.
            self.assertEqual(words(stored), words(self.folder / "p" / name))


if __name__ == "__main__":
    main()
