"""Singular roots: dual spaces by two methods, deflation, exact certificates and their independent checker."""

import json
import random
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flipforge import api
from flipforge.catalogue import SqliteStore
from flipforge.certificates import Certificate, check
from flipforge.errors import InputError, VerificationError
from flipforge.polynomials import certify_root, dual_space, macaulay_dual_space, parse_system
from flipforge.polynomials._structure import Deflated, structures
from flipforge.search import Proven

FAT = {"polynomials": ["x**2", "x*y", "y**2"], "root": ["0", "0"]}
GRIEWANK_OSBORNE = {"polynomials": ["Rational(29, 16)*x**3 - 2*x*y", "y - x**2"], "root": ["0", "0"]}
QUADRATIC = {"polynomials": ["x**2 - 2*sqrt(3)*x + 3", "(x - y)*(y + 1)"], "root": ["sqrt(3)", "sqrt(3)"]}
CUBIC = {"polynomials": ["(x**3 - 2)**2", "y - x - I*(x**3 - 2)"], "root": ["1.26", "1.26"]}
SIMPLE = {"polynomials": ["x**2 + y - 3", "x - y*y + 3"], "root": ["1", "2"]}
SYSTEMS = [
    (FAT, (1, 2)),
    (GRIEWANK_OSBORNE, (1, 1, 1)),
    (QUADRATIC, (1, 1)),
    (SIMPLE, (1,)),
    ({"polynomials": ["x**3 - y*z", "y**3 - x*z", "z**3 - x*y"], "root": ["0"] * 3}, (1, 3, 3, 3, 1)),
    ({"polynomials": ["x**4", "x**2*y**2 - y**5", "y**7 + x*y**6"], "root": ["0", "0"]}, None),
]


def proven(document: dict[str, Any]) -> Certificate:
    certificate = certify_root(parse_system(document)).certificate
    assert certificate is not None
    # What is decided is what stands in a file.
    return Certificate(**json.loads(json.dumps(vars(certificate))))


def perturbed(document: dict[str, Any], seed: int = 0, size: float = 1e-3) -> dict[str, Any]:
    """Move the root by up to ``size`` in every coordinate."""
    draw = random.Random(seed)
    start = parse_system(document).start()
    return {**document, "root": [f"{float(x.real.mid()) + draw.uniform(-size, size):.17f}" for x in start]}


@pytest.mark.parametrize(("document", "counts"), SYSTEMS)
def test_two_methods_give_the_same_dual_space(document: dict[str, Any], counts: tuple[int, ...] | None) -> None:
    system = parse_system(document)
    assert system.root is not None
    dual = dual_space(system, system.root)
    assert dual == macaulay_dual_space(system, system.root)
    assert dual.complete
    assert counts is None or dual.hilbert_function == counts
    assert check(proven(document)).valid


@pytest.mark.parametrize(("document", "counts"), SYSTEMS[:5])
@pytest.mark.parametrize("seed", range(2))
def test_the_structure_is_found_from_a_perturbed_start(document: dict[str, Any], counts: Any, seed: int) -> None:
    found = certify_root(parse_system(perturbed(document, seed)))
    assert found.certificate is not None
    assert found.hilbert_function == counts
    assert found.multiplicity == sum(counts)
    assert found.perturbation == 0
    assert check(found.certificate).valid


def test_deflation_converges_quadratically_and_its_jacobian_is_right() -> None:
    system = parse_system(perturbed(GRIEWANK_OSBORNE))
    start = [complex(x) for x in system.start()]
    structure = structures(system, start)[-1]
    assert structure.monomials == ((0, 0), (1, 0), (2, 0))
    deflated = Deflated(system, structure.monomials)
    place = [*start, *structure.parameters]
    jacobian = deflated.jacobian(place[:2], place[2:])
    for q in range(len(place)):
        moved = list(place)
        moved[q] += 1e-7
        values = [deflated.residual(p[:2], p[2:], complex) for p in (place, moved)]
        assert max(abs((values[1] - values[0]) / 1e-7 - jacobian[:, q])) < 1e-5
    assert jacobian.shape == (15, 5)


def test_an_algebraic_root_is_reconstructed_in_a_field_of_its_own() -> None:
    document = {"polynomials": ["(x**3 - 2)**2", "y - x - (x**3 - 2)"], "root": ["1.26", "1.2601"]}
    found = certify_root(parse_system(document))
    assert found.certificate is not None
    assert found.certificate.statement["system"]["field"][0]["relation"] == ["-2", "0", "0", "1"]
    assert found.multiplicity == 2
    assert found.radius is not None
    assert 0 < found.radius < 1e-30
    assert check(found.certificate).valid


