from typing import get_args

from click.testing import CliRunner

from cellcensus.settings import Language
from cli.commands.stages import LANGUAGES, report


def test_the_languages_are_those_of_the_settings():
    assert get_args(Language) == LANGUAGES


def test_a_language_without_messages_is_refused_before_anything_is_done(tmp_path):
    answer = CliRunner().invoke(report, [str(tmp_path), "--language", "fr"])
    assert answer.exit_code == 2
    assert "'en', 'de'" in answer.output
