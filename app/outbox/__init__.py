"""What leaves over HTTP: the one module that opens connections, and what it refuses to dial."""
