"""Device `meta`: tensors with a shape and a dtype, and no data."""
