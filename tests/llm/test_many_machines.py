import os
import pickle
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from pathlib import Path

import pytest
from postgresql_server import SERVER, database

from sklearn_alchemist import LLM
from sklearn_alchemist.exceptions import BudgetError, StoreError
from sklearn_alchemist.llm import Completion, CompletionStore, Question, _database, ask

needs_server = pytest.mark.skipif(not SERVER, reason="no PostgreSQL server")

# Eight processes ask all questions, each in its own order, with leases that others wait
# for two seconds only. A file has a line for each call that is sent.
ASK = """
    import os, random, sys, time
    from sklearn_alchemist import LLM
    from sklearn_alchemist.llm import CompletionStore, Question, _store, ask
    _store.Heartbeat.__init__.__defaults__ = (2.0,)
    sent, store, n, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]

    def answer(prompt):
        with open(sent, "a") as file:
            file.write(f"{prompt}\\n")
        time.sleep(float(seconds))
        return "fine"

    llm = LLM.from_callable(answer, name="test", store=store, n_concurrent=3,
                            prices={"input": 0.0, "output": 1e3},
                            params={"max_tokens": 1000})  # a dollar a call
    CompletionStore(store).spent()  # a connection that is not to be shared
    children = []
    for k in range(8):
        child = os.fork()
        if not child:
            asked = [Question(({"role": "user", "content": str(i)},)) for i in range(n)]
            random.Random(k).shuffle(asked)
            answers = ask(llm, asked, partial=True)
            texts = [c.text for c in answers.completions if c is not None]
            assert set(texts) <= {"fine"}
            os.write(1, f"{len(texts)} {answers.usage.paid.calls}\\n".encode())
            os._exit(0)
        children.append(child)
    os.write(1, f"{children[0]}\\n".encode())
    for child in children:
        os.waitpid(child, 0)
"""


def eight_processes(store, folder, *, cap, n, seconds, kill):
    """Kill one in the middle; return what was sent and what the others say."""
    kept = CompletionStore(store)
    kept.set_cap(cap)
    sent = folder / "sent"
    code = [sys.executable, "-c", textwrap.dedent(ASK)]
    run = [*code, str(sent), str(store), str(n), str(seconds)]
    spent = [0.0]
    with subprocess.Popen(run, stdout=subprocess.PIPE, text=True) as process:
        first = int(process.stdout.readline())
        while kill and len(kept.records()) < n // 4:
            spent.append(kept.spent())
            time.sleep(0.02)
        if kill:
            os.kill(first, signal.SIGKILL)
        said = [tuple(map(int, line.split())) for line in process.stdout]
        assert process.wait() == 0
    assert max(*spent, kept.spent()) <= cap
    return Counter(sent.read_text().split()), said


@pytest.mark.slow
def test_each_question_is_paid_once_though_one_of_eight_is_killed(own_store, tmp_path):
    sent, said = eight_processes(
        own_store, tmp_path, cap=43, n=40, seconds=0.2, kill=True
    )
    assert [answered for answered, _ in said] == [40] * 7
    assert len(CompletionStore(own_store).records()) == len(sent) == 40
    # But the three that the killed one had under way, and its answers are used.
    assert sent.total() <= 40 + 3
    assert sum(paid for _, paid in said) <= 40


@pytest.mark.slow
def test_eight_processes_stop_at_the_cap_of_their_store(own_store, tmp_path):
    sent, said = eight_processes(
        own_store, tmp_path, cap=30, n=200, seconds=0.02, kill=False
    )
    assert len(said) == 8
    assert sent.total() == len(CompletionStore(own_store).records()) == 30
    assert sum(paid for _, paid in said) == CompletionStore(own_store).spent() == 30


def test_a_password_in_the_address_is_refused_and_not_repeated():
    for address in (
        "postgresql://me:s3cret@host/db",
        "postgres://:s3cret@host/db",
        "postgresql:///db?host=/tmp&password=s3cret",
        "postgresql://host/db?sslpassword=s3cret",
    ):
        for use in (lambda a: LLM("openai/m", store=a), CompletionStore):
            with pytest.raises(ValueError, match="PGPASSWORD") as refused:
                use(address)
            assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "place",
    [
        "mysql://host/db",
        "postgresql+psycopg://host/db",
        "postgresql:/db",
        "file:///tmp/store.sqlite",
        Path("postgresql://host/db"),
    ],
)
def test_what_is_neither_a_path_nor_a_known_address_is_refused(place):
    with pytest.raises(ValueError, match="postgresql://HOST/DATABASE"):
        LLM("openai/m", store=place)


def test_an_address_pickles_prints_and_makes_no_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    llm = LLM("openai/m", store="postgresql://host/db")
    assert pickle.loads(pickle.dumps(llm)) == llm
    assert "store='postgresql://host/db'" in repr(llm)
    store = CompletionStore("postgresql://host/db")
    assert pickle.loads(pickle.dumps(store)) == store
    assert not list(tmp_path.iterdir())


