/**
 * A consumer of events that loses nothing and does nothing twice, for any broker: `node dist/docs/examples/consumer.js mqtt://host:1883`.
 * It keeps what it has done in memory; a real one stores `done` together with its work.
 */
import { connect } from 'mqtt'

interface Event {
  readonly source: string
  readonly type: string
  readonly sequence: string
  readonly subject?: string
  readonly data: { readonly from: number; readonly to: number }
}
interface Status {
  readonly historical?: { readonly to: number }
}
interface Site {
  /** All sequences up to this one are done. */
  done: number
  /** Those above it that came before their turn. */
  readonly early: Set<number>
  /** The gap that was asked for last. */
  asked: number
  /** Sequences that will never come: an older journal was restored there, and goes on above them. */
  gone?: Event['data']
}

export function consume(url: string, work: (site: string, event: Event) => void) {
  const client = connect(url)
  const sites = new Map<string, Site>()
  /** Up to this one, what is missing is on its way already: a site says so in its status after a long time away. */
  const late = new Map<string, number>()
  client.on('connect', () => client.subscribe(['luong/v1/+/status', 'luong/v1/+/lane/+/event'], { qos: 1 }))
  client.on('message', (topic, payload) => {
    const name = topic.split('/')[2]!
    if (topic.endsWith('/status')) {
      late.set(name, (JSON.parse(payload.toString()) as Status).historical?.to ?? 0)
      return
    }
    const event = JSON.parse(payload.toString()) as Event
    const sequence = Number(event.sequence)
    const site = sites.get(name) ?? { done: sequence - 1, early: new Set(), asked: 0 }
    sites.set(name, site)
    if (sequence <= site.done || site.early.has(sequence)) return
    work(name, event)
    site.early.add(sequence)
    if (event.type === 'luong.journal.continued.v1') site.gone = event.data
    for (;;) {
      const { done, gone } = site
      if (site.early.delete(done + 1)) site.done++
      else if (gone && gone.from <= done + 1 && done < gone.to) site.done = gone.to
      else break
    }
    const from = site.done + 1
    // What the gate was away with comes by itself, after what happens now.
    if (site.early.size === 0 || site.asked === from || from <= (late.get(name) ?? 0)) return
    site.asked = from
    const expires = new Date(Date.now() + 60_000).toISOString()
    const command = { id: `gap-${from}-${Date.now()}`, do: 'resend-from', from, by: 'consumer', reason: 'gap', expires }
    client.publish(`luong/v1/${name}/command`, JSON.stringify(command), { qos: 1 })
  })
  return client
}

if (process.argv[1] === import.meta.filename) {
  const url = process.argv[2] ?? 'mqtt://127.0.0.1:1883'
  consume(url, (site, event) => console.log(site, event.sequence, event.type, event.subject ?? ''))
}
