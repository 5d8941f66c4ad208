/** JSON Schemas and the AsyncAPI 3 document, from the topic table. */
import { z } from 'zod'
import { EVENT_DATA, EVENTS, type EventType, peerData, peerEvent } from './schema/event.ts'
import { TOPICS, type TopicBase, type TopicEntry, type TopicName } from './topics.ts'

export type JsonSchema = Record<string, unknown>

const json = (schema: z.ZodType, target: 'draft-2020-12' | 'draft-7') => z.toJSONSchema(schema, { io: 'input', target }) as JsonSchema

/** JSON Schema (2020-12) of each payload: by topic name, and by event type for the messages on the event topic. */
export function payloadSchemas(): Record<string, JsonSchema> {
  const topics = (Object.keys(TOPICS) as TopicName[]).map((name) => [name, json(TOPICS[name].payload, 'draft-2020-12')])
  const events = (Object.keys(EVENTS) as EventType[]).map((type) => [type, json(EVENTS[type], 'draft-2020-12')])
  return Object.fromEntries([...topics, ...events, ['luong.peer.*.v1', json(peerEvent, 'draft-2020-12')]])
}

/** What the parameters of topics mean. */
export const TOPIC_PARAMETERS: Record<string, string> = {
  site: 'Site id of the configuration.',
  lane: 'Lane id of the configuration; `-` in the topic of events that concern the whole site.',
  id: 'Id of the declaration.',
  list: 'Name of the list, such as detained or priority-firm.',
  key: 'Key of the entry: plate, tag or firm.',
  peer: 'Site id of the other half of a smart gate.',
  kind: 'Kind of message, as in the payload: hand-over, arrived, missing, message, acknowledged, hello, ack, ask, answer.',
}

/** AsyncAPI 3.0 description of all topics of a site (or of any, with `{site}` as its name). */
export function asyncApi(base: TopicBase): Record<string, unknown> {
  const channels: Record<string, unknown> = {}
  const operations: Record<string, unknown> = {}
  const messages: Record<string, unknown> = {}
  for (const [name, entry] of Object.entries(TOPICS) as [TopicName, TopicEntry][]) {
    const kinds = name === 'event' ? eventMessages() : { [name]: message(name, entry.description, entry.payload) }
    Object.assign(messages, kinds)
    const address = `${base.root}/${base.site}/${entry.template}`
    const parameters = [...address.matchAll(/\{(\w+)\}/g)].map((m) => m[1] ?? '')
    channels[name] = {
      address,
      description: entry.empty ? `${entry.description} An empty payload ${entry.empty}.` : entry.description,
      ...(parameters.length > 0
        ? { parameters: Object.fromEntries(parameters.map((p) => [p, { description: TOPIC_PARAMETERS[p] }])) }
        : {}),
      messages: Object.fromEntries(Object.keys(kinds).map((k) => [k, { $ref: `#/components/messages/${k}` }])),
    }
    const operation = (action: 'send' | 'receive') => ({
      action,
      channel: { $ref: `#/channels/${name}` },
      summary: entry.description,
      messages: Object.keys(kinds).map((k) => ({ $ref: `#/channels/${name}/messages/${k}` })),
      bindings: { mqtt: { qos: entry.qos, retain: entry.retain, bindingVersion: '0.2.0' } },
    })
    if (entry.direction !== 'down') operations[`send-${name}`] = operation('send')
    if (entry.direction !== 'up') operations[`receive-${name}`] = operation('receive')
  }
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Luồng, lane controller for border gates',
      version: '1.0.0',
      description:
        'Topics of one site, seen from the site: it sends what goes up and receives what comes down. Consumers must ignore fields they do not know.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    channels,
    operations,
    components: { messages, schemas: dataSchemas() },
  }
}

/** One message a type; types that share their data share its schema. */
function eventMessages(): Record<string, unknown> {
  const one = (name: string, event: z.ZodType, data: z.ZodType) => {
    const payload = json(event, 'draft-7')
    const properties = { ...(payload.properties as object), data: { $ref: `#/components/schemas/${dataName(data)}` } }
    return { name, summary: data.meta()?.description ?? name, contentType: 'application/json', payload: { ...payload, properties } }
  }
  const typed = (Object.keys(EVENT_DATA) as EventType[]).map((type) => [type, one(type, EVENTS[type], EVENT_DATA[type])])
  return Object.fromEntries([...typed, ['luong.peer.v1', one('luong.peer.*.v1', peerEvent, peerData)]])
}

function dataSchemas(): Record<string, JsonSchema> {
  return Object.fromEntries([...new Set([...Object.values(EVENT_DATA), peerData])].map((data) => [dataName(data), json(data, 'draft-7')]))
}

const dataName = (data: z.ZodType) => (data.meta()?.title ?? 'data').toLowerCase()

function message(name: string, summary: string, payload: z.ZodType): Record<string, unknown> {
  return { name, summary, contentType: 'application/json', payload: json(payload, 'draft-7') }
}
