"""Exports in SLSA provenance: read by protobuf's JSON, signatures verified by openssl."""
import base64
import json
import os
import re
import subprocess
import tempfile
import unittest

from google.protobuf import json_format

import in_toto_pb2
import samples

TYPE = 'application/vnd.in-toto+json'


def verifies(pae, signature):
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ('pae', 'sig')]
        for path, content in zip(paths, (pae, signature)):
            with open(path, 'wb') as file:
                file.write(content)
        return subprocess.run(
            ['openssl', 'pkeyutl', '-verify', '-pubin', '-inkey', samples.PUBLIC_KEY, '-rawin',
             '-in', paths[0], '-sigfile', paths[1]],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def check(line, verify=True):
    """Raises what is wrong with an envelope; its statement and provenance."""
    envelope = json_format.Parse(line, in_toto_pb2.Envelope())
    if envelope.payloadType != TYPE or len(envelope.signatures) != 1:
        raise ValueError('no envelope of in-toto')
    if verify:
        # DSSE's pre-authentication encoding.
        pae = b'DSSEv1 %d %s %d %s' % (len(TYPE), TYPE.encode(), len(envelope.payload),
                                       envelope.payload)
        if not verifies(pae, envelope.signatures[0].sig):
            raise ValueError('signature')
    statement = json_format.Parse(envelope.payload, in_toto_pb2.Statement())
    if statement.type != 'https://in-toto.io/Statement/v1':
        raise ValueError('_type')
    if statement.predicate_type != 'https://slsa.dev/provenance/v1':
        raise ValueError('predicateType')
    if not statement.subject:
        raise ValueError('subject')
    for subject in statement.subject:
        if not any(re.fullmatch('[0-9a-f]{64}', subject.digest.get(name, ''))
                   for name in ('sha256',)):
            raise ValueError('digest')
    predicate = json.dumps(json.loads(envelope.payload)['predicate'])
    provenance = json_format.Parse(predicate, in_toto_pb2.Provenance())
    if not provenance.build_definition.build_type:
        raise ValueError('buildType')
    if not provenance.build_definition.external_parameters.fields:
        raise ValueError('externalParameters')
    if not provenance.run_details.builder.id:
        raise ValueError('builder.id')
    return statement, provenance


class SlsaTest(unittest.TestCase):
    def test_every_statement_is_valid(self):
        statements = 0
        for path, line in samples.lines('provenance.intoto.jsonl'):
            # A process for each signature: of many samples the first ones.
            check(line, verify=statements < 20)
            statements += 1
        self.assertGreater(statements, 20)

    def test_artifacts_without_a_digest_have_none(self):
        for path in samples.files('provenance.intoto.jsonl'):
            if 'kfp_two_runs' in path:
                self.assertEqual(os.path.getsize(path), 0)

    def test_broken_statements_are_caught(self):
        line = next(line for _, line in samples.lines('provenance.intoto.jsonl'))
        envelope = json.loads(line)
        whole = json.loads(base64.b64decode(envelope['payload']))

        def with_payload(change):
            statement = json.loads(json.dumps(whole))
            change(statement)
            payload = base64.b64encode(json.dumps(statement).encode()).decode()
            return json.dumps(dict(envelope, payload=payload))

        check(with_payload(lambda s: None), verify=False)
        for change in (
                lambda s: s.pop('_type'),
                lambda s: s.pop('subject'),
                lambda s: s.pop('predicateType'),
                lambda s: s['subject'][0].pop('digest'),
                lambda s: s['subject'][0].update(sha256='x'),
                lambda s: s['predicate']['buildDefinition'].pop('buildType'),
                lambda s: s['predicate']['buildDefinition'].pop('externalParameters'),
                lambda s: s['predicate']['runDetails'].pop('builder'),
                lambda s: s['predicate']['runDetails']['metadata'].update(startedOn='now')):
            with self.assertRaises((ValueError, json_format.ParseError)):
                check(with_payload(change), verify=False)

    def test_a_flipped_bit_is_caught(self):
        line = next(line for _, line in samples.lines('provenance.intoto.jsonl'))
        check(line)
        for part in ('payload', 'sig'):
            envelope = json.loads(line)
            holder = envelope if part == 'payload' else envelope['signatures'][0]
            content = bytearray(base64.b64decode(holder[part]))
            content[len(content) // 2] ^= 1
            holder[part] = base64.b64encode(content).decode()
            with self.assertRaisesRegex(ValueError, 'signature'):
                check(json.dumps(envelope))


if __name__ == '__main__':
    unittest.main()
