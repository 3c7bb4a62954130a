"""`reconciler render`: the manifests as if nobody had used templates, defaults or forEach."""

from __future__ import annotations

import click

from reconciler.cli.options import pass_session
from reconciler.cli.session import Session
from reconciler.errors import ManifestError
from reconciler.model.resource import Severity


@click.command()
@click.option("--origins", is_flag=True, help="Say of each field where it stands: its file, template, defaults, item.")
@pass_session
def render(session: Session, *, origins: bool) -> None:
    """Print the manifests with templates, defaults and forEach written out.

    What is printed are manifests that mean the same, and plan to the same. What is secret stands there as the manifests
    write it, `${env:NAME}`, so that nothing is given away; it has to be set all the same. A relative file is meant from
    the folder of the file that the line above each document names.
    """
    import reconciler.kinds.registry  # noqa: F401  # names the kinds of document
    from reconciler import manifests
    from reconciler.manifests.rendering import rendered

    context = session.context()
    documents, problems = manifests.check_documents(
        context.root, context.environment, context.environ, as_of=context.clock()
    )
    if any(problem.severity is Severity.ERROR for problem in problems):
        raise ManifestError(problems)
    for text in rendered(documents, with_origins=origins):
        session.show(text.removesuffix("\n"))
