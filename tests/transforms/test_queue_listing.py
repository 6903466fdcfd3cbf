"""A queue listing names waiting recipients as the customer records do."""

import io
from datetime import UTC, datetime

from transforms.queue_listing import read_queue_listing


def test_international_domains_are_spelled_as_in_the_records() -> None:
    line = (
        '{"queue_name": "deferred", "queue_id": "A1", "arrival_time": 1900000000, "message_size": 1,'
        ' "sender": "a@b.example", "recipients": [{"address": "Jörg@Bücher.example"}, {"address": "ann@example.com"}]}'
    )
    events, aside = read_queue_listing(io.BytesIO(line.encode()), "0" * 16, "q", datetime(2031, 1, 1, tzinfo=UTC))
    assert events["recipient"].to_list() == ["jörg@xn--bcher-kva.example", "ann@example.com"]
    assert aside.is_empty()
