/** The lamps on a simulated board's relays: what a driver in front of them sees. */
import type { SimContext, SimDevice } from '../../sim.ts'
import { simTerminal } from '../../sim-terminal.ts'
import type { Settings } from './schema.ts'

/** With several lamps on at once the most restrictive counts. */
export function createTrafficLightSim(settings: Settings, context: SimContext): SimDevice {
  const lit = (ref: string | undefined) => ref !== undefined && simTerminal(context, ref).level()
  return {
    id: context.id,
    start() {},
    async stop() {},
    light: { aspect: () => (lit(settings.red) ? 'red' : lit(settings.amber) ? 'amber' : lit(settings.green) ? 'green' : 'off') },
  }
}
