"""Make two text sets of Debian's package lists: many classes, and another language.

``debian.csv.gz`` holds English descriptions of packages with 24 sections of the
archive, of 39 to 1,754 packages; ``debian_de.csv.gz`` German ones with eight. The
sections were given by the packages' maintainers. Names of packages are blanked, since
they would give sections away, and of the packages built from one source one is kept::

    apt-get update -o Acquire::Languages=en,de
    python benchmarks/debian_sections.py FOLDER

This needs Debian or a system derived from it, and writes what its archive says on that
day: the figures in docs/ are of Debian 12.
"""

import argparse
import hashlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from _tasks import TASKS

LISTS = Path("/var/lib/apt/lists")
SECTIONS = {
    "admin": "system administration",
    "comm": "communication lines",
    "database": "databases",
    "devel": "software development",
    "editors": "editors",
    "electronics": "electronics",
    "fonts": "fonts",
    "games": "games",
    "graphics": "graphics",
    "hamradio": "amateur radio",
    "httpd": "web servers",
    "kernel": "operating system kernel",
    "localization": "localization",
    "mail": "email",
    "math": "mathematics",
    "net": "networks",
    "otherosfs": "other operating systems",
    "science": "science",
    "sound": "sound",
    "text": "text processing",
    "utils": "utilities",
    "vcs": "version control",
    "video": "video",
    "web": "web",
}


def stanzas(pattern: str) -> Iterator[dict[str, str]]:
    """Read the fields of each package from the main archive's lists."""
    for path in sorted(LISTS.glob(pattern)):
        read = ["/usr/lib/apt/apt-helper", "cat-file", str(path)]
        text = subprocess.run(read, check=True, capture_output=True, text=True).stdout
        for block in text.split("\n\n"):
            fields = re.findall(r"^(\S+?): ?(.*(?:\n .*)*)", block, re.MULTILINE)
            if fields:
                yield dict(fields)


def unfold(description: str) -> str:
    """Put a description's lines together; a lone dot ends a paragraph."""
    lines = [line.strip() for line in description.splitlines()]
    return " ".join(line for line in lines if line != ".")


def blanked(text: str, *names: str) -> str:
    """Leave the names of a package out of its description."""
    words = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    text = re.sub(rf"(?i)(?<!\w)(?:{words})(?!\w)", "…", text)
    return " ".join(text.split())


def split_of(source: str) -> str:
    """Choose a part by the source's name, so that it stays where it is."""
    place = int(hashlib.sha256(source.encode()).hexdigest()[:8], 16) / 16**8
    return "train" if place < 0.6 else "valid" if place < 0.8 else "test"


def text_set(language: str, classes: dict[str, str]) -> pd.DataFrame:
    """Collect split, text and label, one row a source."""
    told = {
        (s["Package"], s["Description-md5"]): s[f"Description-{language}"]
        for s in stanzas(f"*_debian_dists_*_main_i18n_Translation-{language}*")
        if f"Description-{language}" in s
    }
    rows: dict[str, dict[str, str]] = {}
    for package in stanzas("*_debian_dists_*_main_binary-*_Packages*"):
        name, label = package["Package"], classes.get(package.get("Section", ""))
        description = told.get((name, package.get("Description-md5", "")))
        source = package.get("Source", name).split()[0]
        if label is None or description is None or source in rows:
            continue
        text = blanked(unfold(description), name, source)
        rows[source] = {"split": split_of(source), "text": text, "label": label}
    return pd.DataFrame(rows.values()).drop_duplicates("text")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the files go")
    folder = parser.parse_args(arguments).folder
    for name, language in (("debian", "en"), ("debian_de", "de")):
        wanted = {s: c for s, c in SECTIONS.items() if c in TASKS[name].classes}
        rows = text_set(language, wanted)
        rows.to_csv(folder / f"{name}.csv.gz", index=False)
        print(name, len(rows), rows.label.value_counts().to_dict())


if __name__ == "__main__":
    main()
