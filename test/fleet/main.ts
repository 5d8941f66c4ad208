/** `npm run fleet -- --gates 200 --trucks 2500 --broker nats|mosquitto|rabbitmq [--seconds 600] [--kills 10] [--processes 4] [--seed 1] [--json]` */
import { parseArgs } from 'node:util'
import { load, machine, mb } from '../bench/report.ts'
import { BROKERS, type BrokerName } from './brokers.ts'
import { type FleetResult, runFleet } from './fleet.ts'

const number = (fallback: string) => ({ type: 'string' as const, default: fallback })
const { values } = parseArgs({
  options: {
    gates: number('200'),
    trucks: number('250'),
    seconds: number('120'),
    processes: number('2'),
    kills: number('0'),
    broker: number('nats'),
    seed: number('1'),
    json: { type: 'boolean', default: false },
  },
})
if (!(values.broker in BROKERS)) throw new TypeError(`--broker is one of ${Object.keys(BROKERS).join(', ')}, not ${values.broker}`)
const whole = (name: 'gates' | 'trucks' | 'seconds' | 'processes' | 'kills') => {
  const n = Number(values[name])
  if (!Number.isInteger(n) || n < (name === 'kills' ? 0 : 1)) throw new TypeError(`--${name} takes a whole number, not ${values[name]}`)
  return n
}
const options = {
  broker: values.broker as BrokerName,
  gates: whole('gates'),
  trucks: whole('trucks'),
  seconds: whole('seconds'),
  processes: whole('processes'),
  kills: whole('kills'),
  seed: values.seed,
}
const before = load()
const result = await runFleet({ ...options, say: (line) => process.stderr.write(`${line}\n`) })
const about = { machine: machine(), date: new Date().toISOString(), load: [before, load()], ...options }
if (values.json) process.stdout.write(`${JSON.stringify({ ...about, ...result })}\n`)
else process.stdout.write(`${JSON.stringify(about)}\n${table(result).join('\n')}\n`)
process.exitCode = result.lost > 0 || result.wrong.length > 0 ? 1 : 0

function table(r: FleetResult): string[] {
  const each = (n: number) => `${((n * 1e6) / r.events).toFixed(0)} µs an event`
  return [
    `events           ${r.events} of ${r.gates} gates, ${(r.bytes / r.unique).toFixed(0)} bytes each`,
    `at the centre    ${r.unique}; ${r.missing} asked for again, ${r.lost} lost; ${r.duplicates} came twice, ${r.wrong.length} wrong`,
    `time             ${r.seconds.toFixed(0)} s, ${(r.events / r.seconds).toFixed(0)} events/s; at most ${r.maxLag} waited in the journals`,
    `kills            ${r.kills.length}: ${r.kills.join('; ')}`,
    `connections      ${r.connects}; ${r.sent} publishes`,
    `broker           ${r.broker.cpuS.toFixed(1)} s CPU, ${each(r.broker.cpuS)}; ${mb(r.broker.rss)}`,
    `gates            ${r.gateProcesses.cpuS.toFixed(1)} s CPU, ${each(r.gateProcesses.cpuS)}; ${mb(r.gateProcesses.rss)}; journals ${mb(r.journalBytes)}`,
  ]
}
