"""Who may do what: signatures, signed URLs, and requests made to slip through."""

from __future__ import annotations

import base64
import gzip
import hashlib
import http.client
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from botocore.exceptions import ClientError

from flyte_core.clock import SystemClock
from flyte_core.storage import SignedUrl
from s3_endpoint import Endpoint, serve
from s3_signed import sign

WEB = httpx.Client(verify=False)  # nothing here is TLS, and loading certificates takes longer than a test
MINUTE = timedelta(minutes=1)
MD5 = hashlib.md5(b"data").digest()
MD5_HEADER = {"Content-MD5": base64.b64encode(MD5).decode()}


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.text.partition("<Code>")[2].partition("</Code>")[0]


async def upload_url(endpoint: Endpoint, uri: str = "s3://flyte/a b/ü=.bin") -> SignedUrl:
    return await endpoint.store.sign_upload(uri, expires=MINUTE, content_md5=MD5, metadata={"flyteContentMD5": "x"})


@pytest.mark.parametrize("changed", [{"secret": "wrong"}, {"key": "stranger"}])
def test_a_wrong_key_pair_is_403(endpoint: Endpoint, changed: dict[str, str]) -> None:
    with pytest.raises(ClientError) as error:
        endpoint.client(**changed).put_object(Bucket="flyte", Key="k", Body=b"1")
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert endpoint.store.tree.stat("flyte", "k") is None


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST", "DELETE"])
@pytest.mark.parametrize("path", ["/", "/flyte", "/flyte/k", "/flyte?list-type=2", "/none"])
def test_nothing_is_told_or_done_without_a_signature(endpoint: Endpoint, method: str, path: str) -> None:
    response = WEB.request(method, endpoint.url + path)
    assert response.status_code == 403
    assert not any(name.startswith("access-control") for name in response.headers)


def test_a_signature_by_the_other_implementation_is_right(endpoint: Endpoint) -> None:
    url = f"{endpoint.url}/flyte/a%20b/%C3%BC%3D?x-id=GetObject&prefix=a%2Bb%20c"
    assert code(WEB.get(url, headers=sign("GET", url))) == (404, "NoSuchKey")


def test_a_request_changed_after_signing_is_refused(endpoint: Endpoint) -> None:
    url = f"{endpoint.url}/flyte/k"
    headers = sign("PUT", url)
    assert code(WEB.put(f"{endpoint.url}/flyte/other", headers=headers)) == (403, "SignatureDoesNotMatch")
    assert code(WEB.put(f"{url}?uploads", headers=headers)) == (403, "SignatureDoesNotMatch")
    assert code(WEB.delete(url, headers=headers)) == (403, "SignatureDoesNotMatch")
    assert code(WEB.put(url, headers={**headers, "x-amz-copy-source": "flyte/secret"})) == (403, "AccessDenied")
    assert WEB.put(url, headers=headers).status_code == 200


def test_a_signed_body_changed_on_the_way_is_refused(endpoint: Endpoint) -> None:
    url = f"{endpoint.url}/flyte/k"
    headers = sign("PUT", url, payload=hashlib.sha256(b"data").hexdigest())
    assert code(WEB.put(url, content=b"evil", headers=headers)) == (400, "XAmzContentSHA256Mismatch")
    assert WEB.put(url, content=b"data", headers=headers).status_code == 200


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_clock_that_is_off_is_refused(endpoint: Endpoint, tmp_path: Any, minutes: int) -> None:
    class Shifted(SystemClock):
        def now(self) -> datetime:
            return datetime.now(UTC) + timedelta(minutes=minutes)

    with serve(tmp_path / "other", clock=Shifted()) as other:
        url = f"{other.url}/flyte/k"
        assert code(WEB.get(url, headers=sign("GET", url))) == (403, "RequestTimeTooSkewed")


async def test_a_signed_upload_is_taken_as_flytekit_sends_it(endpoint: Endpoint) -> None:
    signed = await upload_url(endpoint)
    response = WEB.put(signed.url, content=b"data", headers={**MD5_HEADER, **signed.headers})
    assert response.status_code == 200, response.text
    assert await endpoint.store.read("s3://flyte/a b/ü=.bin") == b"data"
    info = await endpoint.store.stat("s3://flyte/a b/ü=.bin")
    assert info is not None
    assert (info.metadata, info.etag) == ({"flytecontentmd5": "x"}, MD5.hex())


