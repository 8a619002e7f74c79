import pytest

from flows.paths import safe_name, specimen_report_name


@pytest.mark.parametrize(
    "text", ["../../etc", "a/b", ".hidden", "..", "x" * 300, "Müller\n", "a%2Fb", " ", "CON:"]
)
def test_any_text_is_one_file_name(text, tmp_path):
    name = safe_name(text)
    assert "/" not in name
    assert not name.startswith(".")
    (tmp_path / name).write_text("")
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_different_texts_have_different_names():
    texts = ["a/b", "a%2Fb", "a b", "a_b", ".a", "%2Ea", "x" * 300, "x" * 301]
    assert len({safe_name(text) for text in texts}) == len(texts)


def test_a_specimen_called_index_does_not_hide_the_study():
    assert specimen_report_name("index") != "index.html"
    assert specimen_report_name("U1") == "U1.html"
