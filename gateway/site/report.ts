/** What /health and /metrics say. Pure: from what the parts know to words and numbers. */
import type { KnownCertificate } from '../../config/tls-files.ts'
import type { Devices } from '../../firmware-bridge/build.ts'
import type { PoolStats } from '../../models/plate.ts'
import type { BrokerStats } from '../broker/config.ts'
import type { StayFigures } from '../figures/stays.ts'
import type { EvidenceStats } from '../journal/evidence.ts'
import type { JournalHead, JournalStats } from '../journal/journal.ts'
import type { Zone } from '../journal/zone.ts'
import { validityProblem } from '../kernel/certificates.ts'
import type { ChannelStats } from '../peer/channel.ts'
import type { ConnectionStats } from '../uplink/connection.ts'
import type { InboxStats } from '../uplink/inbox.ts'
import type { PublisherStats } from '../uplink/publisher.ts'
import { version } from '../version.ts'
import type { Freshness } from './freshness.ts'
import type { HealthReport, Sample } from './health.ts'
import type { LaneUnit } from './lanes.ts'
import { pairProblems } from './pair.ts'

export interface SiteView {
  readonly lanes: ReadonlyMap<string, LaneUnit>
  readonly devices: Devices
  readonly journal: JournalStats
  readonly head: JournalHead
  readonly recorder: { readonly backlog: number; readonly shed: number; readonly refused: string | null }
  readonly evidence: EvidenceStats
  readonly pool: PoolStats
  readonly targets: readonly { readonly connection: ConnectionStats; readonly publisher: PublisherStats }[]
  readonly broker: BrokerStats | null
  /** Event-loop delay, ms. */
  readonly loop: { readonly p50: number; readonly p99: number; readonly max: number }
  readonly declarations: number
  /** Entries of all lists. */
  readonly listEntries: number
  readonly freshness: Freshness
  readonly inside: StayFigures & { readonly alarms: readonly string[] }
  readonly zone: Zone
  /** Wall clock, ms. */
  readonly now: number
  readonly inbox: InboxStats
  /** In words: referred vehicles that wait for too long, a second box. */
  readonly said: readonly string[]
  readonly pair: ChannelStats | null
  readonly certificates: readonly KnownCertificate[]
}

/** Alarms of the whole site that `problems` names. */
const PROBLEMS = 20

const round = (ms: number) => Math.round(ms * 10) / 10

/** `ok` is false while something keeps trucks from passing or events from being kept: a watchdog may act on it. */
export function healthReport(v: SiteView): HealthReport {
  const problems: string[] = []
  if (!v.journal.writable) problems.push(`journal: ${v.journal.why ?? 'cannot be written'}`)
  if (v.recorder.refused) problems.push(`journal refuses entries: ${v.recorder.refused}`)
  for (const [id, { runner }] of v.lanes) {
    if (runner.state.phase === 'fault') problems.push(`lane ${id}: ${runner.fault ?? 'fault'}`)
    for (const alarm of runner.alarms) problems.push(`lane ${id}: alarm ${alarm}`)
  }
  for (const alarm of v.inside.alarms.slice(0, PROBLEMS)) problems.push(`site: alarm ${alarm}`)
  for (const [id, device] of v.devices.all) {
    const h = device.health()
    if (h.state === 'down' || h.state === 'degraded') problems.push(`device ${id} is ${h.state}${h.why ? `: ${h.why}` : ''}`)
  }
  for (const { publisher, connection } of v.targets) {
    if (!connection.up) problems.push(`${publisher.target} broker: ${connection.why ?? 'not connected'}`)
    for (const p of publisher.parked) problems.push(`${publisher.target}: event ${p.sequence} is refused by the broker: ${p.reason}`)
  }
  if (v.inbox.owed > 0) problems.push(`inbox: ${v.inbox.owed} declarations and list entries wait for the disk`)
  problems.push(...v.said, ...(v.pair ? pairProblems(v.pair) : []))
  for (const c of v.certificates) {
    const ends = validityProblem(c, v.now)
    if (ends) problems.push(`certificate ${c.file} (${c.use}) ${ends}`)
  }
  const { freshness: lists } = v
  if (lists.stale)
    problems.push(
      lists.age_h === null
        ? 'lists: nothing was ever heard from the platform; lanes refer what they would let pass'
        : `lists: last contact with the platform ${round(lists.age_h)} h ago, at most ${lists.max_age_h} h; lanes refer what they would let pass`,
    )
  const time = (at: number | null) => (at === null ? null : v.zone.format(at))
  const lanesDown = [...v.lanes.values()].filter(({ runner }) => runner.state.phase === 'fault' || runner.state.phase === 'starting').length
  return {
    ok: v.journal.writable && v.recorder.refused === null && lanesDown < v.lanes.size,
    version,
    problems,
    lanes: Object.fromEntries([...v.lanes].map(([id, { runner }]) => [id, runner.state.phase])),
    devices: Object.fromEntries([...v.devices.all].map(([id, d]) => [id, d.health().state])),
    links: Object.fromEntries([...v.devices.links].map(([id, l]) => [id, l.up ? 'up' : 'down'])),
    uplinks: Object.fromEntries(
      v.targets.map(({ publisher: p, connection: c }) => [p.target, { up: c.up, lag: p.lag, in_flight: p.inFlight, late: p.late }]),
    ),
    journal: {
      sequence: v.head.sequence,
      writable: v.journal.writable,
      waiting: v.journal.waiting,
      durable_ms: { p50: round(v.journal.durable.p50), p99: round(v.journal.durable.p99) },
      bytes: v.journal.bytes,
    },
    plates: {
      workers: v.pool.workers,
      queued: v.pool.queued,
      done: v.pool.done,
      dropped: v.pool.dropped,
      read_ms: { p50: round(v.pool.total.p50), p99: round(v.pool.total.p99) },
    },
    event_loop_delay_ms: { p50: round(v.loop.p50), p99: round(v.loop.p99), max: round(v.loop.max) },
    ...(v.pair ? { peer: v.pair } : {}),
    declarations: v.declarations,
    lists: {
      entries: v.listEntries,
      newest: time(lists.newest),
      contact: time(lists.contact),
      age_h: lists.age_h === null ? null : round(lists.age_h),
      max_age_h: lists.max_age_h,
      stale: lists.stale,
    },
  }
}

