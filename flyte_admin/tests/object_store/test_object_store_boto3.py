"""What boto3 does with a bucket, done with this one."""

from __future__ import annotations

import hashlib
import io
import os
from typing import Any

import pytest
from botocore.exceptions import ClientError

from s3_endpoint import Endpoint, serve

KEYS = ["plain.txt", "with space/and more.txt", "ünïcödé/日本.bin", "base32/ABC====/x", "a+b&c=d?e#f%20", "emoji/😀"]


def code(error: pytest.ExceptionInfo[ClientError]) -> tuple[int, str]:
    response = error.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


@pytest.mark.parametrize("key", KEYS)
def test_an_object_is_put_and_read_under_any_key(s3: Any, key: str) -> None:
    s3.put_object(Bucket="flyte", Key=key, Body=b"data", Metadata={"owner": "me"}, ContentType="text/plain")
    found = s3.get_object(Bucket="flyte", Key=key)
    assert (found["Body"].read(), found["Metadata"], found["ContentType"]) == (b"data", {"owner": "me"}, "text/plain")
    assert [item["Key"] for item in s3.list_objects_v2(Bucket="flyte")["Contents"]] == [key]
    s3.delete_object(Bucket="flyte", Key=key)
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket="flyte", Key=key)
    assert code(error) == (404, "NoSuchKey")


def test_an_empty_object_is_an_object(s3: Any) -> None:
    s3.put_object(Bucket="flyte", Key="empty", Body=b"")
    assert s3.head_object(Bucket="flyte", Key="empty")["ContentLength"] == 0
    assert s3.get_object(Bucket="flyte", Key="empty")["Body"].read() == b""


def test_the_entity_tag_is_the_same_everywhere(s3: Any) -> None:
    put = s3.put_object(Bucket="flyte", Key="k", Body=b"1")["ETag"]
    assert s3.head_object(Bucket="flyte", Key="k")["ETag"] == put
    assert s3.get_object(Bucket="flyte", Key="k")["ETag"] == put
    assert s3.list_objects_v2(Bucket="flyte")["Contents"][0]["ETag"] == put


def test_head_tells_of_a_missing_object_and_bucket(s3: Any) -> None:
    s3.head_bucket(Bucket="flyte")
    for call in (
        lambda: s3.head_object(Bucket="flyte", Key="none"),
        lambda: s3.head_bucket(Bucket="none"),
        lambda: s3.get_object(Bucket="none", Key="k"),
    ):
        with pytest.raises(ClientError) as error:
            call()
        assert code(error)[0] == 404


def test_buckets_are_listed_and_located(s3: Any) -> None:
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["flyte", "second"]
    assert s3.get_bucket_location(Bucket="flyte")["LocationConstraint"] is None
    s3.create_bucket(Bucket="flyte")
    with pytest.raises(ClientError) as error:
        s3.create_bucket(Bucket="third")
    assert code(error) == (404, "NoSuchBucket")


@pytest.mark.parametrize(
    ("given", "expected", "told"),
    [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=4-", b"456789", "bytes 4-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=5-100", b"56789", "bytes 5-9/10"),
        ("bytes=-100", b"0123456789", "bytes 0-9/10"),
    ],
)
def test_a_range_gives_those_bytes(s3: Any, given: str, expected: bytes, told: str) -> None:
    s3.put_object(Bucket="flyte", Key="k", Body=b"0123456789")
    found = s3.get_object(Bucket="flyte", Key="k", Range=given)
    assert (found["Body"].read(), found["ContentRange"]) == (expected, told)
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 206


@pytest.mark.parametrize("given", ["bytes=5-3", "bytes=0-1,3-4", "chars=0-1", "bytes=-"])
def test_a_range_that_is_none_gives_the_whole(s3: Any, given: str) -> None:
    s3.put_object(Bucket="flyte", Key="k", Body=b"0123456789")
    assert s3.get_object(Bucket="flyte", Key="k", Range=given)["Body"].read() == b"0123456789"


@pytest.mark.parametrize(("body", "given"), [(b"0123", "bytes=4-"), (b"", "bytes=0-"), (b"0123", "bytes=-0")])
def test_a_range_beyond_the_end_is_416(s3: Any, body: bytes, given: str) -> None:
    s3.put_object(Bucket="flyte", Key="k", Body=body)
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket="flyte", Key="k", Range=given)
    assert code(error) == (416, "InvalidRange")


