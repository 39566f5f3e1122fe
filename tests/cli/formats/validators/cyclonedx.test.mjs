// Exports in CycloneDX against the schema of CycloneDX 1.6, by CycloneDX's own library.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, test} from 'node:test';
import {Spec, Validation} from '@cyclonedx/cyclonedx-library';

const folder = mkdtempSync(join(tmpdir(), 'pedigree-boms-'));
after(() => rmSync(folder, {recursive: true}));
const key = join(folder, 'key.pem');
execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', key]);
execFileSync(process.env.EXPORT_SAMPLES, [key, join(folder, 'samples')]);

const boms = readdirSync(join(folder, 'samples')).map((name) => ({
  name, text: readFileSync(join(folder, 'samples', name, 'bom.cdx.json'), 'utf8'),
}));
const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);

test('every BOM is valid', async () => {
  assert.ok(boms.length > 5);
  for (const {name, text} of boms) {
    assert.equal(await validator.validate(text), null, name);
  }
});

test('every reference is of something in the BOM, and names are unique', () => {
  for (const {name, text} of boms) {
    const bom = JSON.parse(text);
    const workflows = (bom.formulation ?? []).flatMap((formula) => formula.workflows);
    const tasks = workflows.flatMap((workflow) => workflow.tasks);
    const refs = [bom.metadata.component, ...bom.components, ...workflows, ...tasks]
      .map((thing) => thing['bom-ref']);
    assert.equal(new Set(refs).size, refs.length, name);
    const all = new Set(refs);
    const dependencies = [...bom.dependencies,
                          ...workflows.flatMap((workflow) => workflow.taskDependencies ?? [])];
    for (const {ref, dependsOn} of dependencies) {
      for (const each of [ref, ...(dependsOn ?? [])]) assert.ok(all.has(each), `${name}: ${each}`);
    }
    for (const task of tasks) {
      for (const {resource} of [...(task.inputs ?? []), ...(task.outputs ?? [])]) {
        assert.ok(all.has(resource.ref), `${name}: ${resource.ref}`);
      }
    }
    const datasets = bom.metadata.component.modelCard?.modelParameters.datasets ?? [];
    for (const {ref} of datasets) assert.ok(all.has(ref), `${name}: ${ref}`);
  }
});

test('broken BOMs are caught', async () => {
  const {text} = boms.find(({name}) => name === 'kfp_digests');
  const breaks = {
    'no taskTypes': (bom) => delete bom.formulation[0].workflows[0].taskTypes,
    'no taskTypes of a task': (bom) => delete bom.formulation[0].workflows[0].tasks[0].taskTypes,
    'no specVersion': (bom) => delete bom.specVersion,
    'no name': (bom) => delete bom.metadata.component.name,
    'an unknown type': (bom) => { bom.components[0].type = 'dataset'; },
    'an unknown algorithm': (bom) => { bom.components[0].hashes[0].alg = 'sha256'; },
    'a hash that is none': (bom) => { bom.components[0].hashes[0].content = 'x'; },
    'a serial number that is none': (bom) => { bom.serialNumber = '7'; },
    'a time that is none': (bom) => { bom.metadata.timestamp = 'now'; },
    'an invented member': (bom) => { bom.lineage = []; },
  };
  for (const [what, change] of Object.entries(breaks)) {
    const bom = JSON.parse(text);
    change(bom);
    assert.notEqual(await validator.validate(JSON.stringify(bom)), null, what);
  }
});
