#!/usr/bin/env python3
"""Writes src/internal_records/tables/ from the message definitions inside Apache Kafka's jars.

    tests/recorded/record_schemas.py LIBS      # the folder with kafka-clients-X.jar and its neighbours

Run it for a new version of Kafka, then `cargo fmt`, and read the diff.
"""

import json
import re
import sys
import zipfile
from pathlib import Path

OUT = Path(__file__).resolve().parents[2] / "src/internal_records/tables"

# table file -> (jar, what its records are, names to take; None: all of the jar)
TABLES = {
    "group": ("kafka-group-coordinator", "the records of `__consumer_offsets`", None),
    "transaction": ("kafka-transaction-coordinator", "the records of `__transaction_state`", None),
    "share": ("kafka-share-coordinator", "the records of `__share_group_state`", None),
    "metadata": ("kafka-metadata", "the records of `__cluster_metadata`", None),
    "remote": ("kafka-storage", "the records of `__remote_log_metadata`", r"^Remote"),
    "control": (
        "kafka-clients",
        "control records, and the subscriptions and assignments of classic consumers",
        r"^(ConsumerProtocol|Voters|LeaderChange|Snapshot|KRaftVersionRecord)",
    ),
}
PRIMITIVE = {
    "bool": "Bool", "int8": "Int8", "int16": "Int16", "uint16": "Uint16", "int32": "Int32", "uint32": "Uint32",
    "int64": "Int64", "float64": "Float64", "uuid": "Uuid", "string": "Text", "bytes": "Bytes",
}


def definitions(libs, jar, wanted):
    (path,) = [p for p in libs.glob(f"{jar}-[0-9]*.jar")]
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if not re.match(r"(common/)?(message|metadata)/\w+\.json$", name):
                continue
            text = archive.read(name).decode()
            message = json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.M))
            known = message["type"] in ("coordinator-key", "coordinator-value", "metadata", "data")
            if known and (wanted is None or re.search(wanted, message["name"])):
                yield message


def versions(text, top):
    """A version range as (low, high); what is open above ends at the message's newest."""
    if text is None or text == "none":
        return None
    low, _, high = text.partition("-")
    if text.endswith("+"):
        return int(text[:-1]), top
    return int(low), int(high or low)


def constant(name):
    name = name.replace("KRaft", "Kraft")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).upper()


def camel(name):
    return name[0].lower() + name[1:]


class Table:
    def __init__(self):
        self.lines = []

    def fields(self, owner, specs, top):
        return "&[\n" + "".join(self.field(owner, f, top) for f in specs) + "]"

    def kind(self, owner, spec, top):
        plain = spec["type"].removeprefix("[]")
        if plain in PRIMITIVE:
            kind = f"Kind::{PRIMITIVE[plain]}"
        else:
            # Kafka's structs are named once in a message, however deep they stand.
            name = f"{owner}_{constant(plain)}"
            if "fields" in spec:
                self.structure(owner, plain, spec["fields"], spec["versions"], top)
            kind = f"Kind::Struct(&{name})"
        return f"Kind::Array(&{kind})" if spec["type"].startswith("[]") else kind

    def structure(self, owner, plain, specs, text, top):
        name = f"{owner}_{constant(plain)}"
        body = self.fields(owner, specs, top)
        low, high = versions(text, top)
        self.lines.append(f'const {name}: Struct = Struct {{ name: "{plain}", versions: ({low}, {min(high, top)}), fields: {body} }};\n')

    def field(self, owner, spec, top):
        kind = self.kind(owner, spec, top)
        text = f'field("{camel(spec["name"])}", {kind})'
        low, high = versions(spec.get("versions", spec.get("taggedVersions", "0+")), top)
        if low > 0:
            text += f".since({low})"
        if high < top:
            text += f".until({high})"
        nullable = versions(spec.get("nullableVersions"), top)
        if nullable:
            text += f".nullable({nullable[0]})"
        if "tag" in spec:
            text += f".tagged({spec['tag']}, {versions(spec['taggedVersions'], top)[0]})"
        default = spec.get("default", "")
        if default == "null":
            text += ".or_null()"
        elif default not in (None, "", "false", "0", 0, False):
            number = {"true": 1, True: 1}.get(default, default)
            text += f".or({int(str(number), 0)})"
        return text + ",\n"

    def message(self, spec):
        name = constant(spec["name"])
        low, top = versions(spec["validVersions"], None)
        flexible = versions(spec["flexibleVersions"], top)
        for shared in spec.get("commonStructs", []):
            self.structure(name, shared["name"], shared["fields"], shared["versions"], top)
        body = self.fields(name, spec["fields"], top)
        self.lines.append(
            f"pub(in crate::internal_records) const {name}: Message = Message {{\n"
            f"    flexible: {flexible[0] if flexible else 'NEVER'},\n"
            f'    body: Struct {{ name: "{spec["name"]}", versions: ({low}, {top}), fields: {body} }},\n}};\n'
        )


def record_types(messages):
    """The list of keys and values (or metadata records) by their type number."""
    by_key = {}
    for spec in messages:
        if "apiKey" in spec:
            by_key.setdefault(spec["apiKey"], {})[spec["type"]] = constant(spec["name"])
    if not by_key:
        return ""
    if any("metadata" in kinds for kinds in by_key.values()):
        rows = "".join(f"    ({k}, &{by_key[k]['metadata']}),\n" for k in sorted(by_key))
        return f"\npub(in crate::internal_records) const RECORDS: &[(i16, &Message)] = &[\n{rows}];\n"
    rows = "".join(
        f"    RecordType {{ id: {k}, key: &{by_key[k]['coordinator-key']}, value: {value(by_key[k])} }},\n" for k in sorted(by_key)
    )
    return f"\npub(in crate::internal_records) const RECORDS: &[RecordType] = &[\n{rows}];\n"


def value(kinds):
    return f"Some(&{kinds['coordinator-value']})" if "coordinator-value" in kinds else "None"


def main():
    libs = Path(sys.argv[1])
    for file, (jar, what, wanted) in TABLES.items():
        messages = list(definitions(libs, jar, wanted))
        messages.sort(key=lambda m: (m.get("apiKey", 0), m["name"]))
        table = Table()
        for spec in messages:
            table.message(spec)
        types = record_types(messages)
        imports = ["Kind", "Message", "Struct", "field"]
        if "NEVER" in "".join(table.lines):
            imports.insert(2, "NEVER")
        if "RecordType {" in types:
            imports.insert(3, "RecordType")
        if not any("Kind::" in line for line in table.lines):
            imports.remove("Kind")
        (OUT / f"{file}.rs").write_text(
            f"//! The schemas of {what}.\n//!\n//! Owns no behaviour. Written by `tests/recorded/record_schemas.py` from Apache Kafka's own definitions.\n\n"
            f"use crate::internal_records::schema::{{{', '.join(imports)}}};\n\n" + "\n".join(table.lines) + types
        )


main()