def test_conditions_on_a_read_are_kept(s3: Any) -> None:
    put = s3.put_object(Bucket="flyte", Key="k", Body=b"1")
    modified = s3.head_object(Bucket="flyte", Key="k")["LastModified"]
    assert s3.get_object(Bucket="flyte", Key="k", IfMatch=put["ETag"], IfUnmodifiedSince=modified)["Body"].read()
    for condition, status in (
        ({"IfNoneMatch": put["ETag"]}, 304),
        ({"IfModifiedSince": modified}, 304),
        ({"IfMatch": '"other"'}, 412),
        ({"IfUnmodifiedSince": modified.replace(year=2000)}, 412),
    ):
        with pytest.raises(ClientError) as error:
            s3.get_object(Bucket="flyte", Key="k", **condition)
        assert code(error)[0] == status, condition


def test_a_write_that_may_replace_nothing_replaces_nothing(s3: Any) -> None:
    s3.put_object(Bucket="flyte", Key="k", Body=b"1", IfNoneMatch="*")
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket="flyte", Key="k", Body=b"2", IfNoneMatch="*", Metadata={"a": "b"})
    assert code(error) == (412, "PreconditionFailed")
    assert s3.get_object(Bucket="flyte", Key="k")["Body"].read() == b"1"


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_a_body_that_does_not_fit_its_checksum_is_refused(s3: Any, endpoint: Endpoint, algorithm: str) -> None:
    s3.put_object(Bucket="flyte", Key="good", Body=b"1", ChecksumAlgorithm=algorithm)
    wrong = {"CRC32": "AAAAAA==", "SHA1": "A" * 27 + "=", "SHA256": "A" * 43 + "="}[algorithm]
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket="flyte", Key="bad", Body=b"1", **{f"Checksum{algorithm}": wrong})
    assert code(error) == (400, "BadDigest")
    assert [item["Key"] for item in s3.list_objects_v2(Bucket="flyte")["Contents"]] == ["good"]
    assert os.listdir(endpoint.root / "%tmp") == []


def test_a_body_that_does_not_fit_its_md5_is_refused(s3: Any, endpoint: Endpoint) -> None:
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket="flyte", Key="bad", Body=b"1", ContentMD5="A" * 22 + "==")
    assert code(error) == (400, "BadDigest")
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket="flyte", Key="bad", Body=b"1", ContentMD5="no base64")
    assert code(error) == (400, "InvalidDigest")
    assert "Contents" not in s3.list_objects_v2(Bucket="flyte")


def test_folders_are_told_apart_by_a_delimiter(s3: Any) -> None:
    for key in ["a/1", "a/2", "a", "b.d/1", "c", "c/d/e", "top"]:
        s3.put_object(Bucket="flyte", Key=key, Body=b"")

    def level(prefix: str, delimiter: str = "/") -> tuple[list[str], list[str]]:
        found = s3.list_objects_v2(Bucket="flyte", Prefix=prefix, Delimiter=delimiter)
        return (
            [item["Key"] for item in found.get("Contents", [])],
            [item["Prefix"] for item in found.get("CommonPrefixes", [])],
        )

    assert level("") == (["a", "c", "top"], ["a/", "b.d/", "c/"])
    assert level("a/") == (["a/1", "a/2"], [])
    assert level("c") == (["c"], ["c/"])
    assert level("c/") == ([], ["c/d/"])
    assert level("", "d") == (["a", "a/1", "a/2", "c", "top"], ["b.d", "c/d"])
    assert level("none/") == ([], [])


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
@pytest.mark.parametrize("delimiter", ["", "/", "x"])
def test_pages_add_up_to_the_whole(s3: Any, operation: str, delimiter: str) -> None:
    keys = sorted(["a", "a/1", "a/2", "b c/ü", "b!", "b/1", "b/x/1", "c", "x", "xx", "y/1", "z 1"], key=str.encode)
    for key in keys:
        s3.put_object(Bucket="flyte", Key=key, Body=b"")

    def walk(size: int) -> list[str]:
        pages = s3.get_paginator(operation).paginate(
            Bucket="flyte", Delimiter=delimiter, PaginationConfig={"PageSize": size}
        )
        found = [
            name
            for page in pages
            for name in [
                *(item["Key"] for item in page.get("Contents", [])),
                *(item["Prefix"] for item in page.get("CommonPrefixes", [])),
            ]
        ]
        return sorted(found, key=str.encode)

    whole = walk(1000)
    assert len(whole) == len(set(whole))
    assert walk(1) == whole
    assert walk(3) == whole
    if not delimiter:
        assert whole == keys


def test_a_list_starts_after_a_key(s3: Any) -> None:
    for key in ["a/1", "a/2", "b"]:
        s3.put_object(Bucket="flyte", Key=key, Body=b"")
    found = s3.list_objects_v2(Bucket="flyte", StartAfter="a/1")
    assert [item["Key"] for item in found["Contents"]] == ["a/2", "b"]
    found = s3.list_objects_v2(Bucket="flyte", StartAfter="a/1", Delimiter="/")
    assert [item["Prefix"] for item in found["CommonPrefixes"]] == ["a/"]
    assert s3.list_objects_v2(Bucket="flyte", MaxKeys=0)["KeyCount"] == 0


