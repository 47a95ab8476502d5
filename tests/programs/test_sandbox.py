import errno
import os
import subprocess
import sys
import textwrap
import threading
import warnings
from pathlib import Path

import pytest

from sklearn_alchemist import ProgramSynthesisLabeler
from sklearn_alchemist.exceptions import (
    ProgramRejected,
    SandboxError,
    SandboxWarning,
)
from sklearn_alchemist.programs import _run_programs, _seccomp, run_programs
from sklearn_alchemist.programs._pool import POOL, borrowed

with borrowed(None) as loan:
    RESTRICTED = loan.worker.restricted
restricted = pytest.mark.skipif(not RESTRICTED, reason="no seccomp here")

# What native code could still ask the kernel for, were it reached.
CALLS = {
    "open": "os.open('/etc/hostname', os.O_RDONLY)",
    "stat": "os.stat('/')",
    "list": "os.listdir('/')",
    "unlink": "os.unlink('/nowhere')",
    "socket": "socket.socket()",
    "pipe": "os.pipe()",
    "fork": "os.fork()",
    "thread": "_thread.start_new_thread(print, ())",
    "exec": "os.execv('/bin/true', ['true'])",
    "kill the parent": "os.kill(os.getppid(), 0)",
    "kill": "os.kill(os.getpid(), 0)",
    "limits": "resource.setrlimit(resource.RLIMIT_CPU, (9, 9))",
    "timer": "signal.setitimer(signal.ITIMER_REAL, 9)",
    "priority": "os.nice(0)",
    "write elsewhere": "os.write(2, b'x')",
    "make code": "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)",
}


@pytest.mark.slow
@restricted
def test_the_kernel_refuses_what_programs_do_not_need():
    lines = [
        "import _thread, mmap, os, resource, signal, socket, sys",
        "from sklearn_alchemist.programs._seccomp import restrict_calls",
        "assert restrict_calls(writable=1)",
        "os.write(1, b'start\\n')",
    ]
    for name, call in CALLS.items():
        lines += [
            f"try: {call}",
            "except (OSError, RuntimeError, ValueError):",
            f" os.write(1, b'{name}: refused\\n')",
            f"else: os.write(1, b'{name}: allowed\\n')",
        ]
    lines += ["sum(range(10 ** 6)); bytes(10 ** 8)"]
    lines += ["os.write(1, b'end\\n'); os._exit(0)"]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True
    )
    said = done.stdout.splitlines()
    assert said == ["start", *[f"{name}: refused" for name in CALLS], "end"]


@restricted
def test_workers_are_restricted():
    with borrowed(None) as loan:
        status = Path(f"/proc/{loan.worker.pid}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines())
    assert fields["Seccomp"].strip() == "2"
    assert fields["NoNewPrivs"].strip() == "1"


def test_the_filter_fits_the_kernels_format():
    for architecture, calls in _seccomp._ARCHITECTURES.values():
        program = _seccomp.filter_program(architecture, calls, writable=3)
        steps = [program[k : k + 8] for k in range(0, len(program), 8)]
        assert all(len(step) == 8 for step in steps)
        assert len(steps) < 4096
        assert steps[-1] == _seccomp._step(0x06, 0x00050000 | errno.EPERM)
        assert len(set(calls.values())) == len(calls)


@pytest.fixture
def unrestricted(monkeypatch):
    """A system without seccomp."""
    monkeypatch.setattr(_run_programs, "_WARNED", set())
    take = POOL.take

    def take_unrestricted(key):
        worker = take(key)
        worker.restricted = False
        return worker

    monkeypatch.setattr(POOL, "take", take_unrestricted)
    yield
    POOL.close()


LENGTH = "def label(text): return len(text) % 2"
TEXTS = {"text": ["", "a"]}


@pytest.mark.slow
def test_where_the_kernel_cannot_refuse_one_warning_says_so(make, unrestricted):
    with pytest.warns(SandboxWarning, match="container"):
        result = run_programs([make(LENGTH)], TEXTS, [0, 1])
    assert result.votes.tolist() == [[0], [1]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run_programs([make(LENGTH)], TEXTS, [0, 1])


@pytest.mark.slow
def test_strict_refuses_to_run_there(make, unrestricted):
    with pytest.raises(SandboxError, match="cannot refuse system calls"):
        run_programs([make(LENGTH)], TEXTS, [0, 1], sandbox="strict")


@pytest.mark.slow
@restricted
def test_strict_runs_where_the_kernel_can(make):
    result = run_programs([make(LENGTH)], TEXTS, [0, 1], sandbox="strict")
    assert result.votes.tolist() == [[0], [1]]


@pytest.fixture
def in_process(monkeypatch):
    monkeypatch.setattr(_run_programs, "_WARNED", {_run_programs._UNPROTECTED})


def test_without_a_sandbox_one_warning_says_so(make, monkeypatch):
    monkeypatch.setattr(_run_programs, "_WARNED", set())
    with pytest.warns(SandboxWarning, match="you wrote yourself"):
        run_programs([make(LENGTH)], TEXTS, [0, 1], sandbox=None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run_programs([make(LENGTH)], TEXTS, [0, 1], sandbox=None)


def test_without_a_sandbox_programs_run_here_and_may_import(make, in_process):
    source = """
        import os, threading
        def label(text):
            if text == "c":
                raise ValueError
            if text == "d":
                raise MemoryError
            return [os.getpid(), threading.get_ident()][len(text)]
        """
    here = [os.getpid(), threading.get_ident()]
    columns = {"text": ["", "a", "c", "d", ""]}
    result = run_programs([make(source)], columns, here, sandbox=None)
    assert result.votes.ravel().tolist() == [0, 1, -1, -1, 0]
    assert result.failures == ({"error": 1, "memory": 1},)
    assert result.first_errors == ("ValueError in line 5",)


def test_without_a_sandbox_hints_are_not_evaluated(make, in_process):
    source = "SIZE: Missing = 3\ndef label(text: pd.Series) -> Missing: return SIZE"
    result = run_programs([make(source)], TEXTS, [1, 3], sandbox=None)
    assert (result.votes == 1).all()


def test_without_a_sandbox_interrupts_pass(make, in_process):
    program = make("def label(text): raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        run_programs([program], TEXTS, [0, 1], sandbox=None)
    with pytest.raises(ProgramRejected, match="ZeroDivisionError in line 1"):
        run_programs([make("1 / 0\ndef label(t): ...")], TEXTS, [0], sandbox=None)


def test_an_unknown_sandbox_is_refused(make):
    with pytest.raises(ValueError, match="sandbox must be"):
        run_programs([make(LENGTH)], TEXTS, [0, 1], sandbox="docker")


def test_the_labeler_takes_a_sandbox(in_process):
    source = "import platform\ndef label(text): return bool(platform.node)"
    from sklearn_alchemist.programs import LabelingProgram

    programs = [LabelingProgram("p", textwrap.dedent(source))]
    labeler = ProgramSynthesisLabeler(programs=programs, classes=[False, True])
    with pytest.raises(ProgramRejected, match="platform"):
        labeler.fit(["a"])
    votes = labeler.set_params(sandbox=None).fit_transform(["a"])
    assert votes.tolist() == [[1]]
