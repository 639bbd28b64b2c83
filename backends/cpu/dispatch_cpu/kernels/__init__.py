"""The numpy kernels of the cpu backend: plain functions on arrays, one file a topic."""