/** Every sample of ours, and what it means; `npm run docs` makes a table of them. */
export const METRICS = {
  event_loop_delay_seconds: 'Delay of the main thread',
  journal_durable_seconds: 'Append to durable',
  plates_read_seconds: 'Picture in to plates out',
  plates_wait_seconds: 'Wait of a picture for a worker',
  journal_sequence: 'Last event',
  journal_waiting: 'Appends waiting for the disk',
  journal_bytes: 'Size of the journal',
  journal_writable: '1 while the journal takes entries',
  recorder_backlog: 'Entries kept in memory because the disk refuses',
  recorder_shed_total: 'Inputs left out because the disk refused for too long',
  evidence_bytes: 'Pictures on disk',
  evidence_written_total: 'Pictures written',
  evidence_refused_total: 'Pictures not kept',
  plates_queued: 'Pictures waiting',
  plates_done_total: 'Pictures read',
  plates_dropped_total: 'Pictures dropped for newer ones',
  plates_failed_total: 'Pictures that could not be read',
  declarations: 'Declarations on site',
  list_entries: 'Entries of lists on site',
  lists_newest_seconds: 'Age of the newest declaration or list entry',
  lists_contact_seconds: 'Time since the platform was last heard',
  lists_stale: '1 while the lists are too old for anybody to pass',
  vehicles_inside: 'Vehicles of the other side that came in and have not gone back',
  empties_inside: 'Empty ones of them',
  stays_over: 'Those over the longest stay',
  inbox_owed: 'Declarations and list entries that wait for the disk',
  inbox_invalid_total: 'Messages from brokers that did not fit their schema',
  commands_rejected_total: 'Commands rejected before they reached a lane',
  uplink_up: '1 while connected',
  uplink_lag_events: 'Events in the journal and not yet acknowledged',
  uplink_in_flight: 'Events sent and not yet acknowledged',
  uplink_parked: 'Events the broker refuses',
  broker_clients: 'Clients of the embedded broker',
  broker_denied_total: 'Publishes and subscriptions outside the rights of the user',
  broker_refused_total: 'Connections refused',
  broker_limited_total: 'How often a limit of the embedded broker was reached',
  certificate_expires_seconds: 'Until the certificate expires; below 0 since then',
  peer_up: '1 while the other half of a smart gate is heard',
  peer_waiting: 'Messages that the other half has not acknowledged',
  peer_expected: 'Vehicles handed over by the other half that have not come',
  peer_missing: 'Of these, the ones that are late',
  peer_ahead_seconds: 'How far the clock of the other half is ahead of ours',
  peer_refused_total: 'Messages from the other half that were refused',
  link_up: '1 while the link is up',
  device_ok: '1 while the device is well',
  device_events_total: 'Counters of the driver',
  lane_phase: 'Phase of the lane: the one that is 1',
  lane_alarms: 'Alarms raised',
} as const

