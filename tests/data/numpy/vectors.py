#!/usr/bin/env python3
"""Writes the arrays that tests/data/numpy.c reads, beside this file, with NumPy (1.24 made those
that are stored). Numbers 0 to 23 as (2, 3, 4) in every type and order; sets of samples."""
import pathlib
import struct
import zlib
import numpy as np

here = pathlib.Path(__file__).resolve().parent
numbers = np.arange(24).reshape(2, 3, 4)
arrays = {}
for kind in ["b1", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f4", "f8"]:
    for order in "<>":
        big = "big" if order == ">" else "little"
        arrays[f"{kind}-{big}-c"] = np.ascontiguousarray(numbers, dtype=order + kind)
        arrays[f"{kind}-{big}-f"] = np.asfortranarray(numbers, dtype=order + kind)
arrays["negative"] = -numbers.astype("<i2") * 100
arrays["rows"] = np.arange(12, dtype="<f8").reshape(4, 3) / 4
arrays["holes"] = np.array([[1, np.nan], [np.inf, 2]], "<f4")
arrays["large"] = np.array([[1e300], [1]], "<f8")
arrays["classes"] = np.array([2, 0, 1, 2], ">i8")
arrays["column"] = np.array([[1], [0], [1], [3]], "u1")
arrays["below"] = np.array([0, -5, 1, 1], "i1")
arrays["above"] = np.array([0, 1, 2, 2**64 - 1], "u8")
arrays["pairs"] = np.array([[1, 2], [3, 4], [5, 6], [7, 8]], ">i4")
arrays["weights"] = np.array([1, 0, 2.5, 4], "<f4")
arrays["debts"] = np.array([1, -1, 2, 4], "<f4")
arrays["one"] = np.array(3.0)
arrays["none"] = np.zeros((0, 3), "<f4")
arrays["deep"] = np.zeros((1,) * 7, "u1")
arrays["text"] = np.array(["a", "bc"])
arrays["half"] = np.zeros(3, "<f2")
arrays["records"] = np.zeros(3, dtype=[("a", "<f4"), ("b", "<i4")])
arrays["gray"] = np.arange(24, dtype="u1").reshape(2, 3, 4)
arrays["colour"] = np.arange(48, dtype="u1").reshape(2, 3, 4, 2)
np.savez(here / "stored.npz", **arrays)
np.savez_compressed(here / "deflated.npz", **arrays)
for version in [1, 2, 3]:
    with open(here / f"v{version}.npy", "wb") as file:
        np.lib.format.write_array(file, arrays["rows"], version=(version, 0))

# An archive with every number in 64-bit records, as one of more than 4 GiB has them.
body = (here / "v1.npy").read_bytes()
name, ones = b"rows.npy", 0xFFFFFFFF
check = zlib.crc32(body)
local = struct.pack("<IHHHHHIIIHH", 0x04034B50, 45, 0, 0, 0, 0, check, len(body), len(body),
                    len(name), 0) + name
extra = struct.pack("<HH", 0x7075, 2) + b"xx" + struct.pack("<HHQQQ", 1, 24, len(body), len(body), 0)
entry = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 45, 45, 0, 0, 0, 0, check, ones, ones,
                    len(name), len(extra), 0, 0, 0, 0, ones) + name + extra
begin = len(local) + len(body)
end64 = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, 1, 1, len(entry), begin)
locator = struct.pack("<IIQI", 0x07064B50, 0, begin + len(entry), 1)
end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 0xFFFF, 0xFFFF, ones, ones, 3) + b"end"
(here / "wide.npz").write_bytes(local + body + entry + end64 + locator + end)
