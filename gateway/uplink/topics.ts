/**
 * The topic table: the one source of the code's topics, the embedded broker's access list, the JSON Schemas,
 * the AsyncAPI document and docs/generated/topics.md. All payloads are JSON in UTF-8.
 */
import type { z } from 'zod'
import { declaration, listEntry } from '../identity/declaration.ts'
import { LuongError } from '../kernel/errors.ts'
import { claim } from './schema/claim.ts'
import { command, platform, reply } from './schema/down.ts'
import { event } from './schema/event.ts'
import { sealedHead } from './schema/head.ts'
import { peerMessage } from './schema/peer.ts'
import { laneState, stats, status } from './schema/up.ts'

/**
 * Roles of broker users; `site` is the gateway itself. `device` gets only what its own entry in the configuration grants. `peer` is the
 * other half of a smart gate: its user has the name of its site id.
 */
export type Role = 'site' | 'device' | 'central' | 'page' | 'admin' | 'peer'

export interface TopicEntry {
  /** Below `{root}/{site}/`, with `{parameters}`. */
  readonly template: string
  /** up: the site sends; down: the site receives. */
  readonly direction: 'up' | 'down' | 'both'
  readonly qos: 0 | 1
  readonly retain: boolean
  readonly payload: z.ZodType
  readonly description: string
  /** What an empty payload means, where it means something. */
  readonly empty?: string
  /** Who may publish and subscribe besides `site` and `admin`, who may do both. */
  readonly publish: readonly Role[]
  readonly subscribe: readonly Role[]
}

const readers: readonly Role[] = ['central', 'page']

export const TOPICS = {
  status: {
    template: 'status',
    direction: 'up',
    qos: 1,
    retain: true,
    payload: status,
    description: 'Whether the site is there: sent first on each connection, and by the broker as last will.',
    publish: [],
    subscribe: readers,
  },
  head: {
    template: 'head',
    direction: 'up',
    qos: 1,
    retain: true,
    payload: sealedHead,
    description:
      "Where the journal stands, signed with the box's own key: every minute in which it grew, and at a clean stop. A centre that keeps these " +
      'finds out when a journal was changed afterwards (`luong journal --verify --against`), and when another box speaks for the site.',
    publish: [],
    subscribe: readers,
  },
  claim: {
    template: 'claim',
    direction: 'both',
    qos: 1,
    retain: true,
    payload: claim,
    description:
      'Two boxes claim to be this site, or one whose journal does not go on where the centre stands: said by the one that stands back. ' +
      'The box that speaks for the site hears it too, answers, and raises the alarm `second-box`. See operate.md.',
    publish: [],
    subscribe: readers,
  },
  event: {
    template: 'lane/{lane}/event',
    direction: 'up',
    qos: 1,
    retain: false,
    payload: event,
    description:
      'What happened, from the journal, in order. `sequence` counts over all events of the site without a gap: a repeated one is a duplicate, ' +
      'a missing one is a loss, which `resend-from` repairs. Events of the whole site have `-` in place of the lane, ' +
      'so that `lane/+/event` sees every sequence.',
    publish: [],
    subscribe: readers,
  },
  state: {
    template: 'lane/{lane}/state',
    direction: 'up',
    qos: 1,
    retain: true,
    payload: laneState,
    description: 'The lane at present. Only the newest counts; sent at most a few times a second.',
    publish: [],
    subscribe: readers,
  },
  stats: {
    template: 'stats',
    direction: 'up',
    qos: 0,
    retain: true,
    payload: stats,
    description: 'Counts and times of the day so far.',
    publish: [],
    subscribe: readers,
  },
  declaration: {
    template: 'declaration/{id}',
    direction: 'down',
    qos: 1,
    retain: true,
    payload: declaration,
    description: 'A vehicle that is expected. The id in the topic must equal the one in the payload.',
    empty: 'withdraws the declaration',
    publish: ['central'],
    subscribe: readers,
  },
  list: {
    template: 'list/{list}/{key}',
    direction: 'down',
    qos: 1,
    retain: true,
    payload: listEntry,
    description: 'An entry of a list such as detained or priority-firm. The key in the topic must equal the one in the payload.',
    empty: 'removes the entry',
    publish: ['central'],
    subscribe: readers,
  },
  platform: {
    template: 'platform',
    direction: 'down',
    qos: 1,
    retain: true,
    payload: platform,
    description:
      'Sign of life of the platform, every few minutes: the lists are up to date as of then, also when nothing changed. ' +
      'Needed only where `lists.fresh_by` is `message`.',
    publish: ['central'],
    subscribe: readers,
  },
  command: {
    template: 'command',
    direction: 'down',
    qos: 1,
    retain: false,
    payload: command,
    description: 'An order to a lane or to the publisher. Never retained: a retained one is ignored.',
    publish: ['central'],
    subscribe: ['central'],
  },
  reply: {
    template: 'command/reply',
    direction: 'up',
    qos: 1,
    retain: false,
    payload: reply,
    description: 'The answer to a command.',
    publish: [],
    subscribe: readers,
  },
  peer: {
    template: 'peer/{peer}/{kind}',
    direction: 'both',
    qos: 1,
    retain: false,
    payload: peerMessage,
    description:
      'From one half of a smart gate to the other: hand-over of vehicles, hotline, acknowledgements. `site` is the one that says it and ' +
      '`peer` the one it is said to, on either broker; so a site hears the other half on `{root}/{peer}/peer/{site}/{kind}`.',
    publish: ['peer'],
    subscribe: ['central', 'peer'],
  },
} as const satisfies Record<string, TopicEntry>
export type TopicName = keyof typeof TOPICS

