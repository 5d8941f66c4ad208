/** docs/generated/topics.md and topics.asyncapi.json, from the topic table; a test fails when they have drifted. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EVENT_DATA } from './schema/event.ts'
import { asyncApi, type JsonSchema, payloadSchemas, TOPIC_PARAMETERS } from './schemas.ts'
import { type Role, TOPICS, type TopicEntry, type TopicName } from './topics.ts'

const ROOT = 'luong/v1'

/** The generated files: name → text. */
export function topicDocs(): Record<string, string> {
  return {
    'topics.md': topicsMarkdown(),
    'topics.asyncapi.json': `${JSON.stringify(asyncApi({ root: ROOT, site: '{site}' }), null, 2)}\n`,
  }
}

/** Writes them into `dir`, which is made when it isn't there. */
export async function writeTopicDocs(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true })
  for (const [name, text] of Object.entries(topicDocs())) await writeFile(join(dir, name), text)
}

function topicsMarkdown(): string {
  const entries = Object.entries(TOPICS) as [TopicName, TopicEntry][]
  const schemas = payloadSchemas()
  const out = [
    '<!-- Generated from gateway/uplink/topics.ts by `npm run docs`. Do not edit. -->',
    '# Topics',
    '',
    `\`{root}\` is \`${ROOT}\` unless the site file says otherwise. All payloads are JSON in UTF-8. How to use them: [topics](../topics.md).`,
    'The same as AsyncAPI 3: [topics.asyncapi.json](topics.asyncapi.json), or `luong schema --topics`.',
    '',
    table(
      ['topic', 'direction', 'QoS', 'retained', 'what'],
      entries.map(([name, e]) => [
        `[\`{root}/{site}/${e.template}\`](#${name})`,
        e.direction,
        `${e.qos}`,
        e.retain ? 'yes' : 'no',
        e.description,
      ]),
    ),
    '',
    '## Who may do what on the embedded broker',
    '',
    'Role `admin` may do everything. Role `device` may do only what its own `publish` and `subscribe` filters grant, and never publishes below `{root}/{site}/`.',
    '',
    table(
      ['topic', 'publish', 'subscribe'],
      entries.map(([, e]) => [`\`${e.template}\``, roles(e.publish), roles(e.subscribe)]),
    ),
    '',
    '## Parameters',
    '',
    table(
      ['parameter', 'meaning'],
      Object.entries(TOPIC_PARAMETERS).map(([name, text]) => [`\`{${name}}\``, text]),
    ),
  ]
  for (const [name, entry] of entries) {
    out.push('', `## ${name}`, '', `\`{root}/{site}/${entry.template}\`: ${entry.description}`)
    if (entry.empty) out.push('', `An empty payload ${entry.empty}.`)
    if (name === 'event') out.push('', ...events(schemas))
    else out.push('', ...variants(schemas[name] ?? {}))
  }
  return `${out.join('\n')}\n`
}

/** One table for an object; one for each alternative of a union. */
function variants(schema: JsonSchema): string[] {
  const options = (schema.oneOf ?? schema.anyOf) as JsonSchema[] | undefined
  if (!options) return [fields(schema)]
  return options.flatMap((option) => {
    const key = ['do', 'kind'].find((name) => Object.keys(property(option, name)).length > 0) ?? ''
    const what = property(option, key)
    const names = (what.enum as string[] | undefined) ?? [String(what.const)]
    return [`\`${key}\`: ${names.join(', ')}`, '', fields(option), ''].slice(0, option === options.at(-1) ? 3 : 4)
  })
}

/** The envelope once, then `data` for each group of types that share it. */
function events(schemas: Record<string, JsonSchema>): string[] {
  const groups = new Map<unknown, string[]>()
  for (const [type, data] of Object.entries(EVENT_DATA)) groups.set(data, [...(groups.get(data) ?? []), type])
  const first = schemas['luong.passage.cleared.v1'] ?? {}
  const type = { type: 'string', description: 'One of the types below.' }
  const envelope = { ...first, properties: { ...(first.properties as object), type, data: { type: 'object', description: 'See below.' } } }
  const list = [...groups.values(), ['luong.peer.*.v1']]
  return [
    'CloudEvents 1.0, structured JSON:',
    '',
    fields(envelope),
    ...list.flatMap((types) => {
      const schema = schemas[types[0] ?? ''] ?? {}
      return ['', `### ${types.map((t) => `\`${t}\``).join(', ')}`, '', '`data`:', '', fields(property(schema, 'data'))]
    }),
  ]
}

function fields(schema: JsonSchema): string {
  return table(['field', 'type', 'required', 'meaning'], rows(schema, ''))
}

function rows(schema: JsonSchema, prefix: string): string[][] {
  const required = (schema.required as string[] | undefined) ?? []
  return Object.entries((schema.properties as Record<string, JsonSchema> | undefined) ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`
    const inner = withoutNull(field)
    const items = inner.items as JsonSchema | undefined
    const values = typeof inner.additionalProperties === 'object' ? (inner.additionalProperties as JsonSchema) : undefined
    const text = [field.description, inner === field ? undefined : inner.description].find((d) => typeof d === 'string') ?? ''
    return [
      [`\`${path}\``, typeOf(field), required.includes(name) ? 'yes' : 'no', `${text}`],
      ...rows(inner, `${path}.`),
      ...(items ? rows(items, `${path}[].`) : []),
      ...(values ? rows(values, `${path}.*.`) : []),
    ]
  })
}

function property(schema: JsonSchema, name: string): JsonSchema {
  return (schema.properties as Record<string, JsonSchema> | undefined)?.[name] ?? {}
}

/** The part of `X | null` that is not null. */
function withoutNull(schema: JsonSchema): JsonSchema {
  const options = (schema.anyOf as JsonSchema[] | undefined)?.filter((o) => o.type !== 'null')
  return options?.length === 1 ? (options[0] ?? schema) : schema
}

function typeOf(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``
  if (Array.isArray(schema.enum)) return schema.enum.map((v) => `\`${v}\``).join(', ')
  const options = schema.anyOf as JsonSchema[] | undefined
  if (options) return options.map(typeOf).join(' or ')
  if (schema.type === 'array') return `list of ${typeOf(schema.items as JsonSchema)}`
  const bounds = [schema.minimum, schema.maximum]
  const range = bounds.some((b) => typeof b === 'number' && Math.abs(b) < 1e15) ? ` ${bounds[0] ?? ''}…${bounds[1] ?? ''}` : ''
  return `${schema.format ?? schema.type ?? 'any'}${range.replace('…9007199254740991', '…')}`
}

const roles = (list: readonly Role[]) => (list.length === 0 ? 'the site only' : list.map((r) => `\`${r}\``).join(', '))

function table(head: string[], body: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((c) => c.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...body.map(line)].join('\n')
}
