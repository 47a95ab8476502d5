import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def news(tmp_path_factory):
    """Output of the news example on some of its articles, with no home and no key."""
    home = str(tmp_path_factory.mktemp("home"))
    run = subprocess.run(
        [sys.executable, "examples/plot_label_news.py", "--articles", "370"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": home, "PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_recordings_answer_exactly_the_prompts_of_the_package(news):
    assert "from the store: 9 calls" in news
    assert "paid: 0 calls" in news


def test_a_small_part_of_the_news_is_labeled_well(news):
    (student,) = re.findall(r"the distilled student +(0\.\d+)", news)
    assert float(student) > 0.85


def test_the_programs_that_are_kept_are_summarised(news):
    # What repeats another is left out.
    assert 3 <= len(re.findall(r"^\w+_\d +5 +0\.\d{3}", news, re.M)) <= 9


def test_both_ways_are_priced(news):
    programs, rows = re.findall(r"calls +[\d,]+ tokens +\$([\d.]+)", news)
    assert 0 < float(programs) < float(rows)
