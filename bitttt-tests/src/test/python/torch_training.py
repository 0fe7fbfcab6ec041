"""The default Bit-Llama in PyTorch, by the same chunked mathematics: a second implementation to check against, and the rate to beat.

    torch_training.py check FOLDER              loss and gradient norms of a golden case, as JSON
    torch_training.py speed --threads N [...]   training tokens per second, as JSON

Rows are [B, T, ...]. Needs torch 2 and numpy.
"""
import argparse
import json
import os
import statistics
import struct
import time

import numpy
import torch
import torch.nn.functional as F


class Ternary(torch.autograd.Function):
    """beta * clamp(rint(w / beta), -1, 1), straight-through."""

    @staticmethod
    def forward(ctx, weight):
        beta = weight.abs().mean().clamp(min=1e-5)
        return (weight / beta).round_().clamp_(-1, 1).mul_(beta)

    @staticmethod
    def backward(ctx, gradient):
        return gradient


class Rounded(torch.autograd.Function):
    """Each row to 255 levels, straight-through."""

    @staticmethod
    def forward(ctx, x):
        scale = 127 / x.abs().amax(-1, keepdim=True).clamp(min=1e-5)
        return (x * scale).round_().clamp_(-127, 127).div_(scale)

    @staticmethod
    def backward(ctx, gradient):
        return gradient


