"""Domain libraries: what they offer is listed without importing it, and found by kind and name."""

import pytest

DOMAIN = """
from dispatch_core.extend import Domain, hookimpl

DISPATCH_CORE_API = 1

@hookimpl
def dispatch_core_domain(domain):
    return Domain(domain, "Things that fold.", {
        "models": {"Crane": "dispatch_paper_models:Crane", "Swan": "dispatch_paper_models:Swan"},
        "datasets": {"Sheets": "dispatch_paper_data:Sheets"},
    })
"""
GROUP = "dispatch_core.domains"


@pytest.fixture
def paper(site):
    site.add("dispatch-paper", [(GROUP, "paper")], DOMAIN)
    (site.folder / "dispatch_paper_models.py").write_text("class Crane: pass")
    return site


def test_a_domain_is_listed_without_importing_what_it_offers(paper):
    out = paper.python("-m", "dispatch_core", "domains", "paper").stdout
    assert "paper: Things that fold." in out
    assert "Crane, Swan" in out
    assert "Sheets" in out
    overview = paper.python("-m", "dispatch_core").stdout
    assert "paper (domain)" in overview
    assert "2 models, 1 datasets" in overview
    assert "domain 'paper'" in paper.python("-m", "dispatch_core", "plugins").stdout


def test_listing_all_domains_leaves_broken_ones_out(paper):
    paper.add("dispatch-torn", [(GROUP, "torn")], "raise RuntimeError('torn')")
    out = paper.python("-m", "dispatch_core", "domains").stdout
    assert "paper: Things that fold." in out
    assert "torn" not in out


def test_a_part_is_imported_when_it_is_asked_for(paper):
    code = """
    found = dc.plugins.domain("paper")
    print("dispatch_paper_models" in sys.modules, found.get("models", "Crane").__name__)
    print(error(found.get, "models", "Crance"))
    print(error(found.get, "modells", "Crane"))
    print(error(found.get, "models", "Swan"))
    print(error(found.get, "datasets", "Sheets"))
    print([each.name for each in dc.plugins.domains() if each.name == "paper"])
    """
    lines = paper.run(code).split("\n")
    assert lines[0] == "False Crane"
    assert "domain 'paper', models, has no name 'Crance'; it has Crane" in lines[1]
    assert "domain 'paper' has no kind 'modells'; it has models" in lines[2]
    assert "cannot be had from dispatch_paper_models" in lines[3]
    assert "No module named 'dispatch_paper_data'" in lines[4]
    assert lines[5] == "['paper']"


def test_the_doctor_tries_every_part(paper):
    done = paper.python("-m", "dispatch_core", "doctor", check=False)
    assert done.returncode == 1
    joined = " ".join(done.stdout.split())
    assert "domain 'paper'" in joined
    assert "'Swan' of domain 'paper' cannot be had from dispatch_paper_models" in joined


def test_unknown_blocked_and_unloaded_domains_say_so(paper):
    code = """
    print(error(dc.plugins.domain, "clay"))
    dc.plugins.load("dispatch-paper")
    dc.plugins.unload("dispatch-paper")
    print(error(dc.plugins.domain, "paper"))
    dc.plugins.load("dispatch-paper")
    print(dc.plugins.domain("paper").name)
    """
    lines = paper.run(code).split("\n")
    assert "no domain library is called 'clay'; installed are" in lines[0]
    assert "unloaded" in lines[1]
    assert lines[2] == "paper"
    paper.environment["DISPATCH_CORE_BLOCK"] = "paper"
    assert "blocked" in paper.run('print(error(dc.plugins.domain, "paper"))')


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("3", "returned int, expected a Domain called 'odd'"),
        ("Domain('even', '', {})", "returned domain 'even', expected a Domain called 'odd'"),
        ("Domain('odd', '', {'models': {'A': 'nowhere'}})", "is said to be at 'nowhere'"),
    ],
)
def test_a_hook_that_gives_no_such_domain_is_named(site, returned, said):
    source = DOMAIN.split("    return", maxsplit=1)[0] + f"    return {returned}\n"
    site.add("dispatch-odd", [(GROUP, "odd")], source)
    assert said in site.run('print(error(dc.plugins.domain, "odd"))')


def test_two_providers_of_one_domain_are_an_error(paper):
    paper.add("dispatch-paper-too", [(GROUP, "paper")], DOMAIN)
    message = paper.run('print(error(dc.plugins.domain, "paper"))')
    assert "provided by 'dispatch-paper', 'dispatch-paper-too'" in message
