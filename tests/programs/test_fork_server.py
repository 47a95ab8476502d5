"""Workers are forked by a process that runs no program and can be replaced."""

import os
import signal
import sys
import time

import pytest

from sklearn_alchemist.programs import close_workers, run_programs
from sklearn_alchemist.programs._pool import MAX_IDLE, POOL, borrowed
from sklearn_alchemist.programs._processes import FORK_SERVER

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks workers")

COLUMNS = {"text": ["a", "bb", "ccc"]}
LENGTH = "def label(text): return len(text) % 2"


def votes_of(*programs):
    return run_programs(programs, COLUMNS, [0, 1]).votes.T.tolist()


def wait_for_end_of(workers):
    end = time.monotonic() + 5
    while any(worker.alive for worker in workers) and time.monotonic() < end:
        time.sleep(0.01)
    assert not any(worker.alive for worker in workers)


@pytest.mark.slow
def test_each_program_has_a_process_of_its_own(make):
    close_workers()
    programs = [make(f"{LENGTH}  # {k}") for k in range(3)]
    assert votes_of(*programs, programs[0]) == [[1, 0, 1]] * 4
    assert len({worker.pid for worker in POOL._idle}) == 3


@pytest.mark.slow
def test_the_workers_that_waited_longest_end_first(make):
    close_workers()
    programs = [make(f"{LENGTH}  # {k}") for k in range(MAX_IDLE + 3)]
    assert votes_of(*programs) == [[1, 0, 1]] * len(programs)
    assert len(POOL._idle) == MAX_IDLE
    waiting = {worker.key[0] for worker in POOL._idle}
    assert programs[-1].source in waiting
    assert len(waiting) == MAX_IDLE


@pytest.mark.slow
def test_workers_end_with_their_server_and_both_are_replaced(make):
    assert votes_of(make(LENGTH)) == [[1, 0, 1]]
    workers = list(POOL._idle)
    os.kill(FORK_SERVER._process.pid, signal.SIGKILL)
    wait_for_end_of(workers)
    assert votes_of(make(LENGTH)) == [[1, 0, 1]]


def test_a_worker_that_is_gone_leaves_no_process_and_no_descriptor(make):
    votes_of(make(LENGTH))
    before = sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _ in range(3):
        with borrowed(None) as loan:
            loan.replace()
            pid = loan.worker.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert sorted(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
    close_workers()
    assert FORK_SERVER._process is None
