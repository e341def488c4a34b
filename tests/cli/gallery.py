"""docs/gallery.md and docs/aliases.md: pictures up to date, every name of other systems listed."""
import json
import pathlib
import subprocess

import driver
from driver import Case, main
from pictures import ROOT, words


class Gallery(Case):
    def test_the_pictures_are_those_of_the_page(self):
        stored = ROOT / "docs" / "gallery"
        subprocess.run([ROOT / "scripts" / "docs-gallery", pathlib.Path(driver.ANNEAL).parent,
                        self.folder / "g"], check=True)
        drawn = sorted(p.name for p in (self.folder / "g").iterdir())
        self.assertGreater(len(drawn), 10)
        self.assertEqual(drawn, sorted(p.name for p in stored.iterdir()))
        for name in drawn:
            self.assertLess((stored / name).stat().st_size, 20000)
            self.assertEqual(words(stored / name), words(self.folder / "g" / name))

    def test_the_aliases_are_those_of_the_command(self):
        text = (ROOT / "docs" / "aliases.md").read_text(encoding="utf-8")
        out, _ = self.anneal("schedule", "list", "--aliases", "--format", "json")
        for row in json.loads(out):
            self.assertIn(f"| `{row['call']}` | {row['source']} |", text)


if __name__ == "__main__":
    main()