/** Prometheus samples; names follow prometheus.io/docs/practices/naming (base units, `_total` for counters). */
export function samples(v: SiteView): Sample[] {
  const out: Sample[] = []
  const add = (name: keyof typeof METRICS, value: number, labels: Record<string, string> = {}) =>
    out.push({ name: `luong_${name}`, help: METRICS[name], value, labels })
  const quantiles = (name: keyof typeof METRICS, q: { p50: number; p99: number }) => {
    add(name, q.p50 / 1000, { quantile: '0.5' })
    add(name, q.p99 / 1000, { quantile: '0.99' })
  }
  quantiles('event_loop_delay_seconds', v.loop)
  quantiles('journal_durable_seconds', v.journal.durable)
  quantiles('plates_read_seconds', v.pool.total)
  quantiles('plates_wait_seconds', v.pool.wait)
  add('journal_sequence', v.head.sequence)
  add('journal_waiting', v.journal.waiting)
  add('journal_bytes', v.journal.bytes)
  add('journal_writable', v.journal.writable ? 1 : 0)
  add('recorder_backlog', v.recorder.backlog)
  add('recorder_shed_total', v.recorder.shed)
  add('evidence_bytes', v.evidence.bytes)
  add('evidence_written_total', v.evidence.written)
  add('evidence_refused_total', v.evidence.refused + v.evidence.failed)
  add('plates_queued', v.pool.queued)
  add('plates_done_total', v.pool.done)
  add('plates_dropped_total', v.pool.dropped)
  add('plates_failed_total', v.pool.failed)
  add('declarations', v.declarations)
  add('list_entries', v.listEntries)
  const { freshness: lists } = v
  if (lists.newest !== null) add('lists_newest_seconds', Math.max(0, v.now - lists.newest) / 1000)
  if (lists.age_h !== null) add('lists_contact_seconds', lists.age_h * 3600)
  add('lists_stale', lists.stale ? 1 : 0)
  add('vehicles_inside', v.inside.inside)
  add('empties_inside', v.inside.empties)
  add('stays_over', v.inside.over.length)
  add('inbox_owed', v.inbox.owed)
  add('inbox_invalid_total', v.inbox.invalid)
  add('commands_rejected_total', v.inbox.rejected)
  for (const { publisher: p, connection: c } of v.targets) {
    const labels = { target: p.target }
    add('uplink_up', c.up ? 1 : 0, labels)
    add('uplink_lag_events', p.lag, labels)
    add('uplink_in_flight', p.inFlight, labels)
    add('uplink_parked', p.parked.length, labels)
  }
  if (v.pair) {
    const labels = { peer: v.pair.peer }
    add('peer_up', v.pair.up ? 1 : 0, labels)
    add('peer_waiting', v.pair.waiting, labels)
    add('peer_expected', v.pair.expected, labels)
    add('peer_missing', v.pair.missing, labels)
    if (v.pair.ahead_ms !== null) add('peer_ahead_seconds', v.pair.ahead_ms / 1000, labels)
    add('peer_refused_total', v.pair.refused, labels)
  }
  if (v.broker) {
    add('broker_clients', v.broker.clients)
    add('broker_denied_total', v.broker.denied)
    add('broker_refused_total', v.broker.refused)
    for (const [limit, n] of Object.entries(v.broker.limited)) add('broker_limited_total', n, { limit })
  }
  for (const c of v.certificates) add('certificate_expires_seconds', Math.round((c.to - v.now) / 1000), { use: c.use, file: c.file })
  for (const [id, l] of v.devices.links) add('link_up', l.up ? 1 : 0, { link: id })
  for (const [id, d] of v.devices.all) {
    const h = d.health()
    add('device_ok', h.state === 'ok' ? 1 : 0, { device: id })
    for (const [counter, n] of Object.entries(h.counters)) add('device_events_total', n, { device: id, event: counter })
  }
  for (const [id, { runner }] of v.lanes) {
    add('lane_phase', 1, { lane: id, phase: runner.state.phase })
    add('lane_alarms', runner.alarms.length, { lane: id })
  }
  return out
}
