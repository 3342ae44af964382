"""A dotenv file keeps every byte but the values of managed keys."""

import re
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rotator.targets.env_file.document import Document, DocumentError, encode

OLD, NEW = "old-value", "cfut_New-Value_0123456789"


def changed(content, **values):
    return Document(content).set(values or {"TOKEN": NEW})


# ------------------------------------------------------------------------------------------------- one value in place


@pytest.mark.parametrize(
    "before, after",
    [
        (b"TOKEN=old\n", b"TOKEN=%b\n"),
        (b"TOKEN=old", b"TOKEN=%b"),
        (b"TOKEN=\n", b"TOKEN=%b\n"),
        (b'TOKEN="old"\n', b"TOKEN=%b\n"),
        (b"TOKEN='old'\n", b"TOKEN=%b\n"),
        (b"TOKEN=`old`\n", b"TOKEN=%b\n"),
        (b"export TOKEN=old\n", b"export TOKEN=%b\n"),
        (b"  export\tTOKEN = 'old'\n", b"  export\tTOKEN=%b\n"),
        (b"TOKEN=\told\n", b"TOKEN=%b\n"),
        (b"TOKEN =old # why\n", b"TOKEN=%b # why\n"),
        (b"TOKEN: old\n", b"TOKEN=%b\n"),
        (b"TOKEN : 'old' # why\n", b"TOKEN=%b # why\n"),
        (b"export TOKEN: old\r\n", b"export TOKEN=%b\r\n"),
        (b"A=1\nTOKEN:\nB=2\n", b"A=1\nTOKEN=%b\nB=2\n"),
        (b"A=1\nB: 2\nTOKEN: \n", b"A=1\nB: 2\nTOKEN=%b\n"),
        (b"TOKEN=old # why\n", b"TOKEN=%b # why\n"),
        (b"TOKEN='old'# why\n", b"TOKEN=%b # why\n"),
        (b'TOKEN="#old"\t# why\n', b"TOKEN=%b\t# why\n"),
        (b"TOKEN= # why\n", b"TOKEN=%b # why\n"),
        (b"TOKEN=# why\n", b"TOKEN=%b # why\n"),
        (b"TOKEN=#\n", b"TOKEN=%b #\n"),
        (b"TOKEN='' ; export TOKEN\n", b"export TOKEN=%b\n"),
        (b"TOKEN=old; export TOKEN # why\n", b"export TOKEN=%b # why\n"),
        (b'  TOKEN="old" && export TOKEN;\n', b"  export TOKEN=%b\n"),
        (b"export TOKEN=; export TOKEN\n", b"export TOKEN=%b\n"),
        (b"TOKEN=old\nexport TOKEN\n", b"TOKEN=%b\nexport TOKEN\n"),
        (b"TOKEN=a#b\n", b"TOKEN=%b\n"),
        (b"TOKEN=#b\n", b"TOKEN=%b\n"),
        (b"TOKEN=old  \t\n", b"TOKEN=%b\n"),
        (b"TOKEN=old\r\nA=1\r\n", b"TOKEN=%b\r\nA=1\r\n"),
        (b"TOKEN=old\nA='1\r2'\n", b"TOKEN=%b\nA='1\r2'\n"),
        (b"\xef\xbb\xbfA=1\nTOKEN=old\n", b"\xef\xbb\xbfA=1\nTOKEN=%b\n"),
        (b"A=\xff\xfe\nTOKEN=\xff\nB=2", b"A=\xff\xfe\nTOKEN=%b\nB=2"),
        (b"TOKEN=1\nA=2\nexport TOKEN='3'\n", b"TOKEN=%b\nA=2\nexport TOKEN=%b\n"),
        (b"#TOKEN=1\n # TOKEN=2\nTOKEN=3\n", b"#TOKEN=1\n # TOKEN=2\nTOKEN=%b\n"),
        (b"TOKEN='a\nb\n'\nA=1\n", b"TOKEN=%b\nA=1\n"),
        (b'TOKEN="say \\"hi\\""\n', b"TOKEN=%b\n"),
        (b"TOKEN='a'b\n", b"TOKEN=%b\n"),
        (b"MY_TOKEN=1\nTOKEN2=2\nTOKEN.x=3\nTOKEN=4\n", b"MY_TOKEN=1\nTOKEN2=2\nTOKEN.x=3\nTOKEN=%b\n"),
        (b"JSON='{\nTOKEN=no\n}'\nTOKEN=old\n", b"JSON='{\nTOKEN=no\n}'\nTOKEN=%b\n"),
        (b'JSON="{\nTOKEN=no\n}" # TOKEN=no\nTOKEN=old\n', b'JSON="{\nTOKEN=no\n}" # TOKEN=no\nTOKEN=%b\n'),
        (b"# it's a comment\nTOKEN=old\n# Al's\n", b"# it's a comment\nTOKEN=%b\n# Al's\n"),
        (b"A=1 # it's\nTOKEN=old\nB=Al's\n", b"A=1 # it's\nTOKEN=%b\nB=Al's\n"),
        (b"N='Bob'\\''s'\nTOKEN=old\nM=\"Al's\"\n", b"N='Bob'\\''s'\nTOKEN=%b\nM=\"Al's\"\n"),
        (b"P='C:\\tmp'\nTOKEN=old\n", b"P='C:\\tmp'\nTOKEN=%b\n"),
        (b"P=C:\\\\\nTOKEN=old\n", b"P=C:\\\\\nTOKEN=%b\n"),
        (b"A=$(date +'%%F')\nTOKEN=old\n".replace(b"%%", b"%"), b"A=$(date +'%F')\nTOKEN=%b\n"),
        (b"A=`date`\nTOKEN=old\n", b"A=`date`\nTOKEN=%b\n"),
        (b"cat <<X\nit's\nX\nTOKEN=old\n", b"cat <<X\nit's\nX\nTOKEN=%b\n"),
        (b"this is no assignment\nTOKEN=old\n=x\n", b"this is no assignment\nTOKEN=%b\n=x\n"),
    ],
)
def test_only_the_value_changes(before, after):
    assert changed(before) == after.replace(b"%b", NEW.encode())