async def test_an_empty_file_with_a_length_of_zero_and_chunks_is_taken(endpoint: Endpoint) -> None:
    signed = await endpoint.store.sign_upload("s3://flyte/empty", expires=MINUTE, content_md5=hashlib.md5(b"").digest())
    parts = urlsplit(signed.url)
    connection = http.client.HTTPConnection(parts.netloc)
    connection.putrequest("PUT", f"{parts.path}?{parts.query}")
    for name, value in {
        "Content-Length": "0",
        "Transfer-Encoding": "chunked",
        "Content-MD5": base64.b64encode(hashlib.md5(b"").digest()).decode(),
    }.items():
        connection.putheader(name, value)
    connection.endheaders(b"0\r\n\r\n")
    assert connection.getresponse().status == 200
    assert await endpoint.store.read("s3://flyte/empty") == b""


async def test_a_signed_upload_takes_no_other_content_headers_or_object(endpoint: Endpoint) -> None:
    signed = await upload_url(endpoint)
    headers = {**MD5_HEADER, **signed.headers}
    assert code(WEB.put(signed.url, content=b"evil", headers=headers)) == (400, "BadDigest")
    other = {**headers, "Content-MD5": base64.b64encode(hashlib.md5(b"evil").digest()).decode()}
    assert code(WEB.put(signed.url, content=b"evil", headers=other)) == (403, "SignatureDoesNotMatch")
    assert code(WEB.put(signed.url, content=b"data", headers=signed.headers)) == (403, "SignatureDoesNotMatch")
    assert code(WEB.put(signed.url, content=b"data", headers=MD5_HEADER)) == (403, "SignatureDoesNotMatch")
    more = {**headers, "x-amz-meta-more": "1"}
    assert code(WEB.put(signed.url, content=b"data", headers=more)) == (403, "AccessDenied")
    elsewhere = signed.url.replace("/a%20b/", "/b/")
    assert code(WEB.put(elsewhere, content=b"data", headers=headers)) == (403, "SignatureDoesNotMatch")
    longer = signed.url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000")
    assert code(WEB.put(longer, content=b"data", headers=headers)) == (403, "SignatureDoesNotMatch")
    assert code(WEB.get(signed.url, headers=headers)) == (403, "SignatureDoesNotMatch")
    assert [info async for info in endpoint.store.list("s3://flyte")] == []


async def test_a_signed_download_is_for_reading_that_object(endpoint: Endpoint) -> None:
    await endpoint.store.write("s3://flyte/deck.html", b"<html>")
    signed = await endpoint.store.sign_download("s3://flyte/deck.html", expires=MINUTE)
    response = WEB.get(signed.url)
    assert (response.status_code, response.content) == (200, b"<html>")
    assert response.headers["content-security-policy"] == "sandbox allow-scripts"
    assert WEB.get(signed.url, headers={"Range": "bytes=1-2"}).content == b"ht"
    assert code(WEB.put(signed.url, content=b"evil")) == (403, "SignatureDoesNotMatch")


async def test_a_signed_url_ends(endpoint: Endpoint, tmp_path: Any) -> None:
    class Later(SystemClock):
        def now(self) -> datetime:
            return datetime.now(UTC) + timedelta(seconds=61)

    with serve(tmp_path / "store", clock=Later()) as later:
        signed = await later.store.sign_download("s3://flyte/k", expires=MINUTE)
        response = WEB.get(signed.url)
        assert code(response) == (403, "AccessDenied")
        assert "Request has expired" in response.text


