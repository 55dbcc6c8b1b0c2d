"""Tests of the Whisper conversion, each against an independent and slow computation.

Run with numpy at hand: python3 recipes/tests/test_convert_whisper.py
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import pickle
import struct
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from artifact_names import ARTIFACTS  # noqa: E402
from block_quantization import BLOCK_LENGTH, quantize  # noqa: E402
from convert_whisper import WRITERS, write_artifact  # noqa: E402
from mel_filter_bank import FREQUENCY_BINS, mel_filter_bank  # noqa: E402
from stored_zip import write_stored_zip  # noqa: E402
from whisper_checkpoint import read_checkpoint  # noqa: E402
from whisper_hugging_face import write_safetensors  # noqa: E402

# SHA-256 of the arrays mel_80 and mel_128 in OpenAI's mel_filters.npz, as little-endian float32.
PUBLISHED_FILTER_BANKS = {
    80: "4f2701b1d287d74a0dc9871026e9519d98cb76426615f2539b0d151a0ae4ec2e",
    128: "2a5f9822897750e047c85dea37cc268d3be0ecfd23c28a5f10da129d99d05afe",
}


def single(value: float) -> float:
    """Returns the float32 nearest to a value."""
    return struct.unpack("<f", struct.pack("<f", value))[0]


def scalar_block(values: list[float], kind: str) -> bytes:
    """Returns one quantized block, computed a weight at a time as ggml's reference quantizers do."""
    if kind == "q8_0":
        scale = single(max(abs(value) for value in values) / 127)
        inverse = single(1 / scale) if scale else 0.0
        quants = []
        for value in values:
            product = single(value * inverse)
            quants.append(int(math.copysign(math.floor(abs(product) + 0.5), product)))
        return struct.pack("<e32b", scale, *quants)
    if kind == "q5_1":
        smallest, largest = values[0], values[0]
        for value in values:
            smallest = value if value < smallest else smallest
            largest = value if value > largest else largest
        scale = single(single(largest - smallest) / 31)
        inverse = single(1 / scale) if scale else 0.0
        quants = [int(single(single(single(value - smallest) * inverse) + 0.5)) for value in values]
        head = struct.pack("<ee", scale, smallest)
    else:
        middle = {"q4_0": 8, "q5_0": 16}[kind]
        largest, extreme = 0.0, 0.0
        for value in values:
            if abs(value) > largest:
                largest, extreme = abs(value), value
        scale = extreme / -middle
        inverse = single(1 / scale) if scale else 0.0
        quants = [min(2 * middle - 1, int(single(single(value * inverse) + middle + 0.5))) for value in values]
        head = struct.pack("<e", scale)
    if kind != "q4_0":
        head += struct.pack("<I", sum((quant >> 4) << position for position, quant in enumerate(quants)))
    return head + bytes((quants[i] & 15) | (quants[i + 16] & 15) << 4 for i in range(16))


def sample_blocks() -> np.ndarray:
    """Returns blocks of float16 weights: of many sizes, with ties, with zeros of both signs, and of one value only."""
    generator = np.random.default_rng(20_240_601)
    sizes = np.exp2(generator.integers(-12, 3, size=(400, 1)))
    blocks = (generator.standard_normal((400, BLOCK_LENGTH)) * sizes).astype(np.float16)
    halves = generator.integers(-4, 5, size=(100, BLOCK_LENGTH)).astype(np.float16) / np.float16(2)
    halves[generator.random(halves.shape) < 0.2] = -0.0
    # 127 sets a scale of one, so that every half is a tie.
    ties = (np.arange(BLOCK_LENGTH) - 15.5).astype(np.float16)
    ties[0] = 127
    constant = np.array([[0.0], [-0.0], [1.0], [-1.0], [6e-8]], dtype=np.float16).repeat(BLOCK_LENGTH, axis=1)
    return np.concatenate([blocks, halves, ties[None], constant])


class BlockQuantization(unittest.TestCase):
    """The vectorised quantizers against a scalar one."""

    def test_every_block_is_what_the_scalar_reference_makes(self) -> None:
        for kind in ("q4_0", "q5_0", "q5_1", "q8_0"):
            for block in sample_blocks():
                with self.subTest(kind=kind, block=block.tolist()):
                    self.assertEqual(quantize(block, kind).hex(), scalar_block(block.tolist(), kind).hex())

    def test_rows_that_are_no_whole_blocks_are_refused(self) -> None:
        with self.assertRaises(ValueError):
            quantize(np.zeros((2, BLOCK_LENGTH + 1), dtype=np.float16), "q8_0")


