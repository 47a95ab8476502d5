"""Serve chat completions on loopback, over real HTTP, as a test scripts them."""

import contextlib
import json
import struct
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SO_LINGER, SOL_SOCKET


@dataclass
class Reply:
    """What the server says to one request."""

    text: str = "hello"
    status: int = 200
    headers: dict = field(default_factory=dict)
    seconds: float = 0.0
    body: bytes | None = None
    finish_reason: str = "stop"
    reset: bool = False
    usage: dict | None = field(
        default_factory=lambda: {
            "prompt_tokens": 100,
            "completion_tokens": 50,
            "total_tokens": 150,
        }
    )
    pause: float = 0.0  # between the bytes of the body

    def payload(self, model):
        if self.body is not None:
            return self.body
        if self.status != 200:
            return json.dumps({"error": {"message": self.text}}).encode()
        message = {"role": "assistant", "content": self.text}
        choice = {"index": 0, "finish_reason": self.finish_reason, "message": message}
        return json.dumps(
            {
                "id": "x",
                "object": "chat.completion",
                "created": 0,
                "model": model,
                "choices": [choice],
                "usage": self.usage,
            }
        ).encode()


class _Server(ThreadingHTTPServer):
    # A busy machine may take a while to accept what 20 threads ask at once.
    request_queue_size = 128


class ChatServer:
    """An OpenAI-compatible server.

    `answer` maps a request (dict) to a `Reply` or a str; `script` holds replies that
    are given first, one a request. `requests` keeps what was asked.
    """

    def __init__(self, answer=lambda request: Reply()):
        self.answer = answer
        self.script = []
        self.requests = []
        self.authorizations = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )

    @property
    def api_base(self):
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def _reply(self, request, authorization):
        with self._lock:
            self.requests.append(request)
            self.authorizations.append(authorization)
            reply = self.script.pop(0) if self.script else self.answer(request)
        return Reply(reply) if isinstance(reply, str) else reply

    def _handler(server):  # noqa: N805 -- `self` is the handler inside
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                size = int(self.headers["Content-Length"])
                request = json.loads(self.rfile.read(size))
                reply = server._reply(request, self.headers.get("Authorization"))
                time.sleep(reply.seconds)
                if reply.reset:  # no farewell: the client sees "connection reset"
                    linger = struct.pack("ii", 1, 0)
                    self.connection.setsockopt(SOL_SOCKET, SO_LINGER, linger)
                    self.connection.close()
                    return
                payload = reply.payload(request["model"])
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                if not reply.pause:
                    self.wfile.write(payload)
                    return
                with contextlib.suppress(ConnectionError):  # the client had enough
                    for byte in payload:
                        self.wfile.write(bytes([byte]))
                        time.sleep(reply.pause)

            def log_message(self, *_):
                pass

        return Handler
