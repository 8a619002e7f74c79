from cellcensus.recipe import Recipe, hash_file, hash_paths


def test_the_same_recipe_has_the_same_identity_whatever_the_order():
    one = Recipe("ingest", 1, {"a": 1, "b": 2}, {"x": 0.5})
    other = Recipe("ingest", 1, {"b": 2, "a": 1}, {"x": 0.5})
    assert one.id == other.id
    assert one.id.startswith("ingest-1-")


def test_any_change_changes_the_identity():
    base = Recipe("ingest", 1, {"recording": "aa"}, {"views": 3})
    assert (
        len(
            {
                base.sha256,
                Recipe("train", 1, {"recording": "aa"}, {"views": 3}).sha256,
                Recipe("ingest", 2, {"recording": "aa"}, {"views": 3}).sha256,
                Recipe("ingest", 1, {"recording": "ab"}, {"views": 3}).sha256,
                Recipe("ingest", 1, {"recording": "aa"}, {"views": 4}).sha256,
            }
        )
        == 5
    )


def test_files_are_known_by_content_and_folders_by_names_too(tmp_path):
    first, second = tmp_path / "a.png", tmp_path / "b.png"
    first.write_bytes(b"one")
    second.write_bytes(b"one")
    assert hash_file(first) == hash_file(second)
    assert hash_paths([first]) != hash_paths([second])
