"""The exceptions of the framework that file formats need."""

from __future__ import annotations


class DispatchCoreError(Exception):
    """Base of every exception that the framework defines itself."""


class FileFormatError(DispatchCoreError, RuntimeError):
    """A file is damaged, truncated or not in the format it claims."""
