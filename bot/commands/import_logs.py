"""`attendant import`: past conversations into a desk."""

from __future__ import annotations

import click

from bot.options import Session, common_options, desk_option, example


@click.command(
    "import",
    epilog=example(
        "attendant import logs/2025.jsonl.gz logs/faq.csv --desk acme",
        "attendant import --sample --desk sample",
    ),
)
@click.argument("logs", nargs=-1)
@desk_option
@click.option("--sample", is_flag=True, help="Import the conversations that ship with Attendant.")
@click.option("--embedder", metavar="NAME", help="Sentence encoder: a directory or a model on the Hugging Face Hub.")
@click.option("--no-redact", is_flag=True, help="Keep personal data as they are. Customers may get to read them.")
@common_options
@click.pass_obj
def command(
    session: Session, logs: tuple[str, ...], desk_name: str, sample: bool, embedder: str | None, no_redact: bool
) -> None:
    """Import logged conversations into a desk.

    LOGS are files or directories: JSON Lines, CSV or TSV, FAQ files, support tweets; plain or .gz. Importing the same
    log again adds nothing.
    """
    if not logs and not sample:
        raise click.UsageError("Name at least one log, or use --sample.")
    from bot.importing import import_into_desk
    from bot.output import print_json, remark, screen
    from bot.present import notice
    from bot.reports import show_report

    report, notices = import_into_desk(
        session.home_path(), desk_name, logs, with_sample=sample, embedder_name=embedder, redact=not no_redact
    )
    for text in notices:
        remark(text)
    if session.as_json:
        print_json(report)
        return
    console = screen()
    shown = {name: value for name, value in report.items() if value is not None and name != "warning"}
    show_report(console, shown, f"Imported into desk {desk_name}")
    if report["pairs"] or report["unchanged"]:
        console.print(notice(f"Now try: attendant chat --desk {desk_name}"))
