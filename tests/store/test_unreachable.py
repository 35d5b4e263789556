"""A shared store that cannot be used: one line with what to do, and 75 where the same command may do later, else 2."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import fsspec
import pytest
from typer.testing import CliRunner

from uxla.cli.app import AGAIN, USER_FAULT, app
from uxla.errors import ArtifactError, UnreachableError
from uxla.store import remote
from uxla.store.opening import open_store

ANSWERS = {
    "expired": (400, "ExpiredToken", "The provided token has expired.", AGAIN, "renew the credentials"),
    "denied": (403, "AccessDenied", "Access Denied", USER_FAULT, "get the permission to list, read and write there"),
    "unknown": (403, "InvalidAccessKeyId", "The key does not exist.", USER_FAULT, "get the permission to list"),
    "gone": (404, "NoSuchBucket", "The bucket does not exist", USER_FAULT, "make it, or set UXLA_STORE to another"),
    "busy": (500, "InternalError", "We encountered an error.", AGAIN, "see whether the network and the server work"),
}
"""What a server of S3 says: its status, its code and its text; how the command ends, and what to do."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(remote, "WAITS", (0.01, 0.02))
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    clear = fsspec.get_filesystem_class("s3").clear_instance_cache
    clear()
    remote.is_conditional.cache_clear()
    yield
    clear()


@pytest.fixture
def at(bench, monkeypatch):
    """Has this process find a server of S3 at an address."""

    def take(address, url="s3://bucket/store"):
        for name, value in {**bench("servers").environment(address), "UXLA_STORE": url}.items():
            monkeypatch.setenv(name, value)

    return take


@pytest.fixture
def answering():
    """Begins a server that gives each request the same answer; the value is its address."""
    servers = []

    def begin(status, code, text):
        content = f"<Error><Code>{code}</Code><Message>{text}</Message></Error>".encode()

        class Answer(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"  # else it does not say that it waits for the content

            def do_GET(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_PUT = do_DELETE = do_GET  # noqa: N815

            def log_message(self, *told):
                pass

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Answer))
        threading.Thread(target=servers[0].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[0].server_port}"

    yield begin
    for server in servers:
        server.shutdown()
        server.server_close()


def ended(*arguments):
    """How a command ends, and the line that it says."""
    done = CliRunner().invoke(app, list(arguments))
    [*_, line] = done.stderr.splitlines()
    assert line.startswith("uxla: error: UXLA_STORE: s3://")
    assert line.endswith(", and run again: finished work is kept")
    return done.exit_code, line


@pytest.mark.parametrize("answer", ANSWERS)
def test_what_a_server_says_decides_how_a_command_ends(answer, answering, at):
    status, code, text, ends, remedy = ANSWERS[answer]
    at(answering(status, code, text))
    exit_code, line = ended("cache", "ls")
    assert (exit_code, f"cannot be used ({text}); {remedy}" in line) == (ends, True), line
    with pytest.raises(UnreachableError if ends == AGAIN else ArtifactError):
        open_store()


def test_a_server_that_was_stopped_is_worth_another_attempt(bench, at):
    with bench("servers").s3() as address:
        at(address)
        remote.opened("s3://any")[0].mkdir("bucket")
        assert CliRunner().invoke(app, ["cache", "ls"]).exit_code == 0
    exit_code, line = ended("cache", "ls")
    assert exit_code == AGAIN
    assert "; see whether the network and the server work, and run again" in line


@pytest.mark.parametrize("command", ["ls", "verify --shared", "gc --shared --older-than 30d"])
def test_whoever_waits_for_a_shared_store_is_told_so(command, answering, at):
    status, code, text, *_ = ANSWERS["busy"]
    at(answering(status, code, text))
    done = CliRunner().invoke(app, ["cache", *command.split()])
    first, *_, last = done.stderr.splitlines()
    assert "cannot be reached" in first
    assert "trying again for two minutes" in done.stderr
    assert last.startswith("uxla: error: ")


@pytest.mark.parametrize("url", ["s3://nowhere/store", "s3://No_Bucket!/store"])
def test_a_bucket_that_is_not_there_or_cannot_be_needs_another_address(url, bench, at):
    with bench("servers").s3() as address:
        at(address, url)
        for command in (["ls"], ["verify", "--shared"], ["gc", "--shared", "--older-than", "1d"]):
            exit_code, line = ended("cache", *command)
            assert (exit_code, "set UXLA_STORE to" in line) == (USER_FAULT, True), line
