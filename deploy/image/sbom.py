"""The bill of materials, in CycloneDX 1.5. It has no serial number and only the given time, so equal parts give equal
bytes."""

import hashlib
import json
from urllib.parse import quote

from crates import label


def _licences(expression):
    if not expression:
        return {}
    if " " in expression:
        return {"licenses": [{"expression": expression}]}
    return {"licenses": [{"license": {"id": expression}}]}


def _sha256(content):
    return [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}]


def _crate(crate):
    purl = f"pkg:cargo/{crate['name']}@{quote(crate['version'])}"
    component = {"type": "library", "bom-ref": label(crate), "name": crate["name"], "version": crate["version"]}
    component |= {"purl": purl, **_licences(crate["license"])}
    if crate["checksum"]:
        component["hashes"] = [{"alg": "SHA-256", "content": crate["checksum"]}]
    if crate["repository"]:
        component["externalReferences"] = [{"type": "vcs", "url": crate["repository"]}]
    return component


def _package(package, distribution, contents):
    version, machine = quote(package["version"], safe=""), package["architecture"]
    return {
        "type": "library",
        "bom-ref": f"deb {package['name']}",
        "name": package["name"],
        "version": package["version"],
        "purl": f"pkg:deb/{distribution.split('-')[0]}/{package['name']}@{version}?arch={machine}&distro={distribution}",
        "properties": [{"name": "debian:source", "value": package["source"]}],
        **_licences(package["license"]),
        "components": [
            {"type": "file", "name": path, "hashes": _sha256(contents[path])} for path in sorted(package["files"])
        ],
    }


def write(crates, binary, rust, packages, distribution, contents, time):
    """The bill of materials as JSON. `crates` starts with the program, whose bytes are `binary`; `contents` has the
    packages' files by path."""
    program, *others = crates
    standard_library = {
        "type": "library",
        "bom-ref": "rust-std",
        "name": "rust-std",
        "version": rust,
        "purl": f"pkg:generic/rust-std@{rust}",
        **_licences("MIT OR Apache-2.0"),
    }
    components = [_crate(crate) for crate in others] + [standard_library]
    components += [_package(package, distribution, contents) for package in packages]
    beside = ["rust-std", *(f"deb {package['name']}" for package in packages)]
    needs = [{"ref": label(program), "dependsOn": sorted(program["needs"] + beside)}]
    needs += [{"ref": label(crate), "dependsOn": crate["needs"]} for crate in others]
    return json.dumps({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": time,
            "component": {
                "type": "application",
                "bom-ref": label(program),
                "name": program["name"],
                "version": program["version"],
                "purl": f"pkg:generic/{program['name']}@{program['version']}",
                **_licences(program["license"]),
                "hashes": _sha256(binary),
            },
        },
        "components": components,
        "dependencies": needs + [{"ref": reference, "dependsOn": []} for reference in beside],
    }, indent=1).encode() + b"\n"
