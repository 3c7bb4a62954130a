"""Holds a document that was filled in against the schema of its kind."""

from __future__ import annotations

from reconciler.manifests import schema_files, schema_violations
from reconciler.manifests.documents import ManifestDocument, WrittenDocument
from reconciler.manifests.filling import FilledDocument
from reconciler.manifests.yaml_values import mapping_of

_DEEPEST_ASKED = 5


def check(written: WrittenDocument, filled: FilledDocument) -> ManifestDocument:
    """The document, with the paths that cannot be used; what is wrong with them is reported."""
    value = mapping_of(filled.value)
    document = ManifestDocument(written.kind, value, written.parsed, filled, written.report)
    wrong = {path for path, _ in filled.errors}
    for path, error in filled.errors:
        if not error.is_reported:
            document.report.at(document.address_at(path)).error(path, error.code, error.message)
    schema_text = written.kind.schema_text()
    if not schema_files.is_valid(schema_text, value):
        for violation in schema_violations.violations(schema_text, value):
            if violation.path in wrong:
                continue
            here = document.report.at(document.address_at(violation.path))
            here.error(violation.path, violation.code, violation.message, at_key=violation.at_key)
            wrong.add(violation.path)
    if not wrong:
        return document
    around = frozenset(path[:length] for path in wrong for length in range(min(len(path), _DEEPEST_ASKED)))
    return ManifestDocument(
        written.kind, value, written.parsed, filled, written.report, wrong=frozenset(wrong), around=around
    )
