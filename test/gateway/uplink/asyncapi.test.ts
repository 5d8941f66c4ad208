/** The generated AsyncAPI document, by the official parser: what integrators' tools will say about it. */
import { DiagnosticSeverity, Parser } from '@asyncapi/parser'
import { expect, test } from 'vitest'
import { topicDocs } from '../../../gateway/uplink/docs.ts'

const text = topicDocs()['topics.asyncapi.json']!
const problems = async (document: string) =>
  (await new Parser().validate(document))
    .filter((d) => d.severity <= DiagnosticSeverity.Warning)
    .map((d) => `${d.path.join('.')}: ${d.message}`)

test('the official parser has no error and no warning', async () => {
  expect(await problems(text)).toEqual([])
})

test('and would find one', async () => {
  const broken = JSON.parse(text) as { operations: Record<string, { action: string }> }
  Object.values(broken.operations)[0]!.action = 'shout'
  expect(await problems(JSON.stringify(broken))).not.toEqual([])
})
