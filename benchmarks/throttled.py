"""How long questions take where a server limits them.

Servers on loopback answer in .3 s and allow some calls in a fixed window of time; the
first that come get an answer, the others status 429 with the seconds until the next
window, or without a hint. The ideal is calls / rate. A fit that a limit ends fails.

    python benchmarks/throttled.py                  all
    python benchmarks/throttled.py --rate 6000      one of them
"""

import argparse
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sklearn_alchemist import LLM
from sklearn_alchemist.llm import Question, ask, count_tokens, set_on_event_hooks

# Calls a window, seconds of a window, calls asked.
CASES = [(60, 60.0, 120), (6_000, 60.0, 2_000), (100, 1.0, 2_000)]
SECONDS = 0.3


class Limited(ThreadingHTTPServer):
    """Answer so many calls in each window of time, and refuse the others."""

    request_queue_size = 256
    daemon_threads = True

    def __init__(self, n_calls: int, window: float, *, hint: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.n_calls, self.window, self.hint = n_calls, window, hint
        self.began = self.current = -1.0
        self.used = self.n_refused = 0
        self.lock = threading.Lock()

    def admit(self) -> float | None:
        """Count a call; the seconds until the next window where it is one too many."""
        with self.lock:
            now = time.monotonic()
            if self.began < 0:
                self.began = now
            place = (now - self.began) // self.window
            if place != self.current:
                self.current, self.used = place, 0
            self.used += 1
            if self.used <= self.n_calls:
                return None
            self.n_refused += 1
            return self.began + (place + 1) * self.window - now


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Limited

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        wait = self.server.admit()
        if wait is None:
            time.sleep(SECONDS)
            message = {"role": "assistant", "content": "hello"}
            body = {
                "id": "x",
                "object": "chat.completion",
                "created": 0,
                "model": "m",
                "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                "usage": {"prompt_tokens": 9, "completion_tokens": 1},
            }
            self._send(200, body)
        else:
            self._send(429, {"error": {"message": "too many requests"}}, wait)

    def _send(self, status: int, body: dict, wait: float | None = None) -> None:
        payload = json.dumps(body).encode()
        self.send_response(status)
        if wait is not None and self.server.hint:
            self.send_header("retry-after-ms", str(int(wait * 1000) + 1))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: object) -> None:
        pass


def serve(n_calls: int, window: float, *, hint: bool) -> None:
    """Serve until the standard input ends, then tell how many calls were refused."""
    server = Limited(n_calls, window, hint=hint)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}/v1", flush=True)
    sys.stdin.read()
    print(server.n_refused, flush=True)


def measure(n_calls: int, window: float, n_asked: int, *, hint: bool) -> str:
    """Ask, and say how much longer than the ideal that took."""
    arguments = [str(n_calls), str(window), str(int(hint))]
    command = [sys.executable, __file__, "--serve", *arguments]
    # A process of its own: a server would share the interpreter with who asks.
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        base = server.stdout.readline().strip()
        llm = LLM("openai/m", api_base=base, store=False)
        questions = [
            Question(({"role": "user", "content": "hello?"},), sample=i)
            for i in range(n_asked)
        ]
        counts: Counter[str] = Counter()
        set_on_event_hooks([lambda event: counts.update([event.kind])])
        start, cpu = time.monotonic(), time.process_time()
        answers = ask(llm, questions)
        took, cpu = time.monotonic() - start, time.process_time() - cpu
        assert all(answers.completions)
        server.stdin.close()
        n_refused = int(server.stdout.read())
    ideal = n_asked * window / n_calls
    return (
        f"{n_calls / window * 60:6.0f} calls/min, windows of {window:2.0f} s, "
        f"hint {'yes' if hint else ' no'}, {n_asked:5d} calls: ideal {ideal:5.1f} s, "
        f"took {took:6.1f} s = {took / ideal:.2f} times; {n_refused:4d} refused, "
        f"{counts['retried']} repeated for else; "
        f"{1000 * cpu / n_asked:.1f} ms CPU a call"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", nargs=3, type=float, help=argparse.SUPPRESS)
    parser.add_argument("--rate", type=int, help="calls a minute, of one case only")
    options = parser.parse_args()
    if options.serve:
        n_calls, window, hint = options.serve
        serve(int(n_calls), window, hint=bool(hint))
        return
    # What imports litellm is no part of what is measured.
    count_tokens([{"role": "user", "content": "hello?"}], "openai/m")
    for n_calls, window, n_asked in CASES:
        if options.rate in {None, round(n_calls / window * 60)}:
            for hint in (True, False):
                print(measure(n_calls, window, n_asked, hint=hint), flush=True)


if __name__ == "__main__":
    main()