def test_many_objects_are_deleted_at_once(s3: Any) -> None:
    for key in ["a", "b & c", "keep"]:
        s3.put_object(Bucket="flyte", Key=key, Body=b"")
    wanted = [{"Key": key} for key in ("a", "b & c", "missing", "../x")]
    done = s3.delete_objects(Bucket="flyte", Delete={"Objects": wanted})
    assert [item["Key"] for item in done["Deleted"]] == ["a", "b & c", "missing"]
    assert [(item["Key"], item["Code"]) for item in done["Errors"]] == [("../x", "InvalidArgument")]
    assert [item["Key"] for item in s3.list_objects_v2(Bucket="flyte")["Contents"]] == ["keep"]


def test_a_copy_has_the_data_and_the_metadata(s3: Any) -> None:
    s3.put_object(Bucket="flyte", Key="from ü", Body=b"1", Metadata={"a": "b"}, ContentType="text/html")
    s3.copy_object(Bucket="second", Key="to", CopySource={"Bucket": "flyte", "Key": "from ü"})
    found = s3.get_object(Bucket="second", Key="to")
    assert (found["Body"].read(), found["Metadata"], found["ContentType"]) == (b"1", {"a": "b"}, "text/html")
    s3.copy_object(Bucket="second", Key="to", CopySource="second/to", MetadataDirective="REPLACE", Metadata={"c": "d"})
    assert s3.head_object(Bucket="second", Key="to")["Metadata"] == {"c": "d"}
    with pytest.raises(ClientError) as error:
        s3.copy_object(Bucket="second", Key="to", CopySource="flyte/missing")
    assert code(error) == (404, "NoSuchKey")
    with pytest.raises(ClientError) as error:
        s3.copy_object(Bucket="second", Key="to", CopySource="flyte/from ü", CopySourceIfMatch="other")
    assert code(error) == (412, "PreconditionFailed")


def test_a_large_file_goes_up_in_parts_is_copied_in_parts_and_comes_back(s3: Any) -> None:
    data = os.urandom(12 * 1024 * 1024 + 7)
    s3.upload_fileobj(io.BytesIO(data), "flyte", "large", ExtraArgs={"Metadata": {"a": "b"}})
    s3.copy({"Bucket": "flyte", "Key": "large"}, "flyte", "copy")
    for key in ("large", "copy"):
        found = io.BytesIO()
        s3.download_fileobj("flyte", key, found)
        assert hashlib.sha256(found.getvalue()).digest() == hashlib.sha256(data).digest()
    head = s3.head_object(Bucket="flyte", Key="large")
    assert head["ETag"].endswith('-2"')
    assert head["Metadata"] == {"a": "b"}


def test_a_multipart_upload_outlives_a_restart(endpoint: Endpoint, s3: Any) -> None:
    upload = s3.create_multipart_upload(Bucket="flyte", Key="k", Metadata={"a": "b"}, ContentType="text/plain")
    where = {"Bucket": "flyte", "Key": "k", "UploadId": upload["UploadId"]}
    first = s3.upload_part(**where, PartNumber=1, Body=b"old")
    first = s3.upload_part(**where, PartNumber=1, Body=b"one")
    with serve(endpoint.root) as again:
        s3 = again.client()
        second = s3.upload_part(**where, PartNumber=2, Body=b"two")
        assert [(part["PartNumber"], part["Size"]) for part in s3.list_parts(**where)["Parts"]] == [(1, 3), (2, 3)]
        assert [item["Key"] for item in s3.list_multipart_uploads(Bucket="flyte")["Uploads"]] == ["k"]
        assert "Contents" not in s3.list_objects_v2(Bucket="flyte")
        parts = [{"PartNumber": n, "ETag": part["ETag"]} for n, part in ((1, first), (2, second))]
        done = s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
        found = s3.get_object(Bucket="flyte", Key="k")
        assert (found["Body"].read(), found["Metadata"], found["ContentType"]) == (b"onetwo", {"a": "b"}, "text/plain")
        again_done = s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
        assert done["ETag"] == again_done["ETag"] == found["ETag"]
        assert os.listdir(endpoint.root / "%uploads") == []