/** Stands for the lane in the topic of events that concern the whole site. No lane id can look like this. */
export const NO_LANE = '-'

/** First part of every topic, and the site. */
export interface TopicBase {
  readonly root: string
  readonly site: string
}
type ParamNames<T extends string> = T extends `${string}{${infer P}}${infer Rest}` ? P | ParamNames<Rest> : never
/** Parameters of a template such as `list/{list}/{key}`. */
export type TopicParams<T extends string> = { readonly [K in ParamNames<T>]: string }

/** The topic of a table entry. Throws PAYLOAD_INVALID when a part is empty or holds `/`, `+`, `#` or NUL. */
export function topic<const T extends string>(entry: { readonly template: T }, at: TopicBase & TopicParams<T>): string {
  const values = at as unknown as Record<string, string>
  const path = entry.template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name] ?? ''
    if (!validPart(value)) throw new LuongError('PAYLOAD_INVALID', `topic ${entry.template}: ${name} may not be ${JSON.stringify(value)}`)
    return value
  })
  return `${at.root}/${at.site}/${path}`
}

/** The subscription that takes in every topic of a table entry. */
export function topicFilter(entry: { readonly template: string }, at: TopicBase): string {
  return `${at.root}/${at.site}/${entry.template.replace(/\{\w+\}/g, '+')}`
}

export interface TopicMatch {
  readonly name: TopicName
  readonly params: Readonly<Record<string, string>>
}

/** Which entry of the table a topic belongs to, or null. */
export function matchTopic(root: string, site: string, text: string): TopicMatch | null {
  const prefix = `${root}/${site}/`
  if (!text.startsWith(prefix)) return null
  const levels = text.slice(prefix.length).split('/')
  for (const name of Object.keys(TOPICS) as TopicName[]) {
    const params = matchLevels(TOPICS[name].template.split('/'), levels)
    if (params) return { name, params }
  }
  return null
}

function matchLevels(template: readonly string[], levels: readonly string[]): Record<string, string> | null {
  if (template.length !== levels.length) return null
  const params: Record<string, string> = {}
  for (const [i, part] of template.entries()) {
    const level = levels[i] ?? ''
    if (part.startsWith('{')) {
      if (!validPart(level)) return null
      params[part.slice(1, -1)] = level
    } else if (part !== level) return null
  }
  return params
}

const validPart = (part: string) => part !== '' && !/[/+#\0]/.test(part)

export interface Access {
  /** Topic filters; `#` is everything except topics that begin with `$`. */
  readonly publish: readonly string[]
  readonly subscribe: readonly string[]
}

/** The subscription for all that the other half says to this site. */
export function fromPeer({ root, site }: TopicBase, peer: string): string {
  return `${root}/${peer}/${TOPICS.peer.template.replace('{peer}', site).replace('{kind}', '+')}`
}

/**
 * What a role may do by the table. A device's own filters come on top in the broker.
 * @param name of the user: for a `peer` that is its site id
 */
export function accessOf(role: Role, base: TopicBase, name = ''): Access {
  if (role === 'site' || role === 'admin') return { publish: ['#'], subscribe: ['#'] }
  // Each half speaks below its own site only, and hears only what is said to it.
  if (role === 'peer') return { publish: [fromPeer(base, name)], subscribe: [fromPeer({ ...base, site: name }, base.site)] }
  const entries: TopicEntry[] = Object.values(TOPICS)
  const filters = (of: (entry: TopicEntry) => readonly Role[]) =>
    entries.filter((e) => of(e).includes(role)).map((e) => topicFilter(e, base))
  return { publish: filters((e) => e.publish), subscribe: filters((e) => e.subscribe) }
}
