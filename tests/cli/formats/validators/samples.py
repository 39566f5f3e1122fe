"""What export_samples writes, made once for each test program, in a directory that is removed."""
import atexit
import glob
import os
import shutil
import subprocess
import tempfile

DIRECTORY = tempfile.mkdtemp(prefix='pedigree-samples-')
atexit.register(shutil.rmtree, DIRECTORY)
KEY = os.path.join(DIRECTORY, 'key.pem')
PUBLIC_KEY = os.path.join(DIRECTORY, 'public.pem')

subprocess.run(['openssl', 'genpkey', '-algorithm', 'ed25519', '-out', KEY], check=True)
subprocess.run(['openssl', 'pkey', '-in', KEY, '-pubout', '-out', PUBLIC_KEY], check=True)
subprocess.run([os.environ['EXPORT_SAMPLES'], KEY, DIRECTORY], check=True)


def files(name):
    """The paths of all samples of this file; there are some."""
    found = sorted(glob.glob(os.path.join(DIRECTORY, '*', name)))
    assert len(found) > 5, found
    return found


def lines(name):
    """(path, line) of all samples of this file."""
    for path in files(name):
        with open(path, encoding='utf-8') as file:
            for line in file:
                yield path, line
