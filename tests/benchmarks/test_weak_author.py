from pathlib import Path

import pytest

from sklearn_alchemist import LLM, ProgramSynthesisLabeler
from sklearn_alchemist.exceptions import AlchemistWarning
from sklearn_alchemist.synthesis import Prompts

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_eight_of_ten_careless_answers_can_be_used_as_they_are(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from _tasks import TASKS

    task = TASKS["youtube"]
    labeler = ProgramSynthesisLabeler(
        LLM("recorded", store=BENCHMARKS / "recordings" / "youtube-weak-1.jsonl"),
        task=task.task,
        classes=task.classes,
        max_repairs=0,
        prompts=Prompts.of_version("3"),
    )
    with pytest.warns(AlchemistWarning, match="scores_3"):
        labeler.fit(["subscribe to my channel", "this song is beautiful", ""])
    assert len(labeler.programs_) == 8
    assert [r.name for r in labeler.rejected_] == ["scores_3", "detectors_6"]
    votes = labeler.transform(["please check out my channel and subscribe"])
    assert (votes == labeler.classes_.tolist().index("SPAM")).sum() > 4
