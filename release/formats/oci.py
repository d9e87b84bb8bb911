"""A container image in the OCI layout: from scratch, with the static binary, certificates and nothing else."""

import hashlib
import json
import time
from pathlib import Path

from .failure import Failure
from .tar import compress, pack
from .wheel import SUMMARY

ARCHITECTURES = {"x64": "amd64", "arm64": "arm64"}
# nobody
USER = 65534
# Where a program that links no system library looks for certificates.
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
MEDIA = "application/vnd.oci.image"


class Blobs:
    """The blobs of a layout, by digest."""

    def __init__(self):
        self.files = {}

    def add(self, kind, content):
        """Adds bytes or a JSON document, and returns its descriptor."""
        data = content if isinstance(content, bytes) else json.dumps(content, separators=(",", ":")).encode()
        digest = hashlib.sha256(data).hexdigest()
        self.files[f"blobs/sha256/{digest}"] = data
        return {"mediaType": f"{MEDIA}.{kind}", "digest": f"sha256:{digest}", "size": len(data)}


def write(archives, repository, epoch, certificates, folder):
    """Writes one image for all static Linux archives and returns its path."""
    static = [archive for archive in archives if archive.platform[0] == "linux" and not archive.facts.dynamic]
    if not static:
        where = archives[0].path.parent
        raise Failure(where, "no archive with a static Linux binary for an image", "add one for musl, or use --only")
    roots = read_certificates(certificates)
    blobs = Blobs()
    version = static[0].version
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch))
    labels = {
        "org.opencontainers.image.created": created,
        "org.opencontainers.image.description": SUMMARY,
        "org.opencontainers.image.licenses": "MIT OR Apache-2.0",
        "org.opencontainers.image.source": f"https://github.com/{repository}",
        "org.opencontainers.image.title": "promptgate",
        "org.opencontainers.image.version": version,
    }
    manifests = {}
    for archive in static:
        architecture = ARCHITECTURES[archive.platform[1]]
        if architecture in manifests:
            raise Failure(archive.path, f"a second static binary for {architecture}", "keep one of them")
        manifest = add_image(blobs, archive, architecture, roots, labels, created, epoch)
        manifests[architecture] = {**manifest, "platform": {"architecture": architecture, "os": "linux"}}
    index = {
        "schemaVersion": 2,
        "mediaType": f"{MEDIA}.index.v1+json",
        "manifests": [manifests[architecture] for architecture in sorted(manifests)],
        "annotations": labels,
    }
    top = blobs.add("index.v1+json", index)
    top["annotations"] = {"org.opencontainers.image.ref.name": version}
    files = {
        "oci-layout": json.dumps({"imageLayoutVersion": "1.0.0"}).encode(),
        "index.json": json.dumps({"schemaVersion": 2, "manifests": [top]}, separators=(",", ":")).encode(),
        **blobs.files,
    }
    path = folder / f"promptgate-{version}.oci.tar"
    path.write_bytes(pack([(name, files[name], 0o644) for name in sorted(files)], epoch))
    return path


def add_image(blobs, archive, architecture, roots, labels, created, epoch):
    """Adds layer, configuration and manifest of one architecture, and returns the manifest's descriptor."""
    folders = [(name, 0o755, 0) for name in ("etc", "etc/ssl", "etc/ssl/certs", "usr", "usr/local", "usr/local/bin")]
    # `work` is where a repository is mounted, and where reports go.
    folders += [("tmp", 0o1777, 0), ("work", 0o755, USER)]
    licenses = [(f"usr/share/doc/promptgate/{name}", archive.texts[name], 0o644) for name in archive.texts]
    folders += [(name, 0o755, 0) for name in ("usr/share", "usr/share/doc", "usr/share/doc/promptgate")]
    files = [("usr/local/bin/promptgate", archive.binary, 0o755), (CERTIFICATES, roots, 0o644), *licenses]
    tar = pack(files, epoch, sorted(folders))
    layer = blobs.add("layer.v1.tar+gzip", compress(tar))
    config = {
        "created": created,
        "architecture": architecture,
        "os": "linux",
        "config": {
            "User": f"{USER}:{USER}",
            "Env": ["PATH=/usr/local/bin", f"SSL_CERT_FILE=/{CERTIFICATES}"],
            "Entrypoint": ["/usr/local/bin/promptgate"],
            "Cmd": ["--help"],
            "WorkingDir": "/work",
            "Labels": labels,
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(tar).hexdigest()}"]},
        "history": [{"created": created, "created_by": "release/repack"}],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{MEDIA}.manifest.v1+json",
        "config": blobs.add("config.v1+json", config),
        "layers": [layer],
        "annotations": labels,
    }
    return blobs.add("manifest.v1+json", manifest)


def read_certificates(file):
    """Returns the root certificates: TLS of promptgate uses those of the system, which an empty image lacks."""
    try:
        data = Path(file).read_bytes()
    except OSError as error:
        help = "name a bundle of root certificates: --ca-certificates FILE"
        raise Failure(file, f"cannot be read: {error.strerror}", help) from error
    if b"-----BEGIN CERTIFICATE-----" not in data:
        raise Failure(file, "no certificate in it", "expected a bundle in PEM: --ca-certificates FILE")
    return data
