import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow


def run(tmp_path_factory, *arguments):
    """Output of an example, with no home, no key and no warning that is not due."""
    home = str(tmp_path_factory.mktemp("home"))
    warnings = "error,ignore:1 of 10 programs were dropped"
    run = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": home, "PYTHONWARNINGS": warnings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def news(tmp_path_factory):
    """Output of the news example on some of its articles."""
    return run(tmp_path_factory, "examples/plot_label_news.py", "--articles", "250")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return run(tmp_path_factory, "examples/plot_label_table.py")


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Output of the image example, which draws its images."""
    pytest.importorskip("PIL")
    return run(tmp_path_factory, "examples/plot_label_images.py", "--images", "200")


def test_recordings_answer_exactly_the_prompts_of_the_package(news):
    assert "from the store: 10 calls" in news
    assert "paid: 0 calls" in news


def test_a_small_part_of_the_news_is_labeled_well(news):
    (student,) = re.findall(r"the distilled student +(0\.\d+)", news)
    assert float(student) > 0.85


def test_the_programs_that_are_kept_are_summarised(news):
    # What repeats another is left out.
    assert 3 <= len(re.findall(r"^\w+_\d +5 +0\.\d{3}", news, re.M)) <= 10


def test_both_ways_are_priced(news):
    programs, rows = re.findall(r"calls +[\d,]+ tokens +\$([\d.]+)", news)
    assert 0 < float(programs) < float(rows)


def test_breast_cancer_is_labeled_well_without_labels(table):
    votes, student = re.findall(r"^the .+? (0\.\d+) +0\.\d+$", table, re.M)
    assert float(votes) >= 0.90
    assert float(student) > 0.85
    assert "paid: 0 calls" in table


def test_drawn_images_run_the_whole_line(images):
    """A smoke test: whoever draws the images decides how well it goes."""
    assert "spurious_" in images
    for way in ("zero-shot", "votes", "student"):
        assert re.search(rf"^{way} +[01]\.\d+ +[01]\.\d+", images, re.M)
    assert images.count("paid: 0 calls") == 2