class MelFilterBank(unittest.TestCase):
    """The exact filter bank against the published bits and against librosa's formula in float64."""

    def test_the_bits_are_those_openai_published(self) -> None:
        for mel_bins, digest in PUBLISHED_FILTER_BANKS.items():
            self.assertEqual(hashlib.sha256(mel_filter_bank(mel_bins)).hexdigest(), digest)

    def test_the_values_are_those_of_the_formula(self) -> None:
        def hertz(mel: float) -> float:
            return mel * 200 / 3 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)

        top = 15 + 27 * math.log(8) / math.log(6.4)
        edges = [hertz(top * step / 81) for step in range(82)]
        table = np.frombuffer(mel_filter_bank(80), "<f4").reshape(80, FREQUENCY_BINS)
        for row in range(80):
            low, middle, high = edges[row : row + 3]
            for column in range(FREQUENCY_BINS):
                triangle = min((column * 40 - low) / (middle - low), (high - column * 40) / (high - middle))
                self.assertAlmostEqual(table[row, column], max(0.0, triangle) * 2 / (high - low), delta=1e-8)


class Safetensors(unittest.TestCase):
    """The safetensors writer against a reader that follows the format's description."""

    def test_tensors_come_back(self) -> None:
        tensors = {
            "b": np.arange(6, dtype=np.float16).reshape(2, 3),
            "a": np.array([0.5, -2.0], dtype=np.float32),
        }
        file = io.BytesIO()
        write_safetensors(tensors, file)
        data = file.getvalue()
        (length,) = struct.unpack_from("<Q", data)
        header = json.loads(data[8 : 8 + length])
        self.assertEqual(length % 8, 0)
        self.assertEqual(header.pop("__metadata__"), {"format": "pt"})
        self.assertEqual(list(header), ["a", "b"])
        for name, entry in header.items():
            start, end = (8 + length + offset for offset in entry["data_offsets"])
            kind = {"F16": "<f2", "F32": "<f4"}[entry["dtype"]]
            found = np.frombuffer(data[start:end], kind).reshape(entry["shape"])
            np.testing.assert_array_equal(found, tensors[name])
        self.assertEqual(end, len(data))


class StoredZip(unittest.TestCase):
    """The zip writer against Python's reader, which checks lengths and checksums."""

    def test_entries_come_back_and_are_aligned(self) -> None:
        entries = {"a/one": b"1" * 100, "a/empty": b"", "a/two": bytes(range(256))}
        file = io.BytesIO()
        write_stored_zip(file, entries.items(), alignment=64)
        with zipfile.ZipFile(file) as archive:
            self.assertIsNone(archive.testzip())
            self.assertEqual(archive.namelist(), list(entries))
            for name, data in entries.items():
                self.assertEqual(archive.read(name), data)
        for data in (entries["a/one"], entries["a/two"]):
            self.assertEqual(file.getvalue().index(data) % 64, 0)


