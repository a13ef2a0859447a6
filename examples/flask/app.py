"""An upload service: files come by a form, lie in the storage `uploads`, and go out as they came.

COFFER_SOCKET=run/coffer.sock flask --app app run
"""

import coffer
from flask import Flask, Response, jsonify, request

app = Flask(__name__)
uploads = coffer.Client().storage("uploads")


@app.post("/files")
def upload():
    """Stores the file of a form under a new key, and says which."""
    file = request.files["file"]
    stored = uploads.create(file.stream, filename=file.filename, content_type=file.mimetype or None)
    file.close()
    return jsonify(key=stored.key, size=stored.size, type=stored.content_type), 201


@app.get("/files/<path:key>")
def download(key):
    """Streams an object; from a local storage, WSGI servers may send the file itself."""
    reader = uploads.open(key)
    return Response(
        iter(lambda: reader.read(256 << 10), b""),
        mimetype=reader.object.content_type,
        headers={"Content-Length": str(reader.length), "ETag": f'"{reader.object.etag}"'},
    )


@app.get("/files")
def listing():
    """All keys."""
    return jsonify([entry.key for entry in uploads.list()])


@app.delete("/files/<path:key>")
def delete(key):
    """Deletes an object."""
    uploads.delete(key)
    return "", 204


@app.errorhandler(coffer.CofferError)
def failed(error):
    """The host's own words and status."""
    return jsonify(error=error.code, detail=error.detail), error.status or 503
