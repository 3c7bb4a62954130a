"""Holds a document that was filled in against the schema of its kind."""

from __future__ import annotations

from reconciler.manifests import schema_files, schema_violations
from reconciler.manifests.documents import ManifestDocument

_DEEPEST_ASKED = 5


def check(document: ManifestDocument) -> None:
    """Report what is wrong with a document, and note the paths that cannot be used."""
    wrong = {path for path, _ in document.filled.errors}
    for path, error in document.filled.errors:
        if not error.is_reported:
            document.report.at(document.address_at(path)).error(path, error.code, error.message)
    schema_text = document.kind.schema_text()
    if not schema_files.is_valid(schema_text, document.value):
        for violation in schema_violations.violations(schema_text, document.value):
            if violation.path in wrong:
                continue
            here = document.report.at(document.address_at(violation.path))
            here.error(violation.path, violation.code, violation.message, at_key=violation.at_key)
            wrong.add(violation.path)
    document.wrong = frozenset(wrong)
    document.around = frozenset(path[:size] for path in wrong for size in range(min(len(path), _DEEPEST_ASKED)))
