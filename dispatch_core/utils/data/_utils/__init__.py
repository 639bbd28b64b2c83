"""The parts of a loader: fetching samples, making batches of them, telling a worker who it is."""
