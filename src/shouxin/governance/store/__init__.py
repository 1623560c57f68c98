"""SQL in, values out: one module a concern."""
