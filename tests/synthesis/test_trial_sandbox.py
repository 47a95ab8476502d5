"""What a model wrote runs in the sandbox that the user asked for, and in no other."""

import pytest

from sklearn_alchemist import LLM, ProgramSynthesisLabeler
from sklearn_alchemist.exceptions import SandboxError
from sklearn_alchemist.programs import (
    _run_chunk,
    _worker_handle,
    close_workers,
    prove_sandbox,
)

LINK = "def label(text):\n    return 'spam' if 'http' in text else 'ham'\n"
RECORDS = ["see http://x.example", "a nice song"] * 10


@pytest.fixture
def ran(monkeypatch):
    """Names of the programs that run, on a system that refuses no system call."""
    start, run, names = _worker_handle.Worker.__init__, _run_chunk.ProgramRunner.run, []

    def start_unrestricted(worker, *args, **options):
        start(worker, *args, **options)
        worker.restricted = False

    def note(runner, *args):
        names.append(runner.task.program.name)
        return run(runner, *args)

    close_workers()
    monkeypatch.setattr(_worker_handle.Worker, "__init__", start_unrestricted)
    monkeypatch.setattr(_run_chunk.ProgramRunner, "run", note)
    yield names
    close_workers()


def labeler(server, sandbox, **options):
    options = {"task": "Spam?", "classes": ["ham", "spam"], "n_programs": 3, **options}
    llm = LLM("openai/test", api_base=server.api_base)
    return ProgramSynthesisLabeler(llm, sandbox=sandbox, **options)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"show_data": True}])
def test_a_sandbox_that_cannot_be_had_is_an_error_before_all_else(server, ran, options):
    with pytest.raises(SandboxError):
        labeler(server, "strict", **options).fit(RECORDS)
    assert server.requests == []
    assert ran == []


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_answers_of_the_store_do_not_run_in_a_lesser_sandbox_either(server, ran):
    server.answer = lambda request: LINK
    labeler(server, "auto").fit(RECORDS)
    n_asked, n_ran = len(server.requests), len(ran)
    assert n_ran
    strict = labeler(server, "strict")
    with pytest.raises(SandboxError):
        strict.fit(RECORDS)
    with pytest.raises(SandboxError):
        strict.estimate_cost(RECORDS)
    assert (len(server.requests), len(ran)) == (n_asked, n_ran)


@pytest.mark.slow
def test_only_strict_asks_for_what_some_systems_lack(ran):
    prove_sandbox("auto")
    prove_sandbox(None)
    with pytest.raises(SandboxError, match="cannot refuse system calls"):
        prove_sandbox("strict")
