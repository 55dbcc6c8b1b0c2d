# /// script
# requires-python = ">=3.9"
# dependencies = []
# ///
"""Bridge to any server with OpenAI's ``/v1/audio/transcriptions``: whisper.cpp's, speaches, vLLM, services.

What is timed is the whole exchange: sending the recording, the server's queue, its work, and the answer. The key is
named by the setting ``key-variable`` and read from that environment variable; it is sent and never written anywhere.
"""

from __future__ import annotations

import http.client
import json
import os
import uuid
from pathlib import Path
from typing import Any, Optional
from urllib.parse import urlsplit

from earmark_bridge import BridgeError, Engine, Facts, Listener, LoadRequest, Setting, Transcription, main
from bridge_settings import DECODE, LANGUAGE, LOAD, MEASUREMENT

_PATH = "/v1/audio/transcriptions"
_CONNECT_SECONDS = 10.0
_SHOWN_CHARACTERS = 300


class OpenaiHttp(Engine):
    """The engine."""

    facts = Facts(
        id="openai-http",
        description="A server that answers OpenAI's /v1/audio/transcriptions.",
        group=None,
        package=None,
        audio="file",
        settings=(
            LANGUAGE,
            Setting("url", "text", LOAD, f"Where the server is, such as `http://127.0.0.1:8080{_PATH}`."),
            Setting("api-model", "text", LOAD, "The model's name for the server; default: the matrix's own."),
            Setting("key-variable", "text", LOAD, "The environment variable that holds the key, if there is one."),
            Setting(
                "response-format",
                {"choice": ["verbose_json", "json"]},
                DECODE,
                "What the server is asked for; `verbose_json` has segments, and not every server knows it.",
                "json",
            ),
            Setting(
                "cost-per-minute",
                {"number": {"minimum": 0.0, "maximum": 1000.0}},
                MEASUREMENT,
                "What a minute of audio costs, in US dollars; only carried into the row.",
            ),
        ),
        network=True,
        any_model=True,
    )
    device = "remote"

    def load(self, request: LoadRequest) -> dict[str, Any]:
        settings = request.settings
        self._key = self._read_key(settings.get("key-variable"))
        self._model = settings.get("api-model") or request.model
        self._format = settings["response-format"]
        self._connection, self._target = _open(settings.get("url"))
        # The row must not count the connection, and a server that is not there is told now.
        try:
            self._connection.connect()
        except OSError as error:
            raise BridgeError("engine", f"{settings['url']} cannot be reached: {error}") from error
        # Its work takes as long as the runner's limit lets it.
        self._connection.sock.settimeout(None)
        self._connection.timeout = None
        return {"api-model": self._model}

    def transcribe(self, audio: str, language: Optional[str], listener: Listener) -> Transcription:
        fields = {"model": self._model, "response_format": self._format, "temperature": "0"}
        if language:
            fields["language"] = language
        body, content_type = _form(fields, Path(audio))
        headers = {"Content-Type": content_type, "Accept": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        status, answer = self._exchange(body, headers)
        if status != 200:
            kind = "model" if status == 404 else "engine"
            raise BridgeError(kind, f"the server answered {status}: {self._shown(answer)}")
        try:
            result = json.loads(answer)
        except ValueError:
            result = None
        text = result.get("text") if isinstance(result, dict) else None
        if not isinstance(text, str):
            raise BridgeError("engine", f"the server's answer has no text: {self._shown(answer)}")
        for segment in result.get("segments") or []:
            listener.note(segment.get("start", 0.0), segment.get("end", 0.0), str(segment.get("text", "")))
        return Transcription(text)

    def _exchange(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """Sends a request and returns the answer's status and body. Nothing is sent twice: it would be timed twice."""
        try:
            self._connection.request("POST", self._target, body=body, headers=headers)
            response = self._connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            reason = str(error) or type(error).__name__
            raise BridgeError("engine", f"the connection to the server broke: {reason}") from error

    def _read_key(self, variable: Optional[str]) -> Optional[str]:
        if not variable:
            return None
        key = os.environ.get(variable)
        if not key:
            raise BridgeError("setting", f"`key-variable` names {variable}, and it is not set")
        if not key.isprintable() or not key.isascii():
            raise BridgeError("setting", f"what {variable} holds cannot be sent in a header")
        return key

    def _shown(self, answer: bytes) -> str:
        """Returns the start of an answer, without the key if the server repeats it."""
        text = answer.decode("utf-8", "replace")
        if self._key:
            text = text.replace(self._key, "***")
        return " ".join(text.split())[:_SHOWN_CHARACTERS] or "nothing"


def _open(url: Optional[str]) -> tuple[http.client.HTTPConnection, str]:
    """Returns an unopened connection to a server, and the path there."""
    if not url:
        raise BridgeError("setting", f"`url` says where the server is, such as `http://127.0.0.1:8080{_PATH}`")
    parts = urlsplit(url)
    kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
    if parts.scheme not in kinds or not parts.hostname:
        raise BridgeError("setting", "`url` must begin with http:// or https:// and name a host")
    if parts.username or parts.password:
        raise BridgeError("setting", "`url` must hold no key: name its variable in `key-variable`")
    try:
        port = parts.port
    except ValueError as error:
        raise BridgeError("setting", f"`url`: {error}") from error
    target = (parts.path or _PATH) + (f"?{parts.query}" if parts.query else "")
    return kinds[parts.scheme](parts.hostname, port, timeout=_CONNECT_SECONDS), target


def _form(fields: dict[str, str], recording: Path) -> tuple[bytes, str]:
    """Returns a form with a file (RFC 7578) and its content type. Raises BridgeError."""
    try:
        wav = recording.read_bytes()
    except OSError as error:
        raise BridgeError("audio", f"{recording} cannot be read: {error.strerror}") from error
    # What is no recording is not sent: each server would say so in words of its own.
    if wav[:4] != b"RIFF" or wav[8:12] != b"WAVE":
        raise BridgeError("audio", f"{recording} is no WAV file")
    boundary = uuid.uuid4().hex
    parts = []
    for name, value in fields.items():
        parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    # The recording's own name may hold anything, and no server needs it.
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="audio.wav"\r\n'
    parts.append(f"{head}Content-Type: audio/wav\r\n\r\n".encode() + wav + b"\r\n")
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"


if __name__ == "__main__":
    main(OpenaiHttp())
