"""Requests written by hand, over TLS and SASL PLAIN: what a broker answers to exactly these.

A shape has a letter a field: 1 2 4 8 numbers of so many bytes, s a string, b bytes, […] an array. In an answer e is an
error code and m its message. Flexible versions have S, B and <…> in their place, and t where tagged fields stand.
"""

import socket
import ssl
import struct
import time

# A connection with a login is used for so many seconds: brokers of tests let sessions end.
SESSION = 1
# An array that is null.
NULL = object()
NUMBERS = {"1": ">b", "2": ">h", "4": ">i", "8": ">q", "e": ">h"}


def split(shape):
    """The inside of the array that begins the shape, and what follows it."""
    depth = 0
    for place, letter in enumerate(shape):
        depth += {"[": 1, "]": -1, "<": 1, ">": -1}.get(letter, 0)
        if depth == 0:
            return shape[1:place], shape[place + 1:]
    raise ValueError(shape)


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def length_of(compact, length):
    """How a length is written; -1 is null."""
    return varint(length + 1) if compact else struct.pack(">i", length)


def encode(shape, values):
    out, values = b"", list(values)
    while shape:
        if shape[0] == "t":
            out, shape = out + b"\0", shape[1:]
            continue
        if shape[0] in "[<":
            compact = shape[0] == "<"
            inside, shape = split(shape)
            items = values.pop(0)
            if items is NULL:
                out += length_of(compact, -1)
                continue
            out += length_of(compact, len(items))
            for item in items:
                out += encode(inside, item if isinstance(item, (list, tuple)) else [item])
            continue
        value, letter, shape = values.pop(0), shape[0], shape[1:]
        if letter in NUMBERS:
            out += struct.pack(NUMBERS[letter], value)
        else:
            value = value.encode() if isinstance(value, str) else value
            length = -1 if value is None else len(value)
            out += struct.pack(">h", length) if letter == "s" else length_of(letter in "SB", length)
            out += value or b""
    assert not values, values
    return out


def read_length(compact, data, at):
    """A length, and where it ends."""
    if not compact:
        return struct.unpack_from(">i", data, at)[0], at + 4
    number = shift = 0
    while True:
        byte, at = data[at], at + 1
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return number - 1, at


def decode(shape, data, at=0):
    """The fields, and where they end."""
    fields = []
    while shape:
        if shape[0] == "t":
            assert data[at] == 0, "no tagged fields are expected"
            at, shape = at + 1, shape[1:]
            continue
        if shape[0] in "[<":
            compact = shape[0] == "<"
            inside, shape = split(shape)
            count, at = read_length(compact, data, at)
            items = []
            for _ in range(max(count, 0)):
                item, at = decode(inside, data, at)
                items.append(item)
            fields.append(items)
            continue
        letter, shape = shape[0], shape[1:]
        if letter in NUMBERS:
            size = struct.calcsize(NUMBERS[letter])
            (value,), at = struct.unpack_from(NUMBERS[letter], data, at), at + size
        else:
            if letter in "sm":
                (length,), at = struct.unpack_from(">h", data, at), at + 2
            else:
                length, at = read_length(letter in "SB", data, at)
            value = None if length < 0 else bytes(data[at:at + length])
            at += max(length, 0)
            if letter not in "bB" and value is not None:
                value = value.decode()
        fields.append(value)
    return fields, at


class RawConnection:
    """One connection, from an address of this machine's loopback."""

    def __init__(self, port, user=None, password=None, source="127.0.0.1", authority=None, mechanism="PLAIN"):
        self.login = (port, user, password, source, authority, mechanism) if user else None
        self.open(port, user, password, source, authority, mechanism)

    def open(self, port, user, password, source, authority, mechanism):
        self.until = time.monotonic() + SESSION
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60, source_address=(source, 0))
        if authority:
            context = ssl.create_default_context(cafile=authority)
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self.stream = self.socket.makefile("rb")
        self.count = 0
        if user:
            self.ask(17, 1, "s", [mechanism], "e[s]")
            error, message, *_ = self.ask(36, 0, "b", [f"\0{user}\0{password}"], "esb")
            if error:
                raise PermissionError(f"{error} {message}")

    def send(self, api, version, shape, values):
        self.count += 1
        head = struct.pack(">hhi", api, version, self.count) + encode("s", ["judge"])
        if "t" in shape:
            head += b"\0"
        frame = head + encode(shape, values)
        self.socket.sendall(struct.pack(">i", len(frame)) + frame)

    def ask(self, api, version, shape, values, answer):
        if self.login and time.monotonic() > self.until:
            self.close()
            self.open(*self.login)
        self.send(api, version, shape, values)
        length = self.stream.read(4)
        if len(length) < 4:
            raise EOFError(f"API {api} is not answered")
        data = self.stream.read(struct.unpack(">i", length)[0])
        fields, end = decode(answer, data, 5 if "t" in answer else 4)
        assert end == len(data), f"API {api}: {len(data) - end} bytes are left over"
        return fields

    def close(self):
        self.stream.close()
        self.socket.close()
