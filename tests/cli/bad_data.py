"""Damaged and missing data: one sentence, status 1, no crash."""
import gzip
import struct

from driver import CONFIG, Case, idx, main, samples

IMAGES = "train-images-idx3-ubyte"
LABELS = "train-labels-idx1-ubyte"


class BadData(Case):
    def damage(self, name, content, parts):
        (self.folder / "set" / name).write_bytes(content)
        self.refused("train", "c.yaml", status=1, parts=[name, *parts])

    def good(self, name):
        return (self.folder / "set" / name).read_bytes()

    def test_missing_folder(self):
        self.refused("train", "c.yaml", "--set", "data.path=nowhere", status=1,
                     parts=["--set data.path=nowhere", "no folder 'nowhere'"])

    def test_missing_folder_points_into_the_file(self):
        self.config(CONFIG.replace("path: set", "path: nowhere"))
        self.refused("train", "c.yaml", status=1, parts=["c.yaml:1"], caret="nowhere")

    def test_missing_file(self):
        for name in (IMAGES, LABELS, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
            content = self.good(name)
            (self.folder / "set" / name).unlink()
            self.refused("train", "c.yaml", status=1, parts=[name])
            (self.folder / "set" / name).write_bytes(content)

    def test_missing_configuration(self):
        self.refused("train", "none.yaml", status=1, parts=["none.yaml"])

    def test_truncated(self):
        whole = self.good(IMAGES)
        for length in (0, 3, 4, 10, 15, 16, 17, len(whole) // 2, len(whole) - 1):
            self.damage(IMAGES, whole[:length], [])

    def test_truncated_labels(self):
        whole = self.good(LABELS)
        for length in (0, 3, 7, 8, len(whole) - 1):
            self.damage(LABELS, whole[:length], [])

    def test_truncated_gzip(self):
        whole = gzip.compress(self.good(IMAGES))
        for length in (3, 12, len(whole) // 2, len(whole) - 4):
            self.damage(IMAGES, whole[:length], [])

    def test_too_long(self):
        self.damage(IMAGES, self.good(IMAGES) + b"\0", [])

    def test_wrong_magic(self):
        whole = bytearray(self.good(IMAGES))
        for at, value in ((0, 1), (1, 1), (2, 13), (3, 1), (3, 0), (3, 255)):
            bad = bytearray(whole)
            bad[at] = value
            self.damage(IMAGES, bytes(bad), [])
        self.damage(IMAGES, b"PK\3\4" + bytes(whole[4:]), [])

    def test_lying_dimensions(self):
        whole = self.good(IMAGES)
        for dims in ((101, 3, 4), (99, 3, 4), (0xffffffff,) * 3, (0, 3, 4), (100, 0, 4),
                     (0x80000000, 0x80000000, 4), (1, 0xffffffff, 1)):
            self.damage(IMAGES, whole[:4] + struct.pack(">3I", *dims) + whole[16:], [])

    def test_lying_dimensions_in_gzip(self):
        whole = self.good(IMAGES)
        lie = whole[:4] + struct.pack(">3I", 0x7fffffff, 1024, 1024) + whole[16:]
        self.damage(IMAGES, gzip.compress(lie), [])

    def test_label_outside_the_classes(self):
        _, labels = samples(100, 5)
        labels[37] = 10
        self.damage(LABELS, idx((100,), labels), ["10"])
        labels[37] = 255
        self.damage(LABELS, idx((100,), labels), ["255"])

    def test_counts_differ(self):
        _, labels = samples(99, 5)
        (self.folder / "set" / LABELS).write_bytes(idx((99,), labels))
        self.refused("train", "c.yaml", status=1, parts=["100", "99"])

    def test_shapes_of_the_parts_differ(self):
        (self.folder / "set" / "t10k-images-idx3-ubyte").write_bytes(
            idx((50, 4, 4), [0] * 50 * 16))
        self.refused("train", "c.yaml", status=1, parts=["(1, 3, 4)", "(1, 4, 4)"])


if __name__ == "__main__":
    main()
