"""The device `mydevice` of dispatch_core."""