@pytest.mark.parametrize(
    "before, after",
    [
        (b"", b"TOKEN=%b\n"),
        (b"A=1\n", b"A=1\nTOKEN=%b\n"),
        (b"A=1", b"A=1\nTOKEN=%b\n"),
        (b"A=1\r\nB=2", b"A=1\r\nB=2\r\nTOKEN=%b\r\n"),
        (b"A=1\nB=2\r", b"A=1\nB=2\r\nTOKEN=%b\n"),
        (b"\xef\xbb\xbfA=1", b"\xef\xbb\xbfA=1\nTOKEN=%b\n"),
        (b"A=x\\\n", b"A=x\\\n\nTOKEN=%b\n"),
        (b"# c:\\\n", b"# c:\\\n\nTOKEN=%b\n"),
        (b"P=C:\\tmp\\\r\n", b"P=C:\\tmp\\\r\nTOKEN=%b\r\n"),
        (b"# TOKEN=1\n", b"# TOKEN=1\nTOKEN=%b\n"),
        (b"export A=1\n", b"export A=1\nexport TOKEN=%b\n"),
        (b"export A=1\nB=2\n", b"export A=1\nB=2\nTOKEN=%b\n"),
    ],
)
def test_a_missing_key_comes_last_in_the_style_of_the_file(before, after):
    assert changed(before) == after.replace(b"%b", NEW.encode())


def test_missing_keys_come_in_the_order_in_which_they_are_given():
    assert changed(b"", B="1", A="2") == b"B=1\nA=2\n"


def test_a_value_that_stands_there_already_is_left_as_it_is_written():
    content = b"TOKEN=\"%b\" # mine\nA='%b'  \n" % (NEW.encode(), NEW.encode())
    assert changed(content, TOKEN=NEW, A=NEW) == content


@pytest.mark.parametrize("line", [b"TOKEN= %b\n", b"TOKEN: %b\n", b"TOKEN = %b\n", b"TOKEN=%b; export TOKEN\n"])
def test_a_value_that_only_some_programs_read_there_is_written_so_that_all_do(line):
    assert changed(line % NEW.encode()).removeprefix(b"export ") == b"TOKEN=%b\n" % NEW.encode()


