"""What two brokers do with clients that come to the wrong door or with the wrong key: certificates, versions and ciphers
of TLS, plain bytes where TLS is spoken and the other way round.

No judge of its own: access_decisions has both brokers.
"""

import socket
import ssl
import struct
import subprocess
import time

from harness import KAFKIT, SCRATCH, Program, answers, expect, free_port, kafka_tool, run, wait_until

# ApiVersions v0 of a client without a name.
VERSIONS = struct.pack(">ihhih", 10, 18, 0, 1, -1)
# The listener that wants certificates, and the one with logins, above the plain one.
PLAIN, SECURE, MUTUAL = 0, 50, 70


CA = """[ca]
default_ca = own
[own]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
"""


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], cwd=SCRATCH, check=True, capture_output=True)


def certificate(name, authority=None, has_expired=False):
    """A key and a certificate in one file; signed by itself without an authority."""
    path, request = SCRATCH / f"{name}.pem", ["-in", f"{name}.csr", "-out", f"{name}.crt"]
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
    if has_expired:
        (SCRATCH / "ca.cnf").write_text(CA)
        (SCRATCH / "index.txt").write_text("")
        openssl("ca", "-batch", "-config", "ca.cnf", "-cert", authority / "ca.pem", "-keyfile", authority / "ca.key", *request,
                "-startdate", "20200101000000Z", "-enddate", "20200201000000Z")
    else:
        signer = ["-CA", authority / "ca.pem", "-CAkey", authority / "ca.key", "-CAcreateserial"] if authority else \
            ["-signkey", f"{name}.key"]
        openssl("x509", "-req", *request, *signer, "-days", 30)
    path.write_text((SCRATCH / f"{name}.key").read_text() + (SCRATCH / f"{name}.crt").read_text())
    return path


def context(authority, certificate=None, oldest=None, newest=None, ciphers=None):
    made = ssl.create_default_context(cafile=authority)
    made.check_hostname = False
    if certificate:
        made.load_cert_chain(certificate)
    if ciphers:
        made.set_ciphers(ciphers)
    if oldest:
        made.minimum_version = oldest
    if newest:
        made.maximum_version = newest
    return made


def end_of(stream):
    """What comes before the end, at most a little."""
    try:
        return stream.recv(100)
    except (ConnectionError, ssl.SSLError):
        return b""


def over_tls(port, made):
    """Whether a client with this context is served, or how it is refused."""
    with socket.create_connection(("127.0.0.1", port), timeout=40) as plain:
        try:
            with made.wrap_socket(plain, server_hostname="localhost") as stream:
                stream.sendall(VERSIONS)
                return "served" if end_of(stream) else "refused"
        except (ssl.SSLError, ConnectionError):
            return "refused"


def over_plain(port, message):
    """Whether an answer of Kafka's protocol comes to plain bytes; alerts of TLS are none."""
    with socket.create_connection(("127.0.0.1", port), timeout=40) as stream:
        begun = time.monotonic()
        try:
            stream.sendall(message)
            answer = end_of(stream)
        except TimeoutError:
            return "waits"
        late = time.monotonic() - begun > 20
        return "served" if answer[:1] == b"\0" else "refused late" if late else "refused"


def cases(authority):
    """Names, ports above the first, and what is done there."""
    ca = authority / "ca.pem"
    good = certificate("carol", authority)
    strangers = {
        "no certificate": None,
        "a certificate that signs itself": certificate("stranger"),
        "a certificate that has expired": certificate("late", authority, has_expired=True),
    }
    for name, path in strangers.items():
        yield name, MUTUAL, lambda port, path=path: over_tls(port, context(ca, path))
    yield "a good certificate", MUTUAL, lambda port: over_tls(port, context(ca, good))
    tls = ssl.TLSVersion
    for version in (tls.TLSv1_2, tls.TLSv1_3):
        yield version.name, MUTUAL, lambda port, version=version: over_tls(port, context(ca, good, version, version))
    for version in (tls.TLSv1, tls.TLSv1_1):
        made = lambda version=version: context(ca, good, version, version, "ALL:@SECLEVEL=0")
        yield version.name, MUTUAL, lambda port, made=made: over_tls(port, made())
    for ciphers in ("ECDHE-ARIA128-GCM-SHA256", "AECDH-NULL-SHA:@SECLEVEL=0", "ECDHE-RSA-AES128-GCM-SHA256"):
        made = lambda ciphers=ciphers: context(ca, good, None, tls.TLSv1_2, ciphers)
        yield f"cipher {ciphers}", MUTUAL, lambda port, made=made: over_tls(port, made())
    for door in (SECURE, MUTUAL):
        yield f"plain bytes at {door}", door, lambda port: over_plain(port, VERSIONS)
        yield f"HTTP at {door}", door, lambda port: over_plain(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        yield f"noise at {door}", door, lambda port: over_plain(port, b"\xff" * 64)
    yield "TLS at the plain door", PLAIN, lambda port: over_tls(port, context(ca))
    yield "HTTP at the plain door", PLAIN, lambda port: over_plain(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    yield "a frame without end", PLAIN, lambda port: over_plain(port, b"\x7f\xff\xff\xff" + b"x" * 100)
    yield "a negative frame", PLAIN, lambda port: over_plain(port, b"\xff\xff\xff\xff" + b"x" * 100)
    yield "a plain client at the plain door", PLAIN, lambda port: over_plain(port, VERSIONS)


def clients_hold_the_name_against_the_certificate(authority):
    """Apache Kafka's client and kafkit do not trust a mini broker that shows another host's certificate."""
    port = free_port()
    elsewhere = certificate("elsewhere.example", authority)
    settings = ["ssl.keystore.type=PEM", f"ssl.keystore.location={elsewhere}"]
    trusting = f"security.protocol=SSL\nssl.truststore.type=PEM\nssl.truststore.location={authority / 'ca.pem'}\n"
    strict, unchecked = SCRATCH / "strict.properties", SCRATCH / "unchecked.properties"
    strict.write_text(trusting)
    unchecked.write_text(trusting + "ssl.endpoint.identification.algorithm=\n")
    command = [KAFKIT, "broker", "--listen", f"SSL://127.0.0.1:{port}", "--data-dir", SCRATCH / "elsewhere"]
    with Program(*command, *(word for setting in settings for word in ("-X", setting))):
        wait_until(lambda: answers(port), "the broker listens")
        at = ["--bootstrap-server", f"127.0.0.1:{port}", "--command-config"]
        kafka_tool("kafka-topics", "--create", "--topic", "t", *at, unchecked)
        refused = kafka_tool("kafka-topics", "--list", *at, strict, status=1)
        expect("SSL handshake failed" in refused or "SslAuthenticationException" in refused, refused)
        run(KAFKIT, "topics", "list", *at, unchecked)
        run(KAFKIT, "topics", "list", *at, strict, status=4)


def compare(theirs, ours):
    differences, count = [], 0
    for name, door, knock in cases(theirs.authority.parent):
        wanted, seen = (knock(side.port + door) for side in (theirs, ours))
        count += 1
        print(f"      {name}: {wanted}")
        if wanted != seen:
            differences.append(f"    {name}: wanted {wanted}, saw {seen}")
    expect(not differences, "\n" + "\n".join(differences))
    clients_hold_the_name_against_the_certificate(theirs.authority.parent)
    print(f"    {count + 4} clients")
