"""What the tests share: fakes, models, oracles, and ways to start the program."""
