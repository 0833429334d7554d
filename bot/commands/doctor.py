"""`attendant doctor`: is everything on disk whole and in step?"""

from __future__ import annotations

import click

from bot.options import Session, common_options, desk_option, example


@click.command(epilog=example("attendant doctor --desk acme", "attendant doctor --desk acme --repair"))
@desk_option
@click.option("--repair", is_flag=True, help="Rebuild the index from the store where it is damaged or out of step.")
@common_options
@click.pass_context
def command(context: click.Context, desk_name: str, repair: bool) -> None:
    """Check that everything on disk is whole.

    Looks at the installation and at the desk's store, index and model. The exit status is 1 if anything is wrong.
    """
    session = context.ensure_object(Session)
    desk = session.open_desk(desk_name)
    from bot.doctor import examine, repair_index
    from bot.output import plain, print_json, screen
    from bot.progress import Meter

    with Meter() as meter:
        mended = repair_index(desk, meter) if repair else []
        checks = examine(desk, meter)
    is_whole = all(check.ok for check in checks)
    if session.as_json:
        rows = [{"name": check.name, "ok": check.ok, "detail": check.detail} for check in checks]
        print_json({"ok": is_whole, "checks": rows, "mended": mended})
    else:
        from rich.table import Table

        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
        for check in checks:
            verdict = plain("ok", "green") if check.ok else plain("WRONG", "bold red")
            table.add_row(verdict, plain(check.name), plain(check.detail))
        console = screen()
        for text in mended:
            console.print(plain(text))
        console.print(table)
        if not is_whole and not repair:
            console.print(plain(f"Try: attendant doctor --desk {desk_name} --repair"))
    context.exit(0 if is_whole else 1)
