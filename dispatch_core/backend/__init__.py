"""What a device is to the framework, and what numpy-like devices share."""
