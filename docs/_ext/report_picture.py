"""Take the picture of a report that the README shows, with headless Chromium.

    python docs/_ext/report_picture.py docs/_static/report.png

CHROMIUM names the browser, if it is called otherwise.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from landing_picture import CLASSES, COMMENTS, SOURCES

from sklearn_alchemist import (
    DistilledAnnotator,
    LabelingProgram,
    ProgramSynthesisLabeler,
)
from sklearn_alchemist.inspection import AnnotationReport


def take_picture(path):
    """Write a report of made-up comments, and take its picture."""
    programs = [LabelingProgram(name, source) for name, source in SOURCES.items()]
    labeler = ProgramSynthesisLabeler(
        task="Is this comment spam?", classes=CLASSES, programs=programs
    )
    comments = [f"{text}!"[: len(text) + i % 2] for i in range(40) for text in COMMENTS]
    annotator = DistilledAnnotator(labeler, random_state=0).fit(comments)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        AnnotationReport(annotator, comments).write_html(page)
        subprocess.run(
            [
                os.environ.get("CHROMIUM") or "chromium",
                "--headless",
                "--no-sandbox",  # as root, as in containers
                "--disable-gpu",
                "--hide-scrollbars",
                "--window-size=1100,860",
                f"--screenshot={Path(path).resolve()}",
                page.as_uri(),
            ],
            check=True,
            timeout=120,
            stderr=subprocess.DEVNULL,
        )


if __name__ == "__main__":
    take_picture(sys.argv[1])
