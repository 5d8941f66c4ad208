/** A world on the demo site's real drivers and simulated boards, in memory, on a virtual clock, with a doorman of few words. */
import sharp from 'sharp'
import { loadSite } from '../../config/load.ts'
import { buildDevices, type Devices } from '../../firmware-bridge/build.ts'
import { type MemoryLine, memoryLine } from '../../firmware-bridge/transport/memory.ts'
import { type MemoryBroker, memoryBroker } from '../../firmware-bridge/transport/memory-broker.ts'
import { silentLog } from '../../gateway/kernel/log.ts'
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts'
import { createWorld, type World, type WorldOptions } from '../sim/world.ts'

export interface Rig {
  readonly clock: VirtualClock
  readonly broker: MemoryBroker
  readonly world: World
  readonly devices: Devices
  stop(): Promise<void>
}

const PICTURE = await sharp({ create: { width: 16, height: 16, channels: 3, background: '#888' } })
  .jpeg()
  .toBuffer()

export const EPOCH = Date.parse('2026-11-21T03:00:00Z')

/** Opens for whoever stands at the approach, closes when nothing is under the arm: enough for the world to be seen at work. */
function doorman(devices: Devices, lanes: Awaited<ReturnType<typeof loadSite>>['site']['lanes'], clock: VirtualClock): () => void {
  const offs: (() => void)[] = []
  for (const lane of Object.values(lanes)) {
    const barrier = devices.get(lane.barrier).barrier!
    const light = lane.light ? devices.get(lane.light).signal! : null
    const point = (refs: readonly string[] | undefined) => (refs ?? []).map((ref) => devices.input(ref))
    const safety = [...point(lane.sensors.presence), ...point(lane.sensors.curtain)]
    const approach = point(lane.sensors.approach)
    let busy = false
    let entered = false
    let clearSince = 0
    const options = () => ({ deadline: clock.mono() + 1_500 })
    const quietly = (work: Promise<void> | undefined) => void work?.catch(() => {})
    const free = () => safety.every((p) => p.read().value === false)
    const look = () => {
      const now = clock.mono()
      if (!busy && approach.some((p) => p.read().value === true) && barrier.position() === 'closed' && free()) {
        busy = true
        entered = false
        quietly(light?.show('green', options()))
        quietly(barrier.open(options()))
      }
      if (busy && !free()) {
        if (!entered) quietly(light?.show('red', options()))
        entered = true
        clearSince = now
      }
      if (busy && entered && free() && now - clearSince > 3_000) {
        busy = false
        quietly(barrier.close({ ...options(), guard: free }))
      }
      timer = clock.after(200, look)
    }
    let timer = clock.after(500, look)
    offs.push(() => timer.cancel())
  }
  return () => {
    for (const off of offs) off()
  }
}

export async function rig(options: Partial<WorldOptions> & { door?: boolean; site?: string; pace?: number } = {}): Promise<Rig> {
  const clock = new VirtualClock({ epoch: EPOCH, ...(options.pace === undefined ? {} : { pace: options.pace }) })
  const loaded = await loadSite(options.site ?? 'test/sim-tests/one-lane.yaml')
  const lines = new Map<string, MemoryLine>()
  const line = (link: string): MemoryLine => {
    const made = lines.get(link) ?? memoryLine(link, clock)
    lines.set(link, made)
    return made
  }
  const broker = memoryBroker()
  const gate = broker.connect('gate')
  const outside = broker.connect('world')
  const devices = await buildDevices({
    links: loaded.site.links,
    devices: loaded.devices,
    clock,
    log: silentLog,
    messages: gate,
    bytesFor: (link) => line(link).master,
  })
  const world = await createWorld(loaded, {
    clock,
    log: silentLog,
    seed: 1,
    lineFor: (link) => line(link).device,
    messages: outside,
    painter: async () => PICTURE,
    ...options,
  })
  gate.start()
  outside.start()
  world.start()
  devices.start()
  const offDoor = options.door === false ? () => {} : doorman(devices, loaded.site.lanes, clock)
  return {
    clock,
    broker,
    world,
    devices,
    async stop() {
      offDoor()
      // Stopping waits on timers of this clock, so somebody must move it.
      clock.start()
      await world.stop()
      await devices.stop()
      await gate.stop()
      await outside.stop()
      await clock.stop()
    },
  }
}
