/** The thread of the embedded broker. */
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../kernel/clock.ts'
import { LuongError, messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import { toWire } from '../kernel/wire-error.ts'
import { type LocalBroker, startBroker } from './broker.ts'
import { portStream } from './port-stream.ts'
import { type BrokerThreadSettings, type FromBroker, TELL_MS, type ToBroker } from './protocol.ts'

const port = parentPort!
const say = (message: FromBroker): void => port.postMessage(message)

/** Says it in the gateway's log. */
function logWith(own: object): Log {
  const at = (level: 'debug' | 'info' | 'warn' | 'error') => (fields: object, message: string) =>
    say({ kind: 'log', level, fields: { ...own, ...fields }, message })
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => logWith({ ...own, ...fields }),
  }
}

const log = logWith({})

function serve(broker: LocalBroker): void {
  const telling = setInterval(() => say({ kind: 'stats', stats: broker.stats() }), TELL_MS)
  port.on('message', (message: ToBroker) => {
    if (message.kind === 'stream') broker.serve(portStream(message.end))
    else if (message.kind === 'exchange') {
      try {
        broker.exchange(message.change)
      } catch (error) {
        log.error({ err: messageOf(error) }, 'broker: what was read again was not taken')
      }
    } else {
      clearInterval(telling)
      void broker.stop().finally(() => port.close())
    }
  })
  say({ kind: 'stats', stats: broker.stats() })
  say({ kind: 'listening', port: broker.port, tlsPort: broker.tlsPort })
}

const { config, internal } = workerData as BrokerThreadSettings
startBroker(config, { log, clock: systemClock, own: internal }).then(serve, (error: unknown) => {
  const known = error instanceof LuongError ? error : new LuongError('STOPPED', `broker: ${messageOf(error)}`, { cause: error })
  say({ kind: 'failed', error: toWire(known) })
  port.close()
})
