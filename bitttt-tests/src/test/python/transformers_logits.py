"""Logits of a model folder by Hugging Face transformers, as JSON: transformers_logits.py FOLDER IDS [SPLIT]

IDS are token ids with commas. With SPLIT, the first SPLIT ids go in one call and the others, with its memories, in a second one.
"""
import json
import sys

import torch
from transformers import AutoModelForCausalLM

folder, text, *split = sys.argv[1:]
ids = torch.tensor([[int(word) for word in text.split(",")]])
model = AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=True)
with torch.no_grad():
    if split:
        first = model(ids[:, :int(split[0])])
        second = model(ids[:, int(split[0]):], memories=first.memories)
        logits = torch.cat((first.logits, second.logits), 1)
    else:
        logits = model(ids).logits
    greedy = model.generate(ids, max_new_tokens=8, do_sample=False)
print(json.dumps({"logits": logits[0].tolist(), "greedy": greedy[0].tolist()}))