def test_a_file_on_a_network_disk_is_no_store(only_file, tmp_path, monkeypatch):
    mounts = tmp_path / "mounts"
    (tmp_path / "a home").mkdir()
    share = str(tmp_path / "a home").replace(" ", "\\040")
    lines = f"/dev/vda / ext4 rw 0 0\nhost:/x {share} nfs4 rw 0 0\n"
    mounts.write_text(lines)
    monkeypatch.setattr(_database, "_MOUNTS", mounts)
    store = CompletionStore(tmp_path / "a home" / "store.sqlite")
    with pytest.raises(StoreError, match=r"network disk \(nfs4\).*postgresql://"):
        store.claim("key", seconds=1)
    assert not store.path.exists()
    # What lies there already may be read.
    elsewhere = CompletionStore(tmp_path / "store.sqlite")
    elsewhere.add([("key", {}, Completion(text="hello", model="m"))])
    elsewhere.path.rename(store.path)
    assert store.get("key").text == "hello"
    mounts.write_text(f"{lines}/dev/vdb {share} xfs rw 0 0\n")
    assert store.claim("other", seconds=1) is not None


def test_the_kind_of_the_disk_of_this_machine_is_told(tmp_path):
    if not _database._MOUNTS.exists():
        pytest.skip("no /proc")
    assert re.fullmatch(r"[\w.-]+", _database.filesystem_of(tmp_path / "not" / "yet"))


@needs_server
def test_a_server_that_is_not_there_is_one_clear_line(tmp_path, server):
    address = f"postgresql:///db?host={tmp_path}"
    llm = LLM("openai/m", api_base=server.api_base, store=address)
    with pytest.raises(StoreError, match="cannot be used: connection") as error:
        ask(llm, [Question(({"role": "user", "content": "Hello?"},))])
    assert "PGUSER" in str(error.value)
    assert len(str(error.value).splitlines()) == 1
    assert not server.requests


@needs_server
def test_a_wrong_password_is_told_and_not_repeated(monkeypatch):
    with database() as address:
        monkeypatch.setenv("PGPASSWORD", "wr0ngwr0ng")
        with pytest.raises(StoreError, match="password authentication") as error:
            CompletionStore(address).claim("key", seconds=1)
    assert "wr0ng" not in str(error.value)


@needs_server
def test_a_database_that_holds_no_unicode_is_refused_before_anything_is_paid():
    with (
        database("SQL_ASCII") as address,
        pytest.raises(StoreError, match=r"encoding is SQL_ASCII.*UTF8"),
    ):
        CompletionStore(address).claim("key", seconds=1)


def test_any_text_is_kept_as_it_came(own_store):
    text = "null \0, private \uf8ff0 and \uf8ff\uf8ff1, smile \U0001f600, 100 % ? %s"
    store = CompletionStore(own_store)
    answer = Completion(text=text, model=text, created="2026", prompt_tokens=2**52)
    request = {"messages": [{"role": "user", "content": text}]}
    store.save(store.claim("key", seconds=9), request, answer)
    assert store.get("key") == answer
    assert store.records() == [(request, answer)]


def test_a_refreshed_answer_is_the_last_that_was_received(own_store):
    store = CompletionStore(own_store)
    for text in ("a", "b"):
        lease = store.claim(text, seconds=9)
        store.save(lease, {}, Completion(text=text, model="m"))
    store.save(lease, {}, Completion(text="c", model="m"))
    store.save(type(lease)("a"), {}, Completion(text="d", model="m"))
    assert [answer.text for _, answer in store.records()] == ["c", "d"]


@needs_server
def test_a_connection_that_the_server_ends_is_made_again():
    with database() as address:
        store = CompletionStore(address)
        held = store.claim("key", seconds=60)
        with _database.tables_at(address).reading() as rows:
            pid = rows.execute("SELECT pg_backend_pid()")[0][0]
        with database() as other, _database.tables_at(other).writing("x") as rows:
            rows.execute("SELECT pg_terminate_backend(?)", (pid,))
        store.save(held, {}, Completion(text="fine", model="m"))
        assert store.get("key").text == "fine"


@needs_server
def test_who_hangs_in_the_middle_holds_nobody_up_for_long(monkeypatch):
    short = _database._SETTINGS.replace("'60s'", "'500ms'")
    short = short.replace("lock_timeout TO '500ms'", "lock_timeout TO '100ms'")
    monkeypatch.setattr(_database, "_SETTINGS", short)
    with database() as address:
        store = CompletionStore(address)
        store.set_cap(1.0)
        code = f"""
            from sklearn_alchemist.llm import _database
            _database._SETTINGS = {short!r}
            with _database.tables_at({address!r}).writing("cap"):
                print(flush=True)
                input()
        """
        with subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            process.stdout.readline()
            with pytest.raises(StoreError, match="lock timeout"):
                store.reserve(0.5)
            time.sleep(0.5)
            assert store.reserve(0.5) is not None
            process.communicate(b"\n")
        assert process.returncode == 1


def test_leases_of_a_server_go_by_its_clock(own_store, monkeypatch):
    if not isinstance(own_store, str):
        pytest.skip("a file has the clock of its machine")
    store = CompletionStore(own_store)
    monkeypatch.setattr(time, "time", lambda now=time.time: now() - 3600)
    assert store.claim("key", seconds=60) is not None
    monkeypatch.undo()
    assert CompletionStore(own_store).claim("key", seconds=60) is None


def test_a_cap_that_is_used_up_names_the_store(own_store):
    store = CompletionStore(own_store)
    store.set_cap(0.1)
    with pytest.raises(BudgetError, match=re.escape(str(own_store))):
        store.reserve(0.2)
