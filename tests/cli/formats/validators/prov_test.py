"""Exports in PROV-JSON as python-prov reads them."""
import json
import unittest

import prov.model

import samples


def read(text):
    return prov.model.ProvDocument.deserialize(content=text, format='json')


# How many of a relation's first attributes PROV demands; python-prov reads it without them, too.
DEMANDED = {prov.model.ProvUsage: 1, prov.model.ProvGeneration: 1, prov.model.ProvMembership: 2,
            prov.model.ProvInfluence: 2, prov.model.ProvDerivation: 2}


def check(text):
    """The document; raises what is wrong with it."""
    document = read(text)
    for kind, count in DEMANDED.items():
        for record in document.get_records(kind):
            if type(record) is kind and None in record.args[:count]:
                raise ValueError(record.get_provn())
    return document


def text_of(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


class ProvTest(unittest.TestCase):
    def test_documents_are_read_and_written_back_equal(self):
        for path in samples.files('prov.json'):
            text = text_of(path)
            document = check(text)
            written = json.loads(text)
            for kind, section in (('Entity', 'entity'), ('Activity', 'activity'), ('Usage', 'used'),
                                  ('Generation', 'wasGeneratedBy'), ('Membership', 'hadMember'),
                                  ('Influence', 'wasInfluencedBy'),
                                  ('Derivation', 'wasDerivedFrom')):
                records = list(document.get_records(getattr(prov.model, 'Prov' + kind)))
                self.assertEqual(len(records), len(written[section]), (path, section))
            if '"NaN"' not in text:  # Which equals nothing.
                self.assertEqual(read(document.serialize(format='json')), document, path)

    def test_relations_point_at_what_is_there(self):
        for path in samples.files('prov.json'):
            document = json.loads(text_of(path))
            for relation in list(document['used'].values()) + list(
                    document['wasGeneratedBy'].values()):
                self.assertIn(relation['prov:entity'], document['entity'], path)
                self.assertIn(relation['prov:activity'], document['activity'], path)
            for derivation in document['wasDerivedFrom'].values():
                self.assertIn(derivation['prov:usage'], document['used'], path)
                self.assertIn(derivation['prov:generation'], document['wasGeneratedBy'], path)
            for member in document['hadMember'].values():
                self.assertIn(member['prov:collection'], document['entity'], path)

    def test_all_of_it_has_another_notation(self):
        for path in samples.files('prov.json'):
            notation = read(text_of(path)).get_provn()
            self.assertIn('wasGeneratedBy(', notation, path)

    def test_broken_documents_are_caught(self):
        whole = next(text for text in map(text_of, samples.files('prov.json'))
                     if json.loads(text)['hadMember'])
        check(whole)

        def broken(change):
            document = json.loads(whole)
            change(document)
            return json.dumps(document)

        def first(document, section):
            return next(iter(document[section].values()))

        for change in (
                lambda d: d.pop('prefix'),
                lambda d: first(d, 'wasGeneratedBy').update({'prov:entity': ['art:1', 'art:2']}),
                lambda d: first(d, 'used').update({'prov:activity': 'nowhere:1'}),
                lambda d: first(d, 'wasGeneratedBy').pop('prov:entity'),
                lambda d: first(d, 'used').pop('prov:activity'),
                lambda d: first(d, 'hadMember').pop('prov:entity'),
                lambda d: d.update({'wasUsed': {'ev:1': {}}})):
            with self.assertRaises(Exception):
                check(broken(change))


if __name__ == '__main__':
    unittest.main()
