"""The store: the only room that knows SQL. Tables, two drivers behind one port, one file per aggregate."""
