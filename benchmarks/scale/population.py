"""The accounts of a simulation: many small ones and a few large ones, always the same."""

from __future__ import annotations

import random
from dataclasses import dataclass
from math import exp
from statistics import NormalDist
from typing import Final

SEED: Final = 17
MEDIAN_CHATS_A_DAY: Final = 20
SIGMA: Final = 1.6  # of the logarithm: 1% of the accounts have 40 times the median or more
HISTORY_DAYS: Final = 3 * 365
REFUSED_SHARE: Final = 0.01  # of the accounts: their token is refused until a person acts


@dataclass(frozen=True, slots=True)
class Account:
    """A simulated account.

    Attributes:
        second: The second of the hour at which its sync is due, if accounts have minutes of their own.
        refused: Its token is refused: each sync ends after one request, and only a person can repair it.
    """

    chats_a_day: float
    second: float = 0.0
    refused: bool = False

    @property
    def history(self) -> int:
        """How many chats a first sync reads."""
        return round(self.chats_a_day * HISTORY_DAYS)


def make_accounts(count: int) -> list[Account]:
    """Return accounts whose chats a day are the quantiles of a log-normal distribution, in a random order.

    Quantiles instead of random samples: the sizes do not depend on the seed, which decides the order and the refused tokens.

    Example: one account is the median, 20 chats a day. The largest of 10,000 has 10,000 a day, and 11 million in its history.
    """
    sizes = NormalDist(0, SIGMA)
    chance = random.Random(SEED)
    refused = set(chance.sample(range(count), round(count * REFUSED_SHARE)))
    rates = [MEDIAN_CHATS_A_DAY * exp(sizes.inv_cdf((index + 0.5) / count)) for index in range(count)]
    chance.shuffle(rates)
    return [Account(rate, 3600 * index / count, index in refused) for index, rate in enumerate(rates)]
