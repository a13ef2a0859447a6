"""Documents in XML that go out and come in."""

import base64
import email.utils
import re
import urllib.parse
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import escape

from access import Refused

HEAD = '<?xml version="1.0" encoding="utf-8"?>'


def date(seconds):
    return email.utils.formatdate(seconds, usegmt=True)


def error(code, detail):
    return f"{HEAD}<Error><Code>{code}</Code><Message>{escape(detail or code)}</Message></Error>".encode()


def named(name):
    if "\ufffe" in name or "\uffff" in name:
        return f'<Name Encoded="true">{urllib.parse.quote(name, safe="")}</Name>'
    return f"<Name>{escape(name)}</Name>"


def token_of(name):
    """A marker says nothing to anybody: characters that URLs must escape are part of it."""
    text = base64.b64encode(name.encode()).decode()
    return f"2!{len(text)}!{text}+/&="


def name_of(marker):
    found = re.fullmatch(r"2!(\d+)!([^&]*)\+/&=", marker)
    if not found or len(found[2]) != int(found[1]):
        raise Refused(400, "InvalidQueryParameterValue", "the marker is none")
    return base64.b64decode(found[2]).decode()


def containers(items, marker):
    text = "".join(
        f"<Container><Name>{name}</Name><Properties><Last-Modified>{date(one.modified)}</Last-Modified>"
        f"<Etag>{one.etag}</Etag></Properties></Container>" for name, one in items
    )
    return f"{HEAD}<EnumerationResults><Containers>{text}</Containers><NextMarker>{marker}</NextMarker>" \
           "</EnumerationResults>"


def blobs(items, marker, with_metadata, asked, place):
    """`asked` are the elements that say once more what was asked for; `place` is the endpoint and the container."""
    text = []
    for name, one in items:
        if one is None:
            text.append(f"<BlobPrefix>{named(name)}</BlobPrefix>")
            continue
        fields = "".join(
            f"<{field}>{escape(one.properties[key])}</{field}>" for key, field in [
                ("content-type", "Content-Type"), ("content-encoding", "Content-Encoding"),
                ("content-language", "Content-Language"), ("content-md5", "Content-MD5"),
                ("cache-control", "Cache-Control"), ("content-disposition", "Content-Disposition"),
            ] if key in one.properties
        )
        extra = "".join(f"<{k}>{escape(v)}</{k}>" for k, v in one.metadata.items()) if with_metadata else ""
        text.append(
            f"<Blob>{named(name)}<Properties><Creation-Time>{date(one.created)}</Creation-Time>"
            f"<Last-Modified>{one.date}</Last-Modified><Etag>{one.etag[1:-1]}</Etag>"
            f"<Content-Length>{len(one.data)}</Content-Length>{fields}<BlobType>BlockBlob</BlobType>"
            f"<AccessTier>{one.tier or 'Hot'}</AccessTier>"
            f"{'' if one.tier else '<AccessTierInferred>true</AccessTierInferred>'}</Properties>"
            + (f"<Metadata>{extra}</Metadata>" if with_metadata else "") + "</Blob>"
        )
    echoes = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in asked.items() if value)
    return f'{HEAD}<EnumerationResults ServiceEndpoint="{escape(place[0])}" ContainerName="{place[1]}">{echoes}' \
           f"<Blobs>{''.join(text)}</Blobs><NextMarker>{escape(marker)}</NextMarker></EnumerationResults>"


def blocks(committed, pending):
    def lines(items):
        return "".join(f"<Block><Name>{i}</Name><Size>{s}</Size></Block>" for i, s in items)
    return f"{HEAD}<BlockList><CommittedBlocks>{lines(committed)}</CommittedBlocks>" \
           f"<UncommittedBlocks>{lines(pending)}</UncommittedBlocks></BlockList>"


def parse(body, root):
    try:
        document = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        raise Refused(400, "InvalidXmlDocument", "the document cannot be read") from None
    if document.tag != root:
        raise Refused(400, "InvalidXmlDocument", f"no {root}")
    return document


def delegation_key(key):
    fields = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in key.items())
    return f"{HEAD}<UserDelegationKey>{fields}</UserDelegationKey>"
