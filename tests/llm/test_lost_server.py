"""A store on a server that goes away: what is told, and what is not lost."""

import threading
import warnings

import pytest
from offline_llm import write_program
from postgresql_server import SERVER, start_server, stop_server

from sklearn_alchemist import LLM, ProgramSynthesisLabeler
from sklearn_alchemist.exceptions import StoreError
from sklearn_alchemist.llm import CompletionStore, Question, _database, ask

DOLLARS = 0.01  # a call


@pytest.fixture
def own_store(own_store):
    if not isinstance(own_store, str):
        pytest.skip("no PostgreSQL server")
    return own_store


class Model:
    """Answers, and does something before one of its answers."""

    def __init__(self, at, do):
        self.prompts, self.at, self.do = [], at, do
        self.turn = threading.Lock()

    def __call__(self, prompt):
        with self.turn:
            self.prompts.append(prompt)
            if len(self.prompts) == self.at:
                self.do()
        return write_program(prompt) if "def label" in prompt else "fine"

    def llm(self, store, **params):
        return LLM.from_callable(
            self,
            name="test",
            store=store,
            n_concurrent=3,
            prices={"input": 0.0, "output": DOLLARS * 1e3},
            params={"max_tokens": 1000},
            **params,
        )


def questions(n):
    return [Question(({"role": "user", "content": f"Number {i}?"},)) for i in range(n)]


def restart():
    stop_server()
    start_server()


@pytest.mark.parametrize("at", [1, 5])
def test_a_server_that_restarts_under_a_fit_is_waited_for(own_store, at):
    model = Model(at, restart)
    CompletionStore(own_store).set_cap(12 * DOLLARS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answers = ask(model.llm(own_store), questions(12))
    assert answers.usage.paid.calls == len(model.prompts) == 12
    assert len(CompletionStore(own_store).records()) == 12


def test_a_server_that_is_lost_within_a_transaction_is_asked_again(own_store):
    store = CompletionStore(own_store)
    store.set_cap(1.0)
    tables, lost = _database.tables_at(own_store), []

    @_database.again_if_lost
    def raise_cap():
        with tables.writing("cap") as rows:
            rows.execute("UPDATE cap SET dollars = dollars + 1")
            if not lost:
                lost.append(True)
                restart()
            rows.execute("UPDATE cap SET dollars = dollars + 1")

    raise_cap()
    assert store.cap() == 3.0


def test_a_fit_goes_on_where_its_server_was_lost(own_store, monkeypatch):
    monkeypatch.setattr(_database, "_RESTART_SECONDS", 0.2)
    model = Model(4, stop_server)
    texts = ["a song", "free cash", "song", "cash for free"] * 5
    labeler = ProgramSynthesisLabeler(
        model.llm(own_store, max_cost=1.0),
        task="Is it spam?",
        classes=["ham", "spam"],
        n_programs=8,
        prior_knowledge=None,
    )
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            with pytest.raises(StoreError, match="connection") as error:
                labeler.fit(texts)
        n_asked = len(model.prompts)
        assert f"{n_asked} of 8 answers were received and are kept" in str(error.value)
        assert len(str(error.value).splitlines()) == 1
        assert not said
        with pytest.raises(StoreError, match="connection"):
            labeler.fit(texts)
        assert len(model.prompts) == n_asked
    finally:
        start_server()
    labeler.fit(texts)
    assert labeler.usage_.cached.calls == n_asked
    assert len(model.prompts) == 8
    assert len(CompletionStore(own_store).records()) == 8


def test_the_last_answers_are_kept_for_a_server_that_is_lost(own_store, monkeypatch):
    monkeypatch.setattr(_database, "_RESTART_SECONDS", 0.2)
    model = Model(3, stop_server)
    try:
        with pytest.warns(UserWarning, match="until the store is there again"):
            answers = ask(model.llm(own_store), questions(3))
    finally:
        start_server()
    assert answers.usage.paid.calls == 3
    assert ask(model.llm(own_store), questions(3)).usage.cached.calls == 3
    assert len(CompletionStore(own_store).records()) == len(model.prompts) == 3


def test_a_user_without_a_home_is_served_as_any_other(own_store, monkeypatch):
    def nowhere():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(_database, "_RESTART_SECONDS", 0.2)
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr("pathlib.Path.home", nowhere)
    model = Model(2, stop_server)
    try:
        with pytest.warns(UserWarning, match="as long as this process lives"):
            ask(model.llm(own_store), questions(2))
    finally:
        start_server()
    assert ask(model.llm(own_store), questions(2)).usage.cached.calls == 2


@pytest.mark.skipif(not SERVER, reason="no PostgreSQL server")
@pytest.mark.parametrize(
    ("address", "variables", "named"),
    [
        ("postgresql://127.0.0.1:1/labels", {}, ["127.0.0.1:1/labels"]),
        (
            "postgresql://",
            {"PGHOST": "127.0.0.1", "PGPORT": "1", "PGDATABASE": "labels"},
            ["host '127.0.0.1'", "database 'labels'"],
        ),
        ("postgresql://nowhere.invalid", {"PGDATABASE": "x"}, ["nowhere", "'x'"]),
    ],
)
def test_a_server_that_cannot_be_reached_is_named_before_anything_is_paid(
    address, variables, named, monkeypatch
):
    model = Model(0, None)
    with monkeypatch.context() as patch:
        patch.setenv("PGPASSWORD", "s3cret")
        for name, value in variables.items():
            patch.setenv(name, value)
        with pytest.raises(StoreError, match="cannot be used") as error:
            ask(model.llm(address), questions(3))
    assert not model.prompts
    assert all(name in str(error.value) for name in named)
    assert len(str(error.value).splitlines()) == 1
    assert "s3cret" not in str(error.value)
