"""The program itself: imports a recorded database, exports it in every format, posts it."""
import contextlib
import http.server
import json
import os
import ssl
import subprocess
import tempfile
import threading
import unittest

import samples

PEDIGREE = os.environ['PEDIGREE']


class Backend(http.server.BaseHTTPRequestHandler):
    """Keeps what it is sent; answers what `answers` says first, then 201."""
    answers = []
    events = []
    on_event = None  # Is called before the answer.

    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        status = Backend.answers.pop(0) if Backend.answers else 201
        if status == 201:
            Backend.events.append(json.loads(body))
            if Backend.on_event:
                Backend.on_event()
        self.send_response(status)
        self.send_header('Content-Length', '0')
        self.end_headers()

    def log_message(self, *arguments):
        pass


@contextlib.contextmanager
def backend(certificate=None):
    """The url of a backend that has no events yet."""
    Backend.answers = []
    Backend.events = []
    Backend.on_event = None
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Backend)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield '%s://127.0.0.1:%d' % ('https' if certificate else 'http', server.server_port)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class ProcessTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.store = os.path.join(cls.folder.name, 'store')
        subprocess.run([PEDIGREE, 'import', 'sqlite:' + os.environ['MLMD_DATABASE'],
                        '--data_dir', cls.store], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def export(self, *arguments, code=0):
        result = subprocess.run([PEDIGREE, 'export', '--data_dir', self.store, *arguments],
                                capture_output=True, text=True, check=False)
        if code == 0:
            self.assertEqual(result.returncode, 0, result.stderr)
        else:
            self.assertNotEqual(result.returncode, 0)
        return result.stderr

    def file(self, *names):
        with open(os.path.join(self.folder.name, *names), encoding='utf-8', newline='') as file:
            return file.read()

    def sample(self, name):
        with open(os.path.join(samples.DIRECTORY, 'kfp_two_runs', name), encoding='utf-8',
                  newline='') as file:
            return file.read()

    def to(self, name):
        return os.path.join(self.folder.name, name)

    def test_exports_are_what_the_tests_of_formats_have_judged(self):
        self.export('--format', 'openlineage', '--option', 'store=prod', '--to', self.to('ol'))
        self.assertEqual(self.file('ol', 'openlineage.ndjson'), self.sample('openlineage.ndjson'))
        self.export('--format', 'prov-json', '--option', 'derived=true', '--to', self.to('prov'))
        self.assertEqual(self.file('prov', 'prov.json'), self.sample('prov.json'))
        self.export('--format', 'csv', '--to', self.to('csv'))
        for table in ('artifacts.csv', 'executions.csv', 'contexts.csv', 'events.csv',
                      'memberships.csv', 'properties.csv'):
            self.assertEqual(self.file('csv', table), self.sample(table))
        self.export('--format', 'slsa', '--key', samples.KEY, '--to', self.to('slsa'))
        self.assertEqual(self.file('slsa', 'provenance.intoto.jsonl'), '')

    def test_a_model_has_a_bom(self):
        sample = json.loads(self.sample('bom.cdx.json'))
        model = sample['metadata']['component']['bom-ref'].split('-')[1]
        self.export('--format', 'cyclonedx', '--model', model, '--to', self.to('bom.json'))
        bom = json.loads(self.file('bom.json'))
        for part in ('components', 'dependencies', 'formulation'):
            self.assertEqual(bom[part], sample[part])
        self.assertEqual(bom['metadata']['component'], sample['metadata']['component'])
        self.export('--format', 'cyclonedx', '--to', self.to('none.json'), code=1)

    def events(self):
        return [json.loads(line) for line in self.sample('openlineage.ndjson').splitlines()]

    def post(self, url, *arguments, code=0):
        return self.export('--format', 'openlineage', '--option', 'store=prod', '--to', url,
                           *arguments, code=code)

    def test_events_are_posted_and_go_on(self):
        want = self.events()
        with backend() as url:
            Backend.answers = [201, 201, 401]
            self.assertIn('401', self.post(url, '--spool', self.to('spool'), code=1))
            self.assertEqual(Backend.events, want[:2])
            Backend.answers = [503]
            self.post(url, '--spool', self.to('spool'))
            self.assertEqual(Backend.events, want)
            # All has been posted: nothing waits any more, and the next export is a new one.
            self.assertEqual(os.listdir(self.to('spool')), [])
            Backend.events.clear()
            self.post(url)
            self.assertEqual(Backend.events, want)

    def test_events_go_on_after_a_kill(self):
        want = self.events()
        with backend() as url:
            command = [PEDIGREE, 'export', '--data_dir', self.store, '--format', 'openlineage',
                       '--option', 'store=prod', '--to', url, '--spool', self.to('killed')]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            Backend.on_event = lambda: len(Backend.events) == 20 and process.kill()
            self.assertNotEqual(process.wait(), 0)
            Backend.on_event = None
            seen = len(Backend.events)
            self.assertLess(seen, 22)
            self.post(url, '--spool', self.to('killed'))
            # Progress was not saved yet.
            self.assertEqual(Backend.events, want[:seen] + want)

    def test_certificates_are_verified(self):
        pem = self.to('server.pem')
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ed25519', '-nodes', '-days', '2',
                        '-subj', '/CN=backend', '-addext', 'subjectAltName=IP:127.0.0.1',
                        '-keyout', pem + '.key', '-out', pem + '.crt'],
                       check=True, stderr=subprocess.DEVNULL)
        with open(pem, 'w', encoding='ascii') as both:
            for part in ('.key', '.crt'):
                with open(pem + part, encoding='ascii') as file:
                    both.write(file.read())
        with backend(pem) as url:
            self.assertIn('certificate', self.post(url, code=1))
            self.assertEqual(Backend.events, [])
            os.environ['PEDIGREE_LINEAGE_CA'] = pem + '.crt'
            try:
                self.post(url)
            finally:
                del os.environ['PEDIGREE_LINEAGE_CA']
            self.assertEqual(Backend.events, self.events())

    def test_other_formats_are_not_posted(self):
        self.assertIn('openlineage', self.export('--format', 'csv', '--to', 'http://127.0.0.1:1',
                                                 code=1))


if __name__ == '__main__':
    unittest.main()
