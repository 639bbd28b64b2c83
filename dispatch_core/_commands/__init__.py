"""What `python -m dispatch_core` shows; every function returns text, and `__main__` prints it."""
