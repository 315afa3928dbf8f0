"""The programs inside helper processes: each runs one template engine, and imports nothing else of gatepost."""