@settings(max_examples=6, deadline=None)
@given(st.permutations(range(3)), st.permutations(range(3)))
def test_order_of_equations_and_variables_does_not_matter(equations: list[int], variables: list[int]) -> None:
    texts = ["x + y + z - 1", "2*x**3 + 5*y**2 - 10*z + 5*z**3 + 5", "2*x + 2*y + z**2 - 1"]
    document = {
        "variables": ["xyz"[j] for j in variables],
        "polynomials": [texts[k] for k in equations],
        "root": [["0.0003", "-0.0008", "1.0006"][j] for j in variables],
    }
    found = certify_root(parse_system(document))
    assert found.hilbert_function == (1, 1, 1, 1)
    assert found.certificate is not None
    assert check(found.certificate).valid


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_dual_space_that_is_built_in_is_found(data: st.DataObject) -> None:
    """Powers of independent linear forms through a point have the product of their exponents as multiplicity."""
    small = st.integers(-3, 3)
    a, b, c, d, p, q = (data.draw(small) for _ in range(6))
    if a * d == b * c:
        return
    m, n = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    texts = [f"(({a})*(x - ({p})) + ({b})*(y - ({q})/2))**{m}", f"(({c})*(x - ({p})) + ({d})*(y - ({q})/2))**{n}"]
    document = {"variables": ["x", "y"], "polynomials": texts, "root": [str(p), f"{q}/2"]}
    found = certify_root(parse_system(document))
    assert found.multiplicity == m * n
    assert found.certificate is not None
    assert check(found.certificate).valid


def changed(certificate: Certificate, *keys: Any, value: Any) -> str:
    """Change one value and return the verdict."""
    document = json.loads(json.dumps(vars(certificate)))
    place = document
    for key in keys[:-1]:
        place = place[key]
    assert place[keys[-1]] != value
    place[keys[-1]] = value
    return check(Certificate(**document)).decision


@pytest.mark.parametrize("document", [GRIEWANK_OSBORNE, QUADRATIC, FAT])
def test_every_change_of_a_number_is_refused(document: dict[str, Any]) -> None:
    certificate = proven(document)
    statement, witness = certificate.statement, certificate.witness
    for k, row in enumerate(statement["system"]["polynomials"]):
        for t in range(len(row)):
            verdict = changed(certificate, "statement", "system", "polynomials", k, t, 0, value="7/3")
            # Multiples of monomials, and any coefficients of Griewank and Osborne's first equation, say the same.
            still_true = document is FAT or (document is GRIEWANK_OSBORNE and k == 0)
            assert document is not FAT or (
                changed(certificate, "statement", "system", "polynomials", k, t, 0, value="0") == "REFUTED"
            )
            assert verdict == ("PROVED" if still_true else "REFUTED"), (k, t)
    for i, row in enumerate(witness["functionals"]):
        for t in range(len(row)):
            assert changed(certificate, "witness", "functionals", i, t, 0, value="7/3") == "REFUTED"
    assert changed(certificate, "statement", "multiplicity", value=len(witness["monomials"]) + 1) == "REFUTED"
    assert changed(certificate, "statement", "hilbert_function", value=[1]) == "REFUTED"
    assert changed(certificate, "statement", "centre", 0, 0, value="1/1000") == "REFUTED"
    assert changed(certificate, "statement", "root", 0, value=[["1/9", [0] * len(row[0][1])]]) == "REFUTED"
    if statement["generators"]:
        assert changed(certificate, "statement", "generators", 0, 0, value="1") == "REFUTED"
        assert changed(certificate, "statement", "generators", 0, 0, value="-1") == "REFUTED"


def test_a_part_of_the_dual_space_proves_nothing() -> None:
    certificate = proven(GRIEWANK_OSBORNE)
    document = json.loads(json.dumps(vars(certificate)))
    for key in ("monomials", "functionals"):
        document["witness"][key].pop()
    document["statement"] |= {"multiplicity": 2, "hilbert_function": [1, 1]}
    verdict = check(Certificate(**document))
    assert verdict.decision == "REFUTED"
    assert "not shown to be all" in verdict.reason


def test_malformed_certificates() -> None:
    certificate = proven(QUADRATIC)
    for keys, value in [
        (("statement", "system", "polynomials", 0), [["1", [1]]]),
        (("statement", "system", "polynomials", 0), [["1", [1, 0, -1]]]),
        (("statement", "system", "polynomials", 0), [["1.5", [1, 0, 0]]]),
        (("statement", "system", "field", 0, "relation"), ["-3", "0", "2"]),
        (("statement", "system", "variables"), []),
        (("statement", "root"), []),
        (("statement", "radius"), "-1"),
        (("statement", "centre", 0), ["1"]),
        (("witness", "monomials", 0), [1, 0]),
        (("witness", "monomials"), None),
        (("witness", "functionals", 0), {}),
    ]:
        assert changed(certificate, *keys, value=value) == "MALFORMED", keys


