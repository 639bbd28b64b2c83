"""The conformance kit in a stranger's hands: his own pytest, without any configuration."""

import textwrap

import pytest

OPERATORS = """
from dispatch_core.extend import FLOATING, SAME, Tensor, composite, custom, pointwise
DISPATCH_CORE_API = 1
@composite(pointwise(SAME, FLOATING), namespace="more", method=False)
def twice(input: Tensor) -> Tensor:
    "input + input"
    return input + input
"""
BARE = """
@composite(custom(), namespace="more", method=False)
def thrice(input: Tensor) -> Tensor:
    "input + input + input"
    return input + input + input
"""
SUITE = """
from dispatch_core.testing import conformance
class TestIt(conformance.Suite):
    device = "cpu"
    {choice}
"""


@pytest.fixture
def stranger(site, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stranger")

    def run(choice, *arguments, check=True):
        file = folder / "test_it.py"
        file.write_text(SUITE.format(choice=choice))
        (folder / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\n")
        given = ("-q", "-W", "error", "-p", "no:cacheprovider", str(file), *arguments)
        return site.python("-m", "pytest", *given, check=check).stdout

    return run


@pytest.mark.parametrize("choice", ['namespace = "more"', 'operators = ["more.twice"]'])
def test_only_the_operators_that_the_class_names_are_tested(site, stranger, choice):
    site.add("dispatch-more", [("dispatch_core.operators", "more")], OPERATORS)
    out = stranger(choice, "--collect-only")
    names = [line.partition("::test_")[2] for line in out.splitlines() if "[" in line]
    assert len(names) > 5
    # A check that applies to none of them is one test that is skipped.
    assert {name.partition("[")[2] for name in names} <= {"twice]", "NOTSET]"}
    assert "values[twice]" in names
    assert "passed" in stranger(choice, "-m", "not slow")


def test_the_whole_suite_is_that_of_the_core(site, stranger):
    site.add("dispatch-more", [("dispatch_core.operators", "more")], OPERATORS)
    out = stranger("import dispatch_core; dispatch_core.ops.more", "--collect-only")
    assert "[exp]" in out
    assert "[twice]" not in out


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ('namespace = "more"', "there are no sample calls of thrice; give the family samples="),
        ('namespace = "less"', "nothing that is installed provides operators 'less'"),
        ('operators = ["fourfold"]', "there is no operator 'fourfold'"),
    ],
)
def test_what_cannot_be_tested_is_an_error(site, stranger, choice, message):
    site.add("dispatch-more", [("dispatch_core.operators", "more")], OPERATORS + BARE)
    assert message in stranger(choice, check=False)


def test_operators_that_come_with_kernels_for_the_host_do_not_disturb(site, stranger):
    # The cpu's kernels are asked for while the suite looks at all operators.
    kernels = """
    from dispatch_core.extend import hookimpl
    @hookimpl
    def dispatch_core_kernels(device, table):
        pass
    """
    source = OPERATORS + textwrap.dedent(kernels)
    site.add("dispatch-more", [("dispatch_core.kernels", "cpu.more")], source)
    assert "values[exp]" in stranger("", "--collect-only")


def test_the_mark_slow_needs_no_configuration(stranger):
    out = stranger('operators = ["exp"]', "-m", "slow", "--collect-only")
    assert "test_gradient_in_full[exp]" in out
    assert "1 error" not in out
