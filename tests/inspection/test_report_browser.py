"""The report in a real browser, where there is one: see `make test-browser`."""

import json
import os
import shutil

import numpy as np
import pytest

from sklearn_alchemist import (
    DistilledAnnotator,
    LabelingProgram,
    ProgramSynthesisLabeler,
)
from sklearn_alchemist.inspection import AnnotationReport, read_corrections

playwright = pytest.importorskip("playwright.sync_api")

# That of the system; without one, playwright's own.
BROWSER = os.environ.get("CHROMIUM") or shutil.which("chromium")
WORDS = [
    "song",
    "love",
    "video",
    "http",
    "free",
    "channel",
    "win",
    "view",
    "nice",
    "me",
]
HOSTILE = '</script><script>document.title="taken"</script><img src=x onerror=alert(1)>'

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        try:
            browser = started.chromium.launch(
                executable_path=BROWSER, args=["--no-sandbox"]
            )
        except playwright.Error as error:
            pytest.skip(f"no browser: {error.message.splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, tmp_path):
    """Open a report; whatever it requests or complains of fails the test."""
    faults = []

    def open_page(report, **options):
        path = tmp_path / "report.html"
        report.write_html(path)
        page = browser.new_page(accept_downloads=True, **options)
        url = path.as_uri()
        page.on(
            "request",
            lambda r: r.url.startswith((url, "blob:")) or faults.append(r.url),
        )
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(url)
        return page

    yield open_page
    assert not faults


def make_texts(n):
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(WORDS, 12)) + f" {i}" for i in range(n)]


def make_labeler(n_programs=4, classes=("ham", "spam")):
    source = "def label(text): return {!r} if text.count({!r}) > 1 else None"
    programs = [
        LabelingProgram(
            f"p{j}", source.format(classes[j % len(classes)], WORDS[j % len(WORDS)])
        )
        for j in range(n_programs)
    ]
    return ProgramSynthesisLabeler(classes=classes, programs=programs)


@pytest.fixture(scope="module")
def report():
    texts = make_texts(60)
    return AnnotationReport(DistilledAnnotator(make_labeler()).fit(texts), texts)


def rows(page):
    return page.locator("#record-table tbody tr")


def test_corrections_made_by_keyboard_come_back_as_what_fit_takes(
    open_page, report, tmp_path
):
    page = open_page(report)
    page.locator("#program-p3, #program-3 .use").focus()
    page.keyboard.press("Space")
    page.locator("#program-1 .toggle").focus()
    page.keyboard.press("Enter")
    page.locator("#program-1 textarea").fill("too broad")
    page.locator("#search").focus()
    page.keyboard.type(" 17")
    assert rows(page).count() == 1
    page.locator("#choice-17").focus()
    page.keyboard.press("s")  # as in spam
    assert page.locator("#tally").inner_text() == "Corrected: 1 record and 2 programs"
    with page.expect_download() as download:
        page.locator("#download").focus()
        page.keyboard.press("Enter")
    path = tmp_path / "corrections.json"
    download.value.save_as(path)
    corrections = read_corrections(path, report=report)
    assert corrections.positions.tolist() == [17]
    assert corrections.y[17] == "spam"
    assert corrections.switched_off == ("p3",)
    assert corrections.remarks == {"p1": "too broad"}
    texts = make_texts(60)
    labeler = ProgramSynthesisLabeler(
        classes=["ham", "spam"], programs=corrections.programs
    )
    annotator = DistilledAnnotator(labeler, learn_from_labels=True)
    annotator.fit(texts, corrections.y, label_proba=np.nan)
    assert annotator.label_use_["student"] == 1


def test_corrections_are_there_when_the_page_is_opened_again(
    open_page, report, tmp_path
):
    report.write_corrections(
        tmp_path / "c.json", labels={3: "ham"}, switched_off=["p0"]
    )
    page = open_page(report)
    page.set_input_files("#file", tmp_path / "c.json")
    page.reload()
    assert page.locator("#tally").inner_text() == "Corrected: 1 record and 1 program"
    assert not page.locator("#program-0 .use").is_checked()
    assert "Record 3: ham" in page.locator("#listed").inner_text()
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("#discard").click()
    assert page.locator("#tally").inner_text() == "No corrections yet"


def test_a_file_of_another_report_is_refused(open_page, report, tmp_path):
    texts = make_texts(40)
    other = AnnotationReport(make_labeler().fit(texts), texts)
    other.write_corrections(tmp_path / "c.json", labels={0: "ham"})
    page = open_page(report)
    page.set_input_files("#file", tmp_path / "c.json")
    page.wait_for_function("document.getElementById('told').textContent")
    assert "belongs to another page" in page.locator("#told").inner_text()
    assert page.locator("#download").is_disabled()


