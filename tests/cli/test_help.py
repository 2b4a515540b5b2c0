"""What the program says of itself."""

import pytest

from crypto_client.cli import main


def test_the_help_of_recovery_says_that_passkeys_are_for_browsers(capsys):
    with pytest.raises(SystemExit) as left:
        main(["recovery", "--help"])

    assert left.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Passkeys are for browsers: here the words or the code do it." in said
