"""The parts of a loader: what fetches samples, makes batches of them, and tells a worker who it is."""
