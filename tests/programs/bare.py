"""Run attacks as everybody does, with plain `exec`, each in a process of its own.

Reads {name: source} as JSON, writes {name: what happened}. Started by
test_attack_corpus.py in a folder that may be spoilt.
"""

import contextlib
import json
import os
import resource
import signal
import sys
import time

VICTIM = r"""
import re
import math
from collections import Counter
from datetime import datetime
from urllib.parse import quote
def label(text):
    assert Counter(text).most_common(1) and math.sqrt(4) == 2
    assert re.compile("shout", re.I).search("SHOUT")
    assert re.sub("(a+)", r"<\1>", "aaa") == "<aaa>"
    assert datetime.strptime("1 2020", "%d %Y").day == 1 and quote("a b") == "a%20b"
    assert len(text) and isinstance(text, str)
    return "ham" if re.search(r"[a-z]+", text) else None
"""
OUTCOMES = {0: "nothing", 10: "spam", 11: "poisoned", 12: "memory", 13: "raised"}
# The route goes through something that this version of Python does not have.
OUTCOMES[16] = "absent"


def run(source):
    """Run an attack and then an honest program; the exit status tells what happened."""
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
    signal.setitimer(signal.ITIMER_PROF, 0.15)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    status = 13
    try:
        namespace = {"__name__": "program"}
        exec(source, namespace)
        status = 10 if namespace["label"]("one") == "spam" else 0
    except MemoryError:
        os._exit(12)
    except (AttributeError, ImportError):
        status = 16
    except Exception:
        status = 13
    try:
        namespace = {}
        exec(VICTIM, namespace)
        if namespace["label"]("one") != "ham":
            status = 11
    except Exception:
        status = 11
    os._exit(status)


def main():
    happened = {}
    for name, source in json.load(sys.stdin).items():
        pid = os.fork()
        if pid == 0:
            try:
                run(source)
            except SystemExit:
                os._exit(14)
            except BaseException:
                os._exit(15)
        end = time.monotonic() + 5
        status = None
        while status is None and time.monotonic() < end:
            done, code = os.waitpid(pid, os.WNOHANG)
            status = code if done else time.sleep(0.002)
        if status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            happened[name] = "hung"
        else:
            code = os.waitstatus_to_exitcode(status)
            happened[name] = OUTCOMES.get(code, "ended")
    json.dump(happened, sys.stdout)


if __name__ == "__main__":
    main()