def test_filters_find_what_programs_say(open_page, report):
    page = open_page(report)
    votes, labels = report._findings.votes, report._findings.labels
    page.locator("#program-1 .toggle").click()
    page.locator("#program-1 [data-show=against]").click()
    expected = (votes[:, 1] >= 0) & (votes[:, 1] != labels)
    said = f"{expected.sum()} of 60 records, on which p1 contradicts the label."
    assert page.locator("#found").inner_text() == f"{said} Back to it"
    page.select_option("#by-vote", "abstains")
    n_silent = (votes[:, 1] < 0).sum()
    assert page.locator("#found").inner_text().startswith(f"{n_silent} of 60 records,")
    page.locator("#clear").click()
    page.wait_for_function(
        "document.getElementById('found').textContent == '60 records'"
    )


def test_answers_show_how_often_each_program_agrees(open_page, report):
    page = open_page(report)
    votes = report._findings.votes
    record = int(np.flatnonzero(votes[:, 0] == 0)[0])
    page.locator("#search").fill(f" {record}")
    page.select_option(f"#choice-{record}", label="ham")
    assert page.locator("#program-0 .mine").inner_text() == "1 of 1 right"
    page.select_option(f"#choice-{record}", label="spam")
    assert page.locator("#program-0 .mine").inner_text() == "0 of 1 right"


def test_hostile_records_and_names_stay_text(open_page):
    program = LabelingProgram(HOSTILE, "def label(text): return '<b>'")
    labeler = ProgramSynthesisLabeler(
        classes={"<b>": HOSTILE, "a": None}, programs=[program], task=HOSTILE
    )
    texts = [HOSTILE, "\x00\x1b \u202e abc", "שלום עולם", "\ud83d half"]
    page = open_page(AnnotationReport(labeler.fit(texts), texts))
    assert page.title() == HOSTILE
    assert page.locator("img, b").count() == 0
    shown = page.locator("#record-table .text").all_inner_texts()
    assert HOSTILE in shown
    assert any(text.startswith("\u2400\u241b") for text in shown)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1400])
def test_nothing_is_wider_than_the_page(open_page, report, scheme, width):
    page = open_page(
        report, viewport={"width": width, "height": 800}, color_scheme=scheme
    )
    page.locator("#open-all").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    hidden = """[...document.querySelectorAll(".scroll")]
        .filter((part) => part.scrollWidth > part.clientWidth)
        .map((part) => part.getAttribute("aria-labelledby"))"""
    assert page.evaluate(hidden) == []
    ground, ink = page.evaluate(
        "(s => [s.backgroundColor, s.color])(getComputedStyle(document.body))"
    )
    darkest = ground if scheme == "dark" else ink
    assert max(json.loads(darkest.replace("rgb(", "[").replace(")", "]"))) < 64


def test_all_that_can_be_used_has_a_name_for_screen_readers(open_page, report):
    page = open_page(report)
    page.locator("#open-all").click()
    unnamed = page.evaluate(
        """[...document.querySelectorAll("button, select, input, textarea, svg[role]")]
        .filter((e) => !e.hidden && !(e.labels?.length || e.textContent.trim() ||
                       e.getAttribute("aria-label")))
        .map((e) => e.outerHTML)"""
    )
    assert unnamed == []
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(set(ids)) == len(ids)
    assert page.evaluate("document.querySelectorAll('h1').length") == 1


def test_fifty_programs_and_ten_thousand_records_answer_at_once(open_page, tmp_path):
    texts = make_texts(10_000)
    report = AnnotationReport(make_labeler(50).fit(texts[:200]), texts, max_marked=100)
    page = open_page(report)
    assert (tmp_path / "report.html").stat().st_size < 5e6
    milliseconds = """([id, value]) => {
        const control = document.getElementById(id);
        const start = performance.now();
        control.value = value;
        control.dispatchEvent(new Event("input", { bubbles: true }));
        document.body.offsetHeight; // laid out
        return performance.now() - start;
    }"""
    for use in (["search", "channel"], ["by-program", "7"], ["by-label", "1"]):
        # The best of some, as other processes take their time, too.
        took = min(page.evaluate(milliseconds, use) for _ in range(20))
        assert took < 200, use


@pytest.mark.filterwarnings("ignore:On 200 records tried, no program votes for")
def test_two_hundred_classes_answer_at_once(open_page):
    classes = [f"class {k}" for k in range(200)]
    texts = make_texts(500)
    labeler = make_labeler(10, classes).fit(texts)
    page = open_page(AnnotationReport(labeler, texts, max_marked=10))
    page.locator("#search").fill(" 17")
    page.select_option("#choice-17", label="class 150")
    assert "Record 17: class 150" in page.locator("#listed").inner_text()
