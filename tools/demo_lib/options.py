# SPDX-License-Identifier: Apache-2.0
"""The demo's command line."""

import argparse
import pathlib

import links

DESCRIPTION = """\
Runs the same work over plain TCP and over godwit-tunnel, on emulated links: a bulk download and,
at the same time, a small request every 50 ms, each over a connection of its own. Prints a table;
keeps plots and raw figures. Builds what it needs, installs what is missing, asks nothing, and
leaves nothing behind but its results.
"""


def _names(known):
    def read(text):
        names = list(dict.fromkeys(name.strip() for name in text.split(",")))
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"there is no '{name}'; known: {', '.join(known)}")
        return names

    return read


def _seconds(text):
    try:
        seconds = int(text)
    except ValueError:
        seconds = 0
    if not 2 <= seconds <= 600:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of seconds from 2 to 600")
    return seconds


def _seed(text):
    if not text.isascii() or not text.isdigit() or int(text) >= 2**64:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number below 2^64")
    return int(text)


def _program(text):
    path = pathlib.Path(text).absolute()
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"there is no file '{text}'")
    return path


def read_options(arguments):
    parser = argparse.ArgumentParser(
        prog="tools/demo", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    all_links, all_transports = ", ".join(links.LINKS), ", ".join(links.TRANSPORTS)
    parser.add_argument("--full", action="store_true", help="all links, not only the first three")
    parser.add_argument(
        "--links", type=_names(links.LINKS), metavar="NAMES", help=f"only these, with commas between them: {all_links}"
    )
    parser.add_argument(
        "--transports",
        type=_names(links.TRANSPORTS),
        default=list(links.TRANSPORTS),
        metavar="NAMES",
        help=f"only these: {all_transports}",
    )
    parser.add_argument("--seconds", type=_seconds, default=15, metavar="N", help="of work in each run (default: 15)")
    parser.add_argument("--seed", type=_seed, default=1, metavar="N", help="of all that is random on the links (default: 1)")
    parser.add_argument(
        "--out", type=pathlib.Path, metavar="FOLDER", help="for the results (default: .cache/demo/DATE in the tree)"
    )
    parser.add_argument("--emulator", type=_program, metavar="FILE", help="a link_emulator that is built, not to be built")
    parser.add_argument("--tunnel", type=_program, metavar="FILE", help="a godwit-tunnel that is built, not to be built")
    options = parser.parse_args(arguments)
    if options.full and options.links:
        parser.error("--full means all links; leave out --full or --links")
    if options.links is None:
        options.links = list(links.LINKS) if options.full else links.DEFAULT_LINKS
    disturbed = [name for name in options.links if links.LINKS[name].is_disturbed]
    if disturbed and options.seconds < links.MIN_SECONDS_WITH_OUTAGE:
        parser.error(
            f"the link '{disturbed[0]}' needs --seconds {links.MIN_SECONDS_WITH_OUTAGE} or more; or choose other --links"
        )
    return options