def test_a_url_signed_by_boto3_works(endpoint: Endpoint) -> None:
    s3 = endpoint.client()
    put = s3.generate_presigned_url("put_object", {"Bucket": "flyte", "Key": "ü b", "Metadata": {"a": "b"}})
    assert WEB.put(put, content=b"1", headers={"x-amz-meta-a": "b"}).status_code == 200
    get = s3.generate_presigned_url(
        "get_object", {"Bucket": "flyte", "Key": "ü b", "ResponseContentDisposition": 'attachment; filename="x y"'}
    )
    response = WEB.get(get)
    assert (response.content, response.headers["content-disposition"]) == (b"1", 'attachment; filename="x y"')


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Amz-Expires", "0"),
        ("X-Amz-Expires", "-1"),
        ("X-Amz-Expires", "604801"),
        ("X-Amz-Expires", "9" * 5000),
        ("X-Amz-Expires", "x"),
        ("X-Amz-Date", "20240231T000000Z"),
        ("X-Amz-Date", "now"),
        ("X-Amz-Algorithm", "AWS4-ECDSA"),
        ("X-Amz-Credential", "flyte"),
        ("X-Amz-Credential", "flyte/20240101/us-east-1/s3/aws4_request"),
    ],
)
async def test_a_signed_url_with_a_malformed_part_is_400(endpoint: Endpoint, name: str, value: str) -> None:
    signed = await endpoint.store.sign_download("s3://flyte/k", expires=MINUTE)
    response = WEB.get(httpx.URL(signed.url).copy_set_param(name, value))
    assert code(response) == (400, "AuthorizationQueryParametersError")


@pytest.mark.parametrize(
    "header",
    [
        "Basic Zmx5dGU6Zmx5dGU=",
        "AWS flyte:abc",
        "AWS4-HMAC-SHA256 Credential=flyte",
        "AWS4-HMAC-SHA256 Credential=flyte/x, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 ,,,,",
    ],
)
def test_another_kind_of_authorization_is_refused(endpoint: Endpoint, header: str) -> None:
    headers = {
        "Authorization": header,
        "x-amz-date": datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"),
        "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
    }
    assert WEB.get(f"{endpoint.url}/flyte/k", headers=headers).status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/flyte/../secret",
        "/flyte/%2e%2e/secret",
        "/flyte/..%2fsecret",
        "/flyte/a/./b",
        "/flyte/%00",
        "/flyte/%ff",
        "/%2e%2e/secret",
        "/%25tmp/x",
        "/flyte/" + "x" * 1025,
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_path_made_to_escape_is_refused(endpoint: Endpoint, method: str, path: str) -> None:
    (endpoint.root / "secret").write_bytes(b"secret")
    headers = sign(method, endpoint.url + path)
    parts = urlsplit(endpoint.url)
    connection = http.client.HTTPConnection(parts.netloc)
    connection.request(method, path, body=b"x" if method == "PUT" else None, headers=headers)
    response = connection.getresponse()
    body = response.read()
    # Where botocore resolves the path before it signs, the signature is what fails.
    assert response.status in {400, 403, 404}
    assert b"secret</" not in body.replace(b"/secret</Resource>", b"")
    assert (endpoint.root / "secret").read_bytes() == b"secret"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<Delete>",
        b"<Other/>",
        b"<Delete></Delete>",
        b"<Delete><Object/></Delete>",
        b"<Delete>" + b"<Object><Key>k</Key></Object>" * 1001 + b"</Delete>",
        b'<!DOCTYPE d [<!ENTITY a "aaaa">]><Delete><Object><Key>&a;</Key></Object></Delete>',
        b"\xff\xfe",
        gzip.compress(b"<Delete/>"),
    ],
)
def test_a_document_that_is_none_is_refused(endpoint: Endpoint, body: bytes) -> None:
    url = f"{endpoint.url}/flyte?delete="
    response = WEB.post(url, content=body, headers=sign("POST", url))
    assert code(response) == (400, "MalformedXML")


async def test_a_body_that_was_read_and_refused_leaves_the_connection_usable(endpoint: Endpoint) -> None:
    signed = await upload_url(endpoint)
    headers = {**MD5_HEADER, **signed.headers}
    with httpx.Client(timeout=5) as client:
        assert code(client.put(signed.url, content=b"evil", headers=headers)) == (400, "BadDigest")
        assert code(client.put(f"{endpoint.url}/flyte/k", content=b"x" * 100_000)) == (403, "AccessDenied")
        assert client.put(signed.url, content=b"data", headers=headers).status_code == 200
