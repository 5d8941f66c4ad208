/** The brokers that every uplink must get along with. */

import { systemClock } from '../../../gateway/kernel/clock.ts'
import { silentLog } from '../../../gateway/kernel/log.ts'
import { startBroker } from '../../harness/local-broker.ts'
import { startMosquitto } from '../../harness/mosquitto.ts'
import { BASE } from './helpers.ts'

/** @param cleanups what ends the started broker is put there */
export function brokers(cleanups: (() => unknown)[]) {
  return {
    'the embedded broker': async () => {
      const options = { ...BASE, host: '127.0.0.1', port: 0, users: [], maxPayloadKb: 256 }
      const broker = await startBroker(options, { log: silentLog, clock: systemClock })
      cleanups.push(() => broker.stop())
      return broker
    },
    Mosquitto: async () => {
      const broker = await startMosquitto()
      cleanups.push(() => broker.stop())
      return broker
    },
  }
}