def test_files_and_their_hash(tmp_path: Path) -> None:
    source, target = tmp_path / "system.json", tmp_path / "proof.json"
    source.write_text(json.dumps(perturbed(QUADRATIC)))
    row = api.certify(source, out=target)
    assert row["verdict"] == "PROVED"
    assert (row["multiplicity"], row["hilbert_function"], row["perturbation"]) == (2, [1, 1], 0.0)
    assert row["certificate"] == str(target)
    (kept,) = api.verify(row["id"])
    assert (kept["verdict"], kept["source"]) == ("PROVED", row["id"])
    with SqliteStore.open() as store:
        assert api.certify(source, out=target, db=store)["id"] == row["id"]
        stored = store.scheme(row["id"][:6])
        assert isinstance(stored, Proven)
        found = stored.certificate
        assert (found.kind, stored.provenance["origin"]) == ("dual_space", "derived")
        assert stored.provenance["source"].startswith(f"{source} sha256=")
        assert stored.provenance["method"] == "Newton's method on the deflated system"
        (step,) = store.lineage(row["id"])
        assert step.arguments["content"] == json.loads(source.read_text())
        wrong = Certificate(found.kind, {**found.statement, "multiplicity": 3}, found.witness, found.checker)
        with pytest.raises(VerificationError, match="dual_space: REFUTED"):
            store.proofs.keep(wrong)
    assert api.verify(target).exit_code == 0
    document = json.loads(target.read_text())
    document["provenance"]["start"] = []
    target.write_text(json.dumps(document))
    assert api.verify(target)[0]["verdict"] == "MALFORMED"


def test_another_multiplicity_is_refused(tmp_path: Path) -> None:
    source, target = tmp_path / "system.json", tmp_path / "proof.json"
    source.write_text(json.dumps(SIMPLE))
    row = api.certify(source, multiplicity=2, out=target)
    assert row["verdict"] == "REFUTED"
    assert row["multiplicity"] == 1
    assert "multiplicity 1, which is proven; 2 is refused" in row["reason"]
    assert not target.exists()
    assert api.certify(source, multiplicity=1, out=target)["verdict"] == "PROVED"


def test_starts_and_structures_out_of_reach() -> None:
    far = {"polynomials": ["x**2 - 2", "y - x"], "root": ["20.5", "3"]}
    with pytest.raises(InputError, match=r"too far from a root: .* \(alpha is [0-9.e+]+ there"):
        certify_root(parse_system(far))
    more = {"polynomials": ["x**2 + y**2 - 1", "x - 3*y", "x*y - 5"], "root": ["10", "10"]}
    with pytest.raises(
        InputError, match=r"\(alpha is [0-9.e+]+ there for equations \d, \d, .* a root of these is certain"
    ):
        certify_root(parse_system(more))
    with pytest.raises(InputError, match="states no root"):
        certify_root(parse_system({"polynomials": ["x"]}))
    deep = {"polynomials": ["x**9", "y - x**2"], "root": ["0", "0"]}
    with pytest.raises(InputError, match="not end by order 4: multiplicity at least 5, Hilbert function 1, 1, 1, 1, 1"):
        certify_root(parse_system(deep), max_order=4)
    assert certify_root(parse_system(deep)).multiplicity == 9
    with pytest.raises(InputError, match="may not be isolated"):
        certify_root(parse_system({"polynomials": ["x*y", "x*y"], "root": ["0", "0"]}))


def test_all_orders_of_a_dual_space_are_order_ideals() -> None:
    system = parse_system({"polynomials": ["x**2 - y*z", "y**3", "z**2 - x*y"], "root": ["0"] * 3})
    for order in permutations(range(3)):
        renamed = parse_system(
            {
                "variables": ["xyz"[j] for j in order],
                "polynomials": ["x**2 - y*z", "y**3", "z**2 - x*y"],
                "root": ["0"] * 3,
            }
        )
        assert renamed.root is not None
        dual = dual_space(renamed, renamed.root)
        assert dual.hilbert_function == dual_space(system, system.root or ()).hilbert_function
        known = set(dual.monomials)
        for b in known:
            assert all((*b[:j], b[j] - 1, *b[j + 1 :]) in known for j in range(3) if b[j])