class Model(torch.nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.eps = config.get("rms_norm_eps", 1e-5)
        self.heads = config["ttt"].get("num_heads", 1)
        self.rounding = config["quantization_config"].get("activation_bits", 8) is not None
        width, inner = config["hidden_size"], config["intermediate_size"]
        memory, vocabulary = config["ttt"]["memory_size"], config["vocab_size"]
        shapes = {"embed.weight": (vocabulary, width)}
        for i in range(config["num_hidden_layers"]):
            shapes |= {f"layers.{i}.norm1.weight": (width,), f"layers.{i}.ttt.down.weight": (memory, width),
                       f"layers.{i}.ttt.up.weight": (width, memory), f"layers.{i}.ttt.shift": (width,),
                       f"layers.{i}.ttt.rate.weight": (self.heads, width), f"layers.{i}.ttt.rate.bias": (self.heads,),
                       f"layers.{i}.norm2.weight": (width,), f"layers.{i}.mlp.gate_proj.weight": (inner, width),
                       f"layers.{i}.mlp.up_proj.weight": (inner, width), f"layers.{i}.mlp.down_proj.weight": (width, inner)}
        shapes |= {"norm_f.weight": (width,), "lm_head.weight": (vocabulary, width)}
        self.names = list(shapes)
        self.numbers = torch.nn.ParameterList(
            [torch.nn.Parameter(torch.randn(shape) * 0.05 if len(shape) == 2 else torch.ones(shape)) for shape in shapes.values()])

    def __getitem__(self, name):
        return self.numbers[self.names.index(name)]

    def forward(self, ids):
        p = dict(zip(self.names, self.numbers))
        x = F.embedding(ids, p["embed.weight"])
        for i in range(self.config["num_hidden_layers"]):
            def part(name):
                return p[f"layers.{i}.{name}"]
            x = x + self.memory(part, self.norm(x, part("norm1.weight")))
            y = self.rounded(self.norm(x, part("norm2.weight")))
            gate, up, down = (Ternary.apply(part(f"mlp.{name}_proj.weight")) for name in ("gate", "up", "down"))
            x = x + F.linear(self.rounded(F.silu(F.linear(y, gate)) * F.linear(y, up)), down)
        return F.linear(self.norm(x, p["norm_f.weight"]), p["lm_head.weight"])

    def norm(self, x, gain):
        return F.rms_norm(x, (x.shape[-1],), gain, self.eps)

    def rounded(self, x):
        return Rounded.apply(x) if self.rounding else x

    def memory(self, part, x):
        batch, tokens, _ = x.shape
        shifted = x + part("ttt.shift") * (F.pad(x, (0, 0, 1, 0))[:, :-1] - x)
        features = F.linear(self.rounded(shifted), Ternary.apply(part("ttt.down.weight")))
        features = features.view(batch, tokens, self.heads, -1)
        features = features / (features.norm(dim=-1, keepdim=True) + 1e-6)
        keys = F.pad(features, (0, 0, 0, 0, 1, 0))[:, :-1]
        rates = torch.sigmoid(F.linear(x, part("ttt.rate.weight"), part("ttt.rate.bias"))).unsqueeze(-1)
        answers = self.delta(keys, features, rates).reshape(batch, tokens, -1)
        return F.linear(self.rounded(answers), Ternary.apply(part("ttt.up.weight")))

    def delta(self, keys, values, rates, size=64):
        """The delta rule in chunks, read after the update; keys and values [B, T, H, d], rates [B, T, H, 1]."""
        batch, tokens, heads, width = keys.shape
        size = min(size, tokens)
        padding = -tokens % size

        def chunks(rows):  # [N, B, H, C, e]
            rows = F.pad(rows, (0, 0, 0, 0, 0, padding))
            return rows.view(batch, -1, size, heads, rows.shape[-1]).permute(1, 0, 3, 2, 4)

        k, v, eta = chunks(keys), chunks(values), chunks(rates)
        scaled = k * eta
        a = torch.tril(scaled @ k.mT, -1) + torch.eye(size)
        solved = torch.linalg.solve_triangular(a, torch.cat((scaled, v * eta), -1), upper=False, unitriangular=True)
        solved_keys, solved_values = solved.split(width, -1)
        local = torch.tril(v @ k.mT)
        state = torch.zeros(batch, heads, width, width)
        answers = []
        for n in range(k.shape[0]):
            u = solved_values[n] - solved_keys[n] @ state
            answers.append(v[n] @ state + local[n] @ u)
            state = state + k[n].mT @ u
        rows = torch.stack(answers).permute(1, 0, 3, 2, 4).reshape(batch, -1, heads, width)
        return rows[:, :tokens]


def tensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    return {name: torch.from_numpy(numpy.frombuffer(data[slice(*entry["data_offsets"])], dtype="<f4").reshape(entry["shape"]).copy())
            for name, entry in header.items() if name != "__metadata__"}


def check(folder):
    with open(os.path.join(folder, "config.json")) as file:
        model = Model(json.load(file))
    with torch.no_grad():
        for name, values in tensors(os.path.join(folder, "model.safetensors")).items():
            model[name].copy_(values)
    with open(os.path.join(folder, "expected.json")) as file:
        ids = torch.tensor([json.load(file)["token_ids"]])
    loss = F.cross_entropy(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())
    loss.backward()
    return {"loss": loss.item(), "gradient_norms": {n: model[n].grad.norm().item() for n in model.names}}


def speed(options):
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    model = Model({"hidden_size": 256, "num_hidden_layers": 4, "intermediate_size": options.inner, "vocab_size": 4096,
                   "ttt": {"memory_size": 64}, "quantization_config": {"activation_bits": 8 if options.rounding else None}})
    matrices = [p for p in model.numbers if p.dim() == 2]
    vectors = [p for p in model.numbers if p.dim() == 1]
    optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0}],
                                  lr=3e-4, betas=(0.9, 0.95), fused=True)
    run = torch.compile(model) if options.compile else model
    rates = []
    for step in range(options.steps + 2):
        ids = torch.randint(4096, (16, 257))
        started = time.perf_counter()
        loss = F.cross_entropy(run(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1)
        optimizer.step()
        loss.item()
        if step >= 2:
            rates.append(16 * 256 / (time.perf_counter() - started))
    return {"tokens_per_second": statistics.median(rates), "torch": torch.__version__}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=("check", "speed"))
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--inner", type=int, default=1024)
    parser.add_argument("--rounding", action="store_true")
    parser.add_argument("--compile", action="store_true")
    arguments = parser.parse_args()
    print(json.dumps(check(arguments.folder) if arguments.mode == "check" else speed(arguments)))
