"""Bit-Llama in PyTorch, for Hugging Face transformers: plain loops that say what the model computes.

    model = AutoModelForCausalLM.from_pretrained(FOLDER, trust_remote_code=True)

FOLDER holds config.json, model.safetensors (masters or packed codes) and this file. Every projection is ternary, and each layer
keeps a memory W that takes one step of gradient descent on every token, here in a loop over tokens. So this file is for
checking, reading and small experiments; it is slow. A packed model is loaded as masters that round to the same codes and
scale, so that `save_pretrained` writes a folder from which training can go on.

Shapes: B batch, T tokens, D width, F feed-forward width, M memory width, H heads, d = M / H, V vocabulary.
"""
import os
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn
from transformers import PretrainedConfig, PreTrainedModel
from transformers.generation import GenerationMixin
from transformers.utils import ModelOutput, cached_file


class BitLlamaConfig(PretrainedConfig):
    """config.json of a Bit-Llama; keys that are absent take the defaults of the format."""

    model_type = "bitllama"

    def __init__(self, vocab_size=4096, hidden_size=256, num_hidden_layers=4, intermediate_size=688, rms_norm_eps=1e-5,
                 ttt=None, quantization_config=None, **others):
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.intermediate_size = intermediate_size
        self.rms_norm_eps = rms_norm_eps
        self.ttt = dict(ttt or {})
        # Under another name: transformers would put layers of its own in place of ours.
        self.ternary = dict(quantization_config or others.pop("ternary", None) or {})
        others.setdefault("tie_word_embeddings", False)
        super().__init__(**others)

    def to_dict(self):
        values = super().to_dict()
        if "ternary" in values:
            values["quantization_config"] = values.pop("ternary")
        return values


class StraightThrough(torch.autograd.Function):
    """A value that was rounded, with the gradient of the value before."""

    @staticmethod
    def forward(ctx, x, rounded):
        return rounded

    @staticmethod
    def backward(ctx, gradient):
        return gradient, None


class BitLinear(nn.Module):
    """y = (sum of the rounded inputs with +1, less those with -1) * beta / s, see BitNet b1.58, arXiv:2402.17764."""

    def __init__(self, inputs, outputs, ternary):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))
        self.scaled = ternary.get("weight_scale", "absmean") != "none"
        self.rounded = ternary.get("activation_bits", 8) is not None

    def codes(self):
        """Codes -1, 0, 1 and their scale beta."""
        beta = self.weight.detach().double().abs().mean().clamp(min=1e-5).float()
        return (self.weight.detach() / beta).round().clamp(-1, 1), beta if self.scaled else torch.ones_like(beta)

    def forward(self, x):
        codes, beta = self.codes()
        weight = StraightThrough.apply(self.weight, codes * beta)
        if self.rounded:
            s = 127 / x.detach().abs().amax(-1, keepdim=True).clamp(min=1e-5)
            x = StraightThrough.apply(x, (x.detach() * s).round().clamp(-127, 127) / s)
        return F.linear(x, weight)


class RmsNorm(nn.Module):
    """y = g x / sqrt(mean(x^2) + eps)."""

    def __init__(self, width, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x):
        return F.rms_norm(x, (x.shape[-1],), self.weight, self.eps)


class Gate(nn.Module):
    """sigmoid(R x + b), one number for each token and head: an inner rate or a decay."""

    def __init__(self, width, heads):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(heads, width))
        self.bias = nn.Parameter(torch.zeros(heads))

    def forward(self, x):
        return torch.sigmoid(F.linear(x, self.weight, self.bias))  # [B, H]


