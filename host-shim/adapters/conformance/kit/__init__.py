"""The conformance kit for adapters of teams-mirror.

- ``requirements``: what is looked at, by the ids of `PROTOCOL.md`.
- ``standin``: the hook API over HTTP, as strict as the real one.
- ``routes``: which calls there are; ``model``: what it knows of events.
- ``caldav``: the client.
- ``texts``: iCalendar for both.
- ``bench``: what a check works with; ``checks``: the checks.
- ``runner``: plays them; ``report``: the table and the JSON; ``options``: the command line; ``main``: all together.
- ``compare``: whether the stand-in answers as the real API.
"""
