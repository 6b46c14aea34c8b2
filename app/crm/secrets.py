"""Secrets of connections, encrypted where they are stored (Fernet: AES-128-CBC with an HMAC).

A key may be several, separated by commas: the first encrypts, all decrypt, so that a key can be replaced.
"""

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class NoKey(Exception):
    """There is no key to encrypt or decrypt a connection's secret with."""


class WrongKey(Exception):
    """A stored secret was encrypted with another key than those configured now."""


def encrypt(key: str | None, secret: str) -> str:
    """The secret as it may be stored."""
    if key is None:
        raise NoKey
    return _fernet(key).encrypt(secret.encode()).decode()


def decrypt(key: str | None, ciphertext: str) -> str:
    """The secret behind what is stored."""
    if key is None:
        raise NoKey
    try:
        return _fernet(key).decrypt(ciphertext.encode()).decode()
    except InvalidToken as error:
        raise WrongKey from error


def encrypt_anew(key: str | None, ciphertext: str) -> str:
    """The same secret under the first key, whichever of them it was encrypted with. Raises NoKey, WrongKey."""
    return encrypt(key, decrypt(key, ciphertext))


@lru_cache(maxsize=4)
def _fernet(keys: str) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys.split(",")])
