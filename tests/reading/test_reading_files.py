"""Files are named for what they are: folders, globs, and everything that is no table."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart
from batch_issuer.reading import kinds, read
from batch_issuer.reading.paths import find_files
from batch_issuer.settings import Settings
from tests.reading.reading_samples import HEADINGS, csv_file, refs, refusal, workbook

GOOD = HEADINGS + "A1,Café,1,2\n"


def stopped_by(*paths: str) -> str:
    with pytest.raises(CannotStart) as stopped:
        read(list(paths), Settings())
    return refusal(stopped.value)


def archive(**parts: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        for name, text in parts.items():
            packed.writestr(name.replace("__", "/"), text)
    return content.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \r\n\r\n", "is empty"),
        (b"%PDF-1.7 ...", "is a PDF"),
        (OLE + b"W\x00o\x00r\x00k\x00b\x00o\x00o\x00k\x00", "is a workbook of the old kind (.xls)"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "is protected with a password"),
        (gzip.compress(b"a,b"), "is compressed (gzip)"),
        (b"\x89PNG\r\n\x1a\n", "is a picture"),
        (b"<html><table><tr><td>Factura</td></tr></table></html>", "is a web page, whatever its name says"),
        (b'<?xml version="1.0"?><Workbook/>', "is XML"),
        (
            b'<?xml version="1.0"?><x xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>',
            "is an XML sheet of Excel 2003",
        ),
        (b"GIF89a\x01\x00", "is a picture"),
        (b"ID;PWXL;N;E\n", "is a SYLK file"),
        (b"{\\rtf1\\ansi", "is a document of Word"),
        (b"MIME-Version: 1.0\nX-Document-Type: Workbook", "is a web page or a message"),
        (bytes(range(1, 32)) * 9, "is not text"),
        (b"a,b\n1,2\n" + bytes(500), "ends in zero bytes"),
        (archive(**{"Index/Document.iwa": "x"}), "is a sheet of Apple Numbers"),
        (b'{"ventas": []}', "is JSON"),
        (archive(xl__vbaProject_bin="", **{"xl__vbaProject.bin": "x"}), "is a workbook with macros (.xlsm)"),
        (archive(**{"xl__workbook.bin": "x"}), "is a binary workbook (.xlsb)"),
        (archive(mimetype="application/vnd.oasis.opendocument.spreadsheet"), "is an OpenDocument file (.ods)"),
        (archive(**{"word__document.xml": "x", "[Content_Types].xml": "x"}), "is a document of Word or PowerPoint"),
        (archive(**{"ventas.csv": GOOD}), "is a zip archive, not a workbook"),
        (b"PK\x03\x04 and no more", "is damaged"),
    ],
)
@pytest.mark.parametrize("name", ["ventas.csv", "ventas.xlsx"])
def test_what_is_no_table_is_named_for_what_it_is(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    """By its first bytes, whatever its name says, and with what to do."""
    (tmp_path / name).write_bytes(content)
    sentence = stopped_by(str(tmp_path / name))
    assert f"{tmp_path / name} {said}" in sentence
    assert len(sentence.splitlines()) == 2


def test_names_do_not_decide(tmp_path: Path) -> None:
    """A workbook called .csv and a CSV called .xlsx are read for what they are."""
    book = workbook(tmp_path, [["Factura", "Descripción", "Cantidad", "Precio"], ["A1", "Café", 1, 2]], "libro.csv")
    assert refs(read([book], Settings())) == ["A1"]
    assert refs(read([csv_file(tmp_path, GOOD, "texto.xlsx")], Settings())) == ["A1"]


def test_a_missing_file_is_named_with_the_nearest(tmp_path: Path) -> None:
    """A slip of the finger is answered with the name that is there."""
    csv_file(tmp_path, GOOD, "ventas.csv")
    assert (
        stopped_by(str(tmp_path / "venta.csv"))
        == f"There is no file {tmp_path}/venta.csv.\nDid you mean {tmp_path}/ventas.csv?"
    )
    assert stopped_by(str(tmp_path / "zzz" / "q.csv")).endswith("Check the name and the folder.")


def test_folders_and_globs_give_their_tables_in_order(tmp_path: Path) -> None:
    """By name, each once, without the files that Excel leaves beside an open workbook."""
    for name in ("b.csv", "a.csv", "~$b.xlsx", ".oculto.csv", "notas.md"):
        csv_file(tmp_path, GOOD, name)
    found = [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]
    assert list(find_files([str(tmp_path)])) == found
    assert list(find_files([str(tmp_path / "*.csv"), str(tmp_path)])) == found
    assert list(find_files([str(tmp_path / "b.csv"), str(tmp_path)])) == found[::-1]


def test_a_folder_passes_over_no_workbook(tmp_path: Path) -> None:
    """One that cannot be read is named, not left out: its sales would be missed."""
    csv_file(tmp_path, GOOD, "a.csv")
    (tmp_path / "b.xls").write_bytes(OLE + b"W\x00o\x00r\x00k\x00b\x00o\x00o\x00k\x00")
    assert "b.xls is a workbook of the old kind (.xls)" in stopped_by(str(tmp_path))


def test_a_name_with_brackets_is_a_name(tmp_path: Path) -> None:
    """A file that exists is no pattern."""
    path = csv_file(tmp_path, GOOD, "ventas [enero].csv")
    assert list(find_files([path])) == [path]


def test_nothing_to_read_is_said(tmp_path: Path) -> None:
    """An empty folder, a pattern without match, no file at all."""
    assert "has no tables" in stopped_by(str(tmp_path))
    assert "No file matches" in stopped_by(str(tmp_path / "*.csv"))
    assert "No file was named" in stopped_by()
    assert "nothing on standard input" in stopped_by("-")


def test_codes_are_words_and_unique() -> None:
    """They are a public interface."""
    codes = [kind.code for kind in kinds.KINDS]
    assert len(set(codes)) == len(codes) > 30
    assert all(code == code.lower() and code.replace("-", "").isalpha() for code in codes)
    assert N_("x") == "x"
