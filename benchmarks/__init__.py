"""Cost of calls and of training steps, beside PyTorch's on the same machine in the same run."""