def test_a_multipart_upload_that_does_not_add_up_is_refused(s3: Any, endpoint: Endpoint) -> None:
    upload = s3.create_multipart_upload(Bucket="flyte", Key="k")
    where = {"Bucket": "flyte", "Key": "k", "UploadId": upload["UploadId"]}
    tag = s3.upload_part(**where, PartNumber=1, Body=b"one")["ETag"]

    def refused(*parts: tuple[int, str], **changed: str) -> str:
        with pytest.raises(ClientError) as error:
            s3.complete_multipart_upload(
                **{**where, **changed}, MultipartUpload={"Parts": [{"PartNumber": n, "ETag": t} for n, t in parts]}
            )
        return code(error)[1]

    assert refused((1, '"00000000000000000000000000000000"')) == "InvalidPart"
    assert refused((1, tag), (2, tag)) == "InvalidPart"
    assert refused((1, tag), (1, tag)) == "InvalidPartOrder"
    assert refused((1, tag), Key="other") == "NoSuchUpload"
    assert refused((1, tag), UploadId="../../flyte") == "NoSuchUpload"
    s3.abort_multipart_upload(**where)
    assert refused((1, tag)) == "NoSuchUpload"
    with pytest.raises(ClientError) as error:
        s3.upload_part(**where, PartNumber=1, Body=b"one")
    assert code(error) == (404, "NoSuchUpload")
    assert os.listdir(endpoint.root / "%uploads") == []
    assert os.listdir(endpoint.root / "%tmp") == []


def test_a_body_above_the_limit_is_refused(tmp_path: Any) -> None:
    with serve(tmp_path, largest_body=100) as endpoint:
        with pytest.raises(ClientError) as error:
            endpoint.client().put_object(Bucket="flyte", Key="k", Body=bytes(101))
        assert code(error) == (400, "EntityTooLarge")
        endpoint.client().put_object(Bucket="flyte", Key="k", Body=bytes(100))


def test_what_is_not_there_says_so(s3: Any) -> None:
    s3.put_object(Bucket="flyte", Key="k", Body=b"1")
    for call in (
        lambda: s3.get_object_acl(Bucket="flyte", Key="k"),
        lambda: s3.get_bucket_versioning(Bucket="flyte"),
        lambda: s3.get_object(Bucket="flyte", Key="k", VersionId="1"),
        lambda: s3.put_object(Bucket="flyte", Key="k", Body=b"2", Tagging="a=b"),
        lambda: s3.put_object(
            Bucket="flyte", Key="k", Body=b"2", SSECustomerKey="k" * 32, SSECustomerAlgorithm="AES256"
        ),
    ):
        with pytest.raises(ClientError) as error:
            call()
        assert code(error) == (501, "NotImplemented")
    assert s3.get_object(Bucket="flyte", Key="k")["Body"].read() == b"1"


@pytest.mark.parametrize("size", [0, 1, 100_000, 3_000_000])
def test_a_stream_of_chunks_with_a_trailing_checksum_is_taken(endpoint: Endpoint, size: int) -> None:
    # Over HTTPS boto3 sends this by default; over HTTP the checksum is a header.
    from botocore.httpchecksum import AwsChunkedWrapper, Crc32Checksum

    body = AwsChunkedWrapper(io.BytesIO(b"x" * size), checksum_cls=Crc32Checksum, checksum_name="x-amz-checksum-crc32")
    response = send_chunked(endpoint, "k", body.read(), size, "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
    assert response.status_code == 200, response.text
    found = endpoint.client().get_object(Bucket="flyte", Key="k")
    assert found["Body"].read() == b"x" * size
    assert "ContentEncoding" not in found


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"3\r\nabc\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", "BadDigest"),
        (b"3\r\nabc\r\n0\r\n\r\n", "InvalidRequest"),
        (b"3\r\nabcd\r\n0\r\n\r\n", "InvalidRequest"),
        (b"zz\r\nabc\r\n0\r\n\r\n", "InvalidRequest"),
        (b"-3\r\nabc\r\n0\r\n\r\n", "InvalidRequest"),
        (b"3\r\nabc\r\n", "IncompleteBody"),
        (b"2\r\nab\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", "IncompleteBody"),
    ],
)
def test_chunks_that_are_wrong_are_refused(endpoint: Endpoint, body: bytes, refusal: str) -> None:
    response = send_chunked(endpoint, "k", body, 3, "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
    assert (response.status_code, f"<Code>{refusal}</Code>" in response.text) == (400, True), response.text
    assert os.listdir(endpoint.root / "%tmp") == []


def send_chunked(endpoint: Endpoint, key: str, body: bytes, size: int, payload: str) -> Any:
    import httpx

    from s3_signed import sign

    headers = {
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": str(size),
        "x-amz-trailer": "x-amz-checksum-crc32",
    }
    url = f"{endpoint.url}/flyte/{key}"
    return httpx.put(url, content=body, headers=sign("PUT", url, headers, payload))
