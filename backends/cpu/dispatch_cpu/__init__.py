"""The cpu backend: numpy arrays, with own kernels where numpy is weak."""
