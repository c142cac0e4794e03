"""Every line of an output, held against three readings of the protocol and the schemas that the source itself declares.

The models of the platform's side (pydantic), the models of the CDK's side, and the project's own checker, which knows order,
counts and statuses too.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from airbyte_cdk.models.airbyte_protocol_serializers import AirbyteMessageSerializer
from airbyte_protocol.models import AirbyteMessage
from jsonschema import Draft7Validator

from tests.support.protocol import Output, check_read, parse

Catalog = Mapping[str, Any]


def checked(stdout: bytes) -> Output:
    """The messages of an output whose every line both sides of Airbyte understand.

    Raises:
        ProtocolError: a line breaks the protocol in the project's reading.
        pydantic.ValidationError, serpyco_rs.SchemaValidationError: a line does in Airbyte's.
    """
    for line in stdout.splitlines():
        AirbyteMessage.model_validate_json(line)
        AirbyteMessageSerializer.load(orjson.loads(line))
    return Output(parse(stdout))


def checked_read(stdout: bytes, streams: Iterable[str], catalog: Catalog, *, cut: bool = False) -> Output:
    """The messages of a read: lines, order, counts and statuses, and each record by its stream's schema.

    Args:
        stdout: What was written.
        streams: What was asked for.
        catalog: What the source discovers.
        cut: The reader went away, so that only whole lines count and streams may be unfinished.
    """
    if cut:
        output = checked(stdout[: stdout.rfind(b"\n") + 1])
    else:
        checked(stdout)
        output = check_read(stdout, streams)
    for stream, records in output.records.items():
        assert_schema(stream, records, catalog)
    return output


_fitting: set[tuple[str, str, str]] = set()
"""The records that are known to fit a schema: the same come again in most tests, and to validate one takes a millisecond."""


def assert_schema(stream: str, records: Iterable[Mapping[str, Any]], catalog: Catalog) -> None:
    """Each record fits the schema that the catalog declares."""
    (schema,) = [entry["json_schema"] for entry in catalog["streams"] if entry["name"] == stream]
    validator, schema_text = Draft7Validator(schema), json.dumps(schema)
    for record in records:
        known = (stream, schema_text, json.dumps(record))
        if known not in _fitting:
            problems = [f"{stream}: {error.json_path}: {error.message}" for error in validator.iter_errors(record)]
            assert not problems, problems
            _fitting.add(known)
