"""Compares the logits of a model folder in Hugging Face's form, as bitttt computes them, with those of transformers.

    python3 compare_logits.py FOLDER [TEXT]

FOLDER holds config.json, model.safetensors or shards, and tokenizer files. Needs torch, transformers and accelerate, and memory for the model in
float32. Run it beside the launcher ./bitttt, or name that by the environment variable BITTTT.
"""
import json
import os
import subprocess
import sys


def theirs(folder, ids):
    """Logits [T, V] of transformers, in float32."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0].float().tolist()


def ours(folder, ids):
    """Logits [T, V] of bitttt."""
    launcher = os.environ.get("BITTTT", "./bitttt")
    done = subprocess.run([launcher, "logits", "--json", "--model", folder, "--tokens", ",".join(map(str, ids))],
                          check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return json.loads(done.stdout)["logits"]


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder = sys.argv[1]
    if os.path.exists(os.path.join(folder, "tokenizer.json")):
        from transformers import AutoTokenizer

        text = sys.argv[2] if len(sys.argv) > 2 else "The capital of France is Paris, and the capital of Japan is"
        ids = AutoTokenizer.from_pretrained(folder)(text)["input_ids"]
    else:
        ids = [1, 5, 9, 17, 33]
    a, b = theirs(folder, ids), ours(folder, ids)
    largest = max(abs(value) for row in a for value in row)
    differences = sorted(abs(x - y) for p, q in zip(a, b) for x, y in zip(p, q))
    same = sum(max(range(len(p)), key=p.__getitem__) == max(range(len(q)), key=q.__getitem__) for p, q in zip(a, b))
    print(f"{len(ids)} tokens, largest logit {largest:.2f}")
    print(f"differences: median {differences[len(differences) // 2]:.2e}, largest {differences[-1]:.2e}")
    print(f"the same likeliest token after {same} of {len(ids)}")


if __name__ == "__main__":
    main()
