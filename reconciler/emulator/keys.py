"""Key pairs for the emulated tenant, so that nobody needs a real one to try things out."""

from __future__ import annotations

from typing import Literal

KeyKind = Literal["ES256", "RS256", "EdDSA"]


def new_key(kind: KeyKind = "ES256") -> tuple[str, str]:
    """A fresh private key and its public key, both PEM."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
    match kind:
        case "ES256":
            private = ec.generate_private_key(ec.SECP256R1())
        case "RS256":
            private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        case "EdDSA":
            private = ed25519.Ed25519PrivateKey.generate()
    secret = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return secret, public
