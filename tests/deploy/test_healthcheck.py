"""The image's health check tells a web process that lives from one that does not."""

from __future__ import annotations

import ssl
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from deploy.services.certificates import make_certificates
from deploy.services.processes import free_port

SCRIPT = Path(__file__).resolve().parents[2] / "deploy/image/healthcheck.py"


@contextmanager
def answering(status, context=None):
    """A server that gives every request this status; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status if self.path == "/healthz/live" else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def verdict(port, **environment):
    told = {"PORT": str(port), **environment}
    return subprocess.run([sys.executable, SCRIPT], env=told, capture_output=True).returncode


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (301, 1)])
def test_only_an_answer_of_200_is_life(status, code):
    with answering(status) as port:
        assert verdict(port) == code


def test_nobody_there_is_no_life_and_no_traceback():
    port = free_port()
    ran = subprocess.run(
        [sys.executable, SCRIPT], env={"PORT": str(port)}, capture_output=True, text=True
    )
    assert (ran.returncode, ran.stderr) == (1, "")


@pytest.mark.parametrize("setting", ["TLS_CERT", "TLS_CERT_FILE"])
def test_a_server_that_speaks_https_itself_is_asked_over_https(tmp_path, setting):
    make_certificates(tmp_path, "chat.example.org")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    with answering(200, context) as port:
        assert verdict(port, **{setting: "given"}) == 0
        assert verdict(port) == 1
