"""The tap tests of Meltano's SDK on our executable: runs in the SDK's environment, with the config's path in ``TAP_CONFIG``.

The tests need a tap of the SDK. This one has the streams of our catalog, and yields the records that our process writes.
"""

import json
import os
import subprocess

from singer_sdk import Stream, Tap
from singer_sdk import typing as th
from singer_sdk.testing import SuiteConfig, get_tap_test_class

TAP = [os.environ["TAP"], "--config", os.environ["TAP_CONFIG"]]


def messages(*options):
    done = subprocess.run([*TAP, *options], capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


class ExternalStream(Stream):
    """A stream that our process reads."""

    def __init__(self, tap, entry, records):
        super().__init__(tap, schema=entry["schema"], name=entry["tap_stream_id"])
        self.primary_keys = entry["key_properties"]
        self.its_records = records

    def get_records(self, context):
        yield from self.its_records


class ExternalTap(Tap):
    """Our executable, as the SDK's tests see a tap."""

    name = "tap-zendesk-chat"
    package_name = "zendesk-chat"
    config_jsonschema = th.PropertiesList().to_dict()

    def discover_streams(self):
        entries = json.loads(subprocess.run([*TAP, "--discover"], capture_output=True, check=True).stdout)["streams"]
        catalog = os.environ["TAP_CONFIG"] + ".catalog"
        for entry in entries:
            entry["metadata"][0]["metadata"]["selected"] = True
        with open(catalog, "w") as file:
            json.dump({"streams": entries}, file)
        records = {entry["tap_stream_id"]: [] for entry in entries}
        for message in messages("--catalog", catalog):
            if message["type"] == "RECORD":
                records[message["stream"]].append(message["record"])
        return [ExternalStream(self, entry, records[entry["tap_stream_id"]]) for entry in entries]


TestTap = get_tap_test_class(ExternalTap, config={}, suite_config=SuiteConfig(max_records_limit=None))
