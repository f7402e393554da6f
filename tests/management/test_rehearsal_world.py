"""What the processes of a rehearsal may touch."""

from integration.management.rehearsal.world import World


def test_a_killed_process_leaves_its_temporary_files_in_the_rehearsals_own_place(tmp_path):
    """That place goes at the end; a `kill -9` gives nobody the time to clean up elsewhere."""
    world = World(place=tmp_path, url="http://127.0.0.1:9", environment={})
    child = world.start("killed", "-c", "import tempfile, time; print(tempfile.mkdtemp(), flush=True); time.sleep(60)")
    while not (made := child.log.read_text()):
        assert child.process.poll() is None
    child.kill()
    assert made.startswith(str(tmp_path))
