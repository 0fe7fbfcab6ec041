"""Tells a story: python story.py "Once upon a time" """

import sys

from bitttt import Model

prompt = sys.argv[1] if len(sys.argv) > 1 else "Once upon a time"
with Model() as model, model.session() as session:
    print(prompt, end="")
    for piece in session.generate(prompt, max_new_tokens=200):
        print(piece, end="", flush=True)
    print()
