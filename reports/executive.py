"""The summary for the reader with one minute: `summary.html` and its twins, which stand complete without each other.

The page is fit for a mail: inlined styles, no script; its pictures are files beside it, and it says everything without
them.
"""

from reports.brief import brief
from reports.executive_text import executive_text
from reports.page import render
from reports.pictures import Picture, pictures
from reports.publication import Publication
from reports.typeset import executive_pdf, picture_png


def executive_files(p: Publication) -> dict[str, bytes]:
    """Return `summary.html`, `summary.txt`, `summary.pdf` and the `summary-*.png` that the page shows, by name."""
    drawn = pictures(p)
    return {
        "summary.html": executive_summary(p, drawn).encode(),
        "summary.txt": executive_text(p).encode(),
        "summary.pdf": executive_pdf(p, drawn),
        **{picture.file: picture_png(picture) for picture in drawn},
    }


def executive_summary(p: Publication, drawn: tuple[Picture, ...] = ()) -> str:
    """Return the page with the pictures that are `drawn`; of a refused run it says that there is no figure, and why."""
    return render("summary.html.j2", p=p, brief=brief(p), pictures=drawn)
