"""Real clients: what people use with Redis must work with our server unchanged."""
