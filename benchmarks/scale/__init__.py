"""`make scale`: measures syncs of sandbox accounts, simulates many more with what was measured, and writes docs/scale.md."""
