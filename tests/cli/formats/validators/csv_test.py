"""Exports in CSV as python's csv reads them."""
import csv
import unittest

import samples

TABLES = ('artifacts', 'cache_entries', 'contexts', 'events', 'executions', 'memberships',
          'properties', 'tasks', 'type_properties', 'types')


def rows_of(path):
    with open(path, encoding='utf-8', newline='') as file:
        return list(csv.DictReader(file, strict=True))


class CsvTest(unittest.TestCase):
    def test_all_tables_are_read(self):
        for table in TABLES:
            for path in samples.files(table + '.csv'):
                for row in rows_of(path):
                    self.assertNotIn(None, row, path)           # More cells than the header has.
                    self.assertNotIn(None, row.values(), path)  # Less.

    def test_no_text_is_a_formula(self):
        guarded = 0
        for table in TABLES:
            for path in samples.files(table + '.csv'):
                for row in rows_of(path):
                    for cell in row.values():
                        guarded += cell.startswith("'")
                        if cell and cell[0] in '=+-@\t\r\n':
                            float(cell)  # Only numbers may begin so.
        self.assertGreater(guarded, 10)

    def test_events_are_of_nodes_that_are_there(self):
        for path in samples.files('events.csv'):
            folder = path[:-len('events.csv')]
            artifacts = {row['id'] for row in rows_of(folder + 'artifacts.csv')}
            executions = {row['id'] for row in rows_of(folder + 'executions.csv')}
            for row in rows_of(path):
                self.assertIn(row['artifact_id'], artifacts)
                self.assertIn(row['execution_id'], executions)


if __name__ == '__main__':
    unittest.main()
