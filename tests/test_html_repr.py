"""What notebooks show of estimators."""

import re
from pathlib import Path

import pytest
from sklearn.linear_model import LogisticRegression

import sklearn_alchemist
from sklearn_alchemist import (
    DistilledAnnotator,
    LabelingProgram,
    LabelModelAggregator,
    ProgramSynthesisLabeler,
)
from sklearn_alchemist.distillation import SentenceEncoder

REFERENCE = Path(__file__).parents[1] / "docs" / "api.rst"
ESTIMATORS = [
    getattr(sklearn_alchemist, name)
    for name in sklearn_alchemist.__all__
    if hasattr(getattr(sklearn_alchemist, name), "get_params")
]


def drawn(estimator):
    """Names of the parts that are drawn, in their order."""
    labels = r"sk-toggleable__label[^>]*><div><div>([^<]*)</div>"
    return re.findall(labels, estimator._repr_html_())


@pytest.fixture
def annotator():
    link = LabelingProgram("link", "def label(text): return 'http' in text")
    return DistilledAnnotator(
        ProgramSynthesisLabeler(classes=[False, True], programs=[link])
    )


@pytest.mark.parametrize("estimator", [*ESTIMATORS, SentenceEncoder])
def test_estimators_link_to_their_page_of_the_reference(estimator):
    link = estimator.__new__(estimator)._get_doc_link()
    page = link.rpartition("/")[2]
    module, name = page.removesuffix(".html").rsplit(".", 1)
    sections = REFERENCE.read_text().split(".. currentmodule:: ")[1:]
    (section,) = (s for s in sections if s.split()[0] == module and name in s.split())
    assert "toctree: generated/" in section
    assert "/generated/" in link


def test_a_default_annotator_draws_its_parts(annotator):
    parts = "ProgramSynthesisLabeler", "LabelModelAggregator", "LogisticRegression"
    assert set(parts) <= set(drawn(annotator))


def test_a_fitted_annotator_draws_what_it_fitted(annotator):
    annotator.fit(["http://a free", "what a song", "song of mine", "free http"])
    assert {"Pipeline", "TfidfVectorizer"} & set(drawn(annotator))


def test_parts_of_the_user_are_drawn_as_they_are(annotator):
    mine = {
        "aggregator": LabelModelAggregator(method="majority_vote"),
        "estimator": LogisticRegression(C=7.0),
    }
    html = annotator.set_params(**mine)._repr_html_()
    assert "majority_vote" in html
    assert "7.0" in html