def test_a_file_that_a_shell_runs_gets_a_missing_key_as_export():
    assert Document(b"layout node\nA=1\n", shell=True).set({"TOKEN": NEW}) == (
        b"layout node\nA=1\nexport TOKEN=%b\n" % NEW.encode()
    )


def test_a_value_in_backticks_is_written_anew_because_a_shell_would_run_it():
    assert changed(b"TOKEN=`%b`\n" % NEW.encode()) == b"TOKEN=%b\n" % NEW.encode()


def test_an_empty_value_before_a_comment_is_quoted_lest_the_comment_becomes_the_value():
    assert changed(b"TOKEN=old # why\n", TOKEN="") == b"TOKEN='' # why\n"


# ---------------------------------------------------------------------------------------------------------- reading


@pytest.mark.parametrize(
    "line, value",
    [
        (b"K=plain", "plain"),
        (b"K=two words # comment", "two words"),
        (b"K='single $x \\n'", "single $x \\n"),
        (b'K="a\\nb\\t\\"c\\" \\$d\\\\"', 'a\nb\t"c" $d\\'),
        (b"K=`a'b\"c`", "a'b\"c"),
        (b"K='a\nb'", "a\nb"),
        (b"K=", ""),
        (b"K= # c", ""),
        (b"K=\xff", "\udcff"),
    ],
)
def test_values_are_read_as_most_programs_read_them(line, value):
    assert Document(line).get("K") == [value]


def test_all_values_of_a_key_are_read_in_order():
    document = Document(b"K=1\nL=2\nK=3\n")
    assert document.get("K") == ["1", "3"]
    assert document.get("M") == []
    assert document.keys() == ("K", "L", "K")


def test_a_document_does_not_show_its_content():
    assert "hidden" not in repr(Document(b"K=hidden\n"))
    assert "hidden" not in repr(Document(b"K=hidden\n")._parsed)
    assert "hidden" not in repr(Document(b"K=hidden\n")._parsed.assignments)


# ---------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    "content",
    [
        b"A='x\nTOKEN=1\ny' z\n",  # text after the closing quote: skipped by one, read line by line by another
        b'A="{\n \\"x\\": 1\nTOKEN=1\n"\n',  # the quote closes elsewhere for readers without escapes
        b"A='x\\'\nTOKEN=1\ny'\n",
        b"A=x\\\nTOKEN=1\n",  # a shell joins the lines
        b"'TOKEN'=1\n",  # a key for one reader, nothing for the others
        b"TOKEN='x\ny' z\n",
        b"TOKEN=x\\\nA=1\n",
        b"\xef\xbb\xbfTOKEN=1\n",  # the mark is a part of the key for Node, systemd and shells
        b"\xef\xbb\xbf# c\nTOKEN=1\n",
        b"# c:\\\nTOKEN=1\n",  # systemd joins comments, too
        b"A=1 # c:\\\nTOKEN=1\n",
        b"A='x' # c:\\\nTOKEN=1\n",
        b"some words \\\nTOKEN=1\n",
        b"A='never closed\nTOKEN=1\nB=1\n",
        b'A="never closed\nTOKEN=1\nB=1\n',
        b"N=Bob's\nTOKEN=1\nM=Al's\n",  # quotes in the middle of a word are quotes for a shell
        b'S=5" pipe\nTOKEN=1\nT=3" pipe\n',
        b"A=x#it's\nTOKEN=1\n",
        b"N=Bob's\nTOKEN=1\n",
        b"A=`\nTOKEN=1\n`\n",
        b"A=C:\\tmp\\\n# it's\nTOKEN=1\n",  # joined to the line above, the comment is none for a shell
        b"A=$(cat <<X\nTOKEN=1\nX\n)\n",
        b"cat <<X\nTOKEN=1\nX\n",
        b"# c:\\\nC='x\nTOKEN=1\ny'\n",
        b"A:\nTOKEN=1\n",  # npm dotenv takes it for the value of A
        b"A=1\rTOKEN=1\nB=2\n",  # a CR alone ends a line for some readers only
        b"# c\rTOKEN=1\n",
        b"A=1\nTOKEN=1\rB=2\n",
        b"TOKEN=1\r\r\nB=2\r\n",
    ],
)
def test_a_key_that_programs_read_differently_is_neither_read_nor_written(content):
    with pytest.raises(DocumentError, match=r"line \d+"):
        Document(content).get("TOKEN")
    with pytest.raises(DocumentError, match=r"line \d+"):
        changed(content)


