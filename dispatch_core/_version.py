"""The version of the distribution, read by the build and shown as `dispatch_core.__version__`."""

__version__ = "0.1.0"
