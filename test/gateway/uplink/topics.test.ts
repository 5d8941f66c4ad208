import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { topicMatches } from '../../../firmware-bridge/transport/topic.ts'
import { topicDocs } from '../../../gateway/uplink/docs.ts'
import { EVENT_DATA } from '../../../gateway/uplink/schema/event.ts'
import { asyncApi, payloadSchemas, TOPIC_PARAMETERS } from '../../../gateway/uplink/schemas.ts'
import {
  accessOf,
  matchTopic,
  NO_LANE,
  TOPICS,
  type TopicEntry,
  type TopicName,
  topic,
  topicFilter,
} from '../../../gateway/uplink/topics.ts'
import { BASE } from './helpers.ts'

const entries = Object.entries(TOPICS) as [TopicName, TopicEntry][]
const part = fc.string({ minLength: 1, maxLength: 20 }).filter((s) => !/[/+#\0]/.test(s))
const paramsOf = (template: string) => [...template.matchAll(/\{(\w+)\}/g)].map((m) => m[1] ?? '')

describe('topic table', () => {
  it('makes the topics of the design', () => {
    expect(topic(TOPICS.event, { ...BASE, lane: 'import-1' })).toBe('luong/v1/kim-thanh/lane/import-1/event')
    expect(topic(TOPICS.event, { ...BASE, lane: NO_LANE })).toBe('luong/v1/kim-thanh/lane/-/event')
    expect(topic(TOPICS.reply, BASE)).toBe('luong/v1/kim-thanh/command/reply')
    expect(topic(TOPICS.list, { ...BASE, list: 'detained', key: '24C12345' })).toBe('luong/v1/kim-thanh/list/detained/24C12345')
    expect(topicFilter(TOPICS.declaration, BASE)).toBe('luong/v1/kim-thanh/declaration/+')
  })

  it('finds the entry and the parameters of every topic it makes', () => {
    for (const [name, entry] of entries) {
      const names = paramsOf(entry.template)
      fc.assert(
        fc.property(fc.array(part, { minLength: names.length, maxLength: names.length }), (values) => {
          const params = Object.fromEntries(names.map((n, i) => [n, values[i] ?? '']))
          const text = topic(entry, { ...BASE, ...params })
          expect(matchTopic(BASE.root, BASE.site, text)).toEqual({ name, params })
          expect(topicMatches(topicFilter(entry, BASE), text)).toBe(true)
        }),
      )
    }
  })

  it('refuses parameters that would change the topic', () => {
    for (const lane of ['', 'a/b', '+', '#', 'a\0b']) {
      expect(() => topic(TOPICS.event, { ...BASE, lane })).toThrow(expect.objectContaining({ code: 'PAYLOAD_INVALID' }))
    }
  })

  it('knows what is not a topic of this site', () => {
    for (const t of ['', 'luong/v1', 'luong/v1/other/status', 'luong/v1/kim-thanh/lane//event', 'luong/v1/kim-thanh/lane/a/b/event', 'x']) {
      expect(matchTopic(BASE.root, BASE.site, t)).toBeNull()
    }
    fc.assert(fc.property(fc.string(), (t) => void matchTopic(BASE.root, BASE.site, t)))
  })

  it('lets nobody but the site speak for the site', () => {
    for (const role of ['device', 'central', 'page'] as const) {
      for (const [, entry] of entries.filter(([, e]) => e.direction === 'up')) {
        const text = topicFilter(entry, BASE).replaceAll('+', 'x')
        expect(accessOf(role, BASE).publish.some((f) => topicMatches(f, text))).toBe(false)
      }
    }
    const { publish, subscribe } = accessOf('peer', BASE, 'youyiguan')
    expect(publish).toEqual(['luong/v1/youyiguan/peer/kim-thanh/+'])
    expect(subscribe).toEqual(['luong/v1/kim-thanh/peer/youyiguan/+'])
    expect(accessOf('device', BASE)).toEqual({ publish: [], subscribe: [] })
    expect(accessOf('page', BASE).publish).toEqual([])
  })
})

describe('schemas and documents from the table', () => {
  it('has a JSON Schema for each topic and each event type', () => {
    const schemas = payloadSchemas()
    for (const [name] of entries) expect(schemas[name], name).toHaveProperty('$schema')
    for (const type of Object.keys(EVENT_DATA)) expect(schemas[type]).toMatchObject({ type: 'object', additionalProperties: false })
  })

  it('describes every field', () => {
    const missing: string[] = []
    const walk = (schema: Record<string, unknown>, path: string) => {
      for (const [name, field] of Object.entries((schema.properties ?? {}) as Record<string, Record<string, unknown>>)) {
        if (typeof field.description !== 'string') missing.push(`${path}.${name}`)
        walk(field, `${path}.${name}`)
        if (typeof field.items === 'object') walk(field.items as Record<string, unknown>, `${path}.${name}[]`)
        if (typeof field.additionalProperties === 'object') walk(field.additionalProperties as Record<string, unknown>, `${path}.${name}.*`)
      }
    }
    for (const [name, schema] of Object.entries(payloadSchemas())) walk(schema, name)
    expect(missing).toEqual([])
  })

  it('writes an AsyncAPI 3 document whose references all lead somewhere', () => {
    const document = asyncApi(BASE)
    expect(document).toMatchObject({ asyncapi: '3.0.0', info: { title: expect.any(String), version: expect.any(String) } })
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map((m) => m[1] ?? '')
    expect(refs.length).toBeGreaterThan(40)
    for (const ref of refs) {
      const found = ref.split('/').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document)
      expect(found, ref).toBeDefined()
    }
    const channels = Object.values(document.channels as Record<string, { address: string; parameters?: Record<string, unknown> }>)
    for (const channel of channels) expect(Object.keys(channel.parameters ?? {})).toEqual(paramsOf(channel.address))
    for (const name of entries.flatMap(([, e]) => paramsOf(e.template))) expect(TOPIC_PARAMETERS).toHaveProperty(name)
  })

  it('keeps docs/generated up to date (npm run docs)', () => {
    for (const [name, text] of Object.entries(topicDocs())) {
      expect(readFileSync(join('docs/generated', name), 'utf8'), `docs/generated/${name} has drifted: npm run docs`).toBe(text)
    }
  })

  it('accepts what the examples of the design say', () => {
    const ok = (schema: z.ZodType, value: unknown) => expect(z.prettifyError(schema.safeParse(value).error ?? new z.ZodError([]))).toBe('')
    const expires = '2026-11-21T08:15:30+07:00'
    ok(TOPICS.command.payload, { id: 'c-1', do: 'open', lane: 'import-1', by: 'Lan', reason: 'papers seen', expires })
    ok(TOPICS.command.payload, { id: 'c-2', do: 'resend-from', from: 12, by: 'centre', reason: 'gap', expires })
    ok(TOPICS.reply.payload, { id: 'c-1', ok: false, error: 'expired' })
    for (const bad of [
      { id: 'c-1', do: 'open', by: 'Lan', reason: 'x', expires },
      { id: 'c-1', do: 'open', lane: 'import-1', by: 'Lan', reason: 'x', expires, extra: 1 },
      { id: 'c-1', do: 'set-direction', lane: 'import-1', by: 'Lan', reason: 'x', expires },
      { id: 'c-1', do: 'explode', lane: 'import-1', by: 'Lan', reason: 'x', expires },
      { id: 'c-1', do: 'open', lane: 'import-1', by: 'Lan', reason: 'x', expires: 'tomorrow' },
    ]) {
      expect(TOPICS.command.payload.safeParse(bad).success, JSON.stringify(bad)).toBe(false)
    }
  })
})
