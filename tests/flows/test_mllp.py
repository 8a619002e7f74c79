import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest

from cellcensus.errors import DeliveryError
from cellcensus.settings import DestinationSettings
from flows.mllp import Line
from tests.receiver import Receiver

MESSAGE = "MSH|^~\\&|cellcensus||||20260311||ORU^R01|A1|P|2.5.1\rOBX|1|TX|||µ 10³\r"


def line_to(port, **more):
    return Line(DestinationSettings(kind="mllp", host="127.0.0.1", port=port, **more))


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.die()


def test_several_messages_go_over_one_connection(receiver):
    line = line_to(receiver.port)
    for _ in range(3):
        assert "MSA|AA|A1" in line.exchange(MESSAGE, 2)
    assert len(receiver._open) == 1
    assert receiver.bodies["A1"] == {MESSAGE}
    line.close()


def test_a_connection_the_receiver_gave_up_is_made_anew(receiver):
    line = line_to(receiver.port)
    line.exchange(MESSAGE, 2)
    receiver.die()
    receiver.live()
    assert "MSA|AA|A1" in line.exchange(MESSAGE, 2)
    assert receiver.stored["A1"] == 2
    line.close()


def test_no_attempt_takes_longer_than_it_may():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        line = line_to(silent.getsockname()[1])
        with pytest.raises(DeliveryError, match="timed out") as caught:
            line.exchange(MESSAGE, 0.2)
        assert caught.value.unreachable
        line.close()


def test_a_port_where_nobody_listens_is_told():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(DeliveryError, match="refused"):
        line_to(port).exchange(MESSAGE, 1)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that is its own authority, with its key, in one file."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "receiver")])
    address = x509.IPAddress(ip_address("127.0.0.1"))
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "receiver.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def encrypted(certificate):
    """A receiver that takes one message over TLS, and asks who sends it."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificate)
    context.load_cert_chain(certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        try:
            with context.wrap_socket(listener.accept()[0], server_side=True) as line:
                line.recv(4096)
                line.sendall(b"\x0bMSH|^~\\&|LIS\rMSA|AA|A1\r\x1c\x0d")
        except OSError:
            pass

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


def test_with_tls_both_ends_are_known(encrypted, certificate):
    line = line_to(encrypted, tls=True, ca_file=certificate, client_file=certificate)
    assert "MSA|AA|A1" in line.exchange(MESSAGE, 5)
    line.close()


def test_a_receiver_whose_certificate_is_not_trusted_gets_nothing(encrypted):
    with pytest.raises(DeliveryError, match="CERTIFICATE"):
        line_to(encrypted, tls=True).exchange(MESSAGE, 5)
