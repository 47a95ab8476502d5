import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import pytest

from sklearn_alchemist.programs import (
    _processes,
    _run_programs,
    _worker_handle,
    close_workers,
    run_programs,
)
from sklearn_alchemist.programs._pool import POOL, borrowed
from sklearn_alchemist.programs._protocol import NO_ROW
from sklearn_alchemist.programs._worker_handle import Worker, WorkerLost

posix = pytest.mark.skipif(os.name != "posix", reason="signals and forks")
linux = pytest.mark.skipif(sys.platform != "linux", reason="kernel ends the worker")

CLASSES = [0, 1, 2]
LENGTH = "def label(text): return len(text) % 3"
SLOW = "def label(text): return sum(range(300_000)) and len(text) % 3"
TEXTS = {"text": ["a" * n for n in range(300)]}
EXPECTED = [n % 3 for n in range(300)]


def votes_of(program, **options):
    """Run one program; at the top level so that processes can share it."""
    return run_programs([program], TEXTS, CLASSES, **options).votes.ravel().tolist()


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


def busy_pids():
    return [w.pid for w in list(POOL._all) if w.alive and w not in POOL._idle]


@pytest.mark.slow
def test_workers_are_reused_and_closed(make):
    close_workers()
    votes_of(make(LENGTH))
    (first,) = POOL._idle
    assert first.alive
    votes_of(make(LENGTH))
    assert POOL._idle == [first]
    votes_of(make("def label(text): return 0"))
    assert len(POOL._idle) == 2
    close_workers()
    assert not first.alive
    assert not is_running(first.pid)
    assert votes_of(make(LENGTH)) == EXPECTED


@pytest.mark.slow
@posix
def test_killed_workers_cost_nothing(make):
    killed = set()
    finished = threading.Event()

    def kill_at(row):
        while not finished.wait(0.001):
            for worker in list(POOL._all):
                is_new = worker.alive and worker.pid not in killed
                if is_new and worker.row >= row:
                    os.kill(worker.pid, signal.SIGKILL)
                    killed.add(worker.pid)
                    return

    def kill():
        for row in (20, 90, 200):
            kill_at(row)

    close_workers()
    killer = threading.Thread(target=kill)
    killer.start()
    try:
        result = run_programs([make(SLOW)], TEXTS, CLASSES)
    finally:
        finished.set()
        killer.join()
    assert len(killed) == 3
    assert result.votes.ravel().tolist() == EXPECTED
    assert result.failures == ({},)


@posix
def test_an_idle_worker_that_was_killed_is_replaced(make):
    votes_of(make(LENGTH))
    for worker in POOL._idle:
        os.kill(worker.pid, signal.SIGKILL)
    assert votes_of(make(LENGTH)) == EXPECTED


def test_a_worker_lost_twice_on_a_row_costs_that_row(make, monkeypatch):
    ask = Worker.ask

    def lose_row_two(worker, head, *body, **limits):
        reply = ask(worker, head, *body, **limits)
        if head[0] == "run" and head[-1] <= 2:
            raise WorkerLost(2, "itself", 0.0)
        return reply

    monkeypatch.setattr(Worker, "ask", lose_row_two)
    result = run_programs([make(LENGTH)], {"text": ["", "a", "aa", ""]}, CLASSES)
    assert result.failures == ({"crash": 1},)
    assert result.first_errors == ("ended the worker process",)
    assert result.votes.ravel().tolist() == [0, 1, -1, 0]


def test_workers_that_never_work_end_the_run(make, monkeypatch):
    def lose(worker, head, *body, **limits):
        if head[0] == "run":
            raise WorkerLost(NO_ROW, "itself", 0.0)
        return ask(worker, head, *body, **limits)

    ask = Worker.ask
    monkeypatch.setattr(Worker, "ask", lose)
    with pytest.raises(RuntimeError, match="before they do any work"):
        votes_of(make(LENGTH))


def test_an_interpreter_that_does_not_start_is_named(monkeypatch):
    close_workers()
    monkeypatch.setattr(_processes, "_BOOT", "raise SystemExit")
    with pytest.raises(RuntimeError, match="could not be started"):
        Worker()


@pytest.mark.slow
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_callback_that_raises_leaves_no_busy_worker(make, monkeypatch, n_jobs):
    monkeypatch.setattr(_run_programs, "MAX_ROWS", 20)

    def interrupt(n_rows):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        votes_of(make(SLOW), on_rows=interrupt, n_jobs=n_jobs)
    assert busy_pids() == []
    assert votes_of(make(LENGTH)) == EXPECTED


