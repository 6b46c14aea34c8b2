"""HTTP in, HTTP out: a file per resource; no rule of the product is decided here."""
