"""The WSGI application: what ``radicale.application`` is, with teams-mirror.

    gunicorn --threads 8 teams_mirror_radicale.wsgi:application

Radicale's configuration is found as Radicale finds it (``RADICALE_CONFIG``), the adapter's as `settings` says. The server must
run threads; uwsgi wants ``enable-threads``.
"""

from __future__ import annotations

import radicale

from teams_mirror_radicale.application import Application

radicale.Application = Application
application = radicale.application
