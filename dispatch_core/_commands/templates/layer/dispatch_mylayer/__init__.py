"""The layer `mylayer` of dispatch_core."""
