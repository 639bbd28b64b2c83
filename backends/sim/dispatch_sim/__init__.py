"""Simulated devices, to test on a laptop what a program does with several, their memory and their streams."""

from dispatch_sim.races import RaceError
from dispatch_sim.simulation import Settings, configure, settings

__all__ = ["RaceError", "Settings", "configure", "settings"]
