import os
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from sklearn_alchemist.exceptions import StoreError
from sklearn_alchemist.llm import Completion, CompletionStore, default_store_path


@pytest.fixture
def store(own_store):
    return CompletionStore(own_store)


@pytest.fixture
def file_store(only_file, tmp_path):
    return CompletionStore(tmp_path / "folder" / "store.sqlite")


def completion(text="hello"):
    return Completion(text=text, model="m", created="2026-01-01T00:00:00+00:00")


def test_what_is_saved_is_found(store):
    claim = store.claim("key", seconds=60)
    store.save(claim, {"model": "m"}, completion("ça va \ud83d\ude00"[:6]))
    assert store.get("key") == completion("ça va ")


def test_what_was_never_saved_is_not_found(store):
    assert store.get("key") is None


def test_a_claimed_question_cannot_be_claimed_again(store):
    store.claim("key", seconds=60)
    assert store.claim("key", seconds=60) is None


def test_a_claim_of_one_question_leaves_the_others_free(store):
    store.claim("key", seconds=60)
    assert store.claim("other", seconds=60) is not None


def test_a_released_claim_is_free(store):
    store.release(store.claim("key", seconds=60))
    assert store.claim("key", seconds=60) is not None


def test_a_claim_expires_as_its_owner_may_have_died(store):
    store.claim("key", seconds=0.05)
    time.sleep(0.1)
    assert store.claim("key", seconds=60) is not None


def test_a_renewed_claim_holds_on(store):
    claim = store.claim("key", seconds=0.05)
    store.renew(claim, seconds=60)
    time.sleep(0.1)
    assert store.claim("key", seconds=60) is None


def test_an_expired_owner_cannot_release_the_claim_of_the_next(store):
    late = store.claim("key", seconds=0.05)
    time.sleep(0.1)
    store.claim("key", seconds=60)
    store.release(late)
    assert store.claim("key", seconds=60) is None


def test_only_the_owner_can_read_the_file(file_store):
    file_store.claim("key", seconds=60)
    assert stat.S_IMODE(file_store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file_store.path.parent.stat().st_mode) == 0o700


def test_answers_can_be_read_where_nothing_may_be_written(file_store):
    # Root may write anything: the lock of another writer stands for a read-only file.
    file_store.save(file_store.claim("key", seconds=60), {}, completion())
    with sqlite3.connect(file_store.path, isolation_level=None) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert file_store.get("key") == completion()
        assert len(file_store.records()) == 1
        writer.execute("ROLLBACK")


def test_a_file_that_is_no_store_is_an_error_that_names_it(file_store):
    file_store.path.parent.mkdir()
    file_store.path.write_text("This is no database. " * 100)
    with pytest.raises(StoreError, match=r"store\.sqlite"):
        file_store.get("key")


def test_a_person_can_read_it_with_sqlite(file_store):
    file_store.save(file_store.claim("key", seconds=60), {"sample": 3}, completion())
    with sqlite3.connect(file_store.path) as connection:
        rows = connection.execute("SELECT request, text FROM completions").fetchall()
    assert rows == [('{"sample": 3}', "hello")]


@pytest.mark.slow
def test_threads_of_processes_that_ask_at_once_pay_once(store):
    code = """
        import sys, time
        from concurrent.futures import ThreadPoolExecutor
        from sklearn_alchemist.llm import Completion, CompletionStore
        store = CompletionStore(sys.argv[1])

        def get(key):
            while (outcome := store.claim(key, seconds=60)) is None:
                time.sleep(0.005)
            if isinstance(outcome, Completion):
                return 0
            store.save(outcome, {}, Completion(text="x", model="m"))
            return 1

        sys.stdin.read()
        with ThreadPoolExecutor(4) as executor:
            print(sum(executor.map(get, [str(i // 4) for i in range(100)])))
    """
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code), str(store.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        process.stdin.close()  # go
    assert sum(int(process.stdout.read()) for process in processes) == 25
    for process in processes:
        process.stdout.close()
        assert process.wait() == 0
    assert len(store.records()) == 25


@pytest.mark.slow
def test_a_process_killed_in_the_middle_leaves_a_store_that_works(store):
    code = """
        import sys
        from sklearn_alchemist.llm import Completion, CompletionStore
        store = CompletionStore(sys.argv[1])
        for i in range(100_000):
            claim = store.claim(str(i), seconds=0.1)
            store.save(claim, {}, Completion(text="x" * 10_000, model="m"))
            print(i, flush=True)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), str(store.path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    for _ in range(20):
        last = int(process.stdout.readline())
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert all(store.get(str(i)) is not None for i in range(last + 1))
    assert len(store.records()) >= last + 1


def test_it_lies_in_the_users_cache_folder(only_file, monkeypatch):
    monkeypatch.delenv("SKLEARN_ALCHEMIST_STORE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    expected = Path("/cache/sklearn_alchemist/completions.sqlite")
    assert default_store_path() == expected


def test_the_environment_can_put_it_elsewhere(own_store):
    assert default_store_path() == own_store
