"""Datasets, samplers, and the loader that makes batches of them."""

from dispatch_core.utils.data._utils.collate import default_collate, default_convert
from dispatch_core.utils.data._utils.worker import WorkerInfo, get_worker_info
from dispatch_core.utils.data.dataloader import DataLoader
from dispatch_core.utils.data.dataset import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)
from dispatch_core.utils.data.distributed import DistributedSampler
from dispatch_core.utils.data.packed import PackedList
from dispatch_core.utils.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

__all__ = [
    "BatchSampler",
    "ChainDataset",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "DistributedSampler",
    "IterableDataset",
    "PackedList",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "StackDataset",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "WeightedRandomSampler",
    "WorkerInfo",
    "default_collate",
    "default_convert",
    "get_worker_info",
    "random_split",
]
