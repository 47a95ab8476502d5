"""Ask about rows over HTTP while calls fail and the process is killed.

    python benchmarks/zero_shot_faults.py --rows 2000

A server on loopback fails a tenth of the calls. The first run is killed (SIGKILL) when
half of the rows are answered, the second one finishes. Printed is how many rows are
answered rightly, and how many answers were given twice.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from chat_server import ChatServer, Reply

RUN = """
import json, sys, time
from sklearn_alchemist import LLM, ZeroShotAnnotator
from sklearn_alchemist.exceptions import LLMError

api_base, store = sys.argv[1:3]
n_rows, n_concurrent = map(int, sys.argv[3:])
llm = LLM("openai/test", api_base=api_base, store=store, n_concurrent=n_concurrent)
texts = [f"{word} {i}" for i in range(n_rows // 2) for word in ("http", "song")]
annotator = ZeroShotAnnotator(llm, task="Spam?", classes=["ham", "spam"]).fit(texts)
while True:
    try:
        said = annotator.annotate(texts)
        break
    except LLMError as error:  # five attempts in a row failed: go on from there
        print("again:", error, file=sys.stderr)
right = int((said.label == ["spam", "ham"] * (n_rows // 2)).sum())
counts = {"right": right, "flagged": int(said.flag.sum())}
counts |= {"paid": said.usage.paid.calls, "stored": said.usage.cached.calls}
print(json.dumps(counts))
"""


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--concurrent", type=int, default=8)
    parser.add_argument("--faults", type=float, default=0.1)
    options = parser.parse_args(arguments)
    chance, lock, half = random.Random(0), threading.Lock(), threading.Event()
    given, n_faults = Counter(), 0

    def answer(request):
        nonlocal n_faults
        asked = request["messages"][-1]["content"]
        with lock:
            if chance.random() < options.faults:
                n_faults += 1
                return Reply("busy", chance.choice([408, 429, 500, 502, 503]))
            given[asked] += 1
            if given.total() >= options.rows // 2:
                half.set()
        label = "spam" if "http" in asked else "ham"
        return Reply(json.dumps({"label": label}), seconds=0.01)

    with ChatServer(answer) as server, tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-c",
            RUN,
            server.api_base,
            f"{folder}/answers.sqlite",
        ]
        command += [str(options.rows), str(options.concurrent)]
        start = time.perf_counter()
        first = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        half.wait()
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        second = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        seconds = time.perf_counter() - start
    counts = json.loads(second.stdout)
    counts |= {
        "rows": options.rows,
        "requests": len(server.requests),
        "faults": n_faults,
        "answered twice": sum(n > 1 for n in given.values()),
        "in flight at the kill, at most": options.concurrent,
        "seconds": round(seconds, 1),
    }
    print(json.dumps(counts, indent=1))
    return counts


if __name__ == "__main__":
    main()
