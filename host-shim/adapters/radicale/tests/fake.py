"""A hook that answers what a test wants, and Radicale inside this process."""

import io
import json
import logging
import os
import shutil
import socketserver
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from radicale import config

from teams_mirror_radicale import check
from teams_mirror_radicale.application import Application
from teams_mirror_radicale.stored import Stored

EVENT = ("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nBEGIN:VEVENT\r\nUID:%s\r\nDTSTAMP:20291201T080000Z\r\n"
         "DTSTART:20300114T100000Z\r\nDTEND:20300114T110000Z\r\nSUMMARY:%s\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")


class FakeHook:
    """Records requests. ``answer(method, path, body)`` gives status and JSON body, or ``None`` to cut the connection."""

    def __init__(self, answer=None, unix=None):
        self.requests = []
        self.answer = answer or self.as_sent
        self.connections = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = unix is None

            def setup(self):
                outer.connections += 1
                super().setup()

            def address_string(self):
                return "test"

            def log_message(self, *_):
                pass

            def _any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.requests.append((self.command, self.path, dict(self.headers), body))
                answered = outer.answer(self.command, self.path, body)
                if answered is None:
                    self.close_connection = True
                    return
                status, value = answered
                content = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_PUT = do_POST = do_DELETE = _any

        if unix:
            class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
                daemon_threads = True

            self.server = UnixServer(unix, Handler)
            self.address = "unix:" + unix
        else:
            self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            self.server.daemon_threads = True
            self.address = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @staticmethod
    def as_sent(method, path, body):
        """Takes everything, changes nothing."""
        if "/v1/changes" in path:
            threading.Event().wait(0.2)
            return 200, {"cursor": "1.1", "changes": []}
        if method == "PUT" and "/events/" in path:
            return 200, {"change": "c", "state": "mirrored", "notices": [], "icalendar": body.decode()}
        return 200, {}

    def saw(self, method, part=""):
        """The requests with that method whose path contains a part; probes and polls not counted."""
        return [request for request in list(self.requests)
                if request[0] == method and part in request[1] and "/events/" in request[1]]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def settings_file(folder, hook, more=""):
    """A configuration file in a folder; gives its path."""
    with open(os.path.join(folder, "secret"), "w", encoding="ascii") as file:
        file.write("hush-hush\n")
    path = os.path.join(folder, "teams-mirror.ini")
    with open(path, "w", encoding="utf-8") as file:
        file.write("[teams-mirror]\nhook = %s\nsecret_file = %s/secret\naddress = {user}@example.org\n%s\n" % (
            hook, folder, more))
    return path


class Server:
    """Radicale with the adapter, called as WSGI."""

    def __init__(self, hook, more="", auth="http_x_remote_user", options=None):
        logging.getLogger("radicale").setLevel(logging.CRITICAL + 1)
        self.folder = tempfile.mkdtemp()
        check.argument = settings_file(self.folder, hook, more)
        configuration = config.load()
        configuration.update({
            "auth": {"type": auth, "delay": "0"}, "storage": {"filesystem_folder": os.path.join(self.folder, "store")}}, "test")
        if options:
            configuration.update(options, "test")
        self.application = Application(configuration)
        check.argument = None

    @property
    def mirror(self):
        return self.application.mirror

    def findings(self):
        """What is said to be wrong."""
        return check.findings(self.mirror.settings, self.application.configuration, self.mirror.hook, self.mirror.spool)[0]

    def request(self, method, path, body=b"", user="alice", kind="text/calendar; charset=utf-8", stream=None, **headers):
        """Gives status, headers and body."""
        content = body.encode("utf-8") if isinstance(body, str) else body
        environ = {
            "REQUEST_METHOD": method, "PATH_INFO": path, "SCRIPT_NAME": "", "QUERY_STRING": "", "SERVER_NAME": "x",
            "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.input": stream or io.BytesIO(content),
            "wsgi.errors": io.StringIO(), "wsgi.url_scheme": "http", "CONTENT_TYPE": kind,
            "CONTENT_LENGTH": str(headers.pop("length", len(content))), "HTTP_X_REMOTE_USER": user,
            **{"HTTP_" + name.upper(): value for name, value in headers.items()}}
        seen = []
        parts = self.application(environ, lambda status, headers: seen.append((int(status.split()[0]), dict(headers))))
        return (*seen[0], b"".join(parts).decode("utf-8"))

    def calendar(self, path="/alice/work/"):
        status, _, text = self.request("MKCALENDAR", path, kind="")
        assert status == 201, text

    def stored(self, path):
        return Stored(self.application).object(path)

    def close(self):
        self.mirror.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
