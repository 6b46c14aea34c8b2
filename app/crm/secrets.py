"""Secrets of connections, encrypted where they are stored (Fernet: AES-128-CBC with an HMAC)."""

from cryptography.fernet import Fernet, InvalidToken


class NoKey(Exception):
    """There is no key to encrypt or decrypt a connection's secret with."""


class WrongKey(Exception):
    """A stored secret was encrypted with another key than the one configured now."""


def encrypt(key: str | None, secret: str) -> str:
    """The secret as it may be stored."""
    if key is None:
        raise NoKey
    return Fernet(key).encrypt(secret.encode()).decode()


def decrypt(key: str | None, ciphertext: str) -> str:
    """The secret behind what is stored."""
    if key is None:
        raise NoKey
    try:
        return Fernet(key).decrypt(ciphertext.encode()).decode()
    except InvalidToken as error:
        raise WrongKey from error
