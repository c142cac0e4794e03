"""Run singer-io's tap against the sandbox, whose address it cannot be given."""

import os
import sys

from tap_zendesk_chat import main
from tap_zendesk_chat.http import Client

Client.get_base_url = lambda _client: os.environ["SANDBOX"]
sys.exit(main())
