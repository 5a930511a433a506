"""A certificate authority of our own, and a proxy that leads everybody to one port."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def authority(folder: Path, host: str) -> tuple[Path, ssl.SSLContext]:
    """The file of an authority, and a server's context with its certificate for ``host``."""
    issuer_key, issuer = ec.generate_private_key(ec.SECP256R1()), _name("our authority")
    top = _certificate(issuer, issuer, issuer_key, issuer_key, ca=True)
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = _certificate(_name(host), issuer, key, issuer_key, host=host)
    bundle, chain = folder / "authority.pem", folder / "server.pem"
    bundle.write_bytes(top.public_bytes(serialization.Encoding.PEM))
    chain.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + leaf.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return bundle, context


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    *,
    ca: bool = False,
    host: str = "",
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False
        )
    )
    if ca:
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        builder = builder.add_extension(usage, critical=True)
    if host:
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(signer, hashes.SHA256())


class Proxy:
    """An HTTP proxy whose every CONNECT ends at one port; ``asked`` are the hosts named."""

    def __init__(self, port: int) -> None:
        self.asked: list[str] = []
        self._port = port
        self._sockets: list[socket.socket] = []
        self._door = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Stop, and end what is still open."""
        for each in (self._door, *self._sockets):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._door.accept()
            except OSError:
                return
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            self.asked.append(head.split(b" ")[1].decode())
            server = socket.create_connection(("127.0.0.1", self._port))
            self._sockets += [client, server]
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            for pair in ((client, server), (server, client)):
                threading.Thread(target=_pipe, args=pair, daemon=True).start()


def _pipe(start: socket.socket, end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := start.recv(65_536):
            end.sendall(data)
        end.shutdown(socket.SHUT_WR)
