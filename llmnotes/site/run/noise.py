"""Noise as large as what other machines' rounding grows to: what a lab records must not depend on it.

It is called in a kernel before the lab's first cell, by `llmnotes check --stress` alone.
"""

from __future__ import annotations

import sys
import zlib
from typing import Any

import numpy as np
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

SIZE = 1e-6  # relative


def shake(seed: int) -> None:
    """From now on, move parameters by a relative millionth at each optimiser step, and weights when they are loaded.

    The lab's own random numbers stay as they are. Equal weights get equal noise, so that a checkpoint that is loaded
    twice is still the same model, and a training that goes on after a break the same training.
    """
    from llmnotes.model import loading
    from llmnotes.scratch import nets

    def move(parameter: torch.Tensor) -> None:
        content = zlib.crc32(parameter.detach().float().numpy().tobytes(), seed)
        generator = torch.Generator().manual_seed(content)
        with torch.no_grad():
            parameter.mul_(1 + SIZE * torch.randn(parameter.shape, generator=generator).to(parameter))

    def after_step(optimizer: torch.optim.Optimizer, *_: Any) -> None:
        for parameter in (one for group in optimizer.param_groups for one in group["params"]):
            if parameter.grad is not None:
                move(parameter)

    checked = loading.check_finite

    def check_and_move(name: str, model: torch.nn.Module) -> None:
        checked(name, model)  # what every model goes through that is loaded
        for parameter in model.parameters():
            move(parameter)

    numbers, replace = np.random.default_rng(seed), nets.replace

    def replace_and_move(net: nets.Net, **arrays: Any) -> nets.Net:
        if sys._getframe(1).f_code.co_name != "train":  # only its steps: other calls take a net apart, or differences
            return replace(net, **arrays)
        for name, layers in arrays.items():
            arrays[name] = tuple(one * (1 + SIZE * numbers.standard_normal(one.shape)) for one in layers)
        return replace(net, **arrays)

    register_optimizer_step_post_hook(after_step)
    loading.check_finite = check_and_move
    nets.replace = replace_and_move
