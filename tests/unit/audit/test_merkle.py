"""Trees and proofs, against the vectors of the Certificate Transparency reference tests."""

from hypothesis import given
from hypothesis import strategies as st

from carapulse.audit.merkle import MerkleTree
from carapulse.audit.verifier import includes

LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
sizes = st.integers(1, 70).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1)))


def leaves(size: int) -> list[bytes]:
    return [b"leaf %d" % number for number in range(size)]


def test_the_roots_are_those_of_the_reference_vectors():
    assert [MerkleTree.over(LEAVES[:size]).root.hex() for size in range(9)] == ROOTS


def test_the_proof_of_the_third_of_seven_leaves_is_that_of_rfc_6962():
    nodes = MerkleTree.over(LEAVES[:7])
    h = MerkleTree.over

    assert nodes.proof(3) == (h([LEAVES[2]]).root, h(LEAVES[:2]).root, h(LEAVES[4:7]).root)


@given(sizes)
def test_every_leaf_is_proven_to_be_where_it_is(place):
    size, index = place
    tree = MerkleTree.over(leaves(size))

    assert includes(leaves(size)[index], index, size, tree.proof(index), tree.root)


@given(sizes, st.integers(0, 70))
def test_no_leaf_is_proven_to_be_anywhere_else(place, other):
    size, index = place
    tree = MerkleTree.over(leaves(size))

    assert includes(leaves(size)[index], other, size, tree.proof(index), tree.root) == (other == index)


@given(sizes, st.data())
def test_a_proof_with_one_node_changed_dropped_or_added_proves_nothing(place, data):
    size, index = place
    tree = MerkleTree.over(leaves(size))
    proof = list(tree.proof(index))
    at = data.draw(st.integers(0, len(proof)))
    kind = data.draw(st.sampled_from(["change", "drop", "add"]) if at < len(proof) else st.just("add"))
    changed = {"change": [*proof[:at], bytes(32), *proof[at + 1 :]], "drop": [*proof[:at], *proof[at + 1 :]]}
    bad = changed.get(kind, [*proof[:at], bytes(32), *proof[at:]])

    assert not includes(leaves(size)[index], index, size, bad, tree.root)


def test_a_proof_fits_one_size_of_tree_only():
    two, four = MerkleTree.over(leaves(2)), MerkleTree.over(leaves(4))

    assert not includes(leaves(2)[1], 0, 1, two.proof(1), two.root)
    assert not includes(leaves(4)[0], 0, 5, four.proof(0), four.root)


def test_a_place_outside_of_the_tree_proves_nothing():
    tree = MerkleTree.over(leaves(1))

    assert not includes(leaves(1)[0], -1, 1, (), tree.root)
    assert not includes(leaves(1)[0], 1, 1, (), tree.root)
