/** `luong start --pair` (npm run demo:pair): both halves of a smart gate, with trucks that cross from one to the other both ways. */
import { join } from 'node:path'
import { loadSite } from '../../config/load.ts'
import { zoneOf } from '../journal/zone.ts'
import { type Clock, sleep } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'
import { packageRoot } from '../kernel/package-root.ts'
import { startReaders } from '../site/readers.ts'
import { paint } from './colour.ts'
import { pad } from './columns.ts'
import { type DemoSite, type Ports, startDemoSite } from './demo-site.ts'
import { PassageLines, writtenPlate } from './passage-line.ts'

/** The first is the one whose broker both meet at. */
const HALVES = ['huu-nghi', 'youyiguan'] as const
/** Share of trucks to which something happens between the two. */
const TWISTS = 0.1

export interface PairDemoOptions extends Ports {
  readonly data: string
  readonly passages?: number
  readonly seed: string
  readonly json: boolean
  readonly clock: Clock
  readonly log: Log
  /** Resolves when a person has had enough. */
  readonly asked: Promise<unknown>
}

const say = (line: string) => void process.stdout.write(`${line}\n`)

export async function demoPair(o: PairDemoOptions): Promise<void> {
  const { clock, log } = o
  const { Crossing } = await import('../../test/sim/crossing.ts')
  const sites: DemoSite[] = []
  const prints: PassageLines[] = []
  try {
    if (!o.json)
      say(`${paint.bold('Luồng')} demo: the two halves of a smart gate on simulated hardware, each with its own gateway and broker`)
    for (const [i, name] of HALVES.entries()) {
      const loaded = await loadSite(join(packageRoot, 'config', 'sites', `${name}.yaml`))
      const { lanes, peer, plates, site } = loaded.site
      const print = new PassageLines({ zone: zoneOf(site.timezone), json: o.json, out: process.stdout, site: name })
      prints.push(print)
      const first = sites[0]?.gateway.mqttUrl ?? undefined
      const dataDir = join(o.data, name)
      const half = await startDemoSite({
        loaded,
        dataDir,
        clock,
        log,
        seed: `${o.seed}-${name}`,
        pool: startReaders(plates, log),
        // Ports that were asked for are those of the first half.
        ...(i === 0 ? ports(o) : o.mqttPort === 0 ? { mqttPort: 0, httpPort: 0 } : {}),
        ...(first === undefined ? {} : { peerUrl: first }),
        traffic: {
          every_s: 30,
          direction: peer!.hands_over,
          trouble: 0.05,
          ...(o.passages === undefined ? {} : { passages: Math.max(1, Math.round((o.passages + (i === 0 ? 1 : 0)) / 2)) }),
        },
        onPassage: (type, passage) => print.event(type, passage),
        onStarted: (gateway) => {
          if (o.json) return
          const port = new URL(gateway.mqttUrl!).port
          say(`${paint.bold(name)}: ${Object.keys(lanes).join(', ')}; hands over what leaves by ${peer!.hands_over}`)
          say(`  events   mosquitto_sub -p ${port} -v -t 'luong/v1/${name}/lane/+/event'`)
          say(`  health   http://127.0.0.1:${gateway.httpPort}/health`)
          say(`  journal  npx luong journal ${dataDir} --follow`)
          if (i === 0) say(`  peer     mosquitto_sub -p ${port} -v -t 'luong/v1/+/peer/#'`)
        },
      })
      sites.push(half)
      if (!o.json) tell(half, name)
    }
    if (!o.json) say(`  ${paint.dim('Ctrl-C stops')}\n`)
    const [a, b] = sites.map(({ world, loaded }) => ({ world, handsOver: loaded.site.peer!.hands_over, lanes: loaded.site.lanes }))
    const crossing = new Crossing([a!, b!], { clock, seed: o.seed, twists: TWISTS })
    crossing.start()
    const over = o.passages === undefined ? new Promise<never>(() => {}) : allThrough(sites, crossing, clock)
    const why = await Promise.race([o.asked, over])
    crossing.stop()
    if (why === 'done') for (const site of sites) await site.empty()
    if (!o.json) say(paint.dim(why === 'done' ? 'all trucks are through; stopping' : 'stopping'))
    if (!o.json)
      say(
        `${crossing.counts.left} trucks left for the other side, ${crossing.counts.reached} reached it, ${crossing.counts.lost} got lost on the way`,
      )
  } finally {
    for (const site of sites.reverse()) await site.stop()
  }
  if (!o.json) for (const [i, print] of prints.entries()) say(`${HALVES[i]}: ${print.summary()}`)
}

function ports({ mqttPort, httpPort }: Ports): Ports {
  return { ...(mqttPort === undefined ? {} : { mqttPort }), ...(httpPort === undefined ? {} : { httpPort }) }
}

/** Every truck has come, crossed, and left the world. */
async function allThrough(sites: readonly DemoSite[], crossing: { readonly empty: boolean }, clock: Clock): Promise<'done'> {
  for (const { world } of sites) await world.done
  const busy = () => !crossing.empty || sites.some(({ world }) => [...world.lanes.values()].some((lane) => lane.vehicles.length > 0))
  while (busy()) await sleep(clock, 1_000)
  return 'done'
}

const WORDS: Readonly<Record<string, string>> = {
  'handed-over': 'handed over to the other side',
  expected: 'is expected from the other side',
  arrived: 'has come from the other side',
  missing: 'did not come in time',
}

/** What one half hears of the other, and its alarms, as they are published. */
function tell({ messages, loaded }: DemoSite, name: string): void {
  const { root, timezone } = loaded.site.site
  const zone = zoneOf(timezone)
  messages.subscribe(`${root}/${name}/lane/+/event`, ({ payload }) => {
    const event = JSON.parse(Buffer.from(payload).toString()) as {
      readonly type: string
      readonly time: string
      readonly data: { readonly plate?: string; readonly alarm?: string; readonly why?: string; readonly way?: string }
    }
    const [, group, what] = event.type.split('.')
    const { plate, alarm, why, way } = event.data
    const time = paint.dim(zone.format(Date.parse(event.time)).slice(11, 19))
    const about = plate ? paint.bold(pad(writtenPlate(plate), 12)) : ''
    if (group === 'peer' && WORDS[what!] && way !== 'out') say(`${time}  ${pad(name, 19)} ${about} ${paint.cyan(WORDS[what!]!)}`)
    else if (group === 'alarm') say(`${time}  ${pad(name, 19)} ${about} ${paint.red(`alarm ${alarm} ${what}`)}  ${paint.dim(why ?? '')}`)
  })
}
