"""Puts teams-mirror beside Radicale: events that users save appear in their Microsoft Teams calendars, and the join link
stands in the stored event.

    python -m teams_mirror_radicale [Radicale's options]      Radicale's own server, with teams-mirror
    teams_mirror_radicale.wsgi:application                     the same for uwsgi, gunicorn and the like

The parts:

- ``settings``: the adapter's own configuration file.
- ``application``: Radicale's application, with the two beats around PUT, and a note before everything that may go missing.
- ``ical``: finds a text's UID; it reads no more of iCalendar than that.
- ``hook``: the client of the hook API.
- ``connection``: a connection to it on which everything ends at one moment.
- ``log``: Radicale's log, one line for each message.
- ``spool``: notes on disk, of what the hook still has to be told.
- ``worker``: tells what is noted, writes late links back, sees whether the hook answers.
- ``stored``: what Radicale's storage holds.
- ``check``: what an administrator should know at the start.
- ``preflight``: says that on the command line.
- ``page``: the user's way to the settings page.
"""

__version__ = "0.1.0"
