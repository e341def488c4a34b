"""embed.py NAME FILE OUT: the ASCII text of FILE as the C array NAME, ended by a zero, in OUT."""
import pathlib
import sys

name, source, out = sys.argv[1:]
data = pathlib.Path(source).read_text(encoding="ascii").encode() + b"\0"
rows = [", ".join(map(str, data[i:i + 20])) for i in range(0, len(data), 20)]
pathlib.Path(out).write_text(
    f'#include "report/page.h"\n\nconst char {name}[] = {{\n    ' + ",\n    ".join(rows) + "};\n",
    encoding="ascii")
