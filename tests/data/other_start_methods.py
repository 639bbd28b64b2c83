"""Loads with workers that are not forked; a program of its own, for they import it."""

# ruff: noqa: NPY002  numpy's global generator is among what this is about

import random
import sys

import numpy as np

import dispatch_core as dc
from dispatch_core.utils.data import DataLoader, Dataset


class Noisy(Dataset):
    def __len__(self):
        return 12

    def __getitem__(self, index):
        image = np.full((64, 256), index + random.random(), np.float32)
        return image, np.random.rand(), dc.rand(2)


def load(workers, context=None):
    dc.manual_seed(5)
    options = {"num_workers": workers, "multiprocessing_context": context}
    loader = DataLoader(Noisy(), 5, shuffle=True, **options)
    return [[part.tolist() for part in batch] for batch in loader]


if __name__ == "__main__":
    sys.stdout.write("the same" if load(0) == load(2, sys.argv[1]) else "different")
