/** Faults at seeded moments between the real uplink and a real broker, which is killed as well, and the audit of what arrived. */
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Backoff } from '../../firmware-bridge/transport/backoff.ts'
import { sleep, systemClock } from '../../gateway/kernel/clock.ts'
import { between, pick, type Rng, rng, whole } from '../sim/random.ts'
import { FAULTS, FaultProxy } from './fault-proxy.ts'
import { type Mosquitto, startMosquitto } from './mosquitto.ts'
import { type Audit, StreamRecord } from './stream-record.ts'
import { trafficEvent } from './traffic-events.ts'
import { BASE, openUplink, type UplinkRig } from './uplink-rig.ts'

/** SIGKILL of the broker and a start, the publisher's side of the line untouched. */
const KILL = 'kill'
export type Blow = (typeof FAULTS)[number] | typeof KILL

export interface FaultyOptions {
  readonly faults: number
  readonly seed: number
  /** The broker keeps its sessions and messages on disk, every second. */
  readonly persistence: boolean
  /** Of 100 faults so many are kills of the broker. */
  readonly kills?: number
  readonly said?: (done: number) => void
}

export interface FaultyResult extends Audit {
  readonly events: number
  readonly seconds: number
  readonly blows: Readonly<Record<string, number>>
  /** Connections that were made. */
  readonly connects: number
  /** Times the centre had to ask with `resend-from`. */
  readonly asked: number
  /** A link that hung: until the uplink gave it up, ms. */
  readonly hung: readonly number[]
}

/** A link without an answer for so long is given up, ms. Ten times longer on a real one. */
export const ACK_MS = 1_000
/** Between two looks of the centre at what is missing. */
const ASK_MS = 400
const SETTLE_MS = 120_000

export async function faultyUplink(o: FaultyOptions): Promise<FaultyResult> {
  const random = rng('faults', o.seed)
  const dir = await mkdtemp(join(tmpdir(), 'luong-faults-'))
  const keeps = ['persistence true', 'persistence_location DIR/', 'autosave_interval 1']
  const broker = await startMosquitto({ config: ['allow_anonymous true', 'max_queued_messages 0', ...(o.persistence ? keeps : [])] })
  const line = new FaultProxy(broker.port)
  await line.start()
  const record = new StreamRecord()
  await record.listen(broker.url)
  const began = performance.now()
  const rig = await openUplink({ dir, url: line.url, connection: { ackMs: ACK_MS, keepaliveS: 1, backoff: new Backoff(10, 100) } })
  const centre = new Centre(record, rig)
  const source = feed(rig, random)
  try {
    const blows: Record<string, number> = {}
    const hung: number[] = []
    for (let i = 0; i < o.faults; i++) {
      await until(() => rig.connection.up, 'the uplink connects', rig)
      await sleep(systemClock, between(random, 0, 60))
      const blow: Blow = random() * 100 < (o.kills ?? 10) ? KILL : pick(random, FAULTS)
      blows[blow] = (blows[blow] ?? 0) + 1
      const ms = await strike(blow, line, broker, rig, random)
      if (ms !== null) hung.push(ms)
      o.said?.(i + 1)
    }
    await source.stop()
    const events = rig.journal.head().sequence
    await until(
      () => record.complete >= events,
      'everything arrives',
      rig,
      () => `${record.complete} of ${events}`,
    )
    const seconds = (performance.now() - began) / 1000
    return { ...record.audit(events), events, seconds, blows, connects: rig.connection.stats().connects, asked: centre.asked, hung }
  } finally {
    centre.stop()
    await source.stop()
    await rig.stop()
    await record.stop()
    await line.stop()
    await broker.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Does it, and waits until the uplink has noticed. Returns how long it took to find a link that hangs, ms. */
async function strike(blow: Blow, line: FaultProxy, broker: Mosquitto, rig: UplinkRig, random: Rng): Promise<number | null> {
  if (blow === KILL) {
    await broker.kill()
    await sleep(systemClock, between(random, 0, 50))
    await broker.restart()
    return null
  }
  const { connects } = rig.connection.stats()
  line.strike(blow, whole(random, 5, 200))
  if (blow === 'delay') return null
  // The next one is for the next connection.
  const since = performance.now()
  await until(() => !rig.connection.up || rig.connection.stats().connects > connects, `the end of a link that was struck (${blow})`, rig)
  return blow === 'hang' ? performance.now() - since : null
}

/** Events at random moments until it is stopped, in bursts as vehicles make them. */
function feed(rig: UplinkRig, random: Rng): { stop(): Promise<void> } {
  let running = true
  const ended = (async () => {
    let n = rig.journal.head().sequence
    while (running) {
      const burst = Array.from({ length: whole(random, 1, 8) }, () => trafficEvent(++n))
      await rig.journal.append(burst)
      await sleep(systemClock, between(random, 0, 12))
    }
  })()
  return {
    stop() {
      running = false
      return ended
    },
  }
}

/** Asks again for what is missing, as the documentation tells consumers: by command, once, until there is progress. */
class Centre {
  readonly #record: StreamRecord
  readonly #rig: UplinkRig
  readonly #timer: NodeJS.Timeout
  #last = { complete: -1, size: -1 }
  asked = 0

  constructor(record: StreamRecord, rig: UplinkRig) {
    this.#record = record
    this.#rig = rig
    this.#timer = setInterval(() => this.#look(), ASK_MS)
  }

  #look(): void {
    const { complete, size, client } = this.#record
    const stands = complete === this.#last.complete && size === this.#last.size
    this.#last = { complete, size }
    const status = this.#rig.publisher.stats()
    // The retained status would say the same: nothing is on its way, and yet the last sequence has not come.
    if (!stands || !client.connected || status.lag > 0 || complete >= this.#rig.journal.head().sequence) return
    const id = `gap-${++this.asked}`
    const expires = new Date(Date.now() + 60_000).toISOString()
    const command = { id, do: 'resend-from', from: complete + 1, by: 'centre', reason: 'gap', expires }
    client.publish(`${BASE.root}/${BASE.site}/command`, JSON.stringify(command), { qos: 1 })
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}

async function until(condition: () => boolean, what: string, rig: UplinkRig, more = () => ''): Promise<void> {
  const deadline = performance.now() + SETTLE_MS
  while (!condition()) {
    if (performance.now() > deadline)
      throw new Error(`${what}: waited in vain; ${more()} ${JSON.stringify({ ...rig.connection.stats(), ...rig.publisher.stats() })}`)
    await sleep(systemClock, 5)
  }
}