def test_other_keys_of_a_doubtful_file_can_be_written():
    content = b"A='x\nTOKEN=1\ny' z\nOTHER=old\n"
    assert changed(content, OTHER=NEW) == b"A='x\nTOKEN=1\ny' z\nOTHER=%b\n" % NEW.encode()


@pytest.mark.parametrize(
    ("content", "line"),
    [(b"# x\nA='never closed\nB=1\n", 2), (b"N=Bob's\n", 1), (b"A=1\nB=$(x\n", 2), (b"A=1\nB:\n", 3), (b"A=x\\", 0)],
)
def test_nothing_is_added_where_some_program_would_not_see_it(content, line):
    with pytest.raises(DocumentError, match=f"line {line}" if line else "last line") as caught:
        changed(content)
    assert caught.value.remedy


def test_a_doubt_names_what_a_reader_sees_there_and_what_to_do():
    with pytest.raises(DocumentError) as caught:
        Document(b"\nN=Bob's\nTOKEN=1\nM=Al's\n").get("TOKEN")
    assert "line 3: a shell reads it as a part of what the quote on line 2 opens" in caught.value.message
    assert caught.value.remedy == "close the quote on line 2, or put the whole value there in quotes"


@pytest.mark.parametrize(
    "value", ["it's", "back\\slash", "$HOME", "line\nbreak", "tab\t", "\x7f", "\u2028", "\udcff", "\0"]
)
def test_a_value_that_programs_read_differently_is_refused_and_not_shown(value):
    for act in (lambda: encode("TOKEN", value), lambda: changed(b"", TOKEN=value)):
        with pytest.raises(DocumentError, match="TOKEN") as caught:
            act()
        assert value not in str(caught.value)


@pytest.mark.parametrize("key", ["", "1A", "A-B", "A.B", "A B", "A=B", "Ä", "A\n"])
def test_a_key_that_is_none_everywhere_is_refused(key):
    with pytest.raises(DocumentError, match="cannot be a key"):
        changed(b"", **{key: "x"})


@pytest.mark.parametrize("content", [b"A=1\0", "A=1\n".encode("utf-16")])
def test_a_file_that_is_no_text_is_refused(content):
    with pytest.raises(DocumentError, match="UTF-16"):
        Document(content)


def test_a_file_with_control_characters_is_refused():
    with pytest.raises(DocumentError, match="control characters"):
        Document(b"\x85\x02\x0c\x03A=1\n")


@pytest.mark.parametrize("content", [b"A=1\rTOKEN=\r", b"TOKEN=old\r", b"# c\rA=1", b"\xef\xbb\xbfA=1\rTOKEN=1\r"])
def test_a_file_whose_lines_end_in_cr_alone_is_refused_because_most_programs_see_one_line(content):
    with pytest.raises(DocumentError, match="end in CR alone") as caught:
        Document(content)
    assert caught.value.remedy == "save it with LF as line end"


@pytest.mark.parametrize(
    "content", [b"{}\n", b'{\n  "TOKEN": "x"\n}\n', b"\xef\xbb\xbf \n{", b"{{ range .Values.env }}\n"]
)
def test_json_and_templates_are_no_dotenv_files_and_get_no_line_behind_the_last_brace(content):
    with pytest.raises(DocumentError, match="would break it") as caught:
        Document(content)
    assert "dotenv file" in caught.value.remedy


YAML = [
    b"TOKEN: old\nOTHER: x\n",
    b"OTHER: x\n",
    b"# mine\nenv:\n  TOKEN: old\n",
    b"OTHER: x\r\nTOKEN: old\r\n",
    b"---\nTOKEN: old\n",
    b"environment:\n- TOKEN=old\n",
    b"'other-key': [a=b]\n",
    b"- TOKEN: old\n",
    b"script: |\n  A=1\n  run\nTOKEN: old\n",
]


