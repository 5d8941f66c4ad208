/**
 * Decision → durable → open bytes, with a sync of the same disk alone beside it. The gateway and the boards are in one process on
 * memory lines; the plates are known at once, so that nothing but the decision's own way is measured.
 */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { buildSim } from '../../firmware-bridge/build-sim.ts'
import { memoryLine } from '../../firmware-bridge/transport/memory.ts'
import { mqttTransport } from '../../firmware-bridge/transport/mqtt.ts'
import { sleep, systemClock } from '../../gateway/kernel/clock.ts'
import { silentLog } from '../../gateway/kernel/log.ts'
import { Gateway } from '../../gateway/site/gateway.ts'
import { LabelPool, labelled } from '../harness/chaos-site.ts'
import { openers } from '../harness/promptness.ts'
import { MqttFeed } from '../sim/feed.ts'
import { BusyLane, trucksFor } from './busy-lane.ts'
import { byteLinks, LANES, lanesSite, withFolder } from './lanes-site.ts'
import { type BenchOptions, inWords, type Report, spread } from './report.ts'
import { WireTap } from './wire-tap.ts'

/** As large as the pictures of real cameras. */
const PICTURE_BYTES = 100_000
const LIMIT_S = 300

interface Decided {
  readonly at: number
  /** When the entries were given to the journal. */
  appended: number
  durable: number
}

export async function decide(o: BenchOptions): Promise<Report> {
  const wanted = o.number('decisions', 200)
  return withFolder(async (dir) => {
    const links = await byteLinks()
    const loaded = await lanesSite({
      dir,
      links: new Map(links.map((id) => [id, { kind: 'memory' }])),
      mqttPort: 0,
      httpPort: 0,
    })
    const lines = new Map(links.map((id) => [id, memoryLine(id, systemClock)]))
    const decided = new Map<string, Decided>()
    const keeps: number[] = []
    const commits: number[] = []
    const wires: number[] = []
    const totals: number[] = []
    const byBoard = openers(loaded)
    const opened = (link: string, unit: number, at: number) => {
      const lane = byBoard.get(`${link} ${unit}`) ?? ''
      const d = decided.get(lane)
      if (!d) return
      decided.delete(lane)
      keeps.push(d.appended - d.at)
      commits.push(d.durable - d.appended)
      wires.push(at - d.durable)
      totals.push(at - d.at)
    }
    const taps = new Map(
      links.map((id) => [
        id,
        new WireTap(
          () => {},
          (unit, at) => opened(id, unit, at),
        ).tap(lines.get(id)!.device),
      ]),
    )
    const gateway = new Gateway({
      loaded,
      dataDir: join(dir, 'data'),
      log: silentLog,
      bytesFor: (link) => lines.get(link)?.master,
      mqttPort: 0,
      httpPort: 0,
      pool: new LabelPool(),
      onPassage: (type, p) => {
        if (type === 'luong.passage.decided.v1' && p.decision?.outcome === 'pass')
          decided.set(p.lane, { at: p.decided!.mono, appended: performance.now(), durable: Number.NaN })
      },
    })
    await gateway.start()
    // Watched from outside: when the journal says that a decision is durable.
    const { journal } = gateway
    const append = journal.append.bind(journal)
    journal.append = async (entries) => {
      const lanes = entries.flatMap((e) => (e.kind === 'event' && e.type === 'luong.passage.decided.v1' ? [e.lane!] : []))
      const stored = await append(entries)
      for (const lane of lanes) {
        const d = decided.get(lane)
        if (d) d.durable = performance.now()
      }
      return stored
    }
    const messages = mqttTransport({ name: 'bench', url: gateway.mqttUrl!, clock: systemClock, log: silentLog })
    const devices = await buildSim({
      links: loaded.site.links,
      devices: loaded.devices,
      clock: systemClock,
      log: silentLog,
      lineFor: (link) => taps.get(link)!,
      messages,
    })
    const feed = new MqttFeed(messages, `${loaded.site.site.root}/${loaded.site.site.id}`, silentLog)
    devices.start()
    messages.start()
    feed.start()
    const shots = new Set<NodeJS.Timeout>()
    const lanes = LANES.map(
      (id) =>
        new BusyLane({
          id,
          loaded,
          devices,
          feed,
          trucks: trucksFor(loaded, id, 20),
          reopens: 0,
          onTruck(arrival) {
            if (!arrival) return
            let n = 0
            const shoot = setInterval(() => {
              const { front, rear } = loaded.site.lanes[id]!.cameras
              const { truck } = arrival
              for (const c of front)
                void devices
                  .get(c)
                  .camera!.send(labelled(truck.front?.text ?? null, PICTURE_BYTES))
                  .catch(() => {})
              for (const c of rear)
                void devices
                  .get(c)
                  .camera!.send(labelled(truck.rear?.text ?? null, PICTURE_BYTES))
                  .catch(() => {})
              if (++n < 6) return
              clearInterval(shoot)
              shots.delete(shoot)
            }, 100)
            shots.add(shoot)
          },
        }),
    )
    for (const lane of lanes) lane.start()
    const disk = await syncs(join(dir, 'alone'), () => totals.length >= wanted)
    for (const shoot of shots) clearInterval(shoot)
    await Promise.all(lanes.map((lane) => lane.stop()))
    await feed.stop()
    await devices.stop()
    await gateway.stop()
    await messages.stop()
    const [total, keep, commit, wire, sync] = [totals, keeps, commits, wires, disk].map(spread)
    return {
      bench: 'decide',
      title: `decision → pictures kept → decision durable → open bytes at the board, five lanes`,
      command: `npm run bench -- decide --decisions ${wanted}`,
      rows: [
        { what: 'decision → open bytes', value: inWords(total!) },
        { what: '  pictures kept', value: inWords(keep!), note: 'two of 100 kB, each synced with its folder' },
        { what: '  append → durable', value: inWords(commit!) },
        { what: '  durable → bytes', value: inWords(wire!), note: 'the line may be busy with a poll, and rests 5 ms after each answer' },
        { what: 'one sync of the disk alone', value: inWords(sync!), note: '4 kB appended and fdatasync, in the same minutes' },
        {
          what: 'append → durable ÷ one sync',
          value: `${(commit!.p50 / sync!.p50).toFixed(1)} × at p50, ${(commit!.p99 / sync!.p99).toFixed(1)} × at p99`,
        },
      ],
      data: { total, keep, commit, wire, sync },
    }
  })
}

/** Syncs a file of its own now and then until `done`. */
async function syncs(path: string, done: () => boolean): Promise<number[]> {
  const file = await open(path, 'a')
  const block = Buffer.alloc(4_096, 1)
  const times: number[] = []
  const end = performance.now() + LIMIT_S * 1000
  while (!done() && performance.now() < end) {
    const since = performance.now()
    await file.write(block)
    await file.datasync()
    times.push(performance.now() - since)
    await sleep(systemClock, 100)
  }
  await file.close()
  return times
}
