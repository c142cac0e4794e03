"""The `login` command: a person signs in with the browser, and the tokens are stored where the other commands find them."""
