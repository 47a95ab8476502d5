"""The page that an expert opens: what it holds, and what it must never do."""

import json
import re
import sys
from copy import deepcopy
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_alchemist import (
    LLM,
    DistilledAnnotator,
    LabelingProgram,
    LabelModelAggregator,
    ProgramSynthesisLabeler,
)
from sklearn_alchemist.inspection import AnnotationReport, program_summary

TEXTS = ["http one", "song two", "http song", "other", "http free", "my song"]
GOLD = ["spam", "ham", "ham", "ham", "spam", "ham"]
HOSTILE = '</script><script>alert("x")</script><!-- & \u2028 \x00 \u202e \udc80'


class Page(HTMLParser):
    """What a browser would see: tags, texts, and what is in scripts."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.scripts, self.texts = [], [], []
        self._within = None
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._within = tag
        if tag == "script":
            self.scripts.append((dict(attrs), []))

    def handle_endtag(self, tag):
        self._within = None

    def handle_data(self, data):
        if self._within == "script":
            self.scripts[-1][1].append(data)
        elif self._within != "style":
            self.texts.append(data)

    @property
    def data(self):
        (text,) = (
            "".join(parts) for attrs, parts in self.scripts if attrs.get("id") == "data"
        )
        return json.loads(text)

    @property
    def text(self):
        return re.sub(r"\s+", " ", "".join(self.texts))


def read(report, tmp_path):
    report.write_html(tmp_path / "report.html")
    return Page((tmp_path / "report.html").read_text("utf-8"))


def make_labeler(programs=None, classes=("ham", "spam"), **params):
    programs = programs or {
        "link": "def label(text): return 'spam' if 'http' in text else None",
        "song": "def label(text): return 'ham' if 'song' in text else None",
        "broken": "def label(text): return {'other': 'ham'}[text]",
    }
    programs = [LabelingProgram(name, source) for name, source in programs.items()]
    return ProgramSynthesisLabeler(classes=classes, programs=programs, **params)


@pytest.fixture(scope="module")
def annotator():
    with pytest.warns(match="Programs failed"):
        return DistilledAnnotator(make_labeler(task="Is it spam?")).fit(TEXTS)


def test_it_shows_the_figures_of_the_summary(annotator, tmp_path):
    page = read(AnnotationReport(annotator, TEXTS, GOLD), tmp_path)
    summary = program_summary(annotator, TEXTS, GOLD)
    assert "Is it spam?" in page.text
    for name, accuracy in zip(summary["program"], summary["accuracy"], strict=True):
        assert name in page.text
        assert f"{100 * accuracy:.0f} %" in page.text
    assert "measured on 3" in page.text
    assert "error on 5" in page.text


def test_records_hold_what_annotate_says(annotator, tmp_path):
    records = read(AnnotationReport(annotator, TEXTS), tmp_path).data["records"]
    with pytest.warns(match="Programs failed"):
        said = annotator.annotate(TEXTS)
    assert [["ham", "spam"][k] for k in records["label"]] == said.label.tolist()
    np.testing.assert_allclose(
        np.array(records["confidence"]) / 1000, said.confidence, atol=0.001
    )
    assert [records["doubts"][k] for k in records["doubt"]] == said.doubt.tolist()
    assert records["values"] == [[text] for text in TEXTS]


def test_words_that_programs_matched_are_marked(annotator, tmp_path):
    records = read(AnnotationReport(annotator, TEXTS), tmp_path).data["records"]
    link = [m for m in records["marks"][0] if m[0] == 0]
    assert [TEXTS[0][start:stop] for _, _, start, stop in link] == ["http"]


def test_marks_count_as_javascript_does(annotator, tmp_path):
    text = "\U0001f600 http"  # one character for Python, two for JavaScript
    page = read(AnnotationReport(annotator, [text]), tmp_path)
    (link,) = (m for m in page.data["records"]["marks"][0] if m[0] == 0)
    units = text.encode("utf-16-le")
    assert units[2 * link[2] : 2 * link[3]].decode("utf-16-le") == "http"


def test_programs_run_once(annotator, monkeypatch):
    labeler = annotator.labeler_
    calls = []
    run = type(labeler).run
    monkeypatch.setattr(
        type(labeler), "run", lambda self, X: calls.append(1) or run(self, X)
    )
    AnnotationReport(annotator, TEXTS, max_marked=0)
    assert len(calls) == 1


def test_a_report_warns_of_nothing_that_it_shows(annotator, recwarn):
    AnnotationReport(annotator, TEXTS)
    assert not list(recwarn)


def test_of_many_records_a_sample_is_shown_and_said(annotator, tmp_path):
    texts = TEXTS * 50
    page = read(AnnotationReport(annotator, texts, max_records=20), tmp_path)
    positions = page.data["records"]["position"]
    assert len(positions) == 20
    assert "a random sample: 20 of 300 records" in page.text
    assert page.data["records"]["values"] == [[texts[i]] for i in positions]


def test_a_million_records_cost_what_the_sample_costs(tmp_path):
    labeler = make_labeler({"one": "def label(x0): return 'ham' if x0 > 5 else 'spam'"})
    X = np.arange(1_000_000.0)[:, None]
    report = AnnotationReport(labeler.fit(X[:10]), X, max_records=50)
    assert repr(report).startswith(
        "<AnnotationReport: 1 program, 50 of 1,000,000 records"
    )
    assert read(report, tmp_path).data["report"]["n_samples"] == 1_000_000


def test_long_texts_are_cut_and_said(annotator, tmp_path):
    report = AnnotationReport(annotator, ["http " + "x" * 100_000, "song"])
    page = read(report, tmp_path)
    shown = page.data["records"]["values"][0][0]
    assert 100 <= len(shown) <= 20_000
    assert page.data["records"]["length"][0] == [100_005]
    assert f"1 value is longer than {len(shown):,} characters" in page.text


def test_many_long_texts_stay_below_five_megabytes(tmp_path):
    texts = [f"http {i} " + "é" * 20_000 for i in range(300)]
    labeler = make_labeler({"a": "def label(text): return 'spam'"}).fit(texts[:2])
    report = AnnotationReport(labeler, texts, max_marked=10)
    report.write_html(tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size < 5e6


def test_without_records_the_file_holds_none_of_them(annotator, tmp_path):
    secret = "http account 4711"
    report = AnnotationReport(annotator, [secret, "song"], show_records=False)
    page = read(report, tmp_path)
    assert "4711" not in (tmp_path / "report.html").read_text("utf-8")
    assert page.data["records"] is None
    assert "The records are left out" in page.text


def test_nothing_hostile_gets_out_of_its_place(tmp_path):
    source = f'def label(text):\n    """{HOSTILE[:40]}"""\n    return "ham"'
    labeler = make_labeler(
        {HOSTILE: source, "b": "def label(text): return 'a'"},
        classes={"ham": HOSTILE, "a": None},
        task=HOSTILE,
    )
    labeler.fit(["x", "y"])
    page = read(AnnotationReport(labeler, [HOSTILE, "<b>"]), tmp_path)
    assert len(page.scripts) == 2
    assert not [tag for tag, _ in page.tags if tag == "b"]
    assert page.data["records"]["values"] == [[HOSTILE], ["<b>"]]
    raw = (tmp_path / "report.html").read_bytes()
    for hidden in ("\u2028", "\x00", "\u202e", 'alert("x'):
        assert hidden.encode() not in raw


def test_the_page_allows_no_script_but_its_own_and_no_request(annotator, tmp_path):
    page = read(AnnotationReport(annotator, TEXTS), tmp_path)
    (policy,) = (
        attrs["content"]
        for tag, attrs in page.tags
        if tag == "meta" and "http-equiv" in attrs
    )
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    links = {a["href"] for _, a in page.tags if "href" in a}
    assert {link[0] for link in links} <= {"#", "d"}
    assert not [a for _, a in page.tags if "src" in a or "style" in a]
    assert not [a for _, a in page.tags if any(name[:2] == "on" for name in a)]


@pytest.mark.parametrize(
    "classes",
    [
        [False, True],
        [3, 7],
        [0.5, 1.0],
        list(range(200)),
        [-1, 1],
        ["-1", "nan"],
    ],
    ids=["bool", "int", "float", "many", "minus one", "missing"],
)
def test_classes_of_any_kind(classes, tmp_path):
    programs = {
        "first": f"def label(text): return {classes[0]!r}",
        "last": f"def label(text): return {classes[-1]!r} if 'b' in text else None",
    }
    labeler = make_labeler(programs, classes=classes).fit(["a", "b"])
    data = read(AnnotationReport(labeler, ["a", "b"], [classes[0]] * 2), tmp_path).data
    order = labeler.classes_.tolist()
    assert data["classes"] == [str(name) for name in order]
    codes = [data["alphabet"].index(char) - 1 for char in data["records"]["votes"][1]]
    assert codes == [order.index(classes[0]), order.index(classes[-1])]
    assert data["records"]["gold"] == [order.index(classes[0])] * 2


@pytest.mark.parametrize("frame", [pd.DataFrame, lambda d: d], ids=["frame", "array"])
def test_tables_show_their_columns(frame, tmp_path):
    X = pd.DataFrame({"the age": [20, 70, 30], "note": ["a", None, "c"]})
    source = "def label(the_age): return 'ham' if the_age > 50 else 'spam'"
    labeler = make_labeler({"old": source}).fit(X)
    records = read(AnnotationReport(labeler, X), tmp_path).data["records"]
    assert records["names"] == ["the age", "note"]
    assert records["values"][1] == ["70", None]


def upper(texts):
    return [text.upper() for text in texts]


def test_pipelines_of_labeler_and_aggregator(tmp_path):
    labeler = make_labeler(
        {"a": "def label(text): return 'spam' if 'A' in text else 'ham'"}
    )
    aggregator = LabelModelAggregator(classes=["ham", "spam"])
    pipeline = make_pipeline(FunctionTransformer(upper), labeler, aggregator)
    texts = ["a", "b", "ab"]
    pipeline.fit(texts)
    records = read(AnnotationReport(pipeline, texts), tmp_path).data["records"]
    said = [["ham", "spam"][k] for k in records["label"]]
    assert said == pipeline.predict(texts).tolist()
    # What programs read is not what is shown, so that nothing can be marked.
    assert records["values"] == [["a"], ["b"], ["ab"]]
    assert records["marks"] == [[], [], []]


def test_an_annotator_behind_other_steps(annotator, tmp_path):
    pipeline = make_pipeline(FunctionTransformer(str_lower), annotator)
    texts = [text.upper() for text in TEXTS]
    data = read(AnnotationReport(pipeline, texts), tmp_path).data
    bare = read(AnnotationReport(annotator, TEXTS), tmp_path).data
    assert data["records"]["label"] == bare["records"]["label"]


def str_lower(texts):
    return [text.lower() for text in texts]


def test_of_a_labeler_alone_ties_are_no_label(tmp_path):
    labeler = make_labeler(
        {
            "link": "def label(text): return 'spam' if 'http' in text else None",
            "song": "def label(text): return 'ham' if 'song' in text else None",
        }
    ).fit(TEXTS)
    records = read(AnnotationReport(labeler, TEXTS), tmp_path).data["records"]
    assert records["label"] == [1, 0, -1, -1, 1, 0]
    doubts = [records["doubts"][k] for k in records["doubt"]]
    assert doubts[2:4] == ["programs disagree", "no program votes"]


def test_groups_are_those_of_the_aggregator(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.random((400, 4))
    one = "def label({}): return 'spam' if {} > 0.5 else 'ham'"
    sources = {f"p{j}": one.format(f"x{j}", f"x{j}") for j in range(4)}
    sources["again"] = one.format("x0", "x0") + " # the same"
    annotator = DistilledAnnotator(
        make_labeler(sources), LabelModelAggregator(program_groups=[["p0", "again"]])
    ).fit(X)
    page = read(AnnotationReport(annotator, X, max_marked=0), tmp_path)
    assert "p0, again equal on 100 % of the records" in page.text


@pytest.mark.filterwarnings("ignore::sklearn_alchemist.exceptions.AlchemistWarning")
def test_what_a_model_was_paid_is_put_beside_one_call_a_row(tmp_path):
    source = "def label(text): return 'spam' if 'http' in text else 'ham'"
    llm = LLM.from_callable(lambda prompt: source)
    labeler = ProgramSynthesisLabeler(
        llm, task="Is it spam?", classes=["ham", "spam"], n_programs=1
    )
    annotator = DistilledAnnotator(labeler).fit(TEXTS)
    page = read(AnnotationReport(annotator, TEXTS), tmp_path)
    assert "Asked of a language model: paid: 1 call" in page.text
    assert re.search(r"one call a row ?6", page.text)


def test_the_interval_of_the_aggregator_is_shown_if_it_has_one(annotator, tmp_path):
    annotator = deepcopy(annotator)
    annotator.aggregator_.accuracy_interval_ = np.array([[0.11, 0.99]] * 3)
    assert "11 % to 99 %" in read(AnnotationReport(annotator, TEXTS), tmp_path).text


def test_what_is_wrong_is_said_before_programs_run(annotator):
    with pytest.raises(ValueError, match="X holds no record"):
        AnnotationReport(annotator, [])
    with pytest.raises(ValueError, match="max_records must be at least 1"):
        AnnotationReport(annotator, TEXTS, max_records=0)
    with pytest.raises(ValueError, match="none of the classes"):
        AnnotationReport(annotator, TEXTS, ["eggs"] * 6)
    with pytest.raises(TypeError, match="no programs"):
        AnnotationReport(LabelModelAggregator(), TEXTS)


def test_jinja2_is_asked_for_by_name(annotator, monkeypatch, tmp_path):
    report = AnnotationReport(annotator, TEXTS)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ImportError, match=r"sklearn_alchemist\[report\]"):
        report.write_html(tmp_path / "report.html")


def test_open_writes_a_file_for_the_browser(annotator, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    path = AnnotationReport(annotator, TEXTS).open()
    assert opened == [path.as_uri()]
    assert path.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert path.stat().st_mode & 0o077 == 0
    path.unlink()
    path.parent.rmdir()


def test_a_notebook_gets_a_frame_with_fewer_records(annotator):
    report = AnnotationReport(annotator, TEXTS * 100, max_marked=10)
    (frame,) = (a for tag, a in Page(report._repr_html_()).tags if tag == "iframe")
    assert "allow-same-origin" not in frame["sandbox"]
    page = Page(frame["srcdoc"])
    assert len(page.data["records"]["position"]) == 500
    assert "only the 500 records most in doubt are shown of 600" in page.text


def test_a_report_made_again_is_the_same(annotator):
    first, second = (AnnotationReport(annotator, TEXTS) for _ in range(2))
    assert first.digest == second.digest
    assert AnnotationReport(annotator, TEXTS[::-1]).digest != first.digest
