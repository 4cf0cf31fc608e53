#!/bin/sh
# Finding: two common proxies do not refuse as their protocols say: tinyproxy answers a wrong login with 401, and OpenSSH
#          closes where nothing listens.
#
# Software: tinyproxy 1.11.1 (Debian 12: tinyproxy-bin), OpenSSH 9.2p1 (Debian 12: openssh-client, openssh-server).
# Ran:      CONNECT through tinyproxy with `BasicAuth`, without a login and with a wrong one; a SOCKS5 request to `ssh -D`
#           for a port that nothing listens on.
# Expected: 407 both times (RFC 9110 §15.5.8: a client repeats its request with another Proxy-Authorization); reply 5,
#           "connection refused" (RFC 1928 §6).
# Seen:     tinyproxy says 407 without a login, and 401 Unauthorized with WWW-Authenticate, a server's words, with a wrong one.
#           ssh accepts the way to log in, takes the request, and closes without any reply.
# Exit status: 0 if it is still so.
set -eu
for package in tinyproxy-bin openssh-client openssh-server; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -q '^installed$' ||
        apt-get install -y --no-install-recommends "$package" >/dev/null
done
work=$(mktemp -d)
pids=
trap 'for pid in $pids; do kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; done; rm -rf "$work"' EXIT
free_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
web=$(free_port) sshd=$(free_port) socks=$(free_port) closed=$(free_port)
tinyproxy -v
ssh -V

printf 'Port %s\nListen 127.0.0.1\nAllow 127.0.0.1\nBasicAuth anna secret\n' "$web" >"$work/tinyproxy.conf"
tinyproxy -d -c "$work/tinyproxy.conf" >"$work/tinyproxy.log" 2>&1 &
pids="$pids $!"

mkdir -p /run/sshd
ssh-keygen -q -t ed25519 -N '' -f "$work/host"
ssh-keygen -q -t ed25519 -N '' -f "$work/key"
cp "$work/key.pub" "$work/authorized"
printf '%s\n' "ListenAddress 127.0.0.1" "Port $sshd" "HostKey $work/host" "AuthorizedKeysFile $work/authorized" \
    "PidFile none" "UsePAM no" "StrictModes no" "PermitRootLogin yes" >"$work/sshd_config"
/usr/sbin/sshd -D -e -f "$work/sshd_config" >"$work/sshd.log" 2>&1 &
pids="$pids $!"
sleep 1
ssh -F none -i "$work/key" -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile="$work/known" -N \
    -D "127.0.0.1:$socks" -p "$sshd" 127.0.0.1 >"$work/ssh.log" 2>&1 &
pids="$pids $!"
for _ in $(seq 50); do
    grep -q . "$work/known" 2>/dev/null && /usr/bin/python3 -c "import socket; socket.create_connection(('127.0.0.1', $socks))" 2>/dev/null && break
    sleep 0.2
done

/usr/bin/python3 - "$web" "$socks" "$closed" <<'PYTHON'
import socket, sys
web, socks, closed = map(int, sys.argv[1:])

def status(login):
    with socket.create_connection(("127.0.0.1", web)) as s:
        s.sendall(b"CONNECT localhost:1 HTTP/1.1\r\nHost: localhost:1\r\n" + login + b"\r\n")
        head = s.recv(4096).split(b"\r\n\r\n")[0].decode()
    print(head, end="\n\n")
    return head.split(" ")[1]

without = status(b"")
wrong = status(b"Proxy-Authorization: Basic YW5uYTp3cm9uZw==\r\n")
with socket.create_connection(("127.0.0.1", socks)) as s:
    s.settimeout(20)
    s.sendall(b"\x05\x01\x00")
    method = s.recv(2)
    s.sendall(b"\x05\x01\x00\x01\x7f\x00\x00\x01" + closed.to_bytes(2, "big"))
    reply = s.recv(10)
print("tinyproxy:", without, "without a login,", wrong, "with a wrong one; ssh -D:", method, "then", reply)
sys.exit(0 if (without, wrong, method, reply) == ("407", "401", b"\x05\x00", b"") else 1)
PYTHON