@pytest.mark.parametrize("content", YAML)
def test_a_file_of_yaml_is_not_changed(content):
    with pytest.raises(DocumentError, match="looks like YAML") as caught:
        changed(content)
    assert "name a dotenv file in `path`" in caught.value.remedy
    assert "`KEY=value`" in caught.value.remedy


def test_one_line_with_a_colon_is_yaml_where_the_file_is_named_so():
    with pytest.raises(DocumentError, match="looks like YAML"):
        Document(b"TOKEN: old\n", yaml=True).set({"TOKEN": NEW})
    assert Document(b"TOKEN=old\n", yaml=True).set({"TOKEN": NEW}) == b"TOKEN=%b\n" % NEW.encode()


@pytest.mark.parametrize("content", [b"A=1\nB: 2\nC: 3\nTOKEN: old\n", b"export A=1\nB: 2\nTOKEN: old\n"])
def test_a_file_with_one_line_of_equals_is_no_yaml_and_lines_of_others_keep_their_colon(content):
    assert changed(content) == content.replace(b"TOKEN: old", b"TOKEN=%b" % NEW.encode())


# -------------------------------------------------------------------------------------------------------- properties

piece = st.sampled_from(
    [
        b"TOKEN",
        b"OTHER",
        b"A_1",
        b"export ",
        b"=",
        b": ",
        b"'",
        b'"',
        b"`",
        b"\\",
        b"#",
        b" ",
        b"\t",
        b"\n",
        b"\r\n",
        b"\r",
        b"$X",
        b"${X}",
        b"\xff",
        b"\xc3\xa9",
        b"\xef\xbb\xbf",
        b"abc",
        b"\n\n",
        b"TOKEN=old\n",
        b"\nTOKEN='a b' # c\n",
        b"{",
    ]
)
anything = st.lists(piece | st.binary(max_size=4).map(lambda raw: raw.replace(b"\0", b"")), max_size=25).map(b"".join)
values = st.one_of(
    st.from_regex(r"[A-Za-z0-9_./:@%+=,-]{1,50}", fullmatch=True),
    st.text(
        alphabet=st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="'\\$"), max_size=20
    ),
)


def skeleton(content, key):
    """The file without what belongs to `key`: what must be the same before and after."""
    document, position, pieces = Document(content), 0, []
    for found in document._parsed.assignments:
        if found.key == key:
            pieces.append(content[position : found.sign])
            position = found.end
    return [re.sub(rb"[ \t]+(?=[\r\n]|\Z)|[ \t]*(?=#)", b"", one) for one in [*pieces, content[position:]]]


def without_token(document):
    return list(filter("TOKEN".__ne__, document.keys()))


@given(anything, values)
@example(b"TOKEN=", "")
@example(b"A='\nTOKEN=1\n'\n", "x y")
def test_any_file_is_changed_exactly_or_refused(content, value):
    try:
        document = Document(content)
        after = document.set({"TOKEN": value})
    except DocumentError:
        return
    again = Document(after)
    assert set(again.get("TOKEN")) == {value}
    assert again.set({"TOKEN": value}) == after
    if document.get("TOKEN"):
        assert skeleton(after, "TOKEN") == skeleton(content, "TOKEN")
        assert len(again.get("TOKEN")) == len(document.get("TOKEN"))
    else:
        assert after.startswith(content)
    assert without_token(again) == without_token(document)


@given(anything)
def test_reading_any_file_raises_nothing_but_a_document_error(content):
    with suppress(DocumentError):
        document = Document(content)
        for key in {*document.keys(), "TOKEN"}:
            with suppress(DocumentError):
                document.get(key)


@given(anything, values, values)
def test_going_there_and_back_ends_at_the_same_bytes(content, first, second):
    try:
        once = Document(content).set({"TOKEN": first})
        twice = Document(Document(once).set({"TOKEN": second})).set({"TOKEN": first})
    except DocumentError:
        return
    if first and second:  # an empty value before a comment is quoted, and stays so
        assert twice == once or Document(twice).get("TOKEN") == Document(once).get("TOKEN")
