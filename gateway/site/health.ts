/** `/health` for people and watchdogs, `/metrics` for Prometheus. Reads what others know; keeps nothing. */
import { createServer, type Server } from 'node:http'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Gauge } from 'prom-client'
import { LuongError } from '../kernel/errors.ts'

/** One number with its labels. */
export interface Sample {
  readonly name: string
  readonly help: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface HealthReport {
  readonly ok: boolean
  /** In words, what is not well. */
  readonly problems: readonly string[]
  readonly [key: string]: unknown
}

export interface HealthServer {
  readonly port: number
  stop(): Promise<void>
}

/** Event-loop delay of this process, ms, since start. */
export class LoopDelay {
  readonly #histogram = monitorEventLoopDelay({ resolution: 5 })
  start(): void {
    this.#histogram.enable()
  }
  stop(): void {
    this.#histogram.disable()
  }
  /** The sampling interval itself is taken off. */
  read(): { p50: number; p99: number; max: number } {
    const ms = (ns: number) => (Number.isFinite(ns) ? Math.max(0, ns / 1e6 - 5) : 0)
    return { p50: ms(this.#histogram.percentile(50)), p99: ms(this.#histogram.percentile(99)), max: ms(this.#histogram.max) }
  }
}

export async function startHealth(options: {
  host: string
  port: number
  health: () => HealthReport
  samples: () => readonly Sample[]
}): Promise<HealthServer> {
  const prometheus = await import('prom-client')
  const registry = new prometheus.Registry()
  prometheus.collectDefaultMetrics({ register: registry })
  const gauges = new Map<string, Gauge>()
  const metrics = async (): Promise<string> => {
    for (const g of gauges.values()) g.reset()
    for (const s of options.samples()) {
      let g = gauges.get(s.name)
      if (!g) {
        g = new prometheus.Gauge({ name: s.name, help: s.help, labelNames: Object.keys(s.labels), registers: [registry] })
        gauges.set(s.name, g)
      }
      g.set({ ...s.labels }, s.value)
    }
    return registry.metrics()
  }
  const server: Server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?')[0]
    const send = (status: number, type: string, body: string) => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' })
      response.end(body)
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') return send(405, 'text/plain', 'only GET\n')
    if (path === '/health') {
      const report = options.health()
      return send(report.ok ? 200 : 503, 'application/json', `${JSON.stringify(report, null, 2)}\n`)
    }
    if (path === '/metrics') {
      metrics().then(
        (text) => send(200, registry.contentType, text),
        (error: unknown) => send(500, 'text/plain', `${error}\n`),
      )
      return
    }
    send(404, 'text/plain', 'there are /health and /metrics\n')
  })
  server.headersTimeout = 5_000
  server.requestTimeout = 10_000
  server.maxConnections = 32
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE')
        reject(
          new LuongError('PORT_IN_USE', `port ${options.port} on ${options.host} (http) is in use`, {
            hint: 'stop the other program, or set http.port to another port',
          }),
        )
      else
        reject(
          new LuongError('CONFIG_INVALID', `http cannot listen on ${options.host}:${options.port}: ${error.message}`, { cause: error }),
        )
    })
    server.listen(options.port, options.host, resolve)
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : options.port,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
