"""Tests of the bridge to OpenAI's endpoint, against a server on the loopback. Standard library only.

Run: python3 -m unittest discover bridges/tests
"""

from __future__ import annotations

import email.parser
import email.policy
import json
import socket
import sys
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Optional

sys.path.insert(0, str(Path(__file__).resolve().parent))

from driver import Bridge, bridge_command  # noqa: E402

KEY = "sk-a-key-that-nobody-must-see"


class Handler(BaseHTTPRequestHandler):
    """Answers every recording with what the server was told to answer, and keeps what it was sent."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server = self.server
        server.requests.append((self.path, dict(self.headers), form(self.headers["Content-Type"], body)))
        if server.answer is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        status, answer = server.answer
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


def form(content_type: str, body: bytes) -> dict[str, bytes]:
    """Returns the fields of a form, read by another implementation than the one that wrote it."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    return {
        part.get_param("name", header="content-disposition"): part.get_payload(decode=True).rstrip(b"\r\n")
        for part in message.iter_parts()
    }


class OpenaiHttp(unittest.TestCase):
    """What is sent, what is made of answers, and what never leaves the process."""

    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.audio = Path(temporary.name) / 'a "clip".wav'
        self.audio.write_bytes(b"RIFF\x00\xff\r\nWAVE--data")
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.requests = []
        self.server.answer = (200, json.dumps({"text": "Ask not."}).encode())
        thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/audio/transcriptions"

    def start(self, environment: Optional[dict] = None) -> Bridge:
        """Returns a bridge that has said hello."""
        bridge = Bridge(bridge_command("openai_http.py"), environment)
        self.addCleanup(bridge.__exit__)
        hello = bridge.read()
        self.assertEqual((hello["reply"], hello["artifacts"], hello["device"]), ("hello", [], "remote"), hello)
        return bridge

    def load(self, bridge: Bridge, **settings: Any) -> dict:
        """Has a bridge load and returns its answer."""
        given = {"url": self.url, "threads": 2, **{name.replace("_", "-"): value for name, value in settings.items()}}
        return bridge.ask("load", directory=None, files=[], model="whisper-1", settings=given)

    def transcribe(self, bridge: Bridge, language: Optional[str] = "en") -> dict:
        """Has a bridge transcribe the recording and returns its answer."""
        return bridge.ask("transcribe", trial=0, samples="-", file=str(self.audio), language=language)

    def refused(self, reply: dict, kind: str, *words: str) -> None:
        """Asserts that a reply is an error of a kind whose message has some words."""
        self.assertEqual((reply["reply"], reply.get("kind")), ("error", kind), reply)
        for word in words:
            self.assertIn(word, reply["message"])

    def test_a_recording_is_sent_and_its_text_comes_back(self) -> None:
        bridge = self.start()
        loaded = self.load(bridge, cost_per_minute=0.006)
        expected = {"url": self.url, "api-model": "whisper-1", "response-format": "json", "cost-per-minute": 0.006}
        self.assertEqual(loaded["settings"], expected)
        for _ in range(2):
            done = self.transcribe(bridge)
            self.assertEqual((done["text"], done["language"], done["segments"]), ("Ask not.", "en", []))
            # Whose CPU it was cannot be known.
            self.assertIsNone(done["cpu-seconds"])
        path, headers, fields = self.server.requests[0]
        self.assertEqual(path, "/v1/audio/transcriptions")
        self.assertNotIn("Authorization", headers)
        self.assertEqual(fields.pop("file"), self.audio.read_bytes())
        self.assertEqual(
            fields, {"model": b"whisper-1", "response_format": b"json", "temperature": b"0", "language": b"en"}
        )
        self.assertEqual(bridge.end(), 0)

    def test_segments_come_with_verbose_json(self) -> None:
        answer = {"text": "Ask not.", "segments": [{"id": 0, "start": 0.5, "end": 1.5, "text": "Ask not."}]}
        self.server.answer = (200, json.dumps(answer).encode())
        bridge = self.start()
        self.load(bridge, response_format="verbose_json", api_model="other")
        done = self.transcribe(bridge, None)
        self.assertEqual(done["segments"], [{"start-seconds": 0.5, "end-seconds": 1.5, "text": "Ask not."}])
        fields = self.server.requests[0][2]
        self.assertEqual((fields["model"], fields["response_format"]), (b"other", b"verbose_json"))
        self.assertNotIn("language", fields)

    def test_the_key_is_sent_and_is_nowhere_else(self) -> None:
        bridge = self.start({"MY_KEY": KEY})
        loaded = self.load(bridge, key_variable="MY_KEY")
        self.assertEqual(loaded["settings"]["key-variable"], "MY_KEY")
        # A server that repeats the key in its refusal.
        self.server.answer = (401, f'{{"error": "Incorrect key provided: {KEY}"}}'.encode())
        refusal = self.transcribe(bridge)
        self.refused(refusal, "engine", "the server answered 401", "Incorrect key provided: ***")
        self.assertEqual(self.server.requests[0][1]["Authorization"], f"Bearer {KEY}")
        self.assertEqual(bridge.end(), 0)
        for told in (json.dumps([loaded, refusal]), bridge.stderr(), bridge.stdout()):
            self.assertNotIn(KEY, told)

    def test_settings_that_lead_nowhere_are_told(self) -> None:
        bridge = self.start({"EMPTY": "", "ODD": "a\nb"})
        self.refused(self.load(bridge, url=""), "setting", "`url` says where the server is")
        self.refused(self.load(bridge, url="ftp://127.0.0.1/"), "setting", "http:// or https://")
        self.refused(self.load(bridge, url="http://127.0.0.1:x/"), "setting", "`url`")
        self.refused(self.load(bridge, url=f"http://me:{KEY}@127.0.0.1/"), "setting", "must hold no key")
        self.refused(self.load(bridge, key_variable="EMPTY"), "setting", "EMPTY, and it is not set")
        self.refused(self.load(bridge, key_variable="ODD"), "setting", "cannot be sent")

    def test_a_server_that_is_not_there_is_told_when_it_is_loaded(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            # Bound and not listening: nobody else can take the port, and nobody answers.
            url = f"http://127.0.0.1:{free.getsockname()[1]}/"
            self.refused(self.load(self.start(), url=url), "engine", "cannot be reached")

    def test_answers_that_are_none_are_told(self) -> None:
        bridge = self.start()
        self.load(bridge)
        for answer, kind, words in [
            ((200, b"<html>"), "engine", "no text: <html>"),
            ((200, b"[]"), "engine", "no text: []"),
            ((200, b'{"error": "busy"}'), "engine", "no text"),
            ((404, b'{"error": "no such model"}'), "model", "404: "),
            ((500, b""), "engine", "500: nothing"),
            ((302, b""), "engine", "302"),
            (None, "engine", "the connection to the server broke"),
        ]:
            self.server.answer = answer
            self.refused(self.transcribe(bridge), kind, words)
        # Nothing was sent twice, and the next recording goes over a new connection.
        self.assertEqual(len(self.server.requests), 7)
        self.server.answer = (200, b'{"text": "again"}')
        self.assertEqual(self.transcribe(bridge)["text"], "again")


if __name__ == "__main__":
    unittest.main()
