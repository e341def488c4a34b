"""Where --save may write and where not; what a save that fails leaves: the result, and no litter."""
import os
import resource
import subprocess
import unittest

import driver
from driver import Case, as_user, main

SAVE = ("train", "c.yaml", "--save")


class Save(Case):
    def names(self):
        return sorted(file.name for file in self.folder.iterdir())

    def refuse(self, name, *parts, status=1):
        """Refused before the training, in one sentence, with nothing changed."""
        before = self.names()
        out = self.refused(*SAVE, name, status=status, parts=["--save", *parts])
        self.assertEqual(out, "")
        self.assertEqual(self.names(), before)

    def weights(self, name="w"):
        content = (self.folder / name).read_bytes()
        self.assertGreater(len(content), 4 * 194)
        return content

    def test_a_link_stays(self):
        (self.folder / "far").mkdir()
        (self.folder / "far/w").write_text("old")
        (self.folder / "link").symlink_to("far/w")
        self.anneal(*SAVE, "link")
        self.assertTrue((self.folder / "link").is_symlink())
        self.weights("far/w")
        self.assertEqual(os.listdir(self.folder / "far"), ["w"])

    def test_permissions_stay(self):
        (self.folder / "w").write_text("old")
        (self.folder / "w").chmod(0o600)
        self.anneal(*SAVE, "w")
        self.assertEqual((self.folder / "w").stat().st_mode & 0o777, 0o600)

    def test_no_regular_file(self):
        os.mkfifo(self.folder / "pipe")
        (self.folder / "null").symlink_to("/dev/null")
        self.refuse("pipe", "'pipe': it is a pipe")
        self.refuse("null", "'null': it is a device")
        self.refuse("/dev/full", "it is a device")
        self.refuse("/dev/stdout", "it is a pipe")
        self.refuse("set", "it is a folder")
        self.refuse("no/such/w", "folder of 'no/such/w': No such file")
        self.refuse("w" * 300, "too long")
        self.refused(*SAVE, "", status=2, parts=["--save needs the name of a file"])

    @unittest.skipUnless(as_user(), "root may write everywhere")
    def test_permissions_refuse(self):
        (self.folder / "closed").mkdir(mode=0o500)
        (self.folder / "mine").write_text("old")
        (self.folder / "mine").chmod(0o444)
        self.refuse("closed/w", "Permission denied")
        self.refuse("mine", "Permission denied")

    def test_inputs_are_spared(self):
        (self.folder / "link.yaml").symlink_to("c.yaml")
        os.link(self.folder / "set/t10k-images-idx3-ubyte", self.folder / "images")
        self.refuse("c.yaml", "'c.yaml' is the configuration", status=2)
        self.refuse("link.yaml", "is the configuration", status=2)
        self.refuse("images", "'images' is a file of the data set", status=2)
        for name in os.listdir(self.folder / "set"):
            self.refuse("set/" + name, "is a file of the data set", status=2)
        self.anneal(*SAVE, "set/w")

    def test_output_is_spared(self):
        with open(self.folder / "out", "w") as out:
            process = self.start_to(out, "out")
            _, err = process.communicate(timeout=240)
        self.assertEqual(process.returncode, 2)
        self.assertIn("'out' is where the output goes", err)

    def start_to(self, stream, name):
        return subprocess.Popen([driver.ANNEAL, *SAVE, name], cwd=self.folder, stdout=stream,
                                stderr=subprocess.PIPE, text=True)

    def limited(self, size):
        """Runs with a limit on the size of files, which stands in for a full disk."""
        return self.anneal(*SAVE, "w", "--set", "runs=none", status=1, preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1])))

    def test_a_full_disk_is_found_before_the_training(self):
        out, err = self.limited(0)
        self.assertEqual(out, "")
        self.assertEqual(err, "anneal: --save: cannot write 'w': File too large\n")
        self.assertEqual(self.names(), ["c.yaml", "set"])

    def test_a_failed_save_leaves_the_result(self):
        (self.folder / "w").write_text("old")
        out, err = self.limited(100)
        self.assertRegex(out.splitlines()[-1], r"^test accuracy \d")
        self.assertEqual(err, "anneal: --save: cannot write 'w': File too large\n")
        self.assertEqual(self.names(), ["c.yaml", "set", "w"])
        self.assertEqual((self.folder / "w").read_text(), "old")


if __name__ == "__main__":
    main()
