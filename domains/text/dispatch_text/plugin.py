"""What dispatch-text registers: the catalogue of its parts."""
