# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "parakeet-mlx==0.7.0",
#     "mlx[cpu]==0.32.4; sys_platform == 'linux'",
#     "mlx==0.32.4; sys_platform == 'darwin'",
# ]
# ///
"""Bridge to parakeet-mlx: NVIDIA's Parakeet on MLX."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

from earmark_bridge import Engine, Facts, Listener, LoadRequest, Setting, Transcription, main
from bridge_mlx import device_name, threads_in_effect
from bridge_settings import DECODE, beam_size, compute_type

_CHUNK = Setting(
    "chunk-seconds",
    {"number": {"minimum": 20.0, "maximum": 3600.0}},
    DECODE,
    "Longer recordings are decoded in pieces of this length, which overlap by 15 seconds.",
    120.0,
)


class ParakeetMlx(Engine):
    """The engine."""

    facts = Facts(
        id="parakeet-mlx",
        description="parakeet-mlx: NVIDIA's Parakeet on MLX.",
        group="mlx",
        package="parakeet-mlx",
        families=("parakeet",),
        artifacts={"f32": "mlx"},
        settings=(
            beam_size(64),
            compute_type(["bfloat16", "float16", "float32"], "bfloat16"),
            _CHUNK,
        ),
        install_bytes=610_000_000,
    )

    def start(self) -> None:
        # It is imported for the first recording otherwise, and takes seconds.
        import librosa.filters  # noqa: F401
        import mlx.core
        import parakeet_mlx.parakeet
        import parakeet_mlx.utils

        self._mlx = mlx.core
        self._parakeet = parakeet_mlx.parakeet
        self._utilities = parakeet_mlx.utils
        self.device = device_name(mlx.core)

    def load(self, request: LoadRequest) -> dict[str, Any]:
        request.require("config.json", "model.safetensors")
        self._settings = request.settings
        # The package asks the hub first, whatever it is given, and hides why that failed.
        self._utilities.hf_hub_download = lambda folder, name, **_: str(Path(folder) / name)
        # It reads a recording by starting ffmpeg; its samples are here already.
        self._parakeet.load_audio = lambda _path, _rate, _dtype: self._samples
        kind = getattr(self._mlx, request.settings["compute-type"])
        self._model = self._utilities.from_pretrained(str(request.directory), dtype=kind)
        return {"temperature-fallback": False, "vad": False, "timestamps": True, **threads_in_effect(self._mlx)}

    def transcribe(self, audio: Any, language: Optional[str], listener: Listener) -> Transcription:
        import numpy

        self._samples = self._mlx.array(numpy.frombuffer(audio, dtype=numpy.float32))
        beams = self._settings["beam-size"]
        decoding = self._parakeet.Beam(beam_size=beams) if beams > 1 else self._parakeet.Greedy()
        result = self._model.transcribe(
            "samples in memory",
            dtype=getattr(self._mlx, self._settings["compute-type"]),
            decoding_config=self._parakeet.DecodingConfig(decoding=decoding),
            chunk_duration=self._settings["chunk-seconds"],
        )
        for sentence in result.sentences:
            listener.note(sentence.start, sentence.end, sentence.text)
        return Transcription(result.text, None, sum(len(sentence.tokens) for sentence in result.sentences))


if __name__ == "__main__":
    main(ParakeetMlx())
