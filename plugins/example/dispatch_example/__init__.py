"""A complete plugin of dispatch_core, to learn from and to copy."""
