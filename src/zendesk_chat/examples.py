"""Examples and notes below the help of each command."""

from __future__ import annotations

from typing import Final

EPILOG: Final = """\
examples:
  zendesk-chat login                                     sign in once
  zendesk-chat sync                                      load everything into chats.duckdb
  zendesk-chat sync --subdomain acme --token TOKEN       load with a token that you have
  zendesk-chat sync --config config.json --streams chats,agents
  zendesk-chat status chats.duckdb                       show how complete and fresh it is
  zendesk-chat report chats.duckdb --open                report on the last 30 days
  zendesk-chat verify chats.duckdb                       compare it with the account
  zendesk-chat profile chats.duckdb                      show fill rates and schema differences
  zendesk-chat check                                     check that the token can read the account
  zendesk-chat streams                                   list what you can load
  zendesk-chat destinations                              list where you can load it
  zendesk-chat read --config config.json --catalog catalog.json --state state.json
  zendesk-chat sandbox                                   serve a simulated account to try this on
"""
LOGIN_EPILOG: Final = """\
examples:
  zendesk-chat login                                  ask for what is missing, and open the browser
  zendesk-chat login --subdomain acme --client-id ID
  zendesk-chat login --no-browser                     over SSH: sign in on any machine, and paste an address
  zendesk-chat login --config acme.json               one of several accounts

Set the client secret as ZENDESK_CHAT_CLIENT_SECRET, or type it when asked. With a secret, the tokens are renewed
automatically. docs/login.md shows each step, and how to create a token by hand.

exit codes:
  0    signed in; the other commands find the configuration
  1    no response; run again
  2    the arguments are wrong, the file cannot be written, or the port is in use
  3    Zendesk refused the sign-in: access denied, client, role
  130  interrupted; nothing was stored
"""
PROFILE_EPILOG: Final = """\
examples:
  zendesk-chat profile
  zendesk-chat profile acme.duckdb --streams chats,visitors
  zendesk-chat profile acme.duckdb --json

Never prints record contents.

exit codes:
  0  the profile is printed
  1  the file cannot be read
  2  the arguments are wrong
"""
AIRBYTE_EPILOGS: Final = {
    "spec": "examples:\n  zendesk-chat spec",
    "discover": "examples:\n  zendesk-chat discover --config config.json > catalog.json",
    "read": """\
examples:
  zendesk-chat discover --config config.json > catalog.json
  zendesk-chat read --config config.json --catalog catalog.json
  zendesk-chat read --config config.json --catalog catalog.json --state state.json

The catalog names the streams to read. Use the output of `discover` for all of them, or a configured catalog of Airbyte.
""",
}
CHECK: Final = "Check that the configuration can read the account"
CHECK_EPILOG: Final = """\
examples:
  zendesk-chat check                                  the configuration that sync would use
  zendesk-chat check --config acme.json
  zendesk-chat check --accounts accounts.toml         all accounts of this file
  source-zendesk-chat check --config config.json      for Airbyte: prints its messages, exits with 0
  zendesk-chat check --config config.json --airbyte   the same

exit codes:
  0  the account can be read
  1  no response; run again later
  2  the arguments or the configuration are wrong
  3  you must fix something first: token, role, account
"""
DESTINATIONS: Final = "List the databases and files that sync can load into"
DESTINATIONS_EPILOG: Final = """\
examples:
  zendesk-chat destinations
  zendesk-chat destinations postgres       URL, driver, guarantees and passwords of one
  zendesk-chat destinations --json
"""
COMPLETION_EPILOG: Final = """\
examples:
  eval "$(zendesk-chat completion bash)"                       in ~/.bashrc
  eval "$(zendesk-chat completion zsh)"                        in ~/.zshrc, after compinit
  zendesk-chat completion fish > ~/.config/fish/completions/zendesk-chat.fish
"""
