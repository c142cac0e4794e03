"""The least that gets all chats out as RECORD lines: a script of one screen, without state, retries or checks of what came.

Usage: bare.py API_URL TOKEN START_TIME
"""

from __future__ import annotations

import sys
import time

import msgspec
import urllib3


class Page(msgspec.Struct):
    chats: list[msgspec.Raw]
    count: int
    end_time: int
    end_id: str


def main(api_url: str, token: str, start_time: str) -> None:
    pool = urllib3.PoolManager(retries=False)
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"}
    decoder = msgspec.json.Decoder(Page)
    fields = {"fields": "chats(*)", "limit": "1000", "start_time": start_time}
    while True:
        response = pool.request("GET", f"{api_url}/incremental/chats", fields=fields, headers=headers)
        if response.status != 200:
            sys.exit(f"HTTP {response.status}")
        page = decoder.decode(response.data)
        head = b'{"type":"RECORD","record":{"stream":"chats","emitted_at":%d,"data":' % (time.time() * 1000)
        sys.stdout.buffer.write(b"".join(b"%b%b}}\n" % (head, chat) for chat in page.chats))
        if page.count < 1000:
            return
        fields |= {"start_time": str(page.end_time), "start_id": page.end_id}


if __name__ == "__main__":
    main(*sys.argv[1:])
