"""Prints the client's version if every file of it is the one that was published."""

import base64
import hashlib
from importlib import metadata

client = metadata.distribution("retrace-sdk")
for file in client.files:
    if file.hash:
        digest = hashlib.new(file.hash.mode, file.locate().read_bytes()).digest()
        assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == file.hash.value, file
print(client.version)