class TttLayer(nn.Module):
    """The layer whose memory learns while it reads. A state is (W [B, H, d, d], last input [B, D], last feature [B, H, d])."""

    def __init__(self, config):
        super().__init__()
        form, width = config.ttt, config.hidden_size
        self.heads = form.get("num_heads", 1)
        memory = form.get("memory_size", width // 4)
        self.head_width = memory // self.heads
        self.next = form.get("objective", "predict_next") == "predict_next"
        self.after = form.get("read", "after") == "after"
        self.constant = None if form.get("inner_rate", "learned") == "learned" else float(form["inner_rate"])
        self.down = BitLinear(width, memory, config.ternary)
        self.up = BitLinear(memory, width, config.ternary)
        if form.get("token_shift", True):
            self.shift = nn.Parameter(torch.full((width,), 0.5))
        if self.constant is None:
            self.rate = Gate(width, self.heads)
        if form.get("decay") == "learned" or form.get("decay") is True:
            self.decay = Gate(width, self.heads)

    def empty(self, x):
        batch = x.shape[0]
        return (x.new_zeros(batch, self.heads, self.head_width, self.head_width), x.new_zeros(batch, x.shape[-1]),
                x.new_zeros(batch, self.heads, self.head_width))

    def forward(self, x, state):
        answers = []
        w, previous, feature = state
        for t in range(x.shape[1]):
            token = x[:, t]
            shifted = token + self.shift * (previous - token) if hasattr(self, "shift") else token
            f = self.down(shifted).unflatten(-1, (self.heads, self.head_width))  # [B, H, d]
            f = f / (f.norm(dim=-1, keepdim=True) + 1e-6)
            key = feature if self.next else f
            rate = self.rate(token)[..., None] if self.constant is None else self.constant
            if hasattr(self, "decay"):
                w = self.decay(token)[..., None, None] * w
            error = f - (w @ key[..., None]).squeeze(-1)
            learned = w + (rate * error)[..., :, None] * key[..., None, :]
            answers.append(((learned if self.after else w) @ f[..., None]).squeeze(-1).flatten(1))
            w, previous, feature = learned, token, f
        return self.up(torch.stack(answers, 1)), (w, previous, feature)


class SwiGlu(nn.Module):
    """down(silu(gate x) * (up x))."""

    def __init__(self, config):
        super().__init__()
        width, inner = config.hidden_size, config.intermediate_size
        self.gate_proj = BitLinear(width, inner, config.ternary)
        self.up_proj = BitLinear(width, inner, config.ternary)
        self.down_proj = BitLinear(inner, width, config.ternary)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Block(nn.Module):
    """h = x + ttt(norm1 x); y = h + mlp(norm2 h)."""

    def __init__(self, config):
        super().__init__()
        self.norm1 = RmsNorm(config.hidden_size, config.rms_norm_eps)
        self.ttt = TttLayer(config)
        self.norm2 = RmsNorm(config.hidden_size, config.rms_norm_eps)
        self.mlp = SwiGlu(config)

    def forward(self, x, state):
        mixed, state = self.ttt(self.norm1(x), state)
        h = x + mixed
        return h + self.mlp(self.norm2(h)), state


@dataclass
class BitLlamaOutput(ModelOutput):
    """Logits [B, T, V], the memories after the last token (one state a layer), and with labels the mean loss in nats."""

    loss: torch.FloatTensor | None = None
    logits: torch.FloatTensor | None = None
    memories: list | None = None


class BitLlamaForCausalLM(PreTrainedModel, GenerationMixin):
    """Embedding, blocks, norm, head. `memories` of one call go into the next: that is how a text is continued."""

    config_class = BitLlamaConfig
    _is_stateful = True

    def __init__(self, config):
        super().__init__(config)
        if getattr(config, "attention", None):
            raise ValueError("this file reads models with memory layers; an attention baseline has none")
        self.embed = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Block(config) for _ in range(config.num_hidden_layers))
        self.norm_f = RmsNorm(config.hidden_size, config.rms_norm_eps)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=bool(getattr(config, "lm_head_bias", False)))

    @classmethod
    def from_pretrained(cls, folder, *arguments, config=None, **others):
        """Reads masters or packed codes. Of other arguments of transformers only `token` and `revision` have a meaning here."""
        config = config or BitLlamaConfig.from_pretrained(folder)
        path = os.path.join(folder, "model.safetensors")
        if not os.path.exists(path):
            path = cached_file(folder, "model.safetensors", token=others.get("token"), revision=others.get("revision"))
        model = cls(config)
        model.load_state_dict(masters(load_file(path), model.state_dict()))
        return model.eval()

    def forward(self, input_ids, memories=None, labels=None, **_):
        x = self.embed(input_ids)
        memories = memories or [block.ttt.empty(x) for block in self.layers]
        after = []
        for block, state in zip(self.layers, memories):
            x, state = block(x, state)
            after.append(state)
        logits = self.lm_head(self.norm_f(x))
        loss = None
        if labels is not None:
            loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
        return BitLlamaOutput(loss=loss, logits=logits, memories=after)

    def get_input_embeddings(self):
        return self.embed

    def prepare_inputs_for_generation(self, input_ids, memories=None, **_):
        return {"input_ids": input_ids if memories is None else input_ids[:, -1:], "memories": memories}

    def _update_model_kwargs_for_generation(self, outputs, model_kwargs, **_):
        return model_kwargs | {"memories": outputs.memories}


def masters(tensors, wanted):
    """Float tensors that round to what a file holds: masters as they are, int8 rows times their scale, codes as below."""
    floats = {}
    for name, shape in ((name, tensor.shape) for name, tensor in wanted.items()):
        tensor, scale = tensors[name], tensors.get(name + "_scale")
        if tensor.dtype == torch.int8:
            tensor = tensor.float() * scale[:, None]
        elif tensor.dtype == torch.uint8:
            tensor = from_codes(codes(tensor, shape[0]), scale)
        floats[name] = tensor.float()
    return floats


def codes(packed, rows):
    """Row r lies in byte row r mod R at bits 2 (r div R), as code + 1; R is a quarter of the rows, rounded up."""
    return torch.cat([(packed >> bits) & 3 for bits in (0, 2, 4, 6)])[:rows].float() - 1


def from_codes(values, beta):
    """Zeros at 0 and the others at beta divided by their share: so the mean of |w| is beta again, and the codes are the same."""
    share = values.abs().mean()
    return values * (beta / share if share > 0 else 0)
