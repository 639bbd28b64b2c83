"""Makes the files beside it with PyTorch: `python make.py`, where PyTorch is installed."""

from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch

here = Path(__file__).parent
base = torch.arange(12.0).reshape(3, 4) - 5
state = OrderedDict(weight=base, bias=base[1])
state._metadata = OrderedDict({"": {"version": 1}})
content = {
    "state": state,
    "plain": [None, True, -5, 2**70, 1.5, "hé", b"a\xff", (1, (2,)), {1, 2}, 1 + 2j],
    "column": base[:, 1],
    "transposed": base.t(),
    "expanded": base[0].expand(2, 4),
    "bfloat16": base.bfloat16(),
    "bool": base > 0,
    "complex": torch.complex(base, -base),
    "conj": torch.complex(base, -base).conj(),
    "parameter": torch.nn.Parameter(base * 2, requires_grad=False),
    "leaf": torch.ones(2, requires_grad=True),
    "number": torch.tensor(3),
    "empty": torch.empty(0, 3),
    "facts": (torch.float64, torch.device("cpu"), torch.Size([1, 2])),
    "numpy": (np.arange(4, dtype=">i2").reshape(2, 2), np.float64(2.5)),
}
torch.save(content, here / "legacy.pt", _use_new_zipfile_serialization=False)
content["uint16"] = torch.arange(3).to(torch.uint16)
content["float8"] = base[0].to(torch.float8_e4m3fn).expand(2, 4)
torch.save(content, here / "zip.pt")
torch.save(torch.nn.Linear(1, 1), here / "module.pt")
