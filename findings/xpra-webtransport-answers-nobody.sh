#!/bin/sh
# Finding: an Xpra server takes what a WebTransport client sends in a stream of its own, and answers to nobody.
#
# Software: Xpra 6.5.5 (xpra.net.quic of PyPI's source archive, served by its own listener), aioquic 1.7.2.
# Ran:      two clients of aioquic ask for a session (extended CONNECT, `:protocol: webtransport`), which is accepted.
#           The first sends 5 bytes in DATA frames of the request's own stream, as Xpra's client does; the second in
#           a bidirectional stream that it opens in the session, as browsers and draft-ietf-webtrans-http3 have it.
#           Whatever is read on a connection is sent back on it.
# Expected: both get their bytes back: the server says that it switches to the stream it last read, and does.
# Seen:     the first does. Of the second the bytes are read, and nothing comes back: writing to that stream raises
#           "DATA frame is not allowed in this state" in aioquic, since the server writes DATA frames where a stream
#           of WebTransport has none. So wt:// works over the request's stream alone, and for no browser.
# Exit status: 0 if it is still so.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv "$work/env" >/dev/null
"$work/env/bin/pip" --quiet --disable-pip-version-check install aioquic==1.7.2 "setuptools>=77" wheel Cython==3.3.1
XPRA_EXTRA_BUILD_ARGS=--minimal PATH="$work/env/bin:$PATH" "$work/env/bin/pip" --quiet --disable-pip-version-check \
    download xpra==6.5.5 --no-binary :all: --no-deps --no-build-isolation
tar xf xpra-6.5.5.tar.gz
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout key.pem -out cert.pem 2>/dev/null
PYTHONPATH="$work/xpra-6.5.5" "$work/env/bin/python" - 2>"$work/log" <<'PYTHON'
import asyncio, socket, ssl, sys, threading, types

# Compiled parts that WebTransport does not use.
for name in ("xpra.net.websockets.mask", "xpra.net.websockets.protocol", "xpra.net.protocol.socket_handler"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["xpra.net.websockets.mask"].hybi_unmask = sys.modules["xpra.net.websockets.mask"].hybi_mask = None
sys.modules["xpra.net.websockets.protocol"].WebSocketProtocol = object
sys.modules["xpra.net.protocol.socket_handler"].SocketProtocol = object

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived, WebTransportStreamDataReceived
from aioquic.quic.configuration import QuicConfiguration
from xpra.net.aio.thread import get_threaded_loop
from xpra.net.quic.listener import do_listen

read = []

class Server:
    def make_protocol(self, _kind, connection, _options, protocol_class):
        def echo():
            while data := connection.read(4096):
                read.append(data)
                connection.write(data, "echo")
        threading.Thread(target=echo, daemon=True).start()

udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("127.0.0.1", 0))
get_threaded_loop().sync(do_listen, udp, Server(), "cert.pem", "key.pem", False)

class Client(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.http = H3Connection(self._quic, enable_webtransport=True)
        self.status, self.answers = asyncio.Queue(), asyncio.Queue()

    def quic_event_received(self, event):
        for got in self.http.handle_event(event):
            if isinstance(got, HeadersReceived):
                self.status.put_nowait(dict(got.headers)[b":status"])
            elif isinstance(got, (DataReceived, WebTransportStreamDataReceived)):
                self.answers.put_nowait(got.data)

async def answer(own_stream):
    config = QuicConfiguration(alpn_protocols=["h3"], is_client=True, verify_mode=ssl.CERT_NONE,
                               max_datagram_frame_size=65536, server_name="localhost")
    async with connect(*udp.getsockname(), configuration=config, create_protocol=Client) as client:
        request = client._quic.get_next_available_stream_id()
        fields = {":method": "CONNECT", ":scheme": "https", ":authority": "localhost", ":path": "/",
                  ":protocol": "webtransport"}
        client.http.send_headers(request, [(k.encode(), v.encode()) for k, v in fields.items()])
        client.transmit()
        status = await asyncio.wait_for(client.status.get(), 10)
        assert status == b"200", status
        if own_stream:
            stream = client.http.create_webtransport_stream(request, is_unidirectional=False)
            client._quic.send_stream_data(stream, b"hello")
        else:
            client.http.send_data(request, b"hello", False)
        client.transmit()
        try:
            return await asyncio.wait_for(client.answers.get(), 5)
        except asyncio.TimeoutError:
            return None

answers = [asyncio.run(answer(own_stream)) for own_stream in (False, True)]
print("read by the server:", read)
print("answers: in the request's stream %r, in a stream of its own %r" % tuple(answers))
sys.exit(0 if read == [b"hello"] * 2 and answers == [b"hello", None] else 1)
PYTHON
grep -m1 "DATA frame is not allowed in this state" "$work/log"
