"""A bridge to nothing, for the tests of the loop: what it does is said by its settings and the language."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Optional

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from earmark_bridge import BridgeError, Engine, Facts, Listener, LoadRequest, Setting, Transcription, main  # noqa: E402
from bridge_settings import LANGUAGE, beam_size, compute_type  # noqa: E402

_NUMBER = {"number": {"minimum": 0.0, "maximum": 1.0}}


class FakeBridge(Engine):
    """The engine."""

    facts = Facts(
        id="fake-bridge",
        description="Nothing.",
        group=None,
        package=None,
        artifacts={"f16": "fake-artifact", "q8_0": "fake-artifact"},
        settings=(
            LANGUAGE,
            beam_size(5),
            compute_type(["float32", "int8"], "float32"),
            Setting("patience", _NUMBER, "decode", "A number."),
            Setting("loud", "boolean", "decode", "Print much.", False),
        ),
    )

    def start(self) -> None:
        if os.environ.get("FAKE_START") == "fail":
            raise ImportError("No module named 'fake'")
        print("importing", "x" * 200_000)

    def version(self) -> str:
        return "1.2.3"

    def probe(self) -> Optional[str]:
        return os.environ.get("FAKE_PROBE")

    def load(self, request: LoadRequest) -> dict[str, Any]:
        self._settings = request.settings
        if request.model == "broken":
            raise ValueError("not a model")
        # As an engine does that cannot calculate in what it was told.
        return {"compute-type": "int8", "nothing": None}

    def transcribe(self, audio: Any, language: Optional[str], listener: Listener) -> Transcription:
        if self._settings["loud"]:
            print('{"reply":"done"}')
            os.write(1, b"from native code\n")
            subprocess.run(["echo", "from a program"], check=True)
        action = getattr(self, f"_{language}", None)
        if action is not None:
            return action(listener)
        middle = len(audio) / 16_000 / 2
        listener.heard(0.0, middle, " ")
        time.sleep(0.02)
        listener.heard(middle, 2 * middle, f"sum {sum(audio):.3f}")
        time.sleep(0.02)
        return Transcription(f" sum {sum(audio):.3f}", tokens=3)

    def _fails(self, _listener: Listener) -> Transcription:
        raise RuntimeError("out of luck")

    def _refuses(self, _listener: Listener) -> Transcription:
        raise BridgeError("audio", "nothing is said in it")

    def _surrogate(self, listener: Listener) -> Transcription:
        listener.note(float("nan"), float("inf"), "half \ud83d")
        return Transcription("half \ud83d")

    def _exits(self, _listener: Listener) -> Transcription:
        sys.exit("the engine had enough")

    def _threads(self, listener: Listener) -> Transcription:
        def tell(number: int) -> None:
            for _ in range(50):
                listener.heard(0.0, 1.0, f"{number}" * 2000)

        workers = [threading.Thread(target=tell, args=(number,)) for number in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return Transcription("told")

    def _environment(self, _listener: Listener) -> Transcription:
        names = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "OPENBLAS_NUM_THREADS", "EARMARK_PROTOCOL_FD")
        return Transcription(" ".join(os.environ.get(name, "-") for name in names))

    def _works(self, _listener: Listener) -> Transcription:
        # In a program of its own, whose time is this engine's too.
        subprocess.run([sys.executable, "-c", "sum(range(3_000_000))"], check=True)
        return Transcription("worked")

    def _leaks(self, _listener: Listener) -> Transcription:
        found = subprocess.run(
            [sys.executable, "-c", "import os; print(len(os.listdir('/proc/self/fd')))"],
            close_fds=False,
            stdout=subprocess.PIPE,
            check=True,
        )
        return Transcription(found.stdout.decode().strip())


if __name__ == "__main__":
    main(FakeBridge())