@pytest.fixture
def interruptible():
    """Interrupts are heard, even where the tests were started in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@posix
def test_an_interrupt_ends_the_worker_at_once(make, interruptible):
    program = make("def label(text):\n while True: pass")
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        votes_of(program, timeout=30)
    assert time.monotonic() - began < 5
    assert busy_pids() == []


def test_threads_share_the_workers(make):
    programs = [make(LENGTH), make("def label(text): return 0")] * 4
    with ThreadPoolExecutor(4) as executor:
        results = list(executor.map(votes_of, programs))
    assert results == [EXPECTED, [0] * 300] * 4


@pytest.mark.slow
@posix
def test_a_forked_child_starts_workers_of_its_own(make):
    program = make(LENGTH)
    votes_of(program)
    before = {worker.pid for worker in POOL._idle}
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            empty = not POOL._idle
            good = votes_of(program) == EXPECTED
            mine = {worker.pid for worker in POOL._idle}
            close_workers()
            status = 0 if empty and good and not mine & before else 1
        finally:
            os._exit(status)
    os.close(read)
    os.close(write)
    assert os.waitpid(child, 0)[1] == 0
    assert votes_of(program) == EXPECTED
    assert before <= {worker.pid for worker in POOL._idle}


@pytest.mark.slow
def test_programs_run_in_other_processes(make):
    context = multiprocessing.get_context("spawn")
    assert pickle.loads(pickle.dumps(make(LENGTH))) == make(LENGTH)
    with context.Pool(1) as pool:
        rows = pool.apply(run_programs, ([make(LENGTH)], TEXTS, CLASSES)).votes
    assert rows.ravel().tolist() == EXPECTED


@pytest.mark.slow
def test_programs_run_in_loky_workers(make):
    calls = [joblib.delayed(run_programs)([make(LENGTH)], TEXTS, CLASSES)] * 2
    for result in joblib.Parallel(2)(calls):
        assert result.votes.ravel().tolist() == EXPECTED


SCRIPT = textwrap.dedent(
    """
    import threading, time
    from sklearn_alchemist.programs import LabelingProgram, run_programs
    from sklearn_alchemist.programs._pool import POOL

    def show():
        while not [w for w in list(POOL._all) if w.row >= 0]:
            time.sleep(0.01)
        print(*[w.pid for w in list(POOL._all)], flush=True)

    threading.Thread(target=show, daemon=True).start()
    program = LabelingProgram("p", "def label(text): return sum(range(10 ** 12))")
    run_programs([program], {"text": ["a"]}, [0], timeout=60)
    """
)


@pytest.mark.slow
@linux
def test_a_worker_inside_a_long_call_ends_with_its_parent():
    with subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=-1) as parent:
        (pid,) = map(int, parent.stdout.readline().split())
        assert is_running(pid)
        parent.kill()
    assert wait_until(lambda: not is_running(pid) or is_zombie(pid))


def is_zombie(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.slow
@linux
def test_an_idle_worker_ends_with_its_parent():
    script = (
        "import os\n"
        "from sklearn_alchemist.programs._pool import POOL\n"
        "worker = POOL.take(None)\n"
        "print(worker.pid, flush=True)\n"
        "os._exit(0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True)
    pid = int(done.stdout)
    assert wait_until(lambda: not is_running(pid) or is_zombie(pid))


@linux
def test_a_stopped_machine_blames_no_row(make):
    """Time that the worker does not run does not count."""
    finished = threading.Event()

    def pause():
        while not finished.wait(0.1):
            for pid in busy_pids():
                os.kill(pid, signal.SIGSTOP)
                time.sleep(0.4)
                os.kill(pid, signal.SIGCONT)

    pauser = threading.Thread(target=pause)
    pauser.start()
    try:
        result = run_programs([make(SLOW)], {"text": ["a"] * 60}, CLASSES, timeout=0.2)
    finally:
        finished.set()
        pauser.join()
    assert result.failures == ({},)


@linux
def test_a_worker_has_no_open_files_but_its_pipes_and_no_environment():
    with borrowed(None) as loan:
        process = Path(f"/proc/{loan.worker.pid}")
        lines = (process / "limits").read_text().splitlines()
        limits = {line[:26].strip(): line[26:].split() for line in lines}
        assert limits["Max open files"][:2] == ["0", "0"]
        assert limits["Max file size"][:2] == ["0", "0"]
        assert limits["Max processes"][:2] == ["0", "0"]
        assert limits["Max address space"][:2] == [str(1 << 30)] * 2
        assert len(list((process / "fd").iterdir())) <= 2
        assert b"HOME=" not in (process / "environ").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("forks", [False, pytest.param(True, marks=linux)])
def test_a_lost_worker_leaves_no_file(monkeypatch, tmp_path, forks):
    monkeypatch.setattr(_worker_handle, "FORKS", forks)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    worker = Worker()
    worker.close()
    worker.close()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises((WorkerLost, ValueError)):
        worker.ask(("load", "", ""), limit=1.0)
