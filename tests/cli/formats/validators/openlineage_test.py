"""Exports in OpenLineage against the schemas of OpenLineage, by jsonschema."""
import copy
import datetime
import glob
import json
import os
import unittest
import uuid

import jsonschema

import samples

# Those that the library brings depend on what else is installed.
FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks('uuid', raises=ValueError)
def is_uuid(text):
    return str(uuid.UUID(text)) == text


@FORMATS.checks('date-time', raises=ValueError)
def is_time(text):
    return datetime.datetime.strptime(text, '%Y-%m-%dT%H:%M:%S.%fZ') is not None


@FORMATS.checks('uri')
def is_uri(text):
    return ':' in text and ' ' not in text


def load_schemas():
    schemas = {}
    folder = os.environ['OPENLINEAGE_SCHEMAS']
    paths = glob.glob(os.path.join(folder, '**', '*.json'), recursive=True)
    for path in paths + [os.environ['MLMD_FACETS']]:
        with open(path, encoding='utf-8') as file:
            schema = json.load(file)
        jsonschema.Draft202012Validator.check_schema(schema)
        schemas[schema['$id']] = schema
    return schemas


SCHEMAS = load_schemas()


def validator_of(url):
    schema = {'$ref': url}
    resolver = jsonschema.RefResolver('', schema, store=SCHEMAS, handlers={
        scheme: lambda missing: (_ for _ in ()).throw(KeyError(missing))
        for scheme in ('http', 'https', 'urn')})
    return jsonschema.Draft202012Validator(schema, resolver=resolver, format_checker=FORMATS)


VALIDATORS = {}


def errors_of(value, url):
    if url not in VALIDATORS:
        VALIDATORS[url] = validator_of(url)
    return [error.message for error in VALIDATORS[url].iter_errors(value)]


def facets_of(event):
    yield from event['run'].get('facets', {}).values()
    yield from event['job'].get('facets', {}).values()
    for dataset in event.get('inputs', []) + event.get('outputs', []):
        yield from dataset.get('facets', {}).values()


def problems(event):
    """What the schemas of events and facets say is wrong."""
    found = errors_of(event, event['schemaURL'])
    if not found:
        for facet in facets_of(event):
            found += errors_of(facet, facet['_schemaURL'])
    return found


class OpenLineageTest(unittest.TestCase):
    def test_every_event_and_facet_is_valid(self):
        events = 0
        facets = set()
        for path, line in samples.lines('openlineage.ndjson'):
            event = json.loads(line)
            self.assertEqual(problems(event), [], (path, line))
            events += 1
            facets.update(facet['_schemaURL'].split('/')[-1] for facet in facets_of(event))
        self.assertGreater(events, 300)
        # Every facet that there is a mapping for has been seen.
        self.assertEqual(facets, {
            'DatasetTypeDatasetFacet', 'DatasetVersionDatasetFacet', 'ErrorMessageRunFacet',
            'ExecutionParametersRunFacet', 'JobTypeJobFacet', 'LifecycleStateChangeDatasetFacet',
            'MlmdArtifactDatasetFacet', 'MlmdExecutionRunFacet', 'ParentRunFacet'})

    def test_a_run_has_one_start_and_at_most_one_end(self):
        for path in samples.files('openlineage.ndjson'):
            types = {}
            with open(path, encoding='utf-8') as file:
                for line in file:
                    event = json.loads(line)
                    types.setdefault(event['run']['runId'], []).append(event['eventType'])
            for of_run in types.values():
                self.assertEqual(of_run[0], 'START', path)
                self.assertEqual(of_run.count('START'), 1, path)
                self.assertLessEqual(len(of_run), 2, path)

    def test_broken_events_are_caught(self):
        whole = next(json.loads(line) for _, line in samples.lines('openlineage.ndjson')
                     if json.loads(line)['inputs'])
        self.assertEqual(problems(whole), [])

        def broken(change):
            event = copy.deepcopy(whole)
            change(event)
            return problems(event)

        for change in (
                lambda e: e.pop('job'),
                lambda e: e.pop('run'),
                lambda e: e.pop('eventTime'),
                lambda e: e.pop('producer'),
                lambda e: e['job'].pop('namespace'),
                lambda e: e['job'].pop('name'),
                lambda e: e.update(eventTime='yesterday'),
                lambda e: e.update(eventType='DONE'),
                lambda e: e['run'].update(runId='7'),
                lambda e: e['inputs'][0].pop('name'),
                lambda e: e['inputs'][0]['facets']['version'].pop('_producer'),
                lambda e: e['inputs'][0]['facets']['version'].pop('datasetVersion'),
                lambda e: e['inputs'][0]['facets']['mlmd_artifact'].update(state='GONE'),
                lambda e: e['run']['facets']['mlmd_execution'].pop('id')):
            self.assertNotEqual(broken(change), [])


if __name__ == '__main__':
    unittest.main()