class PytorchCheckpoint(pickle.Unpickler):
    """Reads a ``.pt`` file as PyTorch does, with numpy arrays for tensors."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        super().__init__(io.BytesIO(archive.read("archive/data.pkl")))
        self.archive = archive

    def find_class(self, module: str, name: str) -> object:
        known = {
            ("torch", "HalfStorage"): "<f2",
            ("torch._utils", "_rebuild_tensor_v2"): self.tensor,
            ("collections", "OrderedDict"): dict,
        }
        return known[module, name]

    def persistent_load(self, identity: tuple) -> np.ndarray:
        word, kind, key, device, length = identity
        assert (word, device) == ("storage", "cpu")
        values = np.frombuffer(self.archive.read(f"archive/data/{key}"), kind)
        assert len(values) == length
        return values

    @staticmethod
    def tensor(storage: np.ndarray, offset: int, shape: tuple, strides: tuple, gradient: bool, _hooks: dict):
        assert (offset, gradient) == (0, False)
        return np.lib.stride_tricks.as_strided(storage, shape, [stride * storage.itemsize for stride in strides])


class Conversion(unittest.TestCase):
    """The whole way, from a CTranslate2 folder of a very small network."""

    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        write_small_model(self.folder / "source")

    def test_every_artifact_is_written_and_twice_the_same(self) -> None:
        checkpoint = read_checkpoint(self.folder / "source", "small.en")
        self.assertEqual(set(WRITERS), set(ARTIFACTS))
        for artifact in ARTIFACTS:
            for copy in ("one", "two"):
                (self.folder / copy).mkdir(exist_ok=True)
                write_artifact(checkpoint, artifact, self.folder / copy)
            files = sorted(path.name for path in (self.folder / "one" / artifact).iterdir())
            self.assertTrue(files)
            for name in files:
                one, two = ((self.folder / copy / artifact / name).read_bytes() for copy in ("one", "two"))
                self.assertEqual(one, two, name)

    def test_stacked_projections_are_taken_apart(self) -> None:
        tensors = read_checkpoint(self.folder / "source", "small.en").tensors
        for name in ("q_proj", "k_proj", "v_proj"):
            self.assertEqual(tensors[f"model.encoder.layers.0.self_attn.{name}.weight"].shape, (WIDTH, WIDTH))
        self.assertNotIn("model.encoder.layers.0.self_attn.k_proj.bias", tensors)
        self.assertIn("model.decoder.layers.0.encoder_attn.v_proj.bias", tensors)

    def test_a_pt_file_holds_the_network_by_openais_names(self) -> None:
        checkpoint = read_checkpoint(self.folder / "source", "small.en")
        folder = write_artifact(checkpoint, "pt", self.folder)
        with zipfile.ZipFile(folder / "small.en.pt") as archive:
            self.assertEqual(archive.read("archive/byteorder"), b"little")
            self.assertEqual(archive.read("archive/version"), b"3\n")
            loaded = PytorchCheckpoint(archive).load()
        self.assertEqual(list(loaded), ["dims", "model_state_dict"])
        self.assertEqual(loaded["dims"]["n_vocab"], VOCABULARY_SIZE)
        self.assertEqual(loaded["dims"]["n_audio_head"], 2)
        state = loaded["model_state_dict"]
        expected = {
            "encoder.positional_embedding": "model.encoder.embed_positions.weight",
            "encoder.blocks.0.attn.key.weight": "model.encoder.layers.0.self_attn.k_proj.weight",
            "encoder.blocks.0.attn_ln.bias": "model.encoder.layers.0.self_attn_layer_norm.bias",
            "encoder.ln_post.weight": "model.encoder.layer_norm.weight",
            "decoder.blocks.0.cross_attn.out.bias": "model.decoder.layers.0.encoder_attn.out_proj.bias",
            "decoder.blocks.0.cross_attn_ln.weight": "model.decoder.layers.0.encoder_attn_layer_norm.weight",
            "decoder.blocks.0.mlp.2.weight": "model.decoder.layers.0.fc2.weight",
            "decoder.blocks.0.mlp_ln.weight": "model.decoder.layers.0.final_layer_norm.weight",
            "decoder.ln.bias": "model.decoder.layer_norm.bias",
            "decoder.token_embedding.weight": "model.decoder.embed_tokens.weight",
        }
        for name, source in expected.items():
            np.testing.assert_array_equal(state[name], checkpoint.tensors[source], name)
        self.assertEqual(len(state), len(checkpoint.tensors))
        self.assertFalse([name for name in state if "proj" in name or "layers" in name])

    def test_mlx_weights_are_an_npz_of_the_right_shapes(self) -> None:
        checkpoint = read_checkpoint(self.folder / "source", "small.en")
        folder = write_artifact(checkpoint, "mlx", self.folder)
        config = json.loads((folder / "config.json").read_text())
        self.assertEqual((config["n_text_state"], config["model_type"]), (WIDTH, "whisper"))
        with np.load(folder / "weights.npz") as weights:
            self.assertEqual(weights["encoder.conv1.weight"].shape, (WIDTH, 3, 80))
            np.testing.assert_array_equal(
                weights["encoder.conv1.weight"],
                checkpoint.tensors["model.encoder.conv1.weight"].transpose(0, 2, 1),
            )
            np.testing.assert_array_equal(
                weights["decoder.blocks.0.mlp2.weight"], checkpoint.tensors["model.decoder.layers.0.fc2.weight"]
            )
            self.assertNotIn("encoder.positional_embedding", weights)
            self.assertIn("decoder.positional_embedding", weights)
            self.assertEqual({weights[name].dtype.name for name in weights}, {"float16"})

    def test_an_artifact_is_not_written_over(self) -> None:
        checkpoint = read_checkpoint(self.folder / "source", "small.en")
        write_artifact(checkpoint, "ctranslate2", self.folder)
        with self.assertRaises(FileExistsError):
            write_artifact(checkpoint, "ctranslate2", self.folder)

    def test_bytes_after_the_end_are_refused(self) -> None:
        path = self.folder / "source" / "model.bin"
        path.write_bytes(path.read_bytes() + b"\0")
        with self.assertRaises(ValueError):
            read_checkpoint(self.folder / "source", "small.en")


WIDTH = 32
VOCABULARY_SIZE = 51_864


def write_small_model(folder: Path) -> None:
    """Writes a CTranslate2 folder of one layer on each side, its weights drawn at random."""
    folder.mkdir()
    generator = np.random.default_rng(1)
    variables: dict[str, np.ndarray] = {}

    def weights(name: str, *shape: int) -> None:
        variables[name] = generator.standard_normal(shape).astype(np.float16)

    def linear(name: str, rows: int, columns: int, keys: slice = slice(0)) -> None:
        weights(f"{name}/weight", rows, columns)
        weights(f"{name}/bias", rows)
        variables[f"{name}/bias"][keys] = 0

    def norm(name: str) -> None:
        weights(f"{name}/gamma", WIDTH)
        weights(f"{name}/beta", WIDTH)

    for convolution, channels in (("conv1", 80), ("conv2", WIDTH)):
        weights(f"encoder/{convolution}/weight", WIDTH, channels, 3)
        weights(f"encoder/{convolution}/bias", WIDTH)
    weights("decoder/embeddings/weight", VOCABULARY_SIZE, WIDTH)
    for side, positions in (("encoder", 20), ("decoder", 10)):
        variables[f"{side}/num_heads"] = np.array(2, dtype=np.int16)
        weights(f"{side}/position_encodings/encodings", positions, WIDTH)
        norm(f"{side}/layer_norm")
        layer = f"{side}/layer_0"
        norm(f"{layer}/self_attention/layer_norm")
        linear(f"{layer}/self_attention/linear_0", 3 * WIDTH, WIDTH, keys=slice(WIDTH, 2 * WIDTH))
        linear(f"{layer}/self_attention/linear_1", WIDTH, WIDTH)
        norm(f"{layer}/ffn/layer_norm")
        linear(f"{layer}/ffn/linear_0", 4 * WIDTH, WIDTH)
        linear(f"{layer}/ffn/linear_1", WIDTH, 4 * WIDTH)
    norm("decoder/layer_0/attention/layer_norm")
    linear("decoder/layer_0/attention/linear_0", WIDTH, WIDTH)
    linear("decoder/layer_0/attention/linear_1", 2 * WIDTH, WIDTH, keys=slice(WIDTH))
    linear("decoder/layer_0/attention/linear_2", WIDTH, WIDTH)

    def string(text: str) -> bytes:
        return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"

    data = struct.pack("<I", 6) + string("WhisperSpec") + struct.pack("<II", 3, len(variables))
    for name, value in variables.items():
        kind = {"int16": 2, "float16": 4}[value.dtype.name]
        data += string(name) + struct.pack(f"<B{value.ndim}IBI", value.ndim, *value.shape, kind, value.nbytes)
        data += value.tobytes()
    data += struct.pack("<I", 1) + string("decoder/projection/weight") + string("decoder/embeddings/weight")
    (folder / "model.bin").write_bytes(data)

    tokens = [f"t{number}" for number in range(VOCABULARY_SIZE)]
    (folder / "vocabulary.txt").write_bytes(("\n".join(tokens) + "\n").encode())
    settings = {"alignment_heads": [[0, 0]], "lang_ids": [], "suppress_ids": [1, 2], "suppress_ids_begin": [220]}
    (folder / "config.json").write_text(json.dumps(settings))
    tokenizer = {"model": {"vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))


if __name__ == "__main__":
    unittest.main()
