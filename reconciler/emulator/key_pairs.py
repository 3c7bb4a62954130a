"""Key pairs and tokens of the emulated products, so that nobody needs real ones to try things out."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime
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


def jwt_like(user: str, expires: datetime, scope: str) -> str:
    """An access token in the form that ACC's have: a JWT with an `exp`, signed with a key that guards nothing."""
    claims = {"sub": user, "scope": scope, "exp": int(expires.timestamp()), "iss": "Sequentum", "aud": "emulator"}
    parts = [
        base64.urlsafe_b64encode(json.dumps(part, separators=(",", ":")).encode()).rstrip(b"=")
        for part in ({"alg": "HS256", "typ": "JWT"}, claims)
    ]
    signature = hmac.new(b"emulator", b".".join(parts), hashlib.sha256).digest()
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()
