"""The suite for object stores."""

from __future__ import annotations

from flyte_core.errors import InvalidInput, NotFound, TooLarge
from flyte_core.storage import BlobStore
from flyte_core.testing.conformance.findings import Findings

_OBJECTS = {
    "a": b"one",
    "a/b": b"below an object's own name",
    "a-c": b"",
    "folder/deep/file.pb": bytes(range(256)) * 4096,
    "folder/with space+plus%41=&é.txt": b"two",
    "folder2/x": b"three",
}


async def check_blob_store(store: BlobStore, prefix: str, *, foreign: str = "foreign-scheme://bucket/key") -> None:
    """Check an object store: whole writes, limits, what is missing, listings, and foreign URIs.

    :param prefix: a URI below which the store is empty; a few small objects are written there and deleted again
    :param foreign: a URI that is not this store's
    :raises Nonconforming: with all findings
    """
    findings = Findings(store)
    root = prefix.rstrip("/")
    findings.expect(that=store.owns(f"{root}/a"), otherwise=f"owns says no to {root}/a")
    findings.expect(that=not store.owns(foreign), otherwise=f"owns says yes to {foreign}")
    await _check_missing(findings, store, f"{root}/missing")
    for name, data in _OBJECTS.items():
        with findings.attempt(f"object {name!r}"):
            await _check_object(findings, store, f"{root}/{name}", data)
    await _check_listing(findings, store, root)
    for call in (lambda: store.read(foreign), lambda: store.write(foreign, b"x"), lambda: store.stat(foreign)):
        with findings.demand("a foreign URI", InvalidInput):
            await call()
    for name in _OBJECTS:
        with findings.attempt(f"delete of {name!r}"):
            await store.delete(f"{root}/{name}")
            findings.expect(
                that=await store.stat(f"{root}/{name}") is None, otherwise=f"{name!r} outlives its deletion"
            )
    findings.close()


async def _check_missing(findings: Findings, store: BlobStore, uri: str) -> None:
    with findings.demand("read of what is not there", NotFound):
        await store.read(uri)
    with findings.attempt("stat or delete of what is not there"):
        findings.expect(that=await store.stat(uri) is None, otherwise="stat knows what is not there")
        await store.delete(uri)
        listed = [info async for info in store.list(f"{uri}/")]
        findings.expect(that=not listed, otherwise="an empty prefix lists something")


async def _check_object(findings: Findings, store: BlobStore, uri: str, data: bytes) -> None:
    await store.write(uri, b"before" + data)
    earlier = await store.stat(uri)
    await store.write(uri, data, metadata={"Flyte-Key": "value"})
    info = await store.stat(uri)
    findings.expect(that=await store.read(uri) == data, otherwise=f"{uri}: read is not what was written last")
    findings.expect(that=await store.read(uri, limit=len(data)) == data, otherwise=f"{uri}: a limit of its size")
    if data:
        with findings.demand(f"{uri}: read with a limit below its size", TooLarge):
            await store.read(uri, limit=len(data) - 1)
    if info is None or earlier is None:
        findings.expect(that=False, otherwise=f"{uri}: stat does not know what was written")
        return
    findings.expect(that=info.uri == uri, otherwise=f"{uri}: stat says URI {info.uri}")
    findings.expect(that=info.size == len(data), otherwise=f"{uri}: stat says {info.size} bytes, not {len(data)}")
    findings.expect(that=info.etag != earlier.etag, otherwise=f"{uri}: other content has the same etag")
    kept = info.metadata.get("flyte-key") == "value"
    findings.expect(that=kept, otherwise=f"{uri}: metadata is {info.metadata}, not flyte-key: value")
    aware = info.modified.tzinfo is not None
    findings.expect(that=aware, otherwise=f"{uri}: the time of modification has no zone")


async def _check_listing(findings: Findings, store: BlobStore, root: str) -> None:
    everything = sorted(f"{root}/{name}" for name in _OBJECTS)
    for prefix in (f"{root}/", f"{root}/folder", f"{root}/folder/", f"{root}/a", f"{root}/folder/deep/file"):
        with findings.attempt(f"list of {prefix}"):
            listed = [info.uri async for info in store.list(prefix)]
            wanted = [uri for uri in everything if uri.startswith(prefix)]
            findings.expect(that=listed == wanted, otherwise=f"list of {prefix} gives {listed}, not {wanted}")
