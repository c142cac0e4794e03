"""The tree of errors: what each type means for the exit code and for Airbyte, and the data beside a message."""

from __future__ import annotations

import pickle

import pytest

from zendesk_chat.airbyte.messages import failure_type
from zendesk_chat.errors import (
    ConfigError,
    ConnectorError,
    DataError,
    DestinationError,
    DestinationRefusedError,
    ExitCode,
    TransientError,
    UnavailableError,
    exit_code,
    origin,
)


@pytest.mark.parametrize(
    ("kind", "code", "airbyte"),
    [
        (ConfigError, ExitCode.ACTION_NEEDED, "config_error"),
        (TransientError, ExitCode.INCOMPLETE, "transient_error"),
        (DataError, ExitCode.INCOMPLETE, "system_error"),
        (DestinationError, ExitCode.INCOMPLETE, "system_error"),
        (DestinationRefusedError, ExitCode.ACTION_NEEDED, "system_error"),
    ],
)
def test_the_type_of_an_error_decides_what_recovers_from_it(kind: type[ConnectorError], code: ExitCode, airbyte: str) -> None:
    assert exit_code([kind("What happened.")]) == code
    assert failure_type(kind("What happened.")) == airbyte


def test_one_error_for_a_person_decides_the_exit_code_of_a_run() -> None:
    assert exit_code([TransientError("Later."), ConfigError("Wrong token.")]) == ExitCode.ACTION_NEEDED
    assert exit_code([TransientError("Later."), DataError("Odd.")]) == ExitCode.INCOMPLETE
    assert exit_code([]) == ExitCode.INCOMPLETE


def test_an_error_carries_data_beside_its_message() -> None:
    error = ConfigError("No.", stream="chats", status=400, code="invalid_scope")
    assert (str(error), error.stream, error.status, error.code) == ("No.", "chats", 400, "invalid_scope")
    plain = TransientError("Later.")
    assert (plain.stream, plain.status, plain.code) == (None, None, None)


def test_no_error_of_the_destination_is_an_error_of_the_configuration() -> None:
    assert not issubclass(DestinationRefusedError, ConfigError)


def test_errors_survive_pickling_between_processes() -> None:
    for error in (
        ConfigError("No.", stream="chats"),
        TransientError("Later.", status=500),
        UnavailableError("No.", status=403, by_api=False),
    ):
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))


def test_the_origin_of_an_error_is_its_deepest_frame() -> None:
    with pytest.raises(ValueError, match="secret") as caught:
        raise_deep()
    assert origin(caught.value).startswith("ValueError at test_errors.py:")
    assert origin(caught.value).endswith(" in raise_deep")
    assert origin(UnavailableError("x", status=403)) == "UnavailableError"


def raise_deep() -> None:
    raise ValueError("secret")
