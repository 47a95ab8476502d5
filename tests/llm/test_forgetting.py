"""What a store may forget, and what it keeps of what was spent."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from sklearn_alchemist.exceptions import BudgetError
from sklearn_alchemist.llm import Completion, CompletionStore, _spending_caps
from sklearn_alchemist.llm._database import tables_at

NOW = datetime.now(UTC)


@pytest.fixture
def store(own_store):
    return CompletionStore(own_store)


def add(store, days_by_key):
    def record(key, days):
        created = (NOW - timedelta(days=days)).isoformat()
        return key, {"said": key}, Completion(text=key, model="m", created=created)

    store.add([record(key, days) for key, days in days_by_key.items()])


def spend(store, amounts):
    """Charge what calls cost, as an earlier version listed it."""
    with tables_at(store.path).writing("cap") as rows:
        for i, dollars in enumerate(amounts):
            rows.execute("INSERT INTO charges VALUES (?, ?, 1)", (f"call {i}", dollars))


def count_charges(store):
    with tables_at(store.path).reading() as rows:
        return rows.execute("SELECT COUNT(*) FROM charges")[0][0]


def test_what_is_spent_is_kept_as_a_sum_that_is_exact_to_the_last_bit(
    store, monkeypatch
):
    monkeypatch.setattr(_spending_caps, "_AT_ONCE", 60)
    amounts = [0.1 * (k % 7) + 1e-9 * k for k in range(150)]
    spend(store, amounts)
    store.set_cap(1e6)
    assert store.spent() == math.fsum(amounts)
    for k in range(3):
        held = store.reserve(0.3)
        assert store.spent() == math.fsum([*amounts, *[0.2] * k, 0.3])
        store.settle(held, 0.2)
    assert count_charges(store) == 3
    spend(store, amounts)
    store.settle(store.reserve(0.3), 0.3)
    assert count_charges(store) == 1
    assert store.spent() == math.fsum([*amounts, *amounts, *[0.2] * 3, 0.3])


def test_a_cap_holds_to_the_cent_however_many_calls_were_summed_up(store):
    spend(store, [0.1] * 299)
    store.set_cap(30.0)
    store.settle(store.reserve(0.1), 0.1)
    with pytest.raises(BudgetError, match="the next call may cost"):
        store.reserve(1e-9)


def test_a_call_that_is_settled_twice_counts_once(store):
    held = store.reserve(0.5)
    store.settle(held, 0.25)
    store.forget(NOW)
    store.settle(held, 0.5)
    assert store.spent() == 0.25


def test_answers_of_before_a_moment_are_forgotten_and_stay_paid(store):
    add(store, {f"{days} days": days for days in (1, 10, 100)})
    undated = Completion(text="undated", model="m", created="")
    store.add([("undated", {}, undated)])
    store.settle(store.reserve(0.25), 0.25)
    store.set_cap(1.0)
    assert store.forget(NOW - timedelta(days=5)) == 2
    assert store.forget(NOW - timedelta(days=5)) == 0
    assert [answer.text for _, answer in store.records()] == ["1 days", "undated"]
    assert store.get("10 days") is None
    assert (store.spent(), store.cap()) == (0.25, 1.0)


def test_calls_and_leases_under_way_are_not_forgotten(store):
    held, lease = store.reserve(0.5, seconds=60), store.claim("key", seconds=60)
    store.forget(NOW + timedelta(days=1))
    assert store.claim("key", seconds=60) is None
    store.settle(held, 0.25)
    assert store.spent() == 0.25
    store.save(lease, {}, Completion(text="fine", model="m"))
    assert store.get("key").text == "fine"


def test_calls_of_killed_processes_stay_charged_at_their_worst_case(store):
    store.reserve(0.5, seconds=-60)
    store.forget(datetime.now(UTC))
    assert count_charges(store) == 0
    assert store.spent() == 0.5


def test_no_word_of_what_is_forgotten_stays_in_the_file(only_file):
    store = CompletionStore(only_file)
    add(store, {f"secret {k} " * 100: 10 for k in range(50)} | {"young": 1})
    size = only_file.stat().st_size
    assert store.forget(NOW - timedelta(days=5)) == 50
    assert b"secret" not in only_file.read_bytes()
    assert only_file.stat().st_size < size / 2


def test_a_moment_without_a_time_zone_is_refused(store):
    with pytest.raises(ValueError, match="no time zone"):
        store.forget(datetime(2026, 1, 1))


def test_a_store_that_was_never_used_forgets_nothing(store, own_store):
    assert store.forget(NOW) == 0


def test_a_store_of_an_earlier_version_goes_on(store):
    spend(store, [0.25] * 150)
    store.set_cap(40.0)
    with tables_at(store.path).writing("x") as rows:
        rows.execute("DROP TABLE settled")
    tables_at.cache_clear()
    if isinstance(store.path, str):  # as of a process that has not looked yet
        tables_at(store.path)._session().has_tables = False
    assert (store.cap(), store.spent()) == (40.0, 37.5)
    assert store.reserve(2.5) is not None
    assert store.spent() == 40.0
    assert count_charges(store) == 1
