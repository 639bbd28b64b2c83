"""Data loading and other helpers of training."""
