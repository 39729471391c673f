"""An SMSC that is not ours: the server of Jasmin's SMPP library (smpp.twisted3), steered by lines of JSON.

It runs as a process of its own: ``python smsc_process.py PORT USER PASSWORD``. It prints a line for each event
(``{"submit": {...}}``, ``{"bound": n}``), and reads lines:

    {"answer": "ESME_RTHROTTLED", "times": 2, "after": 1}   how two submits after the next are answered
    {"receipts": "after" | "before" | "tlv" | "none", "ids": "hex" | "same"}
    {"deliver": {"from": ..., "to": ..., "hex": ..., "coding": "UCS2", "udhi": true}}
    {"silent": true}                                 no submit is answered any more
    {"drop": true}                                   closes all connections
    {"cut": true}                                    closes the connection after the answer to the next submit
    {"nameless": true}                               answers have no id
"""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from smpp.pdu.operations import DeliverSM
from smpp.pdu.pdu_types import (
    AddrNpi,
    AddrTon,
    CommandStatus,
    DataCoding,
    DataCodingDefault,
    EsmClass,
    EsmClassGsmFeatures,
    EsmClassMode,
    EsmClassType,
    MessageState,
)
from smpp.twisted.config import SMPPServerConfig
from smpp.twisted.protocol import DataHandlerResponse
from smpp.twisted.server import SMPPServerFactory
from twisted.cred.error import UnauthorizedLogin
from twisted.internet import defer, reactor, stdio
from twisted.protocols.basic import LineReceiver


class Smsc:
    """What the SMSC does with submits, and how."""

    def __init__(self, user: str, password: str) -> None:
        self.user, self.password = user, password
        self.answer, self.times, self.after = "ESME_ROK", 0, 0
        self.receipts, self.ids, self.silent, self.cut = "none", "same", False, False
        self.nameless = False
        self.count = 1000
        self.factory = SMPPServerFactory(
            SMPPServerConfig(systems={user: {"max_bindings": 4}}, msgHandler=self.take), self
        )

    def login(self, credentials: Any, _mind: object, interface: object) -> tuple[Any, Any, Any]:  # noqa: ANN401
        """Accept the user with the password."""
        if (credentials.username, credentials.password) != (self.user, self.password):
            raise UnauthorizedLogin
        say({"bound": credentials.username})
        return interface, None, lambda: None

    def take(self, _system: str, connection: Any, pdu: Any) -> Any:  # noqa: ANN401
        """Answer a submit, and send its receipt before or after."""
        self.count += 1
        number, answered = self.count, f"{self.count:x}" if self.ids == "hex" else str(self.count)
        say({"submit": shown(pdu), "id": answered})
        if self.silent:
            return defer.Deferred()
        if self.cut:
            self.cut = False
            reactor.callLater(0.0, connection.transport.abortConnection)
        if self.after:
            self.after -= 1
        elif self.times:
            self.times -= 1
            return getattr(CommandStatus, self.answer)
        if self.receipts == "before":
            self.receipt(connection, pdu, number, answered)
        elif self.receipts in {"after", "tlv"}:
            reactor.callLater(0.05, self.receipt, connection, pdu, number, answered)
        return DataHandlerResponse(CommandStatus.ESME_ROK, message_id="" if self.nameless else answered)

    def receipt(self, connection: Any, pdu: Any, number: int, answered: str) -> None:  # noqa: ANN401
        """Send a delivery receipt, as text or as parameters."""
        told = {"receipted_message_id": answered, "message_state": MessageState.DELIVERED}
        text = f"id:{number} sub:001 dlvrd:001 submit date:2611241000 done date:2611241001 stat:DELIVRD err:000 text:"
        connection.sendDataRequest(
            DeliverSM(
                source_addr=pdu.params["destination_addr"],
                destination_addr=pdu.params["source_addr"],
                esm_class=EsmClass(EsmClassMode.DEFAULT, EsmClassType.SMSC_DELIVERY_RECEIPT),
                short_message=b"" if self.receipts == "tlv" else text.encode(),
                **(told if self.receipts == "tlv" else {}),
            )
        )

    def order(self, order: dict[str, Any]) -> None:
        """Carry out a line."""
        for name in ("answer", "times", "after", "receipts", "ids", "silent", "cut", "nameless"):
            if name in order:
                setattr(self, name, order[name])
        for bound in list(self.factory.bound_connections.values()):
            for connection in list(bound):
                if "deliver" in order:
                    connection.sendDataRequest(delivery(order["deliver"]))
                if order.get("drop"):
                    connection.transport.abortConnection()


def delivery(given: dict[str, Any]) -> DeliverSM:
    """Return a citizen's message."""
    features = [EsmClassGsmFeatures.UDHI_INDICATOR_SET] if given.get("udhi") else []
    return DeliverSM(
        source_addr_ton=AddrTon.INTERNATIONAL,
        source_addr_npi=AddrNpi.ISDN,
        source_addr=given["from"],
        destination_addr=given["to"],
        esm_class=EsmClass(EsmClassMode.DEFAULT, EsmClassType.DEFAULT, features),
        data_coding=DataCoding(schemeData=getattr(DataCodingDefault, given.get("coding", "SMSC_DEFAULT_ALPHABET"))),
        short_message=bytes.fromhex(given["hex"]),
    )


def shown(pdu: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return what a submit holds."""
    values = pdu.params
    payload = values.get("message_payload") or b""
    return {
        "from": values["source_addr"].decode(),
        "to": values["destination_addr"].decode(),
        "hex": (values.get("short_message") or b"").hex(),
        "payload": payload.hex() if isinstance(payload, bytes) else payload,
        "coding": str(values["data_coding"].schemeData),
        "features": [str(one) for one in values["esm_class"].gsmFeatures],
        "receipt": str(values["registered_delivery"].receipt),
        "validity": str(values.get("validity_period")),
        "ton": str(values["source_addr_ton"]),
    }


def say(event: dict[str, Any]) -> None:
    """Print an event."""
    print(json.dumps(event), flush=True)  # noqa: T201 - a process speaks by its output


class Orders(LineReceiver):  # type: ignore[misc] # Twisted has no types here
    """Reads the lines of the test."""

    delimiter = b"\n"

    def __init__(self, smsc: Smsc) -> None:
        self.smsc = smsc

    def lineReceived(self, line: bytes) -> None:  # noqa: N802 - Twisted's name
        """Carry out a line."""
        self.smsc.order(json.loads(line))
        say({"done": True})

    def connectionLost(self, reason: object = None) -> None:  # noqa: N802 - Twisted's name
        """End with the test, whose end closes the pipe."""
        reactor.stop()


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    smsc = Smsc(sys.argv[2], sys.argv[3])
    reactor.listenTCP(int(sys.argv[1]), smsc.factory, interface="127.0.0.1")
    stdio.StandardIO(Orders(smsc))
    say({"listening": True})
    reactor.run()
