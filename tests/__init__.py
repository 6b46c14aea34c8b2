"""The tests: behaviours in cases/, one folder per room beside it."""
