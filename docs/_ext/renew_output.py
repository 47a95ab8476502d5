"""Run the sessions of pages, in order, and write into them what they print now.

    python docs/_ext/renew_output.py docs/first_labels.rst docs/better_labels.rst

To be run in the root of a checkout. Read the difference before it is committed: what a
page says around the output may be true no more.
"""

import contextlib
import doctest
import io
import sys
from pathlib import Path


def printed_by(source, names):
    """Run one example and return what it prints, as a session shows it."""
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        exec(compile(source, "<session>", "single"), names)
    lines = told.getvalue().rstrip("\n").split("\n")
    return [line.rstrip() or "<BLANKLINE>" for line in lines if told.getvalue().strip()]


def renew(path, names):
    """Rewrite the output of all examples of a page that raise nothing."""
    lines, renewed, position = path.read_text().split("\n"), [], 0
    for example in doctest.DocTestParser().get_examples("\n".join(lines)):
        start = example.lineno + example.source.count("\n")
        renewed += lines[position:start]
        position = start + example.want.count("\n")
        if doctest.SKIP in example.options:
            renewed += lines[start:position]
            continue
        got = printed_by(example.source, names)
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        text = "\n".join(got) + "\n"
        if doctest.OutputChecker().check_output(example.want, text, flags):
            renewed += lines[start:position]
        else:
            renewed += [" " * example.indent + line for line in got]
    path.write_text("\n".join([*renewed, *lines[position:]]))


if __name__ == "__main__":
    shared = {"__name__": "__main__"}
    for page in sys.argv[1:]:
        renew(Path(page), shared)
